"""The memory that a model needs: its parameters, and its layers' outputs for one input."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from keras_recipes.errors import UnsafeModelError
from keras_recipes.untrusted import limits

if TYPE_CHECKING:
    import keras

MOST_STEPS, MOST_UNROLLED = 100_000, 1_000
"""The most time steps of a recurrent layer, which are computed one after the other."""


class ModelTooLargeError(Exception):
    """The model exceeds the limits."""


def Scope() -> Any:  # noqa: N802 - stands for a class that needs Keras to be defined
    """Return a scope without memory for variables; variables that are too large are unreadable."""
    import keras

    class _Scope(keras.StatelessScope):  # type: ignore[misc]
        def get_current_value(self, variable: Any) -> Any:
            _check_parameters([variable])
            return super().get_current_value(variable)

    return _Scope(initialize_variables=False)


def check(model: "keras.Model") -> None:
    """Refuse a model beyond the limits; a free size counts as one.

    Raises:
        ModelTooLargeError: The model exceeds the limits.
    """
    _check_parameters(model.variables)
    _check_activations(activations(model, [spec.shape for spec in model.inputs]))


_rows: "WeakKeyDictionary[Any, dict[Any, int]]" = WeakKeyDictionary()


def rows_at_once(model: "keras.Model", shape: Sequence[int], most: int) -> int:
    """Return how many inputs of a shape the model can compute at once, up to `most`.

    Args:
        model: A model with one input.
        shape: The shape of the inputs, the batch axis first.
        most: The largest number to return.

    Raises:
        UnsafeModelError: The model cannot compute even one input.
    """
    return rows_for(model, [shape], most)


def rows_for(model: "keras.Model", shapes: Sequence[Sequence[int]], most: int) -> int:
    """Return how many inputs of these shapes a model with several inputs can compute at once.

    Args:
        model: A model.
        shapes: The shape of each input, the batch axis first.
        most: The largest number to return.

    Raises:
        UnsafeModelError: The model cannot compute even one input.
    """
    known = _rows.setdefault(model, {})
    key = tuple(tuple(shape[1:]) for shape in shapes)
    if key not in known:
        try:
            _check_activations(needed := activations(model, [(1, *shape) for shape in key]))
        except ModelTooLargeError as error:
            shown = ", ".join(map(str, key))
            raise UnsafeModelError(
                f"inputs of shape {shown}: refused, {error}; {limits.advice()}"
            ) from None
        known[key] = max(1, limits.current().activations // max(1, needed))
    return min(most, known[key])


def activations(model: "keras.Model", shapes: Sequence[Sequence[int | None]]) -> int:
    """Return how many numbers all layers output together, inner models included."""
    import keras

    inputs = [
        keras.KerasTensor(shape, dtype=spec.dtype)
        for shape, spec in zip(shapes, model.inputs, strict=True)
    ]
    counter = _Counter()
    with Scope():
        counter.run(model, inputs)
    return counter.total


class _Counter:
    def __init__(self) -> None:
        self.total = 0

    def run(self, model: Any, inputs: Any) -> Any:
        """Return the shapes of the model's outputs as Keras computes them, and count on the way."""
        graph = getattr(model, "_functional", None) or model
        return graph._run_through_graph(inputs, operation_fn=self._counting)

    def _counting(self, operation: Any) -> Callable[..., Any]:
        import keras

        def compute(*args: Any, **kwargs: Any) -> Any:
            shapes = [tuple(x.shape) for x in keras.tree.flatten(args) if hasattr(x, "shape")]
            self._count_inside(operation, shapes)
            if isinstance(operation, keras.Sequential | keras.Model):
                outputs = self.run(operation, args[0])
            else:
                outputs = operation.compute_output_spec(*args, **kwargs)
            for output in keras.tree.flatten(outputs):
                if hasattr(output, "shape"):
                    self.add(_size(output.shape))
            return outputs

        return compute

    def _count_inside(self, operation: Any, shapes: Sequence[tuple[Any, ...]]) -> None:
        """Count what a layer needs besides its outputs."""
        import keras

        if isinstance(operation, keras.layers.RNN | keras.layers.Bidirectional) and shapes:
            _check_steps(operation, shapes[0])
        if isinstance(operation, keras.layers.TimeDistributed) and shapes:
            self._count_steps(operation.layer, shapes[0])
        if (scores := _scores(type(operation).__name__, operation, shapes)) is not None:
            self.add(scores)

    def _count_steps(self, layer: Any, shape: tuple[Any, ...]) -> None:
        import keras

        if isinstance(layer, keras.Model) and len(shape) > 2:
            inner = _Counter()
            inner.run(layer, [keras.KerasTensor((shape[0], *shape[2:]))])
            self.add(inner.total * (shape[1] or 1))

    def add(self, count: int) -> None:
        self.total += count
        _check_activations(self.total)


def _scores(name: str, layer: Any, shapes: Sequence[tuple[Any, ...]]) -> int | None:
    """Return how many attention scores a layer computes; None for other layers."""
    heads = {"MultiHeadAttention": "_num_heads", "GroupedQueryAttention": "num_query_heads"}
    known = {*heads, "GroupQueryAttention", "Attention", "AdditiveAttention", "DotProductAttention"}
    if name not in known or not shapes:
        return None
    query, value = shapes[0], shapes[min(1, len(shapes) - 1)]
    compared = _size(query[:-1]) * _size(value[1:-1])
    if name == "AdditiveAttention":
        compared *= query[-1] or 1
    return compared * int(getattr(layer, heads.get(name, ""), 1) or 1)


def _check_steps(layer: Any, shape: tuple[Any, ...]) -> None:
    steps = shape[1] if len(shape) > 1 else None
    inner = getattr(layer, "forward_layer", layer)
    most = MOST_UNROLLED if getattr(inner, "unroll", False) else MOST_STEPS
    if (steps or 0) > most:
        raise ModelTooLargeError(
            f"it needs {steps:,} steps one after the other, the limit is {most:,}"
        )


def _check_parameters(variables: Sequence[Any]) -> None:
    count, most = sum(_size(v.shape) for v in variables), limits.current().parameters
    if count > most:
        raise ModelTooLargeError(f"it has {count:,} parameters, the limit is {most:,}")


def _check_activations(count: int) -> None:
    most = limits.current().activations
    if count > most:
        raise ModelTooLargeError(
            f"its layers output {count:,} numbers for one input, the limit is {most:,}"
        )


def _size(shape: Sequence[int | None]) -> int:
    return math.prod(1 if size is None else size for size in shape)
