"""Convert layers of Keras 2 to Keras 3, settings and arrays together."""

from collections.abc import Callable, Mapping
from typing import Any

from keras_recipes.errors import printable
from keras_recipes.legacy import composed, inputs, operations, recurrent, settings
from keras_recipes.legacy.tree import (
    LAYERS,
    MODELS,
    SEQUENTIAL,
    Call,
    Layer,
    applied,
    chain,
    leaves,
    refused,
)

_WEIGHT = "initializer regularizer constraint"
_CONV = (
    "filters kernel_size strides padding data_format dilation_rate activation use_bias "
    "activity_regularizer"
)
_NORM = "axis epsilon center scale"
_RNN = "return_sequences return_state go_backwards stateful unroll zero_output_for_mask"
_CELL = "units activation use_bias dropout recurrent_dropout seed"
_POOL = "pool_size strides padding data_format"
_IMAGE = "data_format seed"


def _of(*weights: str) -> str:
    return " ".join(f"{weight}_{part}" for weight in weights for part in _WEIGHT.split())


_DENSE, _RECURRENT = _of("kernel", "bias"), _of("kernel", "recurrent", "bias")

SETTINGS = {
    "Activation": "activation",
    "ActivityRegularization": "l1 l2",
    "Add": "",
    "AdditiveAttention": "use_scale dropout",
    "AlphaDropout": "rate noise_shape seed",
    "Attention": "use_scale score_mode dropout seed",
    "Average": "",
    "AveragePooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "AveragePooling3D": _POOL,
    "BatchNormalization": f"{_NORM} momentum synchronized {_of('beta', 'gamma')} "
    "moving_mean_initializer moving_variance_initializer",
    "Bidirectional": "merge_mode",
    "CategoryEncoding": "num_tokens output_mode sparse",
    "CenterCrop": "height width data_format",
    "Concatenate": "axis",
    "Conv1D": f"{_CONV} groups {_DENSE}",
    "Conv1DTranspose": f"{_CONV} output_padding {_DENSE}",
    "Conv2D": f"{_CONV} groups {_DENSE}",
    "Conv2DTranspose": f"{_CONV} output_padding {_DENSE}",
    "Conv3D": f"{_CONV} groups {_DENSE}",
    "Conv3DTranspose": f"{_CONV} output_padding {_DENSE}",
    **{
        f"ConvLSTM{n}D": f"{_CONV} {_RECURRENT} recurrent_activation unit_forget_bias dropout "
        "recurrent_dropout seed return_sequences return_state go_backwards stateful"
        for n in (1, 2, 3)
    },
    "Cropping1D": "cropping",
    "Cropping2D": "cropping data_format",
    "Cropping3D": "cropping data_format",
    "Dense": f"units activation use_bias activity_regularizer {_DENSE}",
    "DepthwiseConv1D": f"{_CONV} depth_multiplier {_of('depthwise', 'bias')}",
    "DepthwiseConv2D": f"{_CONV} depth_multiplier {_of('depthwise', 'bias')}",
    "Discretization": "bin_boundaries num_bins epsilon output_mode sparse",
    "Dot": "axes normalize",
    "Dropout": "rate noise_shape seed",
    "ELU": "alpha",
    "EinsumDense": f"equation output_shape activation bias_axes activity_regularizer {_DENSE}",
    "Embedding": f"input_dim output_dim mask_zero {_of('embeddings')}",
    "Flatten": "data_format",
    "GRU": f"{_CELL} {_RNN} {_RECURRENT} recurrent_activation reset_after activity_regularizer",
    "GRUCell": f"{_CELL} {_RECURRENT} recurrent_activation reset_after",
    "GaussianDropout": "rate seed",
    "GaussianNoise": "stddev seed",
    **{
        f"Global{kind}Pooling{n}D": "data_format keepdims"
        for kind in ("Average", "Max")
        for n in (1, 2, 3)
    },
    "GroupNormalization": f"groups {_NORM} {_of('beta', 'gamma')}",
    "Hashing": "num_bins mask_value salt output_mode sparse",
    "Identity": "",
    "InputLayer": "batch_shape sparse",
    "LSTM": f"{_CELL} {_RNN} {_RECURRENT} recurrent_activation unit_forget_bias "
    "activity_regularizer",
    "LSTMCell": f"{_CELL} {_RECURRENT} recurrent_activation unit_forget_bias",
    "LayerNormalization": f"{_NORM} {_of('beta', 'gamma')}",
    "LeakyReLU": "negative_slope",
    "Masking": "mask_value",
    "MaxPooling1D": _POOL,
    "MaxPooling2D": _POOL,
    "MaxPooling3D": _POOL,
    "Maximum": "",
    "Minimum": "",
    "MultiHeadAttention": f"num_heads key_dim value_dim dropout use_bias output_shape "
    f"attention_axes activity_regularizer seed {_DENSE}",
    "Multiply": "",
    "Normalization": "axis mean variance invert",
    "PReLU": f"shared_axes {_of('alpha')}",
    "Permute": "dims",
    "RNN": _RNN,
    "RandomBrightness": "factor value_range seed",
    "RandomContrast": "factor seed",
    "RandomFlip": f"mode {_IMAGE}",
    "RandomRotation": f"factor fill_mode interpolation fill_value {_IMAGE}",
    "RandomTranslation": f"height_factor width_factor fill_mode interpolation fill_value {_IMAGE}",
    "RandomZoom": f"height_factor width_factor fill_mode interpolation fill_value {_IMAGE}",
    "ReLU": "max_value negative_slope threshold",
    "RepeatVector": "n",
    "Rescaling": "scale offset",
    "Reshape": "target_shape",
    "Resizing": "height width interpolation crop_to_aspect_ratio data_format",
    "SeparableConv1D": f"{_CONV} depth_multiplier {_of('depthwise', 'pointwise', 'bias')}",
    "SeparableConv2D": f"{_CONV} depth_multiplier {_of('depthwise', 'pointwise', 'bias')}",
    "SimpleRNN": f"{_CELL} {_RNN} {_RECURRENT} activity_regularizer",
    "SimpleRNNCell": f"{_CELL} {_RECURRENT}",
    "Softmax": "axis",
    "SpatialDropout1D": "rate seed",
    "SpatialDropout2D": "rate seed data_format",
    "SpatialDropout3D": "rate seed data_format",
    "StackedRNNCells": "",
    "Subtract": "",
    "TimeDistributed": "",
    "UnitNormalization": "axis",
    "UpSampling1D": "size",
    "UpSampling2D": "size data_format interpolation",
    "UpSampling3D": "size data_format",
    "ZeroPadding1D": "padding data_format",
    "ZeroPadding2D": "padding data_format",
    "ZeroPadding3D": "padding data_format",
}
"""Layers that Keras 3 still has, with the settings that it takes besides trainable and dtype."""

