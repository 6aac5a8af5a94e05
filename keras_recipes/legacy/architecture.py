"""Turn the JSON of any version of Keras into a tree of layers, in that version's terms."""

from collections.abc import Iterable, Mapping
from typing import Any

from keras_recipes.errors import CorruptModelError, UnsafeModelError, printable
from keras_recipes.legacy.tree import (
    FUNCTIONAL,
    MODELS,
    SEQUENTIAL,
    Call,
    Layer,
    Tensor,
    refused,
    structure,
)

FUNCTIONAL_NAMES = {"Model", "Functional", "Container", "Network"}
CODE = {"Lambda", "Masked", "LambdaMerge"}
OPERATIONS_OF_KERAS3 = "keras.src.ops."
_CONSTANT = "_CONSTANT_VALUE"


def tree(value: Mapping[str, Any]) -> Layer:
    """Return a model's JSON as a tree.

    Args:
        value: An object with `class_name` and `config`.

    Raises:
        InputError: The model is not made of layers.
        UnsafeModelError: The model contains code.
        CorruptModelError: The JSON is not a model's.
    """
    try:
        model = _layer(value, str(value["class_name"]).lower())
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise CorruptModelError(
            f"the JSON is not a model that Keras wrote: {type(error).__name__} {printable(error)}"
        ) from error
    if model.kind == "Graph":
        raise refused(
            model,
            "the Graph of Keras 0.3 and 1.0, which connected layers by name",
            "rebuild it as a functional Model in Keras 1.1 or later and save that",
        )
    if model.kind not in MODELS:
        raise refused(
            model,
            "a model of a custom class; only its code knows what it computes",
            "rebuild it as a Sequential or functional model and save that",
        )
    return model


def _layer(value: Mapping[str, Any], name: str) -> Layer:
    """Return a layer, a wrapper or a model; `name` is used if the JSON has no name."""
    kind, config = value["class_name"], value["config"]
    _refuse_code(kind, config)
    if kind == SEQUENTIAL:
        return _sequential(config, name)
    if kind in FUNCTIONAL_NAMES and "layers" in config:
        return _functional(config, name)
    config = {**config, **_build_shape(value)}
    layer = Layer(kind, str(config.pop("name", None) or name), config)
    if str(value.get("module")).startswith(OPERATIONS_OF_KERAS3):
        layer.module = value["module"]
    for key in ("layer", "backward_layer", "cell", "cells"):
        inside = config.get(key)
        if inside and key in config and _is_object(inside):
            del config[key]
            many = inside if isinstance(inside, list) else [inside]
            layer.layers += [_layer(one, f"{layer.name}_{i}") for i, one in enumerate(many)]
    return layer


def _is_object(value: Any) -> bool:
    first = value[0] if isinstance(value, list) else value
    return isinstance(first, dict) and "class_name" in first


