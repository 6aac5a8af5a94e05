"""Make the table of what a model's configuration may hold, from the installed Keras.

    python -m tests.untrusted.allowed_table > keras_recipes/untrusted/allowed.json

Each public class is either in the table, with a kind for each argument of its `__init__`, or in
EXCLUDED with a reason. If no rule covers a class or an argument, this script stops with its name,
and someone has to add a rule.
"""

import inspect
import json
import sys
from typing import Any

import keras
from keras.src.ops.operation import Operation

# Arguments whose default does not tell which values they take.
KINDS = {
    "bool": "center mask_zero normalize invert sparse ragged use_scale trainable",
    "count": """units filters n input_dim output_dim num_heads key_dim value_dim head_dim
        num_query_heads num_key_value_heads num_tokens num_bins max_tokens height width
        depth_multiplier output_sequence_length batch_size max_number num_classes minlength
        num_segments block_size sliding_window beam_width top_paths num_labels steps_per_execution
        gradient_accumulation_steps groups ema_overwrite_frequency top_k num_thresholds""",
    "small": """fft_length sequence_length sequence_stride frame_length frame_step num_mel_bins
        bins filter_size""",
    "few": "num_chains chain_depth num_ops power_iterations ngrams",
    "counts": """kernel_size strides pool_size dilation_rate size output_size tile_grid_size
        dilation stride""",
    "fraction": "rate dropout recurrent_dropout momentum",
    "positive": "epsilon stddev",
    "natural": """num_oov_indices decimals top_cropping left_cropping bottom_cropping
        right_cropping top_padding left_padding bottom_padding right_padding order""",
    "ints": """axis axes cropping dims shared_axes attention_axes output_padding pad_width
        repeats shift source destination axis1 axis2 axisa axisb axisc input_axes output_axes
        spatial_dims indices_or_sections target_class_ids class_id kth num ignore_class""",
    "number": """adam_lr_ratio initial_learning_rate decay_steps first_decay_steps decay_rate
        recall precision
        specificity sensitivity value negative_slope max_value threshold gain
        lower upper min_freq max_freq sampling_rate top_db mag_exp min_power ref_power fill_value
        mask_value logit_soft_cap attn_logits_soft_cap clip_limit alpha l1 l2 renorm_momentum
        weight_decay clipnorm clipvalue global_clipnorm loss_scale_factor x_min x_max nan posinf
        neginf rtol atol initial max_val filter_sigma tol rcond dx beta q""",
    "numbers": """mean variance factor height_factor width_factor x_factor y_factor sigma
        bin_boundaries idf_weights brightness_factor contrast_factor saturation_factor hue_factor
        addition_factor threshold_factor value_range offset scale thresholds label_weights
        prior_weights""",
    "shape": "shape batch_shape target_shape newshape output_shape noise_shape",
    "seed": "seed",
    "name": "name",
    "token": "mask_token oov_token",
    "words": "vocabulary",
    "salt": "salt",
    "dtype": "dtype vocabulary_dtype reverse_dtype",
    "activation": "activation recurrent_activation",
    "layer": "layer backward_layer",
    "layers": "cells layers",
    "padding": "padding",
    "data_format": "data_format",
    "switch": "use_cudnn flash_attention synchronized standardize split",
    "null": """weights input_tensor autocast lora_rank lora_alpha quantization_config
        gptq_unpacked_column_size pool_dimensions pool_mode renorm_clipping fn
        bounding_box_format confusion_matrix_cond exclude_layers exclude_embeddings x range cell
        rank kwargs""",
    "text": """bias_axes merge_mode output_mode interpolation fill_mode mode window score_mode
        equation method encoding oov_method scaling average curve summation_method
        class_aggregation reduction distribution subscripts side indexing ord""",
    "learning_rate": "learning_rate",
    "optimizer": "inner_optimizer",
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
SUFFIXES = {
    "_initializer": "initializer",
    "_regularizer": "regularizer",
    "_constraint": "constraint",
}
SPECIAL = {
    ("RNN", "cell"): "cell",
    ("LayerNormalization", "scale"): "bool",
    ("BatchNormalization", "scale"): "bool",
    ("GroupNormalization", "scale"): "bool",
    ("ZeroPadding1D", "padding"): "ints",
    ("ZeroPadding2D", "padding"): "ints",
    ("ZeroPadding3D", "padding"): "ints",
    ("SeparableConv1D", "rank"): "null",
    ("Pad", "mode"): "text",
    ("Constant", "value"): "numbers",
    ("GroupNormalization", "groups"): "int",
    ("LayerNorm", "axis"): "ints",
    ("TopK", "k"): "count",
    ("InTopK", "k"): "count",
    ("ReLU", "threshold"): "number",
    ("MinMaxNorm", "rate"): "fraction",
    ("Threshold", "threshold"): "number",
    ("Threshold", "default_value"): "number",
    ("AveragePool", "padding"): "padding",
    ("Squareplus", "b"): "number",
    ("TextVectorization", "ngrams"): "ints",
    ("PiecewiseConstantDecay", "boundaries"): "numbers",
    ("PiecewiseConstantDecay", "values"): "numbers",
    ("STFT", "window"): "text",
    ("Norm", "ord"): "text",
    ("EinsumDense", "bias_axes"): "text",
    ("Split", "indices_or_sections"): "ints",
    ("Fold", "padding"): "ints",
    ("Unfold", "padding"): "ints",
    ("Clip", "x_min"): "numbers",
    ("Clip", "x_max"): "numbers",
    ("Rot90", "k"): "int",
    ("Diag", "k"): "int",
    ("Diagflat", "k"): "int",
    ("Tril", "k"): "int",
    ("Triu", "k"): "int",
    ("Roll", "shift"): "ints",
    ("Diff", "n"): "natural",
    ("Resizing", "fill_value"): "number",
    ("RandomErasing", "scale"): "numbers",
    ("RandomErasing", "fill_value"): "numbers",
    ("IntegerLookup", "mask_token"): "int",
    ("IntegerLookup", "oov_token"): "int",
    ("SSIM", "max_val"): "number",
    ("MultiHeadAttention", "value_dim"): "count",
    ("Diagonal", "offset"): "int",
    ("Trace", "offset"): "int",
    ("Resize", "fill_value"): "number",
    ("Precision", "class_id"): "natural",
    ("Recall", "class_id"): "natural",
    ("MaxNorm", "max_value"): "number",
    ("MinMaxNorm", "max_value"): "number",
    ("MinMaxNorm", "min_value"): "number",
    ("ArraySplit", "indices_or_sections"): "ints",
    ("Scatter", "shape"): "shape",
    ("ScaleAndTranslate", "spatial_dims"): "ints",
    ("GaussianBlur", "kernel_size"): "counts",
    ("VarianceScaling", "scale"): "number",
    ("Adafactor", "clip_threshold"): "number",
    ("RandomUniform", "minval"): "number",
    ("CosineDecay", "warmup_target"): "number",
    ("CosineDecay", "warmup_steps"): "natural",
    ("PadImages", "target_height"): "count",
    ("PadImages", "target_width"): "count",
    ("CropImages", "target_height"): "count",
    ("CropImages", "target_width"): "count",
    ("ISTFT", "length"): "natural",
    ("Unique", "size"): "count",
    ("Pad", "pad_width"): "ints",
    ("Bincount", "weights"): "null",
    ("GetItem", "key"): "null",
    ("Max", "initial"): "number",
    ("Min", "initial"): "number",
    ("Quantile", "method"): "text",
    ("Unstack", "num"): "natural",
}
for _kind in ("numbers",):
    for _loss in ("Circle", "CategoricalFocalCrossentropy", "BinaryFocalCrossentropy"):
        SPECIAL[_loss, "alpha"] = _kind

CODE = "it holds code that would run"
BASE = "a base class, which computes nothing"
EXCLUDED = {
    "layers": {
        "Lambda": CODE,
        "TorchModuleWrapper": f"{CODE} (a pickled module)",
        "JaxLayer": f"{CODE} (functions)",
        "FlaxLayer": f"{CODE} (a pickled module)",
        "TFSMLayer": "it opens another file, a TensorFlow program",
        "Layer": BASE,
        "Wrapper": BASE,
        "InputSpec": "not a layer, only a description of inputs",
    },
    "initializers": {"Initializer": BASE},
    "regularizers": {"Regularizer": BASE},
    "constraints": {"Constraint": BASE},
    "optimizers": {
        "Optimizer": BASE,
        "MultiOptimizer": "it names layers by function",
        "OptimizerMap": "it names layers by function",
    },
    "schedules": {"LearningRateSchedule": BASE},
    "losses": {"Loss": BASE},
    "metrics": {
        "Metric": BASE,
        "MeanMetricWrapper": "it takes a function",
    },
}
FUNCTION = "it calls a function that the file names"
VALUES = "the size of its output depends on values, so it cannot be known first"
EXCLUDED_OPERATIONS = {
    **dict.fromkeys(
        [
            *("Map", "Scan", "AssociativeScan", "Switch", "WhileLoop", "ForiLoop", "Cond"),
            *("VectorizedMap", "JVP", "Function"),
        ],
        FUNCTION,
    ),
    **dict.fromkeys(
        ["Arange", "Geomspace", "Linspace", "Logspace", "Full", "Vander", "Slice"], VALUES
    ),
    "Operation": BASE,
    "SegmentReduction": BASE,
}
# Entries that `get_config` writes and `__init__` takes as keyword arguments.
MORE = {
    "LayerNormalization": {"rms_scaling": "bool"},
    "Muon": {"adam_lr_ratio": "number"},  # Keras 3.12
    "IntegerLookup": {"vocabulary_size": "natural"},
    "StringLookup": {"vocabulary_size": "natural"},
    "TextVectorization": {"vocabulary_size": "natural"},
}
UNKNOWN: list[str] = []
OPERATION_MODULES = ("core", "einops", "image", "linalg", "math", "nn", "numpy")


def parameters(cls: type) -> dict[str, Any]:
    """Return the named arguments of a class and its bases, with their defaults."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if "__init__" in base.__dict__ and base is not object:
            for name, parameter in inspect.signature(base.__init__).parameters.items():
                if name != "self" and parameter.kind not in (
                    parameter.VAR_KEYWORD,
                    parameter.VAR_POSITIONAL,
                ):
                    found.setdefault(name, parameter.default)
    return found


def kind_of(cls: str, name: str, default: Any) -> str:
    """Return the kind of values that an argument takes: by special rule, by name, or by default."""
    for suffix, kind in SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    if (cls, name) in SPECIAL:
        return SPECIAL[cls, name]
    if isinstance(default, bool):
        return "bool"
    if name in KIND_OF:
        return KIND_OF[name]
    for types, kind in ((int, "int"), (float, "number"), (str, "text"), (tuple, "numbers")):
        if isinstance(default, types):
            return kind
    UNKNOWN.append(f"{cls}({name}={default!r})")
    return "null"


def classes(module: Any, excluded: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the public classes of a module, by each of their names."""
    found = {}
    for name in sorted(vars(module)):
        cls = getattr(module, name)
        public = inspect.isclass(cls) and not name.startswith("_") and name[0].isupper()
        if public and cls.__name__ not in excluded:
            arguments = parameters(cls).items()
            kinds = {arg: kind_of(cls.__name__, arg, value) for arg, value in arguments}
            kinds.update(MORE.get(cls.__name__, {}))
            found[name] = dict(sorted(kinds.items()))
    return found


def operations(module: str) -> dict[str, dict[str, str]]:
    source = __import__(f"keras.src.ops.{module}", fromlist=["x"])
    found = {}
    for name, cls in sorted(vars(source).items()):
        mine = inspect.isclass(cls) and issubclass(cls, Operation)
        if mine and cls.__module__ == source.__name__ and name not in EXCLUDED_OPERATIONS:
            arguments = {"name": None, **parameters(cls)}.items()
            found[name] = {arg: kind_of(name, arg, value) for arg, value in arguments}
    return found


def strings(module: Any) -> list[str]:
    """Return the names that the module's `get` knows."""
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in ("get", "serialize", "deserialize", "Loss", "Metric")
        and callable(value)
    )