DROPPED = {
    "batch_input_shape", "input_shape", "build_input_shape", "implementation", "input_dim",
    "input_length", "fused", "sparse", "ragged", "renorm_clipping", "renorm_momentum",
    "num_constants", "groups", "noise_shape", "query_shape", "key_shape", "value_shape",
    "dim_ordering", "experimental_autocast", "autocast", "vocabulary_size", "rng_type",
    "kernel_initializer", "kernel_regularizer", "kernel_constraint", "reset_after", "causal",
    "embeddings_initializer", "seed", "force_generator", "auto_vectorize", "data_format",
    "activity_regularizer", "batch_size", "unroll", "dilation_rate",
}  # fmt: skip
"""Settings that may be left out if Keras 3 lacks them, because they change no output."""

RENAMED = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "UnifiedLSTM": "LSTM",
    "UnifiedGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
}
TRAINING_ONLY = {"RandomHeight", "RandomWidth"}
WITHOUT = {
    **{f"SpatialDropout{n}D": {"trainable"} for n in (1, 2, 3)},
    "Discretization": {"trainable", "dtype"},
    "Hashing": {"dtype"},
}
"""Settings that Keras 3 takes everywhere except in these layers."""

LOOKUPS = {"StringLookup", "IntegerLookup", "TextVectorization"}


def upgrade(layer: Layer, *, inside: bool = False) -> Layer:
    """Convert a tree of Keras 2 to Keras 3.

    Args:
        layer: A layer with its arrays.
        inside: Whether the layer is part of another one, so that its input shape may be unknown.

    Raises:
        InputError: A layer cannot be expressed.
        UnsafeModelError: A layer contains code.
    """
    if not inside:
        _make_stateless(layer)
    if layer.module != LAYERS:
        return layer
    source = inputs.source(layer, inside) if layer.kind == SEQUENTIAL else None
    layer.layers = [upgrade(inner, inside=True) for inner in layer.layers]
    if layer.kind in MODELS:
        layer.config = {}
        layer.layers = [*([source] if source else []), *layer.layers]
        return layer
    layer.kind = RENAMED.get(layer.kind, layer.kind)
    change = CHANGES.get(layer.kind, _same)
    new = applied(change, layer)
    new.name, new.calls = layer.name, new.calls or layer.calls
    return new