def _build_shape(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input shape that Keras 2.12 and later write."""
    build = value.get("build_config") or {}
    return {"build_input_shape": build["input_shape"]} if build.get("input_shape") else {}


def _refuse_code(kind: str, config: Any) -> None:
    if kind in CODE or _holds_code(config):
        name = config.get("name") if isinstance(config, dict) else None
        raise UnsafeModelError(
            f"layer {printable(name or kind)} ({printable(kind)}): refused, it contains Python "
            "code that would run; replace it by layers of Keras where the model is built, and save "
            "again"
        )


def _holds_code(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    types = (config.get("mode_type"), config.get("function_type"), config.get("output_shape_type"))
    return "lambda" in types or config.get("mode_type") == "function"


def _sequential(config: Any, name: str) -> Layer:
    listed = config if isinstance(config, list) else config["layers"]
    settings = {} if isinstance(config, list) else config
    model = Layer(SEQUENTIAL, str(settings.get("name") or name))
    if settings.get("build_input_shape"):
        model.config["build_input_shape"] = settings["build_input_shape"]
    listed = [_with_class(one) for one in listed]
    if listed and listed[0]["class_name"] == "Merge" and listed[0]["config"].get("layers"):
        return _merged(model.name, listed)
    model.layers = [_layer(one, f"{model.name}_{i}") for i, one in enumerate(listed)]
    _uniquely_named(model)
    return model


def _with_class(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a layer as class and settings; before Keras 1.0 they were in one dictionary."""
    if "class_name" in value:
        return value
    config = {key: item for key, item in value.items() if key not in ("name", "custom_name")}
    return {"class_name": value["name"], "config": {**config, "name": value.get("custom_name")}}


def _merged(name: str, listed: list[Mapping[str, Any]]) -> Layer:
    """Return a functional model for a Sequential of Keras 1 that begins with merged models."""
    merge = dict(listed[0]["config"])
    _refuse_code("Merge", merge)
    branches = [_layer(one, f"{name}_branch_{i}") for i, one in enumerate(merge.pop("layers"))]
    model = Layer(FUNCTIONAL, name)
    for branch in branches:
        source = Layer("InputLayer", f"{branch.name}_input", _input_config(branch))
        branch.calls = [Call((Tensor(source.name),))]
        model.layers += [source, branch]
    model.inputs = [Tensor(f"{branch.name}_input") for branch in branches]
    last = Layer("Merge", str(merge.pop("name", None) or f"{name}_merge"), merge)
    last.calls = [Call(([Tensor(branch.name) for branch in branches],))]
    model.layers.append(last)
    for i, one in enumerate(listed[1:]):
        following = _layer(one, f"{name}_{i}")
        following.calls = [Call((Tensor(last.name),))]
        model.layers.append(following)
        last = following
    model.outputs = Tensor(last.name)
    return model


def _input_config(model: Layer) -> dict[str, Any]:
    """Return the settings of a Sequential's input, which its first layer holds."""
    first = model
    while first.layers and first.kind in MODELS:
        first = first.layers[0]
    shape = first.config.get("batch_input_shape") or _short_shape(first.config)
    if not shape:
        raise CorruptModelError(f"{first}: the shape of its input is missing")
    dtype = first.config.get("input_dtype") or first.config.get("dtype") or "float32"
    return {"batch_input_shape": shape, "dtype": dtype}


def _short_shape(config: Mapping[str, Any]) -> list[Any] | None:
    """Return an input shape in the form that was used before Keras 1.0."""
    if config.get("input_shape"):
        return [None, *config["input_shape"]]
    return None


def _uniquely_named(model: Layer) -> None:
    """Rename layers with the same name: inner models had no names in a Sequential's list."""
    taken: set[str] = set()
    for layer in model.layers:
        while layer.name in taken:
            layer.name += "_again"
        taken.add(layer.name)


def _functional(config: Mapping[str, Any], name: str) -> Layer:
    model = Layer(FUNCTIONAL, str(config.get("name") or name))
    listed = config["layers"]
    names = {one.get("name") or one["config"]["name"] for one in listed}
    for one in listed:
        own = one.get("name") or one["config"]["name"]
        layer = _layer(one, own)
        layer.name = own
        layer.calls = [_call(node, names) for node in one["inbound_nodes"]]
        model.layers.append(layer)
    model.inputs = _tensors(config["input_layers"])
    model.outputs = _tensors(config["output_layers"])
    _count_calls_from_zero(model)
    return model


def _tensors(value: Any) -> Any:
    """Convert `["dense", 0, 0]`, also in lists and dicts, to `Tensor`; unpack a list of one."""
    if isinstance(value, dict):
        return {key: _tensors(item) for key, item in value.items()}
    if len(value) == 3 and isinstance(value[0], str):
        return Tensor(value[0], value[1], value[2])
    many = [_tensors(item) for item in value]
    return many[0] if len(many) == 1 else many


def _call(node: Any, names: set[str]) -> Call:
    """Convert a node of a layer, in the form of Keras 3 or of an earlier version."""
    if isinstance(node, dict) and "args" in node:
        revived = (_revived(node["args"]), _revived(node["kwargs"]))
        return Call(tuple(revived[0]), _given(revived[1]))
    first, kwargs = _first_argument(node)
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    given = {key: _argument(value, names) for key, value in kwargs.items()}
    return Call((first,), _given(given))


def _given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if value is not None and key != "name"}


def _first_argument(node: Any) -> tuple[Any, dict[str, Any]]:
    """Return a layer's first argument, and the others, which its tensors hold."""
    if isinstance(node, dict):
        parts = {key: _first_argument(item) for key, item in node.items()}
        return {key: part[0] for key, part in parts.items()}, _last(parts.values())
    if len(node) in (3, 4) and isinstance(node[0], str):
        kwargs = node[3] if len(node) == 4 else {}
        value = node[2] if node[0] == _CONSTANT else Tensor(node[0], node[1], node[2])
        return value, kwargs
    items = [_first_argument(item) for item in node]
    return [item[0] for item in items], _last(items)


def _last(parts: Iterable[tuple[Any, dict[str, Any]]]) -> dict[str, Any]:
    kwargs: dict[str, Any] = {}
    for _, more in parts:
        kwargs = {**kwargs, **more}
    return kwargs


def _argument(value: Any, names: set[str]) -> Any:
    """Convert another argument of a call, with `["dense", 0, 0]` in it as tensors."""
    if isinstance(value, dict):
        return {key: _argument(item, names) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 3 and isinstance(value[0], str) and value[0] in names:
        return Tensor(value[0], value[1], value[2])
    if len(value) == 4 and value[0] == _CONSTANT:
        return value[2]
    return [_argument(item, names) for item in value]


def _revived(value: Any) -> Any:
    """Convert Keras 3's form of a tensor."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return Tensor(*value["config"]["keras_history"])
    if isinstance(value, dict):
        return {key: _revived(item) for key, item in value.items()}
    return [_revived(item) for item in value] if isinstance(value, list) else value


def _count_calls_from_zero(model: Layer) -> None:
    """Renumber calls from 0; an inner model's own first node made its calls begin at 1."""
    used: dict[str, set[int]] = {}

    def note(tensor: Tensor) -> Tensor:
        used.setdefault(tensor.layer, set()).add(tensor.call)
        return tensor

    places = [model.inputs, model.outputs]
    places += [value for layer in model.layers for call in layer.calls for value in call.args]
    places += [dict(call.kwargs) for layer in model.layers for call in layer.calls]
    for place in places:
        structure(place, note)
    first = {name: min(calls) for name, calls in used.items()}

    def shift(tensor: Tensor) -> Tensor:
        return Tensor(tensor.layer, tensor.call - first[tensor.layer], tensor.output)

    for layer in model.layers:
        layer.calls = [
            Call(tuple(structure(list(call.args), shift)), structure(dict(call.kwargs), shift))
            for call in layer.calls
        ]
    model.inputs, model.outputs = structure(model.inputs, shift), structure(model.outputs, shift)
