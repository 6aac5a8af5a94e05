"""The input of a model of Keras 2 whose first layer describes it, or whose weights show it."""

from typing import Any

from keras_recipes.legacy.tree import FUNCTIONAL, Layer, Tensor


def source(model: Layer, inside: bool) -> Layer | None:
    """Return the input that a Sequential's first layer describes, or None."""
    first = model.layers[0] if model.layers else model
    if first.kind == "InputLayer":
        return None
    shape, dtype = _input_of(first)
    shape = shape or model.config.get("build_input_shape")
    if not shape and not inside:
        shape = _from_arrays(first)
    if not shape:
        return None
    config = {"batch_shape": list(shape), "dtype": dtype or "float32"}
    return Layer("InputLayer", f"{first.name}_input", config)


def _input_of(layer: Layer) -> tuple[Any, Any]:
    shape = layer.config.get("batch_input_shape") or layer.config.get("batch_shape")
    if layer.kind == FUNCTIONAL and isinstance(layer.inputs, Tensor):
        return _input_of(next(x for x in layer.layers if x.name == layer.inputs.layer))
    if shape or not layer.layers:
        return shape, _input_type(layer)
    within, dtype = _input_of(layer.layers[0])
    if within and layer.kind == "TimeDistributed":
        return [within[0], None, *within[1:]], dtype
    return within, dtype


def _input_type(layer: Layer) -> str:
    dtype = layer.config.get("dtype")
    return dtype if isinstance(dtype, str) and dtype.startswith(("int", "float")) else "float32"


def _from_arrays(layer: Layer) -> list[int | None] | None:
    """Return the input shape that follows from a first layer's kernel, or None."""
    if layer.kind == "Dense":
        return [None, layer.arrays[0].shape[0]]
    if layer.kind in ("LSTM", "GRU", "SimpleRNN"):
        return [None, None, layer.arrays[0].shape[0]]
    if layer.kind == "Embedding":
        return [None, None]
    if layer.kind in ("Conv1D", "Conv2D", "Conv3D"):
        *size, channels, _ = layer.arrays[0].shape
        spatial: list[int | None] = [None] * len(size)
        first = layer.config.get("data_format") == "channels_first"
        return [None, channels, *spatial] if first else [None, *spatial, channels]
    return None