def _make_stateless(model: Layer) -> None:
    """Remove state that is kept between calls, and the fixed batch size that it needs.

    The safe loader refuses such layers. The first call computes the same without state.
    """
    if not any(leaf.config.get("stateful") for leaf in leaves(model)):
        return
    for leaf in leaves(model):
        leaf.config.pop("stateful", None)
        for key in ("batch_input_shape", "batch_shape"):
            if leaf.config.get(key):
                leaf.config[key] = [None, *leaf.config[key][1:]]


Change = Callable[[Layer], Layer]


def _same(layer: Layer) -> Layer:
    """Convert a layer that Keras 3 still has."""
    if layer.kind not in SETTINGS:
        raise refused(
            layer,
            "not one of Keras' own layers; only its code knows what it computes",
            "replace it by layers of Keras where the model is built, and save again",
        )
    layer.config = _settings(layer, SETTINGS[layer.kind].split())
    return layer


def _settings(layer: Layer, known: list[str]) -> dict[str, Any]:
    without = WITHOUT.get(layer.kind, set())
    taken = {*known, "trainable", "dtype"} - without
    config = {}
    for key, value in layer.config.items():
        if key in taken:
            modern = settings.modern(layer, key, value)
            if modern is not None or not key.endswith("_initializer"):
                config[key] = modern
        elif key not in DROPPED | without and value not in (None, False, [], {}):
            raise refused(
                layer,
                f"its setting {printable(key)}={printable(value, 30)} is unknown to Keras 3",
                "save it without this setting, or report it to the authors of keras_recipes",
            )
    return config


def _rescaled(scaled: int) -> Change:
    """Convert a layer with kernel and activation; the last arrays take the old slope."""

    def change(layer: Layer) -> Layer:
        if layer.config.get("data_format") == "channels_first":
            return composed.channels_last(layer, change)
        setting = layer.config.get("activation")
        if isinstance(setting, Mapping) and "layer" in str(_home(setting)):
            return _with_layer(layer, setting)
        new = _same(layer)
        if new.config.get("activation") == "hard_sigmoid":
            kept = len(new.arrays) - scaled - bool(new.config.get("use_bias", True))
            new.arrays = [
                array * array.dtype.type(recurrent.SLOPE) if i >= kept else array
                for i, array in enumerate(new.arrays)
            ]
        return new

    return change


def _home(setting: Mapping[str, Any]) -> str:
    """Return the module of an activation that is given as an object, or an empty text."""
    named = "layers" if setting.get("class_name") in SETTINGS else ""
    return str(setting.get("module") or named) if setting.get("config") is not None else ""


def _with_layer(layer: Layer, setting: Mapping[str, Any]) -> Layer:
    """Convert an activation that is itself a layer, such as LeakyReLU."""
    inner = Layer(layer.kind, f"{layer.name}_linear", {**layer.config, "activation": "linear"})
    inner.arrays = layer.arrays
    config = {key: value for key, value in setting["config"].items() if key != "name"}
    bend = Layer(str(setting["class_name"]), f"{layer.name}_activation", config)
    return chain(layer.name, [upgrade(inner), upgrade(bend)])


def _activation(layer: Layer) -> Layer:
    name = settings.activation(layer, layer.config.get("activation"))
    if name == "hard_sigmoid":
        return chain(layer.name, composed.activation(layer.name, name))
    return _same(layer)


def _convolutional(layer: Layer) -> Layer:
    first = layer.config.get("data_format") == "channels_first"
    return composed.channels_last(layer, _gated) if first else _gated(layer)


def _gated(layer: Layer) -> Layer:
    recurrent.from_cudnn(layer)
    if layer.kind.startswith("GRU"):
        layer.config.setdefault("reset_after", False)
    layer.config.setdefault("recurrent_activation", "sigmoid")
    layer.arrays = recurrent.rescaled_gates(layer)
    return _stepping(layer)


def _stepping(layer: Layer) -> Layer:
    if layer.config.get("time_major"):
        raise refused(
            layer,
            "time_major=True puts time before the batch, which Keras 3 does not support",
            "save it with time_major=False",
        )
    layer.calls = recurrent.calls(layer)
    return _same(layer)


def _simple(layer: Layer) -> Layer:
    return _stepping(_rescaled(2)(layer))


def _batch_normalization(layer: Layer) -> Layer:
    config = layer.config
    if config.get("renorm") or config.get("virtual_batch_size"):
        raise refused(
            layer,
            "batch renormalization or virtual batches, which Keras 3 does not have",
            "save it with renorm=False and virtual_batch_size=None",
        )
    config["axis"] = _one_axis(layer)
    return _same(layer)


