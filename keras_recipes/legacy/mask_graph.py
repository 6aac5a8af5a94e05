"""A functional model under construction, in which every mask is an output of an operation.

Keras 2 passed masks along as an attribute of tensors. Here `Graph.masks` holds them by tensor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from keras_recipes.errors import UnsafeModelError
from keras_recipes.legacy.tree import (
    MODELS,
    OPERATIONS,
    SEQUENTIAL,
    Call,
    Layer,
    Tensor,
    refused,
    structure,
)
from keras_recipes.untrusted.architecture import MOST_CALLS

CORE = "keras.src.ops.core"

Outputs = Callable[[int], Tensor]
"""Takes the index of an output of a call and returns that output."""

Version = tuple[int, int]
"""The first two numbers of a version of Keras."""

SAME_RANK = {
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "BatchNormalization",
    "Bidirectional", "Concatenate", "Dense", "Dropout", "ELU", "GRU", "GaussianDropout",
    "GaussianNoise", "LSTM", "LayerNormalization", "LeakyReLU", "LogicalAnd", "Maximum", "Minimum",
    "Multiply", "NotEqual", "PReLU", "RNN", "ReLU", "SimpleRNN", "Softmax", "SpatialDropout1D",
    "Subtract",
}  # fmt: skip
"""Layers whose output has as many axes as their input, if they return sequences."""


@dataclass(frozen=True)
class _Given:
    """A layer's name and calls in the old model; it receives new ones here."""

    name: str
    calls: list[Call]