def aliases(internal: Any) -> list[str]:
    """Return the same with the short names that only Keras' own dictionary has."""
    return sorted(name for name in internal.ALL_OBJECTS_DICT if name and name[0] != "_")


def table() -> dict[str, Any]:
    from keras.src import losses, metrics, optimizers

    public = {
        "layers": keras.layers,
        "initializers": keras.initializers,
        "regularizers": keras.regularizers,
        "constraints": keras.constraints,
        "optimizers": keras.optimizers,
        "schedules": keras.optimizers.schedules,
        "losses": keras.losses,
        "metrics": keras.metrics,
    }
    found: dict[str, Any] = {
        group: classes(module, EXCLUDED[group]) for group, module in public.items()
    }
    found["keras"] = keras.__version__
    found["operations"] = {name: operations(name) for name in OPERATION_MODULES}
    found["excluded"] = {**EXCLUDED, "operations": EXCLUDED_OPERATIONS}
    found["names"] = {
        "activation": strings(keras.activations),
        "initializer": strings(keras.initializers),
        "regularizer": [n for n in strings(keras.regularizers) if n != "Regularizer"],
        "constraint": [n for n in strings(keras.constraints) if n != "Constraint"],
        "optimizer": sorted(optimizers.ALL_OBJECTS_DICT),
        "loss": sorted({*aliases(losses), *strings(keras.losses)}),
        "metric": sorted({*aliases(metrics), *strings(keras.metrics), "accuracy", "acc", "ce"}),
    }
    for known in found["names"].values():
        known[:] = [name for name in known if name.lower().replace("_", "") not in NOT_BY_NAME]
    return found


NOT_BY_NAME = {
    *("initializer", "regularizer", "constraint", "loss", "lossfunctionwrapper", "metric"),
    *("meanmetricwrapper", "optimizer", "multioptimizer", "optimizermap", "lossscaleoptimizer"),
}


if __name__ == "__main__":
    text = json.dumps(table(), indent=1)
    sys.exit(f"no rule for {', '.join(UNKNOWN)}" if UNKNOWN else print(text))
