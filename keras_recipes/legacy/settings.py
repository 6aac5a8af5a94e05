"""Convert settings that many layers share from Keras 1 and 2 to Keras 3."""

from collections.abc import Mapping
from typing import Any

from keras_recipes.errors import UnsafeModelError, printable
from keras_recipes.legacy.tree import Layer, keras_object, refused

ACTIVATIONS = {
    "celu", "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax",
    "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign",
    "swish", "tanh",
}  # fmt: skip
ALIASES = {"softmax_v2": "softmax", "leaky_relu_v2": "leaky_relu", "swish": "silu"}
FLOATS = {"float16", "bfloat16", "float32", "float64"}
INITIALIZERS = {
    "zero": "Zeros",
    "zeros": "Zeros",
    "one": "Ones",
    "ones": "Ones",
    "uniform": "RandomUniform",
    "normal": "RandomNormal",
    "identity": "Identity",
    "orthogonal": "Orthogonal",
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_uniform": "HeUniform",
    "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform",
    "lecun_normal": "LecunNormal",
}
_RANDOM = {
    "RandomUniform": {"minval", "maxval", "seed"},
    "RandomNormal": {"mean", "stddev", "seed"},
    "TruncatedNormal": {"mean", "stddev", "seed"},
    "VarianceScaling": {"scale", "mode", "distribution", "seed"},
    "Orthogonal": {"gain", "seed"},
    "Constant": {"value"},
}
_PLAIN = {"Zeros", "Ones", "Identity", *INITIALIZERS.values()}
_REGULARIZERS = {"L1": {"l1"}, "L2": {"l2"}, "L1L2": {"l1", "l2"}}
_CONSTRAINTS = {
    "MaxNorm": {"max_value", "axis"},
    "MinMaxNorm": {"min_value", "max_value", "rate", "axis"},
    "UnitNorm": {"axis"},
    "NonNeg": set[str](),
}
_KERAS_1 = {
    "WeightRegularizer": "L1L2",
    "L1L2Regularizer": "L1L2",
    "m": "max_value",
    "low": "min_value",
    "high": "max_value",
}


def modern(layer: Layer, key: str, value: Any) -> Any:
    """Return a setting in Keras 3's form.

    Initializers, regularizers and constraints only matter to training. One that Keras 3 does not
    know becomes Keras 3's default.

    Args:
        layer: The layer that has the setting.
        key: The setting's name.
        value: Its value in terms of Keras 1 or 2.

    Raises:
        InputError: An activation is not one of Keras' own.
        UnsafeModelError: The setting contains code.
    """
    if key.endswith("activation"):
        return activation(layer, value)
    if key.endswith("_initializer"):
        return initializer(value)
    if key.endswith("_regularizer"):
        return _known(value, "keras.regularizers", _REGULARIZERS)
    if key.endswith("_constraint"):
        return _known(value, "keras.constraints", _CONSTRAINTS)
    return policy(value) if key == "dtype" else value


def activation(layer: Layer, value: Any) -> str:
    """Return an activation's name.

    Raises:
        InputError: The activation is not one of Keras' own.
        UnsafeModelError: The activation is code.
    """
    if isinstance(value, Mapping):
        if "lambda" in str(value.get("class_name")):
            raise UnsafeModelError(
                f"{layer}: refused, its activation is Python code that would run; ask its author "
                "for a model without this"
            )
        value = value.get("config") if value.get("class_name") == "function" else value
    if value is None:
        return "linear"
    name = ALIASES.get(value, value) if isinstance(value, str) else None
    if name not in ACTIVATIONS:
        raise refused(
            layer,
            f"its activation {printable(value, 40)} is not one of Keras' own",
            "replace it by layers of Keras where the model is built, and save again",
        )
    return str(name)


def initializer(value: Any) -> Any:
    """Return an initializer in Keras 3's form; None means the layer's default."""
    if isinstance(value, str):
        value = {"class_name": INITIALIZERS.get(value, value), "config": {}}
    if not isinstance(value, Mapping):
        return None
    name, config = value.get("class_name"), dict(value.get("config") or {})
    if name not in _PLAIN and name not in _RANDOM:
        return None
    if config.get("distribution") == "normal":
        config["distribution"] = "truncated_normal"
    known = _RANDOM.get(name, {"seed"} if name.startswith(("Glorot", "He", "Lecun")) else set())
    kept = {key: item for key, item in config.items() if key in known}
    if not all(isinstance(item, int | float | str | None) for item in kept.values()):
        return None
    return keras_object("keras.initializers", name, kept)


def _known(value: Any, module: str, kinds: Mapping[str, set[str]]) -> Any:
    if not isinstance(value, Mapping):
        return None
    # Keras 1 stored the class's name among the settings.
    name = value.get("class_name") or value.get("name")
    name = _KERAS_1.get(str(name), str(name))
    if name not in kinds:
        return None
    settings = value["config"] if "class_name" in value else value
    named = {_KERAS_1.get(key, key): item for key, item in settings.items()}
    return keras_object(module, name, {key: named[key] for key in kinds[name] if key in named})


def policy(value: Any) -> Any:
    """Return the dtype or the policy in which a layer computes."""
    name = value.get("config", {}).get("name") if isinstance(value, Mapping) else value
    if name in FLOATS:
        return name
    if name in ("mixed_float16", "mixed_bfloat16"):
        return keras_object("keras", "DTypePolicy", {"name": name})
    # An integer was the dtype of a layer's input; the layer computed in float32.
    return "float32"
