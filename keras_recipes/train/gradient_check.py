"""The gradient of the loss by backpropagation, compared with nudged weights.

Follows «一文读懂神经网络»: nudge one weight, and divide the change of the loss by the nudge. Here a
weight is nudged both ways (central differences), and everything is computed in double precision.

**Steps.** A weight is nudged by h, h/2 and h/4. The differences for two of these steps are
extrapolated to h = 0 (Richardson), so that their error falls with the fourth power of h. The
largest h that the test for bends accepts is used, because rounding hurts small steps most.

**Bends.** The loss has no gradient where a ReLU passes 0, or where max pooling changes its maximum.
If the loss is smooth within the nudges, its Taylor series says two things. First, the differences
for h and h/2 extrapolate to the same value as those for h/2 and h/4. Second, the mean of the losses
on both sides grows with the square of the step. A place that fails one of them is tried again with
a smaller h. If it fails for every h, the loss bends there; the place is skipped and counted. Only
losses decide this, so a wrong gradient cannot hide a place.

**Differences.** The relative difference is |backpropagation - nudge|, divided by the larger of the
two. A gradient that is less than a tenth of the largest one of the same weights counts as this
tenth, because rounding hides the last digits of small gradients.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.data.dataset import Examples
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import keras

GOAL = 1e-6
"""The relative difference has to be less than this."""

STEPS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Largest nudges h, in the order in which they are tried."""

SMOOTH = 2e-7
"""Largest deviation from the Taylor series, as a share of the gradient, of a smooth loss."""

ROUNDING = 20 * float(np.finfo("float64").eps)
"""Largest deviation that rounding explains, as a share of the loss divided by h."""

SMALL = 0.1
"""Share of the largest gradient of the same weights at which smaller gradients are counted."""

Loss = Callable[[], float]
"""Computes the loss with the current weights of a model."""


@dataclass(frozen=True)
class Compared:
    """The comparison for one array of weights.

    Attributes:
        layer: The name of the layer.
        weights: The name of the array, such as "kernel".
        shape: The shape of the array.
        checked: Number of weights that were compared.
        skipped: Number of weights that were skipped, because the loss bends there.
        largest_difference: Largest relative difference of those compared; NaN if there are none.
    """

    layer: str
    weights: str
    shape: tuple[int, ...]
    checked: int
    skipped: int
    largest_difference: float


def check_backend() -> None:
    """Refuse a backend on which Keras cannot compute everything in double precision.

    Raises:
        InputError: The backend is not TensorFlow.
    """
    if backend.name() != "tensorflow":
        # On JAX, Keras 3.15 computes tanh in single precision whatever its input is.
        raise InputError(
            f"KERAS_BACKEND: expected tensorflow, received {backend.name()}, on which Keras does "
            "not compute everything in double precision; unset it"
        )


def compare(
    build: "Callable[[], keras.Model]",
    examples: Examples,
    *,
    sample: int,
    seed: int,
    replicas: int = 1,
) -> list[Compared]:
    """Compare backpropagation with nudged weights, for every array of trainable weights.

    The net answers as in a prediction: dropout passes everything on. The loss is the model's own.
    Keras has to run on TensorFlow; see `check_backend`.

    Args:
        build: A function that returns the compiled model. It is called in double precision.
        examples: The examples of which the loss is computed.
        sample: Number of weights of each array that are nudged. At least half of them have a
            gradient other than 0, if there are as many.
        seed: Seed of the weights and of the choice of those that are nudged.
        replicas: Number of parts of the batch in backpropagation; see `cpu_kernels`.

    Raises:
        InputError: The net has a layer whose backpropagation is not its gradient, such as a step
            function.
    """
    random = np.random.default_rng(seed)
    with _double_precision():
        backend.seed(seed)
        model = build()
        _check_layers(model)
        loss, gradients = _computed(model, _in_double(model, examples), replicas)
        layers = {id(v): layer.name for layer in _layers(model) for v in layer.trainable_variables}
        return [
            _compared(layers[id(variable)], variable, gradient.ravel(), loss, sample, random)
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        ]


