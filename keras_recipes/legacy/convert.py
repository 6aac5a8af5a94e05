"""Open a model of Keras 1 or 2: read it, convert it to Keras 3, build it, assign its weights."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, RecipeError, printable
from keras_recipes.legacy import (
    architecture,
    archived_weights,
    keras1,
    keras2,
    masks,
    original,
    reading,
    tensorflow1,
    theano,
    weights,
)
from keras_recipes.legacy.tree import MODELS, Layer, keras3, leaves, spliced
from keras_recipes.untrusted import architecture as safe_architecture
from keras_recipes.untrusted import budget, building

if TYPE_CHECKING:
    import keras


Change = tuple[str, str, str]
"""A layer's name, its old class, and its classes today."""


@dataclass(frozen=True)
class Converted:
    """A converted model, and what it was converted from.

    Attributes:
        model: The model with its weights, not compiled.
        keras_version: The version that saved it; "1", "2" or "3" if the files hold no version.
        backend: "theano", or "" if the backend made no difference.
        changes: The layers that have other classes now.
        compare: Returns the difference from Keras 2's own outputs and what computed these, or None
            if that cannot be computed here.
    """

    model: "keras.Model"
    keras_version: str
    backend: str
    changes: list[Change]
    compare: Callable[[], tuple[float, str] | None] = field(default=lambda: None, compare=False)


def open_pair(json_text: bytes, h5: bytes, where: str, h5_where: str) -> Converted | None:
    """Open an old pair; return None if Keras 3 wrote the JSON.

    Args:
        json_text: The contents of the JSON file.
        h5: The contents of the weights file.
        where: The path of the JSON file, for messages.
        h5_where: The path of the weights file, for messages.

    Raises:
        InputError: Keras 3 cannot express a layer; the message says which, why, and what to do.
        UnsafeModelError: The model contains code, or exceeds the limits.
        CorruptModelError: The files are damaged or do not belong together.
    """
    value = reading.architecture(json_text, where)
    if reading.is_keras3(value):
        return None
    return _converted(reading.pair(value, h5, where, h5_where), h5)


def open_archive(json_text: bytes, h5: bytes, metadata: bytes, where: str) -> Converted | None:
    """Open the members of a `.keras` file; return None if Keras 3 wrote it.

    Args:
        json_text: The configuration.
        h5: The weights.
        metadata: The member that says which Keras wrote it.
        where: The path of the file, for messages.

    Raises:
        InputError: As for `open_pair`.
        UnsafeModelError: As for `open_pair`.
        CorruptModelError: As for `open_pair`.
    """
    version = reading.version_in(metadata, where)
    if not version.startswith("2."):
        return None
    return _converted(
        reading.archive(reading.architecture(json_text, where), h5, version, where), h5
    )


def open_whole(h5: bytes, where: str) -> Converted:
    """Open a whole model in one HDF5 file, in the form that `model.save("model.h5")` wrote.

    Args:
        h5: The contents of the file.
        where: The path of the file, for messages.

    Raises:
        InputError: As for `open_pair`, or the file holds only weights.
        UnsafeModelError: As for `open_pair`.
        CorruptModelError: As for `open_pair`.
    """
    return _converted(reading.whole(h5, where), h5)


def _converted(old: reading.Old, h5: bytes) -> Converted:
    tree, changes = modern(old)
    accepted = safe_architecture.read(json.dumps(keras3(tree)).encode(), old.where)
    with budget.importing():
        backend.start()
    model = building.build_with(accepted, old.where, lambda built: _places(built, tree, old.where))
    return Converted(
        model=model,
        keras_version=old.keras_version or str(old.version),
        backend="theano" if old.theano else "",
        changes=changes,
        compare=lambda: original.difference(old, h5, model),
    )


