"""Read the version, the settings and the arrays of an old pair or an old whole model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError, InputError, printable
from keras_recipes.legacy import archived_weights, recognition
from keras_recipes.untrusted import hdf5, strict_json, weights

MODEL_WEIGHTS = "model_weights"

_KERAS_1 = {
    "nb_filter", "border_mode", "output_dim", "W_regularizer", "dim_ordering", "subsample",
    "pool_length", "filter_length", "inner_init", "bias", "p", "sigma", "input_dtype",
}  # fmt: skip
"""Settings that Keras 2 renamed."""


@dataclass(frozen=True)
class Group:
    """The arrays of one layer in a weights file, in the file's order, with their names."""

    name: str
    names: tuple[str, ...]
    arrays: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Old:
    """A model of an earlier Keras that was read but not converted yet.

    Attributes:
        architecture: The JSON, an object with `class_name` and `config`.
        groups: The layers that have weights.
        version: 1, 2 or 3.
        keras_version: The version in the file, or "".
        arrays: The arrays by path, if the weights are in the form of Keras 2.12 and later.
        theano: Whether Theano computed the outputs; its convolutions flip their kernels.
        where: The paths of the files, for the messages.
    """

    architecture: Mapping[str, Any]
    groups: list[Group]
    version: int
    keras_version: str
    theano: bool
    arrays: Mapping[str, np.ndarray] | None = None
    where: str = field(default="", compare=False)


def architecture(content: bytes, where: str) -> Any:
    """Return the value of a JSON file; JSON inside a JSON string, a common mistake, is unpacked.

    Raises:
        CorruptModelError: The content is not JSON.
    """
    recognition.check(content, where)
    value = strict_json.parse(content, where)
    for _ in range(2):
        if isinstance(value, str):
            value = strict_json.parse(value.encode(), where)
    return value


def unwrapped(content: bytes, where: str) -> bytes:
    """Return the content of a JSON file without the string that it may be in.

    Raises:
        CorruptModelError: The content is not JSON.
    """
    if not content.lstrip().startswith(b'"'):
        return content
    return json.dumps(architecture(content, where)).encode()


def is_keras3(value: Any) -> bool:
    """Return whether a parsed JSON value is what Keras 3's `to_json` writes."""
    return isinstance(value, dict) and "module" in value and "keras_version" not in value


def pair(value: Any, h5: bytes, json_where: str, h5_where: str) -> Old:
    """Read an old pair.

    Args:
        value: The parsed JSON.
        h5: The contents of the weights file.
        json_where: The path of the JSON file, for messages.
        h5_where: The path of the weights file, for messages.

    Raises:
        CorruptModelError: There is no model, or no weights in the format before Keras 3.
        UnsafeModelError: The weights file refers to other files.
    """
    return _old(_checked(value, json_where), _tree(h5, h5_where), json_where, h5_where)


def whole(h5: bytes, where: str) -> Old:
    """Read a whole model in one HDF5 file, in the form that `model.save("model.h5")` wrote.

    Raises:
        InputError: The file holds only weights.
        CorruptModelError: The file is damaged.
        UnsafeModelError: The file refers to other files.
    """
    tree = _tree(h5, where)
    text = tree.attributes.get("", {}).get("model_config")
    if not isinstance(text, str):
        raise InputError(
            f"{where}: holds weights but no architecture; name the JSON file that belongs to it "
            f"as MODEL, and this file with --weights"
        )
    return _old(_checked(architecture(text.encode(), where), where), tree, where, where)


def archive(value: Any, h5: bytes, version: str, where: str) -> Old:
    """Read a `.keras` file of Keras 2.12 to 2.15.

    Args:
        value: The parsed configuration.
        h5: The weights.
        version: The version of Keras that wrote it.
        where: The path of the file, for messages.

    Raises:
        CorruptModelError: The file is damaged.
        UnsafeModelError: The weights refer to other files.
    """
    found = _old(
        {**_checked(value, where), "keras_version": version}, _tree(h5, where), where, where
    )
    return replace(found, version=2)


def version_in(metadata: bytes, where: str) -> str:
    """Return the version of Keras that a `.keras` file says to be of, or ""."""
    value = strict_json.parse(metadata, where)
    said = value.get("keras_version") if isinstance(value, dict) else None
    return said if isinstance(said, str) else ""


def _tree(h5: bytes, where: str) -> hdf5.Tree:
    tree = hdf5.read(h5, where, skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, where)
    return tree


def _old(value: Mapping[str, Any], tree: hdf5.Tree, json_where: str, h5_where: str) -> Old:
    arrays = tree.arrays if archived_weights.holds(tree.arrays) else None
    groups = [] if arrays is not None else _groups(tree, h5_where)
    said = _said(value, tree)
    version = _version(value, said["keras_version"])
    return Old(
        architecture=value,
        groups=groups,
        version=version,
        keras_version=said["keras_version"],
        arrays=arrays,
        theano=_theano(said["backend"], version, groups),
        where=json_where,
    )


