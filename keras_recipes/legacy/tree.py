"""A model as a tree of layers with settings and arrays, for any version of Keras."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError, InputError, RecipeError, printable

SEQUENTIAL, FUNCTIONAL = "Sequential", "Functional"
MODELS = (SEQUENTIAL, FUNCTIONAL)
LAYERS, OPERATIONS = "keras.layers", "keras.src.ops.numpy"


@dataclass(frozen=True)
class Tensor:
    """An output of a layer inside a functional model.

    Attributes:
        layer: The layer's name.
        call: The index of the layer's call, from 0.
        output: The index of the output of that call, from 0.
    """

    layer: str
    call: int = 0
    output: int = 0


@dataclass(frozen=True)
class Call:
    """One use of a layer inside a functional model; values are JSON values and `Tensor`."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Layer:
    """A layer, a wrapper, a cell, an operation or a model.

    Attributes:
        kind: The name of its class.
        name: Its name, unique in its model.
        config: Its settings, without its name and `layers`.
        arrays: Its weights, in the order of its version of Keras.
        layers: The parts of a model, a wrapper or a stack of cells.
        calls: Its calls in the functional model that it is part of.
        inputs: The inputs of a functional model: a `Tensor`, or a structure of them.
        outputs: The outputs of a functional model, in the same form.
        module: The module of its class in Keras 3.
        composed: Whether it replaces one layer that Keras 3 lacks.
    """

    kind: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    arrays: list[np.ndarray] = field(default_factory=list)
    layers: "list[Layer]" = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    inputs: Any = None
    outputs: Any = None
    module: str = LAYERS
    composed: bool = False

    def __str__(self) -> str:
        return f"layer {printable(self.name)} ({printable(self.kind)})"


def refused(layer: Layer, missing: str, advice: str) -> InputError:
    """Return the error for a layer that Keras 3 cannot express."""
    return InputError(f"{layer}: {missing}; {advice}")


def applied(change: Callable[[Layer], Layer], layer: Layer) -> Layer:
    """Apply a step of a conversion to a layer whose settings and arrays may be anything.

    Raises:
        CorruptModelError: The settings or arrays do not belong to such a layer.
    """
    try:
        return change(layer)
    except RecipeError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CorruptModelError(
            f"{layer}: damaged, its settings or weights do not belong to such a layer "
            f"({type(error).__name__}: {printable(error)})"
        ) from error


def leaves(layer: Layer) -> Iterator[Layer]:
    """Yield every layer below that has no parts, or the layer itself."""
    if not layer.layers:
        yield layer
    for inner in layer.layers:
        yield from leaves(inner)


def chain(name: str, layers: Sequence[Layer]) -> Layer:
    """Return layers that follow each other and replace one layer."""
    return Layer(SEQUENTIAL, name, layers=list(layers), composed=True)


def spliced(model: Layer) -> Layer:
    """Replace every chain in a Sequential by its layers."""
    model.layers = [spliced(inner) for inner in model.layers]
    if model.kind == SEQUENTIAL:
        model.layers = [part for inner in model.layers for part in _parts(inner)]
    return model


def _parts(layer: Layer) -> list[Layer]:
    if not layer.composed or layer.kind != SEQUENTIAL:
        return [layer]
    return [part for part in layer.layers if part.kind != "InputLayer"]


def graph(name: str, shape: Sequence[int | None], layers: Sequence[Layer]) -> Layer:
    """Return layers that replace one layer, connected by their calls; the last gives the output.

    Args:
        name: The name of the layer that they replace; `input_name(name)` names their input.
        shape: The shape of the input, with the batch axis.
        layers: The layers with their calls.
    """
    source = Layer("InputLayer", input_name(name), {"batch_shape": list(shape)})
    return Layer(
        FUNCTIONAL,
        name,
        layers=[source, *layers],
        inputs=Tensor(source.name),
        outputs=Tensor(layers[-1].name),
        composed=True,
    )


def input_name(name: str) -> str:
    """Return the name of the input of a `graph`."""
    return f"{name}_in"


def structure(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """Apply `change` to every `Tensor` in a structure of lists and dicts."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: structure(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [structure(item, change) for item in value]
    return value


def keras3(layer: Layer) -> dict[str, Any]:
    """Return a tree in terms of Keras 3 in the form that Keras 3 writes."""
    if layer.kind == FUNCTIONAL:
        return _functional(layer)
    config = {"name": layer.name, **layer.config}
    if layer.kind == SEQUENTIAL:
        config["layers"] = [keras3(inner) for inner in layer.layers]
        return keras_object("keras", SEQUENTIAL, config)
    inside = [keras3(inner) for inner in layer.layers]
    if layer.kind == "StackedRNNCells":
        config["cells"] = inside
    else:
        config.update(zip(slots(layer), inside, strict=False))
    registered = layer.kind if layer.module != LAYERS else None
    return {**keras_object(layer.module, layer.kind, config), "registered_name": registered}


def slots(layer: Layer) -> tuple[str, ...]:
    """Return the settings under which a wrapper holds its parts."""
    return ("cell",) if layer.kind == "RNN" else ("layer", "backward_layer")


def keras_object(module: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of Keras 3 in the form that Keras 3 writes."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _functional(model: Layer) -> dict[str, Any]:
    kinds = {inner.name: inner.kind for inner in model.layers}

    def coordinates(tensor: Tensor) -> list[Any]:
        # Keras counts the calls of a functional model from 1 here, but from 0 everywhere else.
        first = 1 if kinds.get(tensor.layer) == FUNCTIONAL else 0
        return [tensor.layer, tensor.call + first, tensor.output]

    config = {
        "name": model.name,
        **model.config,
        "layers": [
            {**keras3(inner), "name": inner.name, "inbound_nodes": _nodes(inner)}
            for inner in model.layers
        ],
        "input_layers": structure(model.inputs, coordinates),
        "output_layers": structure(model.outputs, coordinates),
    }
    functional = keras_object("keras.src.models.functional", FUNCTIONAL, config)
    return {**functional, "registered_name": FUNCTIONAL}


def _nodes(layer: Layer) -> list[dict[str, Any]]:
    return [
        {
            "args": structure(list(call.args), _keras_tensor),
            "kwargs": structure(dict(call.kwargs), _keras_tensor),
        }
        for call in layer.calls
    ]


def _keras_tensor(tensor: Tensor) -> dict[str, Any]:
    history = [tensor.layer, tensor.call, tensor.output]
    # Keras requires a shape and a dtype here, but reads only the history.
    config = {"shape": [], "dtype": "float32", "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}