@dataclass
class Graph:
    """A functional model under construction.

    Attributes:
        call: Adds a call of a layer with its arguments, and returns the outputs.
        version: The version of Keras whose masks are meant.
        taken: The names that are taken.
        layers: The layers and operations so far, in the order of their first calls.
        masks: The mask of each tensor that has one.
        ranks: The number of axes of each tensor for which it is known.
        copies: The tensors that others are copies of.
        over_time: By the id of a TimeDistributed model: whether its input has a mask, and which
            mask its output has.
    """

    call: "Callable[[Graph, Layer, list[Any], dict[str, Any]], Outputs]"
    version: Version
    taken: set[str] = field(default_factory=set)
    layers: list[Layer] = field(default_factory=list)
    masks: dict[Tensor, Tensor] = field(default_factory=dict)
    ranks: dict[Tensor, int] = field(default_factory=dict)
    copies: dict[Tensor, Tensor] = field(default_factory=dict)
    over_time: dict[int, tuple[bool, str]] = field(default_factory=dict)
    _given: dict[int, _Given] = field(default_factory=dict)
    _own: set[int] = field(default_factory=set)
    _emitted: set[int] = field(default_factory=set)
    _kept: list[Layer] = field(default_factory=list)  # their ids must not be used again
    _calls: int = 0

    def fresh(self, name: str) -> str:
        """Return a name that no layer has, and take it."""
        number, found = 1, name
        while found in self.taken:
            number, found = number + 1, f"{name}_{number}"
        self.taken.add(found)
        return found

    def keep_names(self, layers: Sequence[Layer]) -> None:
        """Take the names of these layers, which keep them."""
        self._own.update(map(id, layers))
        self.taken.update(layer.name for layer in layers)

    def input(self, layer: Layer) -> Tensor:
        """Add an input."""
        layer.calls = []
        self.layers.append(layer)
        tensor = Tensor(layer.name)
        shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape")
        if shape:
            self.ranks[tensor] = len(shape)
        return tensor

    def emit(self, layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
        """Add a call of a layer; return the first output."""
        if id(layer) not in self._emitted:
            self._emitted.add(id(layer))
            self.layers.append(layer)
            layer.calls = []
            if id(layer) not in self._own:
                layer.name = self.fresh(layer.name)
        layer.calls.append(Call(tuple(args), dict(kwargs)))
        out = Tensor(layer.name, len(layer.calls) - 1)
        first = next(tensors_in(list(args)), None)
        change = _change_of_rank(layer)
        if first in self.ranks and change is not None:
            self.ranks[out] = self.ranks[first] + change
        return out

    def operation(
        self, kind: str, name: str, *args: Any, module: str = OPERATIONS, **config: Any
    ) -> Tensor:
        """Add an operation that no layer of the old model stands for."""
        layer = Layer(kind, self.fresh(name), config, module=module)
        self._kept.append(layer)
        self._own.add(id(layer))
        return self.emit(layer, args, {})

    def stand_in(self, layer: Layer, kind: str, *args: Any) -> Tensor:
        """Add an operation in the place of a layer, whose name it gets at the first call."""
        made = Layer(kind, layer.name, module=OPERATIONS)
        if id(layer) in self._own and id(layer) not in self._emitted:
            self._own.add(id(made))
        self._emitted.add(id(layer))
        self._kept.append(made)
        return self.emit(made, args, {})

    def bare(self, tensor: Tensor) -> Tensor:
        """Return a copy without the mask that Keras 3 gives to the output of a masked layer."""
        out = self.operation("Copy", f"{tensor.layer}_bare", tensor)
        self.copies[out] = tensor
        if tensor in self.ranks:
            self.ranks[out] = self.ranks[tensor]
        return out

    def run(self, model: Layer, inputs: list[Tensor]) -> list[Tensor]:
        """Add a model's layers for these inputs; return its outputs, as a flat list."""
        if model.kind == SEQUENTIAL:
            return [self._chain(model, *inputs)]
        for layer in model.layers:
            self._given.setdefault(id(layer), _Given(layer.name, layer.calls))
        layers = {self._given[id(layer)].name: layer for layer in model.layers}
        values = _of_inputs(model, inputs)
        calls = {
            (name, index): call
            for name, layer in layers.items()
            if layer.kind != "InputLayer"
            for index, call in enumerate(self._given[id(layer)].calls)
        }

        def value(tensor: Tensor) -> Tensor:
            return values[tensor.layer, tensor.call](tensor.output)

        for key in _in_order(calls):
            if key not in values:
                args = structure(list(calls[key].args), value)
                kwargs = structure(dict(calls[key].kwargs), value)
                values[key] = self._counted(layers[key[0]], args, kwargs)
        return [value(tensor) for tensor in tensors_in(model.outputs)]

    def finished(self, outputs: Any) -> tuple[list[Layer], Any]:
        """Return the layers on which outputs depend, and the outputs; other calls are dropped.

        Keras drops such calls as well, but then their layers are missing from the model.
        """
        outputs = structure(outputs, lambda tensor: self.copies.get(tensor, tensor))
        calls = {
            (layer.name, index): call
            for layer in self.layers
            for index, call in enumerate(layer.calls)
        }
        used = _used(calls, outputs)
        kept = {
            layer.name: [n for n in range(len(layer.calls)) if (layer.name, n) in used]
            for layer in self.layers
        }

        def renumbered(tensor: Tensor) -> Tensor:
            numbers = kept.get(tensor.layer)
            call = numbers.index(tensor.call) if numbers else tensor.call
            return Tensor(tensor.layer, call, tensor.output)

        for layer in self.layers:
            of_layer = [layer.calls[number] for number in kept[layer.name]]
            layer.calls = [
                Call(
                    tuple(structure(list(call.args), renumbered)),
                    structure(dict(call.kwargs), renumbered),
                )
                for call in of_layer
            ]
        layers = [x for x in self.layers if x.calls or x.kind == "InputLayer"]
        return layers, structure(outputs, renumbered)

    def _chain(self, model: Layer, tensor: Tensor) -> Tensor:
        for layer in model.layers:
            if layer.kind != "InputLayer":
                tensor = self._counted(layer, [tensor], {})(0)
        return tensor

    def _counted(self, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
        self._calls += 1
        if self._calls > MOST_CALLS:
            # Models in models that are called twice double the calls at every level.
            raise UnsafeModelError(
                f"refused, its layers are called more than {MOST_CALLS:,} times; ask its author "
                "for a smaller model"
            )
        if layer.kind in MODELS and not layer.composed:
            return self._model(layer, args, kwargs)
        return self.call(self, layer, args, kwargs)

    def _model(self, model: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
        """Add an inner model's layers in its place, so that masks reach them and leave them."""
        if named := [key for key, value in kwargs.items() if value not in (None, False)]:
            raise refused(
                model,
                f"among masked sequences, an inner model is called with {', '.join(named)}",
                "call it with its inputs only, and save again",
            )
        given = args[0]
        if isinstance(given, Mapping) and not isinstance(model.inputs, Mapping):
            given = [given[source.layer] for source in tensors_in(model.inputs)]
        return self.run(model, list(tensors_in(given))).__getitem__


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a structure of lists and dicts; dicts are in the order of their keys."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from tensors_in(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)


def _of_inputs(model: Layer, inputs: list[Tensor]) -> dict[tuple[str, int], Outputs]:
    sources = list(tensors_in(model.inputs))
    if len(sources) != len(inputs):
        raise ValueError(f"{len(sources)} inputs expected, {len(inputs)} given")
    return {(x.layer, 0): [y].__getitem__ for x, y in zip(sources, inputs, strict=True)}


def _in_order(calls: Mapping[tuple[str, int], Call]) -> Iterator[tuple[str, int]]:
    """Yield each call after those whose outputs it takes.

    Raises:
        ValueError: They wait for each other in a circle.
    """
    before = {
        key: [(x.layer, x.call) for x in tensors_in([*call.args, dict(call.kwargs)])]
        for key, call in calls.items()
    }
    yield from TopologicalSorter(before).static_order()


def _used(calls: Mapping[tuple[str, int], Call], outputs: Any) -> set[tuple[str, int]]:
    """Return the calls on which outputs depend."""
    used: set[tuple[str, int]] = set()
    waiting = list(tensors_in(outputs))
    while waiting:
        tensor = waiting.pop()
        key = tensor.layer, tensor.call
        if key in calls and key not in used:
            used.add(key)
            waiting += tensors_in([*calls[key].args, dict(calls[key].kwargs)])
    return used


def _change_of_rank(layer: Layer) -> int | None:
    """Return how many axes a layer adds; None if that is not known."""
    if layer.kind == "Embedding":
        return 1
    if layer.kind == "TimeDistributed":
        return _change_of_rank(layer.layers[0])
    if layer.kind in ("Any", "All"):
        return 0 if layer.config["keepdims"] else -1
    if layer.kind not in SAME_RANK:
        return None
    inner = layer.layers[0] if layer.kind == "Bidirectional" else layer
    recurrent = inner.kind in ("LSTM", "GRU", "SimpleRNN", "RNN")
    return -int(recurrent and not inner.config.get("return_sequences"))


def has_masks(layer: Layer) -> bool:
    """Return whether a layer without parts makes masks."""
    embedding = layer.kind == "Embedding" and bool(layer.config.get("mask_zero"))
    return embedding or layer.kind == "Masking"


def outputs(first: Tensor) -> Outputs:
    """Return the outputs of a call whose first output is given."""
    return lambda index: Tensor(first.layer, first.call, index)


def as_type(graph: Graph, name: str, x: Tensor, dtype: str) -> Tensor:
    """Return a tensor in another type."""
    return graph.operation("Cast", name, x, module=CORE, dtype=dtype)