def _one_axis(layer: Layer) -> Any:
    axis = layer.config.get("axis", -1)
    if not isinstance(axis, list):
        return axis
    if len(axis) > 1:
        raise refused(layer, f"several axes, {axis}; Keras 3 takes one", "save it with one axis")
    return axis[0]


def _layer_normalization(layer: Layer) -> Layer:
    axis = layer.config.get("axis", -1)
    layer.config["axis"] = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return _same(layer)


def _input(layer: Layer) -> Layer:
    config = layer.config
    if config.get("ragged"):
        raise refused(layer, "ragged inputs, which Keras 3 lacks", "pad the inputs to one length")
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if shape is None:
        raise refused(layer, "its shape is missing", "save it with a shape")
    dtype = config.get("dtype") or "float32"
    new = {"batch_shape": list(shape), "dtype": dtype, "sparse": bool(config.get("sparse"))}
    return Layer("InputLayer", layer.name, new)


def _leaky(layer: Layer) -> Layer:
    if "alpha" in layer.config:
        layer.config["negative_slope"] = _number(layer.config.pop("alpha"))
    return _same(layer)


def _number(value: Any) -> Any:
    """Return a number, which Keras 2.0 wrote as an array."""
    return value.get("value") if isinstance(value, Mapping) else value


def _thresholded(layer: Layer) -> Layer:
    theta = _number(layer.config.get("theta", 1.0))
    return Layer("ReLU", layer.name, {"threshold": theta})


def _attention(layer: Layer) -> Layer:
    if layer.config.pop("causal", False):
        layer.calls = [
            Call(call.args, {**call.kwargs, "use_causal_mask": True}) for call in layer.calls
        ]
    return _same(layer)


def _lookup(layer: Layer) -> Layer:
    raise refused(
        layer,
        "a table of words, which an HDF5 file does not hold",
        "look up the words outside of the model, and save the model without this layer",
    )


def _nothing(layer: Layer) -> Layer:
    """Replace a layer that only has an effect in training, which Keras 3 does not support."""
    return Layer("Identity", layer.name)


def _cropped(layer: Layer) -> Layer:
    """Replace a random crop by a center crop and resize, which it is outside of training."""
    kept = {key: layer.config[key] for key in ("height", "width")}
    return Layer("Resizing", layer.name, {**kept, "crop_to_aspect_ratio": True})


def _normalized(layer: Layer) -> Layer:
    raise refused(
        layer,
        "a wrapper whose state Keras 3 stores differently",
        "save the model with the layer inside the wrapper",
    )


def _locally_connected(layer: Layer) -> Layer:
    layer.config["activation"] = settings.activation(layer, layer.config.get("activation"))
    return composed.locally_connected(layer)


def _wrapper(layer: Layer) -> Layer:
    if layer.kind == "Bidirectional":
        layer.calls = recurrent.calls(layer)
    return _same(layer)


def _operation(layer: Layer) -> Layer:
    return operations.upgrade(layer)


CHANGES: dict[str, Change] = {
    "Activation": _activation,
    "AdditiveAttention": _attention,
    "Attention": _attention,
    "BatchNormalization": _batch_normalization,
    "Bidirectional": _wrapper,
    **{f"Conv{n}D": _rescaled(1) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _rescaled(1) for n in (1, 2, 3)},
    **{f"ConvLSTM{n}D": _convolutional for n in (1, 2, 3)},
    "Dense": _rescaled(1),
    "DepthwiseConv1D": _rescaled(1),
    "DepthwiseConv2D": _rescaled(1),
    "EinsumDense": _rescaled(1),
    "GRU": _gated,
    "GRUCell": _gated,
    "InputLayer": _input,
    "LSTM": _gated,
    "LSTMCell": _gated,
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": _leaky,
    "LocallyConnected1D": _locally_connected,
    "LocallyConnected2D": _locally_connected,
    "RNN": _stepping,
    "SeparableConv1D": _rescaled(1),
    "SeparableConv2D": _rescaled(1),
    "RandomCrop": _cropped,
    "SimpleRNN": _simple,
    "SpectralNormalization": _normalized,
    "SimpleRNNCell": _rescaled(2),
    "SlicingOpLambda": _operation,
    "TFOpLambda": _operation,
    "TensorFlowOpLayer": _operation,
    "ThresholdedReLU": _thresholded,
    "TimeDistributed": _wrapper,
    **dict.fromkeys(LOOKUPS, _lookup),
    **dict.fromkeys(TRAINING_ONLY, _nothing),
}
