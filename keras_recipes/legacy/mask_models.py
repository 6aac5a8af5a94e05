"""Masks in a model that TimeDistributed applies at every step.

Keras 3 computes such a model step by step from one tensor, and it returns one. A mask that leaves
the model is therefore packed: it is one number more for each of the inner steps.
"""

from collections.abc import Iterator

from keras_recipes.errors import InputError
from keras_recipes.legacy import inputs
from keras_recipes.legacy.mask_graph import Graph, Outputs, as_type, has_masks, outputs, tensors_in
from keras_recipes.legacy.tree import FUNCTIONAL, SEQUENTIAL, Layer, Tensor, leaves, refused

_OUTER = Tensor("the mask of the input")
_ELLIPSIS = {"class_name": "__ellipsis__", "config": {}}
_BUT_LAST = {"class_name": "__slice__", "config": {"start": None, "stop": -1, "step": None}}


def over_time(graph: Graph, layer: Layer, x: Tensor, mask: Tensor | None) -> Outputs:
    """Add a TimeDistributed model.

    Args:
        graph: The model to add to.
        layer: The TimeDistributed.
        x: Its input.
        mask: The mask of its input.

    Raises:
        InputError: The mask of the input is used in the model, or is needed in another shape.
    """
    if mask is None and not any(map(has_masks, leaves(layer))):
        return outputs(graph.emit(layer, [x], {}))
    masked, passes = graph.over_time.get(id(layer)) or (mask is not None, "")
    if masked != (mask is not None):
        raise _refused(layer, "it is called with a mask and without one")
    if not passes:
        passes = _rebuild(graph, layer, masked)
        graph.over_time[id(layer)] = masked, passes
    out = graph.emit(layer, [x], {})
    if passes == "own":
        return outputs(_unpacked(graph, layer.name, out))
    if mask is not None:
        graph.masks[out] = mask if passes == "outer" else _of_steps(graph, layer, mask)
    return outputs(out)


def _rebuild(graph: Graph, layer: Layer, masked: bool) -> str:
    """Replace the inner model by one with its own masks; say which mask its output has."""
    (model,) = layer.layers
    inside = Graph(graph.call, graph.version)
    inside.keep_names(model.layers)
    source = _source(layer, model)
    start = inside.input(source)
    if masked:
        inside.masks[start] = _OUTER
    out, *more = inside.run(model, [start])
    if more:
        raise _refused(layer, "its model has several outputs")
    mask = inside.masks.get(out)
    passes = "none" if mask is None else "outer" if mask == _OUTER else "own"
    if mask is not None and passes == "own":
        column = inside.operation("ExpandDims", f"{model.name}_mask_column", mask, axis=-1)
        numbers = as_type(inside, f"{model.name}_mask_numbers", column, "float32")
        out = inside.operation("Concatenate", f"{model.name}_packed", [out, numbers], axis=-1)
    layers, out = inside.finished(out)
    new = Layer(FUNCTIONAL, model.name, layers=layers, inputs=start, outputs=out)
    if any(tensor == _OUTER for tensor in _used(new)):
        raise _refused(layer, "the mask of its input is used inside of its model")
    layer.layers = [new]
    return passes


def _source(layer: Layer, model: Layer) -> Layer:
    """Return the input of the inner model."""
    if model.kind == SEQUENTIAL:
        source = inputs.source(model, inside=False) or model.layers[0]
    else:
        name = next(tensors_in(model.inputs)).layer
        source = next(inner for inner in model.layers if inner.name == name)
    if source.kind != "InputLayer":
        raise _refused(layer, "a mask reaches a model whose input has no known shape")
    return source


def _used(model: Layer) -> Iterator[Tensor]:
    for layer in model.layers:
        for call in layer.calls:
            yield from tensors_in([*call.args, dict(call.kwargs)])


def _unpacked(graph: Graph, name: str, packed: Tensor) -> Tensor:
    out = graph.operation("GetItem", f"{name}_output", packed, [_ELLIPSIS, _BUT_LAST])
    numbers = graph.operation("GetItem", f"{name}_mask_numbers", packed, [_ELLIPSIS, -1])
    graph.masks[out] = graph.operation("NotEqual", f"{name}_mask", numbers, 0)
    return out


def _of_steps(graph: Graph, layer: Layer, mask: Tensor) -> Tensor:
    """Return the mask of the outer steps: those in which any inner step is not masked."""
    rank = graph.ranks.get(mask)
    if rank is None:
        raise _refused(layer, "a mask of an unknown shape reaches it")
    if rank <= 2:
        return mask
    axes = list(range(2, rank))
    return graph.operation("Any", f"{layer.name}_mask", mask, axis=axes, keepdims=False)


def _refused(layer: Layer, what: str) -> InputError:
    return refused(
        layer,
        f"{what}, which cannot be expressed in Keras 3",
        "save the model without mask_zero=True and Masking before this layer",
    )
