"""Assign the weights of a file to a model: every array to a variable, every variable an array."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.untrusted.hdf5 import Tree

if TYPE_CHECKING:
    import keras

NOT_WEIGHTS = ("optimizer", "optimizer_weights")
"""Groups at the root of weights files that only training needs."""

_OLD_PREFIX = "_layer_checkpoint_dependencies/"
_BFLOAT16_EXPONENT = 0x7F80
_NEVER_NEGATIVE = {"moving_variance", "variance"}


def check_values(tree: Tree, where: str) -> None:
    """Refuse arrays that no model can have.

    Raises:
        CorruptModelError: An array holds NaN or infinity.
    """
    for path, array in tree.arrays.items():
        if path in tree.bfloat16:
            finite = (array & _BFLOAT16_EXPONENT != _BFLOAT16_EXPONENT).all()
        else:
            finite = np.isfinite(array).all()
        if not finite:
            raise CorruptModelError(
                f"{where}: {printable(path)} holds NaN or infinity; get it again"
            )


def give(model: "keras.Model", found: dict[int, np.ndarray]) -> None:
    """Assign arrays to variables by the variable's id; initialize the other variables."""
    import keras

    for variable in model.variables:
        if id(variable) in found:
            variable._initialize(found.pop(id(variable)))
        elif variable._value is None:
            variable._deferred_initialize()
    for layer in _layers(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def in_order(
    model: "keras.Model", tree: Tree, where: str, names: Collection[str] = ()
) -> list[np.ndarray]:
    """Return the file's arrays in the order of `model.get_weights()`; the model is unchanged.

    Raises:
        CorruptModelError: As for `matched`.
    """
    found = matched(model, tree, where, names)
    return [found[id(variable)] for variable in model.weights]


def matched(
    model: "keras.Model", tree: Tree, where: str, names: Collection[str]
) -> dict[int, np.ndarray]:
    """Return the array of each variable by the variable's id.

    Args:
        model: A model that was built in `sizes.Scope`.
        tree: The file's arrays and attributes.
        where: The path of the file, for the messages.
        names: The layers' names in the configuration; the file's names have to be the same.

    Raises:
        CorruptModelError: The arrays are another model's, or not finite.
    """
    prefix = _legacy_prefix(tree)
    if prefix is not None:
        places = _legacy_places(model, tree, prefix, where)
    else:
        tree = _renamed(tree)
        places = _places(model)
        _check_names(tree, places, names, where)
    wanted = {path: variable for path, variable in places.items() if not path.endswith("/")}
    mine = {path for path in tree.arrays if prefix is None or path.startswith(prefix)}
    _check_paths(wanted.keys(), mine, where)
    return {
        id(variable): _checked(tree, path, variable, where) for path, variable in wanted.items()
    }


def variables_by_path(model: "keras.Model") -> dict[str, Any]:
    """Return a model's variables by their paths in the layout of Keras 3's weights files."""
    return {path: thing for path, thing in _places(model).items() if not path.endswith("/")}


def _check_paths(wanted: Collection[str], there: Collection[str], where: str) -> None:
    missing, more = sorted(set(wanted) - set(there)), sorted(set(there) - set(wanted))
    if missing or more:
        what = f"lacks {printable(missing[0])}" if missing else f"also has {printable(more[0])}"
        raise CorruptModelError(
            f"{where}: not this model's weights: it {what} ({len(missing)} missing, "
            f"{len(more)} too many); find the file that was saved with it"
        )


def _checked(tree: Tree, path: str, variable: Any, where: str) -> np.ndarray:
    import keras

    array, shown = tree.arrays[path], printable(path)
    if tuple(array.shape) != tuple(variable.shape):
        raise CorruptModelError(
            f"{where}: not this model's weights: {shown} has shape {array.shape}, expected "
            f"{tuple(variable.shape)}; find the file that was saved with it"
        )
    stored = "bfloat16" if path in tree.bfloat16 else str(array.dtype)
    expected = keras.backend.standardize_dtype(variable.dtype)
    if stored != expected:
        raise CorruptModelError(
            f"{where}: not this model's weights: {shown} holds {stored}, expected {expected}; "
            "find the file that was saved with it"
        )
    if path in tree.bfloat16:
        array = array.view(ml_dtypes.bfloat16)
    if variable.name in _NEVER_NEGATIVE and (array < 0).any():
        raise CorruptModelError(f"{where}: {shown} is a variance and negative; get it again")
    return array


def _layers(model: "keras.Model") -> "list[keras.Layer]":
    return list(model._flatten_layers(include_self=False, recursive=True))


def _places(model: "keras.Model") -> dict[str, Any]:
    """Return the variables by path in Keras 3's layout, and objects' names by path and slash."""
    from keras.src.saving import saving_lib

    class Places(saving_lib.H5IOStore):  # type: ignore[misc]
        """A store that records where Keras would write, before variables have values."""

        def __init__(self) -> None:
            self.found: dict[str, Any] = {}

        def make(self, path: str, metadata: Mapping[str, Any] | None = None) -> "Places":
            self.group = f"{path}/vars" if path else "vars"
            self.found[f"{self.group}/"] = (metadata or {}).get("name")
            return self

        def __bool__(self) -> bool:
            return True

        def __setitem__(self, key: str, value: Any) -> None:
            self.found[f"{self.group}/{key}"] = value

    places = Places()
    saving_lib._save_state(
        model, weights_store=places, assets_store=None, inner_path="", visited_saveables=set()
    )
    return {path: thing for path, thing in places.found.items() if not _is_training(path)}


def _is_training(path: str) -> bool:
    return path.split("/")[0] in NOT_WEIGHTS


def _renamed(tree: Tree) -> Tree:
    """Return the tree with today's name for Keras 2's group of layers; some files have the old."""
    if not any(path.startswith(_OLD_PREFIX) for path in tree.arrays):
        return tree

    def today(path: str) -> str:
        return path.replace(_OLD_PREFIX.rstrip("/"), "layers")

    return Tree(
        arrays={today(path): array for path, array in tree.arrays.items()},
        attributes={today(path): values for path, values in tree.attributes.items()},
        bfloat16=frozenset(map(today, tree.bfloat16)),
    )


def _check_names(tree: Tree, places: Mapping[str, Any], names: Collection[str], where: str) -> None:
    """Compare the layers' names: paths hold only classes and numbers, so they do not suffice."""
    for path, name in places.items():
        # Only layers of a graph have lasting names; Keras gives inner layers new names each time.
        if not path.endswith("/") or name not in names or path.split("/")[-4:-3] != ["layers"]:
            continue
        said = tree.attributes.get(path.rstrip("/"), {}).get("name")
        if said is not None and said != name:
            raise CorruptModelError(
                f"{where}: not this model's weights: its layer {printable(repr(said))} is "
                f"{printable(repr(name))} in the model; find the file that was saved with it"
            )


def _legacy_prefix(tree: Tree) -> str | None:
    """Return where the layers are in Keras 1's and 2's layout; None for Keras 3's layout."""
    if "layer_names" in tree.attributes.get("", {}):
        return ""
    return "model_weights/" if "layer_names" in tree.attributes.get("model_weights", {}) else None


def _legacy_places(model: "keras.Model", tree: Tree, prefix: str, where: str) -> dict[str, Any]:
    """Return the variables by path in the old layout, where attributes list layers and weights."""
    layers = {layer.name: _legacy_weights(layer) for layer in model.layers}
    layers = {name: variables for name, variables in layers.items() if variables}
    top = model._trainable_variables + model._non_trainable_variables
    if top:
        layers["top_level_model_weights"] = top
    listed = tree.attributes[prefix.rstrip("/")]["layer_names"]
    there = {name: _weight_names(tree, f"{prefix}{name}") for name in _texts(listed)}
    there = {name: weights for name, weights in there.items() if weights}
    there.pop("top_level_model_weights", None)
    if list(there) != [name for name in layers if name != "top_level_model_weights"]:
        raise CorruptModelError(
            f"{where}: not this model's weights: layers {printable(', '.join(there))}, expected "
            f"{printable(', '.join(layers))}; find the file that was saved with it"
        )
    places: dict[str, Any] = {}
    for name, variables in layers.items():
        paths = [f"{prefix}{name}/{w}" for w in _weight_names(tree, f"{prefix}{name}")]
        if len(paths) != len(variables) or len(set(paths)) != len(paths):
            raise CorruptModelError(
                f"{where}: not this model's weights: {printable(name)} has {len(paths)} arrays, "
                f"expected {len(variables)}; find the file that was saved with it"
            )
        places.update(zip(paths, variables, strict=True))
    return places


def _legacy_weights(layer: "keras.Layer") -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _weight_names(tree: Tree, group: str) -> list[str]:
    return _texts(tree.attributes.get(group, {}).get("weight_names", []))


def _texts(value: Any) -> list[str]:
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]
