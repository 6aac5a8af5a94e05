"""How each layer of Keras 2 used masks, and which mask its output had."""

from collections.abc import Callable
from typing import Any

from keras_recipes.errors import InputError
from keras_recipes.legacy import mask_attention, mask_models
from keras_recipes.legacy.mask_graph import Graph, Outputs, Version, as_type, has_masks, outputs
from keras_recipes.legacy.tree import MODELS, Layer, Tensor, leaves, refused

SOFTMAX_TAKES_MASKS: Version = (2, 4)
"""The first version in which the layer Softmax used the mask of its input."""

PASSED_ON = {
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization",
    "BatchNormalizationV1", "BatchNormalizationV2", "Dense", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "GroupNormalization", "LayerNormalization", "LeakyReLU", "PReLU", "ReLU",
    "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "SyncBatchNormalization", "ThresholdedReLU", "UnitNormalization",
}  # fmt: skip
"""Layers whose output has the mask of their input; all other layers without a rule drop it."""

RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "UnifiedLSTM", "UnifiedGRU"} | {
    f"ConvLSTM{n}D" for n in (1, 2, 3)
}
MERGES = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}

Rule = Callable[[Graph, Layer, list[Any], dict[str, Any]], Outputs]


def call(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add a call of a layer with the masks that it uses, and note the masks of its outputs.

    Args:
        graph: The model to add to.
        layer: A layer in terms of Keras 2.
        args: Its arguments, in which tensors are outputs of `graph`.
        kwargs: Its arguments by name.

    Raises:
        InputError: A mask cannot be expressed in Keras 3.
    """
    return RULES.get(layer.kind, _plain)(graph, layer, args, kwargs)


def inexpressible(layer: Layer, what: str) -> InputError:
    """Return the error for a mask that Keras 3 cannot express."""
    return refused(
        layer,
        f"{what}, which cannot be expressed in Keras 3",
        "save the model without mask_zero=True and Masking before this layer",
    )


def _plain(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add a layer that does not use masks: the output has the input's mask, or none."""
    out = graph.emit(layer, args, kwargs)
    first = args[0] if args else None
    # Keras 1 refused masks before a layer that drops them, so layers that replace one pass them on.
    if isinstance(first, Tensor) and (layer.kind in PASSED_ON or layer.composed):
        _mark(graph, graph.masks.get(first), out)
    return outputs(out)


def _mark(graph: Graph, mask: Tensor | None, *outs: Tensor) -> None:
    """Note the mask of tensors."""
    if mask is not None:
        graph.masks.update(dict.fromkeys(outs, mask))


def _embedding(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    out = graph.emit(layer, args, kwargs)
    if layer.config.get("mask_zero"):
        _mark(graph, graph.operation("NotEqual", f"{layer.name}_mask", args[0], 0), out)
    return outputs(out)


def _masking(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    return outputs(_without_masked(graph, layer, args[0], layer.config))


def _without_masked(graph: Graph, layer: Layer, x: Tensor, config: dict[str, Any]) -> Tensor:
    """Return a tensor with zeros in the masked steps: those with nothing but `mask_value`."""
    name, value = layer.name, config.get("mask_value", 0.0)
    other = graph.operation("NotEqual", f"{name}_other", x, value)
    kept = graph.operation("Any", f"{name}_kept", other, axis=-1, keepdims=True)
    out = graph.stand_in(layer, "Where", kept, x, 0)
    if x in graph.ranks:
        graph.ranks[out] = graph.ranks[x]
    mask = graph.operation("Any", f"{name}_mask", other, axis=-1, keepdims=False)
    _mark(graph, mask, out)
    return out


def _recurrent(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    sequences = args[0][0] if isinstance(args[0], list) else args[0]
    mask = kwargs.get("mask") or graph.masks.get(sequences)
    if mask is not None:
        if layer.config.get("data_format") == "channels_first":
            raise inexpressible(layer, "a mask reaches a convolution with channels first")
        kwargs = {**kwargs, "mask": mask}
    found = outputs(graph.emit(layer, args, kwargs))
    both = layer.kind == "Bidirectional" and layer.config.get("merge_mode", "") is None
    if mask is not None and _returns_sequences(layer):
        bare = [graph.bare(found(index)) for index in range(1 + both)]
        _mark(graph, mask, *bare)
        return lambda index: bare[index] if index < len(bare) else found(index)
    return found


def _returns_sequences(layer: Layer) -> bool:
    inner = layer.layers[0] if layer.kind == "Bidirectional" else layer
    return bool(inner.config.get("return_sequences"))


def _averaged(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    mask = kwargs.get("mask") or graph.masks.get(args[0])
    more = {} if mask is None else {"mask": mask}
    return outputs(graph.emit(layer, args, {**kwargs, **more}))


def _merge(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    out = graph.emit(layer, args, kwargs)
    masks = [graph.masks[x] for x in args[0] if x in graph.masks]
    if masks:
        _mark(graph, _all_of(graph, f"{layer.name}_mask", masks), out)
    return outputs(out)


def _all_of(graph: Graph, name: str, masks: list[Tensor]) -> Tensor:
    mask, *others = dict.fromkeys(masks)
    for other in others:
        mask = graph.operation("LogicalAnd", name, mask, other)
    return mask


def _concatenate(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    out = graph.emit(layer, args, kwargs)
    if any(x in graph.masks for x in args[0]):
        name, axis = layer.name, layer.config.get("axis", -1)
        parts = [
            graph.operation("ExpandDims", f"{name}_mask_column", graph.masks[x], axis=-1)
            if x in graph.masks
            else graph.operation("OnesLike", f"{name}_mask_ones", x, dtype="bool")
            for x in args[0]
        ]
        whole = graph.operation("Concatenate", f"{name}_mask_parts", parts, axis=axis)
        _mark(graph, graph.operation("All", f"{name}_mask", whole, axis=-1, keepdims=False), out)
    return outputs(out)


def _softmax(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add a Softmax; Keras 3 gives 0 where all steps are masked, but Keras 2 gave each as much."""
    mask = kwargs.get("mask") or graph.masks.get(args[0])
    x, others = args[0], {key: value for key, value in kwargs.items() if key != "mask"}
    if mask is not None and graph.version >= SOFTMAX_TAKES_MASKS:
        numbers = as_type(graph, f"{layer.name}_mask_numbers", mask, "float32")
        masked = graph.operation("Subtract", f"{layer.name}_masked", 1.0, numbers)
        far = graph.operation("Multiply", f"{layer.name}_far", masked, -1e9)
        x = graph.operation("Add", f"{layer.name}_scores", x, far)
    out = graph.emit(layer, [x], others)
    _mark(graph, mask, out)
    return outputs(out)


def _over_time(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add a TimeDistributed; a mask of its inner layer has an axis more outside."""
    (inner,), x = layer.layers, args[0]
    mask = kwargs.get("mask") or graph.masks.get(x)
    if inner.kind == "Masking":
        return outputs(_without_masked(graph, layer, x, inner.config))
    if inner.kind in MODELS and not inner.composed:
        return mask_models.over_time(graph, layer, x, mask)
    if inner.kind in INEXPRESSIBLE_OVER_TIME and (
        mask is not None or any(map(has_masks, leaves(inner)))
    ):
        raise inexpressible(layer, f"a mask reaches {inner.kind} at every step")
    uses = inner.kind in RECURRENT | {"Bidirectional", "GlobalAveragePooling1D"}
    more = {"mask": mask} if uses and mask is not None else {}
    out = graph.emit(layer, [x], {**_without_mask(kwargs), **more})
    if more:
        out = graph.bare(out)
    if inner.kind == "Embedding" and inner.config.get("mask_zero"):
        mask = graph.operation("NotEqual", f"{layer.name}_mask", x, 0)
    elif mask is not None and uses and not _returns_sequences(inner):
        mask = graph.operation("Any", f"{layer.name}_mask", mask, axis=-1, keepdims=False)
    _mark(graph, mask, out)
    return outputs(out)


def _without_mask(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key != "mask"}


INEXPRESSIBLE_OVER_TIME = {
    "AdditiveAttention", "Attention", "MultiHeadAttention", "Softmax", "TimeDistributed"
}  # fmt: skip
"""Layers that use masks, and inside of TimeDistributed would get them in another form."""


RULES: dict[str, Rule] = {
    **dict.fromkeys([*RECURRENT, "Bidirectional"], _recurrent),
    **dict.fromkeys(MERGES, _merge),
    "AdditiveAttention": mask_attention.attention,
    "Attention": mask_attention.attention,
    "Concatenate": _concatenate,
    "Embedding": _embedding,
    "GlobalAveragePooling1D": _averaged,
    "Masking": _masking,
    "MultiHeadAttention": mask_attention.heads,
    "Softmax": _softmax,
    "TimeDistributed": _over_time,
}