def modern(old: reading.Old) -> tuple[Layer, list[Change]]:
    """Return an old model's tree in terms of Keras 3, and the layers whose classes changed.

    Raises:
        InputError: As for `open_pair`.
        UnsafeModelError: As for `open_pair`.
        CorruptModelError: As for `open_pair`.
    """
    try:
        return _steps(old)
    except RecipeError as error:
        raise type(error)(f"{old.where}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CorruptModelError(
            f"{old.where}: damaged, expected what Keras {old.version} writes "
            f"({type(error).__name__}: {printable(error)}); get it again"
        ) from error


def _steps(old: reading.Old) -> tuple[Layer, list[Change]]:
    tree = architecture.tree(old.architecture)
    if old.arrays is None:
        weights.attach(tree, old.groups, old.version, "the weights file")
    else:
        archived_weights.attach(tree, old.arrays)
    before = _kinds(tree)
    if old.version == 1:
        tree = keras1.upgrade(tree, old.theano)
    if old.theano:
        tree = theano.upgrade(tree)
    if tensorflow1.meant(old.keras_version, old.theano):
        tree = tensorflow1.upgrade(tree)
    if old.version < 3:
        tree = keras2.upgrade(masks.explicit(tree, old.keras_version))
        masks.check(tree)
    else:
        tree = _as_it_is(tree)
    after = _kinds(tree)
    changes = [
        (name, before[name], after[name])
        for name in before
        if name in after and after[name] != before[name]
    ]
    # Models inside of a model with masks are taken apart.
    changes += [(x, before[x], "part of the model itself") for x in before if x not in after]
    return spliced(tree), changes


def _as_it_is(tree: Layer) -> Layer:
    """Return a tree of Keras 3 without the input shapes that were noted next to its settings."""
    for layer in leaves(tree):
        layer.config.pop("build_input_shape", None)
    return tree


def _kinds(model: Layer) -> dict[str, str]:
    """Return the layers' classes by name; for a composed layer, all its classes in one line."""
    return {
        layer.name: layer.kind
        if layer.kind not in MODELS
        else ", ".join(x.kind for x in leaves(layer) if x.kind != "InputLayer")
        for layer in model.layers
    }


def _places(model: "keras.Model", tree: Layer, where: str) -> dict[int, np.ndarray]:
    """Return the arrays of a tree by the ids of the variables in the model built from it."""
    found = dict(_within(model, tree, where))
    missing = [weight.path for weight in model.weights if id(weight) not in found]
    if missing:
        raise CorruptModelError(
            f"{where}: expected weights for {printable(missing[0])}, found none; get it again"
        )
    return found


def _within(model: "keras.Model", tree: Layer, where: str) -> Iterator[tuple[int, np.ndarray]]:
    for inner in tree.layers:
        if any(leaf.arrays for leaf in leaves(inner)):
            yield from _of_layer(model.get_layer(inner.name), inner, where)


def _of_layer(layer: Any, tree: Layer, where: str) -> Iterator[tuple[int, np.ndarray]]:
    if tree.kind in MODELS:
        return _within(layer, tree, where)
    if tree.kind == "TimeDistributed":
        return _of_layer(layer.layer, tree.layers[0], where)
    # Wrappers and stacked cells list the arrays of their parts one after the other.
    arrays = [array for leaf in leaves(tree) for array in leaf.arrays]
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if shapes != [array.shape for array in arrays]:
        raise CorruptModelError(
            f"{where}: the weights do not fit {tree}: expected arrays of shapes "
            f"{_listed(shapes)}, received {_listed([array.shape for array in arrays])}; name the "
            "file that was saved with it"
        )
    return ((id(weight), _cast(a, weight)) for weight, a in zip(layer.weights, arrays, strict=True))


def _cast(array: np.ndarray, weight: Any) -> np.ndarray:
    import keras

    name = keras.backend.standardize_dtype(weight.dtype)
    if name == "bfloat16":
        return array.astype(ml_dtypes.bfloat16)
    return array.astype(name)


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) or "1" for shape in shapes) or "none"
