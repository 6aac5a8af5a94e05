"""How the attention layers of Keras 2 used the masks of their inputs."""

from typing import Any

from keras_recipes.legacy.mask_graph import Graph, Outputs, Version, as_type, outputs
from keras_recipes.legacy.tree import Layer, Tensor, refused

HEADS_TAKE_MASKS: Version = (2, 10)
"""The first version in which MultiHeadAttention used the masks of its inputs."""


def attention(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add an Attention or AdditiveAttention."""
    masks = kwargs.get("mask") or [graph.masks.get(x) for x in args[0]]
    more = {"mask": masks} if any(masks) else {}
    found = outputs(graph.emit(layer, args, {**kwargs, **more}))
    if masks[0] is None:
        return found
    bare = graph.bare(found(0))
    graph.masks[bare] = masks[0]
    return lambda index: found(index) if index else bare


def heads(graph: Graph, layer: Layer, args: list[Any], kwargs: dict[str, Any]) -> Outputs:
    """Add a MultiHeadAttention.

    Where every key is masked for a query, Keras 2 gave all keys the same weight, but Keras 3 may
    give them none. A second call with keys of zeros has the same weight for all.
    """
    named = {**dict(zip(("query", "value", "key", "attention_mask"), args, strict=False)), **kwargs}
    query, value = named.pop("query"), named.pop("value")
    key = named.pop("key", None) or value
    whole = _allowed(graph, layer.name, (query, value, key), named)
    if whole is not None and layer.config.get("attention_axes") not in (None, 1, [1]):
        raise refused(
            layer,
            "a mask reaches its several axes, which cannot be expressed in Keras 3",
            "save the model without mask_zero=True and Masking before this layer",
        )
    if whole is None:
        out = graph.emit(layer, [query, value, key], named)
        found = outputs(out)
    else:
        named = {k: v for k, v in named.items() if k not in ("attention_mask", "use_causal_mask")}
        some = graph.emit(layer, [query, value, key], {**named, "attention_mask": whole})
        nothing = graph.operation("Multiply", f"{layer.name}_no_key", key, 0.0)
        evenly = graph.emit(layer, [query, value, nothing], named)
        found = _either(graph, layer.name, whole, outputs(some), outputs(evenly))
    if query in graph.masks:
        graph.masks[found(0)] = graph.masks[query]
    return found


def _either(graph: Graph, name: str, whole: Tensor, some: Outputs, evenly: Outputs) -> Outputs:
    """Return the outputs of one call for queries that may see a key, and of another elsewhere."""
    sees = graph.operation("Any", f"{name}_sees", whole, axis=-1, keepdims=True)
    for_scores = graph.operation("ExpandDims", f"{name}_sees_by_head", sees, axis=1)
    return [
        graph.operation("Where", f"{name}_output", sees, some(0), evenly(0)),
        graph.operation("Where", f"{name}_weights", for_scores, some(1), evenly(1)),
    ].__getitem__


def _allowed(
    graph: Graph, name: str, inputs: tuple[Tensor, Tensor, Tensor], named: dict[str, Any]
) -> Tensor | None:
    """Return which keys each query may see, of shape (N, T or 1, S or 1); None without masks."""
    if graph.version < HEADS_TAKE_MASKS:
        return None
    rows, *columns = (graph.masks.get(x) for x in inputs)
    parts = [] if rows is None else [graph.operation("ExpandDims", f"{name}_rows", rows, axis=-1)]
    for mask in dict.fromkeys(x for x in columns if x is not None):
        parts.append(graph.operation("ExpandDims", f"{name}_columns", mask, axis=-2))
    if not parts:
        return None
    if named.get("attention_mask") is not None:
        parts.append(as_type(graph, f"{name}_given", named["attention_mask"], "bool"))
    if named.get("use_causal_mask"):
        parts.append(_causal(graph, name, inputs[0], inputs[1]))
    whole, *others = parts
    for part in others:
        whole = graph.operation("LogicalAnd", f"{name}_allowed", whole, part)
    return whole


def _causal(graph: Graph, name: str, query: Tensor, value: Tensor) -> Tensor:
    """Return the mask of shape (N, T, S) with which each query sees no later keys."""
    column = graph.operation("Max", f"{name}_T", query, axis=-1, keepdims=True)
    row = graph.operation("Max", f"{name}_S", value, axis=-1, keepdims=False)
    row = graph.operation("ExpandDims", f"{name}_1_S", row, axis=1)
    both = graph.operation("Add", f"{name}_T_S", column, row)
    ones = graph.operation("OnesLike", f"{name}_ones", both, dtype="float32")
    return as_type(
        graph, f"{name}_causal", graph.operation("Tril", f"{name}_tril", ones, k=0), "bool"
    )
