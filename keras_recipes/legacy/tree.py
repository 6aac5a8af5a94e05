"""A model as a tree of layers, settings and arrays together, of whichever version of Keras."""

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
        layer: Its name.
        call: Which of the layer's calls, from 0.
        output: Which of the outputs of that call, from 0.
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
        kind: Its class's name.
        name: Its own, unique in its model.
        config: Its settings, without name and without what is in `layers`.
        arrays: Its weights, in the order in which its version of Keras keeps them.
        layers: What a model, a wrapper or a stack of cells is made of.
        calls: How it is used in the functional model that it is part of.
        inputs: Of a functional model, `Tensor` or a structure of them.
        outputs: The same.
        module: Where its class lies in Keras 3.
        composed: Whether it stands in the place of one layer that Keras 3 lacks.
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
    """What is said of a layer that cannot be expressed in Keras 3."""
    return InputError(f"{layer}: {missing}; {advice}")


def applied(change: Callable[[Layer], Layer], layer: Layer) -> Layer:
    """A step of a conversion, for settings and arrays that may be anything.

    Raises:
        CorruptModelError: They are not those of such a layer.
    """
    try:
        return change(layer)
    except RecipeError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CorruptModelError(
            f"{layer}: damaged, its settings or weights are not those of such a layer "
            f"({type(error).__name__}: {printable(error)})"
        ) from error


def leaves(layer: Layer) -> Iterator[Layer]:
    """Every layer below that is made of no others, the layer itself if it is one."""
    if not layer.layers:
        yield layer
    for inner in layer.layers:
        yield from leaves(inner)


def chain(name: str, layers: Sequence[Layer]) -> Layer:
    """Layers one after the other in the place of one."""
    return Layer(SEQUENTIAL, name, layers=list(layers), composed=True)


def spliced(model: Layer) -> Layer:
    """Chains that stand in a Sequential as the layers of it that they are."""
    model.layers = [spliced(inner) for inner in model.layers]
    if model.kind == SEQUENTIAL:
        model.layers = [part for inner in model.layers for part in _parts(inner)]
    return model


def _parts(layer: Layer) -> list[Layer]:
    if not layer.composed or layer.kind != SEQUENTIAL:
        return [layer]
    return [part for part in layer.layers if part.kind != "InputLayer"]


def graph(name: str, shape: Sequence[int | None], layers: Sequence[Layer]) -> Layer:
    """Layers in the place of one, wired by their calls; the last one gives the output.

    Args:
        name: Of the layer that they replace; their input is called `input_name(name)`.
        shape: Of the input, with the batch axis.
        layers: With their calls.
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
    """What the input of a `graph` is called."""
    return f"{name}_in"


def structure(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """A structure of lists and dicts with every `Tensor` in it changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: structure(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [structure(item, change) for item in value]
    return value


def keras3(layer: Layer) -> dict[str, Any]:
    """A tree in terms of Keras 3 as Keras 3 itself writes it."""
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
    """Under which names a wrapper's settings hold what it is made of."""
    return ("cell",) if layer.kind == "RNN" else ("layer", "backward_layer")


def keras_object(module: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """An object of Keras 3's own as Keras 3 itself writes it."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _functional(model: Layer) -> dict[str, Any]:
    kinds = {inner.name: inner.kind for inner in model.layers}

    def coordinates(tensor: Tensor) -> list[Any]:
        # Keras counts the calls of a functional model from 1 here, and from 0 everywhere else.
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
    # Keras wants a shape and a type to stand here and looks at the history alone.
    config = {"shape": [], "dtype": "float32", "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}
