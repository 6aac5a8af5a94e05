"""Compute the masks of Keras 2 by operations, and give them to the layers that use them.

Keras 2 passed masks along with tensors, unseen. Keras 3 does so too, but loses them where a layer
has several inputs or is inside of another one. In a converted model nothing is passed unseen: each
mask is an output of an operation, and an argument of the layers that use it. Models inside of a
model that has masks are taken apart for this.
"""

import re
from collections.abc import Mapping
from typing import Any

from keras_recipes.legacy import inputs, mask_rules
from keras_recipes.legacy.mask_graph import Graph, Version, has_masks, tensors_in
from keras_recipes.legacy.tree import FUNCTIONAL, SEQUENTIAL, Layer, Tensor, leaves

NEWEST: Version = (99, 0)
"""The version that is assumed if a file does not hold its version."""


def explicit(model: Layer, keras_version: str) -> Layer:
    """Return a model in which every mask is computed by operations.

    Args:
        model: A tree in terms of Keras 2 with its arrays.
        keras_version: The version of Keras that saved it, or "".

    Raises:
        InputError: A mask cannot be expressed in Keras 3.
        UnsafeModelError: Its layers are called too often.
    """
    if not any(has_masks(leaf) for leaf in leaves(model)):
        return model
    if model.kind == SEQUENTIAL and (source := inputs.source(model, inside=False)):
        model.layers.insert(0, source)
    if model.kind == SEQUENTIAL and not _starts_with_input(model):
        return model  # its shape is unknown, which is an error of its own later
    return _rebuilt(model, Graph(mask_rules.call, _numbers(keras_version)))


def check(model: Layer) -> None:
    """Refuse a model of Keras 3 in which a mask is given to layers that replaced one layer.

    Raises:
        InputError: A mask cannot be expressed in Keras 3.
    """
    for layer in model.layers:
        check(layer)
        built = layer.composed or any(inner.composed for inner in layer.layers)
        if built and any(call.kwargs.get("mask") for call in layer.calls):
            raise mask_rules.inexpressible(
                layer, "a mask reaches a layer that has to be built from others"
            )


def _starts_with_input(model: Layer) -> bool:
    return bool(model.layers) and model.layers[0].kind == "InputLayer"


def _numbers(version: str) -> Version:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version)
    return (int(found[1]), int(found[2])) if found else NEWEST


def _rebuilt(model: Layer, graph: Graph) -> Layer:
    graph.keep_names(model.layers)
    sources = [layer for layer in model.layers if layer.kind == "InputLayer"]
    given = {layer.name: graph.input(layer) for layer in sources}
    if model.kind == SEQUENTIAL:
        inner: Any = Tensor(sources[0].name)
        (outer,) = graph.run(model, [given[sources[0].name]])
    else:
        inner = model.inputs
        outs = iter(graph.run(model, [given[x.layer] for x in tensors_in(inner)]))
        outer = _filled(model.outputs, outs)
    for leaf in (leaf for layer in graph.layers for leaf in leaves(layer)):
        if leaf.kind == "Embedding":
            leaf.config["mask_zero"] = False
    layers, outer = graph.finished(outer)
    return Layer(FUNCTIONAL, model.name, layers=layers, inputs=inner, outputs=outer)


def _filled(value: Any, outs: Any) -> Any:
    """Return a structure with its tensors replaced, in the order of `tensors_in`."""
    if isinstance(value, Mapping):
        return {key: _filled(value[key], outs) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_filled(item, outs) for item in value]
    return next(outs)
