"""Convert TensorFlow functions in a functional model to operations of Keras 3.

Keras 2.4 and later saved a call by the function's name (TFOpLambda, SlicingOpLambda). TensorFlow
2.0 to 2.3 saved it as a node of TensorFlow's graph (TensorFlowOpLayer).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from keras_recipes.errors import printable
from keras_recipes.legacy.tree import OPERATIONS, Call, Layer, refused

_CORE, _NN = "keras.src.ops.core", "keras.src.ops.nn"

BINARY = {
    "add": "Add",
    "addv2": "Add",
    "sub": "Subtract",
    "subtract": "Subtract",
    "mul": "Multiply",
    "multiply": "Multiply",
    "div": "TrueDivide",
    "divide": "TrueDivide",
    "realdiv": "TrueDivide",
    "truediv": "TrueDivide",
    "pow": "Power",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "matmul": "Matmul",
    "batchmatmulv2": "Matmul",
    "floordiv": "FloorDivide",
}
UNARY = {
    "abs": "Absolute",
    "ceil": "Ceil",
    "cos": "Cos",
    "exp": "Exp",
    "floor": "Floor",
    "identity": None,
    "log": "Log",
    "log1p": "Log1p",
    "neg": "Negative",
    "negative": "Negative",
    "reciprocal": "Reciprocal",
    "round": "Round",
    "sign": "Sign",
    "sin": "Sin",
    "sqrt": "Sqrt",
    "square": "Square",
    "tanh": "Tanh",
}
ACTIVATIONS = {
    "elu": "elu",
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "softmax": "softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "swish": "silu",
}
REDUCTIONS = {
    "max": "Max",
    "mean": "Mean",
    "min": "Min",
    "prod": "Prod",
    "reduce_max": "Max",
    "reduce_mean": "Mean",
    "reduce_min": "Min",
    "reduce_prod": "Prod",
    "reduce_sum": "Sum",
    "sum": "Sum",
}


def upgrade(layer: Layer) -> Layer:
    """Convert a call of a TensorFlow function to an operation or a layer of Keras 3.

    Raises:
        InputError: The function has no counterpart here.
    """
    if layer.kind == "TensorFlowOpLayer":
        return _from_node(layer)
    if layer.kind == "SlicingOpLambda":
        return _operation(layer, "GetItem", [_sliced(call) for call in layer.calls])
    function = str(layer.config.get("function") or "")
    name = function.rpartition(".")[2].lower()
    made = _made(layer, name, [_arguments(call) for call in layer.calls])
    if made is None:
        raise refused(
            layer,
            f"TensorFlow's function {printable(function)} has no counterpart here",
            "replace it by layers of Keras where the model is built, and save again",
        )
    return made


Arguments = tuple[list[Any], dict[str, Any]]


def _arguments(call: Call) -> Arguments:
    return list(call.args), dict(call.kwargs)


def _made(layer: Layer, name: str, calls: list[Arguments]) -> Layer | None:
    """Return the counterpart of a function, or None."""
    if name in BINARY:
        return _operation(layer, BINARY[name], [_two(*call) for call in calls])
    if name in UNARY:
        return _unary(layer, UNARY[name], calls)
    if name in ACTIVATIONS and _plain(calls):
        bend = Layer("Activation", layer.name, {"activation": ACTIVATIONS[name]})
        bend.calls = [Call((args[0],)) for args, _ in calls]
        return bend
    kind, settings = REDUCTIONS.get(name), _SHAPES.get(name)
    if kind:
        settings = _reduction
    if settings is None or not calls:
        return None
    module, made, config = settings(kind, *calls[0])
    if any(settings(kind, *call)[2] != config for call in calls):
        return None
    first = [Call((args[0],)) for args, _ in calls]
    return Layer(made, layer.name, config, calls=first, module=module)


def _operation(layer: Layer, kind: str, calls: list[Call]) -> Layer:
    return Layer(kind, layer.name, calls=calls, module=OPERATIONS)


def _two(args: list[Any], kwargs: Mapping[str, Any]) -> Call:
    """Return a call with two numbers; the second may be a keyword argument."""
    others = [kwargs[key] for key in ("y", "b", "x2") if key in kwargs]
    flags = [key for key in kwargs if key.startswith(("transpose", "adjoint")) and kwargs[key]]
    if len([*args, *others]) != 2 or flags:
        raise ValueError("expected two arguments")
    return Call((*args, *others))


def _plain(calls: list[Arguments]) -> bool:
    return all(kwargs.get("axis", -1) == -1 for _, kwargs in calls)


def _unary(layer: Layer, kind: str | None, calls: list[Arguments]) -> Layer:
    first = [Call((args[0],)) for args, _ in calls]
    if kind is None:
        return Layer("Identity", layer.name, calls=first)
    return _operation(layer, kind, first)


Settings = Callable[[Any, list[Any], dict[str, Any]], tuple[str, str, dict[str, Any]]]


def _axis(args: list[Any], kwargs: Mapping[str, Any], default: Any) -> Any:
    return kwargs.get("axis", args[1] if len(args) > 1 else default)


def _reduction(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    config = {"axis": _axis(args, kwargs, None), "keepdims": bool(kwargs.get("keepdims"))}
    return OPERATIONS, kind, config


def _concatenated(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "Concatenate", {"axis": _axis(args, kwargs, 0)}


def _stacked(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "Stack", {"axis": _axis(args, kwargs, 0)}


def _expanded(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "ExpandDims", {"axis": _axis(args, kwargs, None)}


def _squeezed(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "Squeeze", {"axis": _axis(args, kwargs, None)}


def _reshaped(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "Reshape", {"newshape": kwargs.get("shape", args[-1])}


def _transposed(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return OPERATIONS, "Transpose", {"axes": kwargs.get("perm")}


def _clipped(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    low, high = kwargs.get("clip_value_min"), kwargs.get("clip_value_max")
    return OPERATIONS, "Clip", {"x_min": low, "x_max": high}


def _cast(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return _CORE, "Cast", {"dtype": kwargs["dtype"]}


def _softmax(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return _NN, "Softmax", {"axis": _axis(args, kwargs, -1)}


def _leaky(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return _NN, "LeakyRelu", {"negative_slope": kwargs.get("alpha", 0.2)}


def _gelu(kind: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[str, str, Any]:
    return _NN, "Gelu", {"approximate": bool(kwargs.get("approximate"))}


_SHAPES: dict[str, Settings] = {
    "cast": _cast,
    "clip_by_value": _clipped,
    "concat": _concatenated,
    "expand_dims": _expanded,
    "gelu": _gelu,
    "leaky_relu": _leaky,
    "reshape": _reshaped,
    "softmax": _softmax,
    "squeeze": _squeezed,
    "stack": _stacked,
    "transpose": _transposed,
}


def _sliced(call: Call) -> Call:
    """Convert `x[1:, ..., 0]`, whose parts earlier versions saved as dicts."""
    spec = call.kwargs.get("slice_spec", [])
    return Call((call.args[0], _slices(spec)))


def _slices(spec: Any) -> Any:
    if isinstance(spec, Mapping) and spec.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(spec, Mapping):
        return _slice(spec.get("start"), spec.get("stop"), spec.get("step"))
    if isinstance(spec, list):
        return [_slices(part) for part in spec]
    return spec


def _slice(start: Any, stop: Any, step: Any) -> dict[str, Any]:
    config = {"start": start, "stop": stop, "step": step}
    return {"class_name": "__slice__", "config": config}


def _from_node(layer: Layer) -> Layer:
    """Convert a node of TensorFlow's graph: its operation, its inputs, and constants."""
    node = layer.config.get("node_def")
    node = json.loads(node) if isinstance(node, str) else node
    if not isinstance(node, Mapping):
        raise refused(layer, "its node is unreadable", "save it with TensorFlow 2.4 or later")
    name = str(node.get("op")).lower()
    constants = {int(i): value for i, value in (layer.config.get("constants") or {}).items()}
    calls = [_node_arguments(call, constants) for call in layer.calls]
    made = _node_made(layer, name, node, calls)
    if made is None:
        raise refused(
            layer,
            f"TensorFlow's operation {printable(node.get('op'))} has no counterpart here",
            "replace it by layers of Keras where the model is built, and save again",
        )
    return made