def _checked(value: Any, where: str) -> Mapping[str, Any]:
    recognition.check_value(value, where)
    if not isinstance(value, dict) or "config" not in value or "class_name" not in value:
        raise CorruptModelError(
            f"{where}: expected the JSON of a Keras model, an object with class_name and config, "
            f"received {printable(json.dumps(value), 40)}"
        )
    return value


def _said(value: Mapping[str, Any], tree: hdf5.Tree) -> dict[str, str]:
    """Return the version and the backend, if one of the files holds them."""
    places = [value, tree.attributes.get("", {}), tree.attributes.get(MODEL_WEIGHTS, {})]
    found = {}
    for name in ("keras_version", "backend"):
        texts = [place[name] for place in places if isinstance(place.get(name), str)]
        found[name] = texts[0] if texts else ""
    return found


def _version(value: Mapping[str, Any], said: str) -> int:
    if is_keras3(value):
        return 3
    if said[:1] in ("1", "2", "3"):
        return int(said[0])
    return 1 if _names(value) & _KERAS_1 else 2


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


def _theano(backend: str, version: int, groups: list[Group]) -> bool:
    if backend or version != 1:
        return backend == "theano"
    # Keras 1 did not save its backend. TensorFlow's names of variables end in ":0".
    names = [name for group in groups for name in group.names]
    return bool(names) and not any(":" in name for name in names)


def _groups(tree: hdf5.Tree, where: str) -> list[Group]:
    """Return the layers with weights, in the file's order."""
    root = MODEL_WEIGHTS if MODEL_WEIGHTS in tree.attributes else ""
    attributes = tree.attributes.get(root, {})
    if "nb_layers" in attributes:
        return _numbered(tree, root, where)
    if "layer_names" not in attributes and "layer_names0" not in attributes:
        raise CorruptModelError(
            f"{where}: holds no weights in the format before Keras 3 (no layer_names); get it again"
        )
    groups = []
    for layer in _texts(attributes, "layer_names", where):
        path = _joined(root, layer)
        names = _texts(tree.attributes.get(path, {}), "weight_names", where)
        arrays = tuple(_array(tree, _joined(path, name), where) for name in names)
        groups.append(Group(layer, tuple(names), arrays))
    return [group for group in groups if group.arrays]


def holds_weights(tree: hdf5.Tree | None) -> bool:
    """Return whether a file holds weights in a form that is read here."""
    if tree is None:
        return False
    places = [tree.attributes.get(root, {}) for root in ("", MODEL_WEIGHTS)]
    named = any({"nb_layers", "layer_names", "layer_names0"} & place.keys() for place in places)
    return named or archived_weights.holds(tree.arrays)


def _numbered(tree: hdf5.Tree, root: str, where: str) -> list[Group]:
    """Return the layers and arrays of a file before Keras 1.0, which numbered them."""
    groups, most = [], len(tree.attributes)
    for number in range(_count(tree.attributes[root]["nb_layers"], most, where)):
        path = _joined(root, f"layer_{number}")
        count = _count(tree.attributes.get(path, {}).get("nb_params", 0), most, where)
        names = [f"param_{i}" for i in range(count)]
        arrays = tuple(_array(tree, _joined(path, name), where) for name in names)
        groups.append(Group(f"layer_{number}", tuple(names), arrays))
    return [group for group in groups if group.arrays]


def _count(value: Any, most: int, where: str) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise CorruptModelError(
            f"{where}: damaged, the number of layers or arrays is {printable(value)}; get it again"
        )
    return value


def _texts(attributes: Mapping[str, Any], name: str, where: str) -> list[str]:
    """Return a list of names; a long list is stored in pieces, `name0`, `name1`, and so on."""
    pieces = [attributes[name]] if name in attributes else []
    while f"{name}{len(pieces)}" in attributes and name not in attributes:
        pieces.append(attributes[f"{name}{len(pieces)}"])
    texts = [text for piece in pieces for text in ([piece] if isinstance(piece, str) else piece)]
    if not all(isinstance(text, str) for text in texts):
        raise CorruptModelError(f"{where}: damaged, {name} is not a list of names; get it again")
    return texts


def _joined(path: str, name: str) -> str:
    return f"{path}/{name.strip('/')}".strip("/")


def _array(tree: hdf5.Tree, path: str, where: str) -> np.ndarray:
    if path not in tree.arrays:
        raise CorruptModelError(f"{where}: damaged, {printable(path)!r} is missing; get it again")
    return tree.arrays[path]