@contextmanager
def _double_precision() -> Iterator[None]:
    """Let Keras create float64 layers and losses inside the block."""
    import keras

    # Losses take their dtype from the one, layers from the other.
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def _layers(model: "keras.Model") -> "Iterator[keras.Layer]":
    """Yield the layers of a model, and those of the models inside it."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _check_layers(model: "keras.Model") -> None:
    for layer in _layers(model):
        if reason := getattr(layer, "without_gradient", ""):
            raise InputError(
                f"{model.name}: expected layers with a gradient, received {layer.name}, {reason}"
            )


def _in_double(model: "keras.Model", examples: Examples) -> Examples:
    y = examples.y.astype("float64") if examples.y.dtype.kind == "f" else examples.y
    return Examples(examples.x.astype(model.inputs[0].dtype), y)


def _computed(
    model: "keras.Model", examples: Examples, replicas: int
) -> tuple[Loss, list[np.ndarray]]:
    """Return a function that computes the loss, and the gradient by backpropagation."""
    import tensorflow as tf

    from keras_recipes.train.cpu_kernels import cpu_optimized

    x, y = tf.constant(examples.x), tf.constant(examples.y)

    def loss() -> Any:
        return model.compute_loss(x=x, y=y, y_pred=model(x, training=False))

    def gradients() -> Any:
        variables = [variable.value for variable in model.trainable_variables]
        # Training differentiates this form of the net, so its gradient is the one to check.
        with cpu_optimized(model, replicas, xla=True), tf.GradientTape() as tape:
            value = loss()
        found = tape.gradient(value, variables, unconnected_gradients="zero")
        return [tf.convert_to_tensor(gradient) for gradient in found]

    loss()  # creates all variables, because none may be created in a compiled function
    compiled, backpropagated = (
        # Traced here, or TensorFlow would warn of many functions after several checks.
        tf.function(function, jit_compile=True, autograph=False).get_concrete_function()
        for function in (loss, gradients)
    )
    return lambda: float(compiled()), [gradient.numpy() for gradient in backpropagated()]


def _compared(
    layer: str,
    variable: Any,
    gradient: np.ndarray,
    loss: Loss,
    sample: int,
    random: np.random.Generator,
) -> Compared:
    before = backend.to_numpy(variable).copy()
    centre = loss()
    nudged, backpropagated, skipped = [], [], 0
    for place in _places(gradient, sample, random):

        def at(nudge: float, place: int = place) -> float:
            weights = before.copy()
            weights.flat[place] += nudge
            variable.assign(weights)
            return loss()

        found = _derivative(at, centre)
        if found is None:
            skipped += 1
        else:
            nudged.append(found)
            backpropagated.append(gradient[place])
    variable.assign(before)
    return Compared(
        layer=layer,
        weights=variable.name,
        shape=tuple(variable.shape),
        checked=len(nudged),
        skipped=skipped,
        largest_difference=_largest_difference(np.array(nudged), np.array(backpropagated)),
    )


def _places(gradient: np.ndarray, sample: int, random: np.random.Generator) -> list[int]:
    """Return places drawn at random; half of them have a gradient other than 0, if possible."""
    drawn = random.permutation(gradient.size)
    moving = drawn[gradient[drawn] != 0][: (sample + 1) // 2]
    others = drawn[~np.isin(drawn, moving)]
    places: list[int] = np.concatenate([moving, others])[:sample].tolist()
    return places


def _derivative(at: Callable[[float], float], centre: float) -> float | None:
    """Return the derivative of the loss by central differences, or None if the loss bends.

    Args:
        at: Returns the loss for a nudge.
        centre: The loss without a nudge.
    """
    for h in STEPS:
        steps = h / np.array([1, 2, 4])
        above = np.array([at(step) for step in steps])
        below = np.array([at(-step) for step in steps])
        slopes, rise = (above - below) / (2 * steps), (above + below) / 2 - centre
        coarse, fine = (4 * slopes[1:] - slopes[:-1]) / 3
        deviation = max(
            abs(coarse - fine),
            abs(4 * rise[1] - rise[0]) / steps[0],
            abs(4 * rise[2] - rise[1]) / steps[1],
        )
        if deviation <= max(SMOOTH * abs(fine), ROUNDING * abs(centre) / h):
            return float(fine)
    return None


def _largest_difference(nudged: np.ndarray, backpropagated: np.ndarray) -> float:
    if not len(nudged):
        return float("nan")
    sizes = np.maximum(abs(nudged), abs(backpropagated))
    sizes = np.maximum(sizes, SMALL * abs(nudged).max())
    differences = abs(nudged - backpropagated)
    return float(np.max(differences / np.where(sizes == 0, 1, sizes)))