def _node_arguments(call: Call, constants: Mapping[int, Any]) -> list[Any]:
    first = call.args[0]
    tensors = list(first) if isinstance(first, list) else [first]
    total = len(tensors) + len(constants)
    return [constants[i] if i in constants else tensors.pop(0) for i in range(total)]


def _node_made(layer: Layer, name: str, node: Any, calls: list[list[Any]]) -> Layer | None:
    attributes = node.get("attr", {})
    if name in REDUCTIONS:
        keep = bool(attributes.get("keep_dims", {}).get("b"))
        return _made(layer, name, [([a[0]], {"axis": a[1], "keepdims": keep}) for a in calls])
    if name == "concatv2":
        return _made(layer, "concat", [([a[:-1]], {"axis": a[-1]}) for a in calls])
    if name == "expanddims":
        return _made(layer, "expand_dims", [([a[0]], {"axis": a[1]}) for a in calls])
    if name == "reshape":
        return _made(layer, "reshape", [([a[0]], {"shape": a[1]}) for a in calls])
    if name == "transpose":
        return _made(layer, "transpose", [([a[0]], {"perm": a[1]}) for a in calls])
    if name == "squeeze":
        axes = attributes.get("squeeze_dims", {}).get("list", {}).get("i", [])
        return _made(layer, "squeeze", [([a[0]], {"axis": [int(i) for i in axes]}) for a in calls])
    if name == "batchmatmulv2" and any(
        attributes.get(key, {}).get("b") for key in ("adj_x", "adj_y")
    ):
        return None
    return _made(layer, name, [(a, {}) for a in calls])
