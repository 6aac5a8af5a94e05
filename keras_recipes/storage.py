"""The saved model: a folder with architecture, weights and card; saved whole, loaded verified.

model.json          what Keras' `to_json()` gives
model.weights.h5    Keras' own weights file, without optimizer slots
card.json           what is not in the graph, and the digests of the other members
history.csv         metrics over the epochs
first.weights.h5    the untrained weights, where the recipe's pictures need them
conversion.json     of a model that was converted: where from, and what changed
"""

import csv
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import backend, places, publish
from keras_recipes.card import Card
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, described, printable
from keras_recipes.formats import keras_file
from keras_recipes.history import History
from keras_recipes.places import (
    ARCHITECTURE,
    CARD,
    CONVERSION,
    FIRST_WEIGHTS,
    HISTORY,
    KERAS_FILE,
    MEMBERS,
    WEIGHTS,
    WHOLE,
)
from keras_recipes.recipe import Fitted
from keras_recipes.safety import architecture as architectures
from keras_recipes.safety import archive, building, hdf5, weights
from keras_recipes.safety.architecture import Architecture

if TYPE_CHECKING:
    import keras

    from keras_recipes.legacy.convert import Converted

log = logging.getLogger(__name__)

_TORCH = "keras.src.backend.torch.optimizers."


def save(model: Fitted | str | Path, path: str | Path) -> Path:
    """Saves a fitted model as the folder `path`, replacing a model that is there.

    The folder is written beside, read back and compared, and only then put in place in one step: at
    every moment the old or the new model is there, whole.

    Args:
        model: From `fit` or `load`; or, to copy a saved model, what `load` takes.
        path: The model's own folder.

    Returns:
        The folder.

    Raises:
        InputError: There is no card to save, or the folder holds something that is no saved model.
        RecipeError: It could not be written, or did not read back as it was; nothing was changed.
        UnsafeModelError: As for `load`, where the model is named.
        CorruptModelError: As for `load`, where the model is named.
    """
    fitted = load(model) if isinstance(model, str | Path) else model
    if not isinstance(fitted, Fitted) or fitted.card is None:
        raise InputError(
            "expected what fit or load returned, a recipe's name or a path, received "
            f"{described(model)}; Keras' own model.save saves the rest"
        )
    target = places.target(path).resolve()
    check_replaceable(target)
    before = places.earlier(target)
    with publish.folder(target, members(fitted)) as staged:
        _verify(fitted.model, staged)
    if before:
        log.info("replaced %s", before)
    return Path(path)


def check_target(target: Path) -> None:
    """Finds out before training, not after, whether a model can be saved there.

    Raises:
        InputError: `target` is a file, a folder that is no saved model, or cannot be written.
    """
    check_replaceable(target)
    publish.prepare(target)


def check_replaceable(target: Path, ours: Collection[str] = MEMBERS) -> None:
    """Refuses to replace a folder in which anything would be lost.

    Args:
        target: An absolute path.
        ours: Names of the files that may be replaced.

    Raises:
        InputError: `target` is no folder, the working directory or above it, the root of a file
            system, or holds other files than those of a saved model.
    """
    names = publish.replaced(target, ours)
    pair = names - {CONVERSION} == {ARCHITECTURE, WEIGHTS}
    if names and not {ARCHITECTURE, CARD} <= names and not pair:
        raise InputError(f"{target}: holds no saved model; name another folder")


def load(model: Fitted | str | Path, weights: str | Path | None = None) -> Fitted:
    """Loads a saved model.

    Args:
        model: A folder that `save` wrote, a recipe's name (looked up in ./saved_models, then among
            the models that come with this package), a `model.json` of any version of Keras, a
            `.keras` file, or a whole model in an `.h5` file. What was exported for another runtime
            is opened by `open_model`. A model that is loaded already is returned as it is.
        weights: The weights that belong to a `.json` file; default `model.weights.h5` beside it,
            or the one `.h5` file there that has the same name.

    Returns:
        The compiled Keras model (`.model`) with what is known of it.

    Raises:
        InputError: There is no such model.
        UnsafeModelError: The model could do more than compute, or is larger than the limits.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if isinstance(model, Fitted):
        return model
    place = places.locate_keras(model, weights)
    fitted = replace(read(place, weights), place=place)
    places.tell_what_answers(str(model), place, fitted.card)
    if fitted.card is None:
        log.warning("unverified: no card with digests comes with %s", places.shown(place))
    return fitted


def read(place: Path, weights: str | Path | None = None) -> Fitted:
    """Loads what `locate` found, or what is about to become a saved model; see `load`."""
    if (place / CARD).exists():
        return _load_verified(place)
    if place.suffix == KERAS_FILE:
        return _load_keras_file(place)
    if place.suffix in WHOLE:
        from keras_recipes.legacy import convert

        return Fitted(model=convert.open_whole(places.content(place), places.shown(place)).model)
    if place.is_dir():
        place = place / ARCHITECTURE
    h5 = Path(weights) if weights else places.weights_beside(place)
    return Fitted(model=_opened(places.content(place), places.content(h5), place, h5))


def card_of(model: Fitted | str | Path) -> Card | None:
    """The card of a model, if its files are the ones that it describes; the model is not opened.

    Args:
        model: As for `load`.

    Returns:
        The card; None where there is none.

    Raises:
        InputError: There is no such model.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if isinstance(model, Fitted):
        return model.card
    return verified_card(places.locate_keras(model))


def verified_card(place: Path) -> Card | None:
    """The card of what `locate` found, if the files there are the ones that it describes.

    Args:
        place: A folder, or a file that may hold a card.

    Returns:
        The card; None where there is none.

    Raises:
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    if (place / CARD).exists():
        return _whole(place)[0]
    return _keras_members(place)[1] if place.suffix == KERAS_FILE else None


def open_old(place: Path, weights: Path | None = None) -> "Converted | None":
    """Opens a model that an earlier Keras saved, with what is known about it.

    Args:
        place: A JSON file, or a whole model in an HDF5 file.
        weights: Of a JSON file; default as for `load`.

    Returns:
        The model, or None where it is today's.

    Raises:
        InputError: It cannot be expressed in today's Keras.
        UnsafeModelError: As for `load`.
        CorruptModelError: As for `load`.
    """
    from keras_recipes.legacy import convert

    if place.suffix in WHOLE:
        return convert.open_whole(places.content(place), places.shown(place))
    if place.suffix != ".json":
        return None
    h5 = weights or places.weights_beside(place)
    return convert.open_pair(
        places.content(place), places.content(h5), places.shown(place), places.shown(h5)
    )


def architecture(model: "keras.Model") -> bytes:
    """The model as JSON, with settings that are ours alone reset."""
    config = json.loads(model.to_json())
    if config.get("compile_config"):
        config["compile_config"]["steps_per_execution"] = 1
        optimizer = config["compile_config"].get("optimizer")
        if isinstance(optimizer, dict) and str(optimizer.get("module")).startswith(_TORCH):
            # On PyTorch, Keras names a class that other backends do not have.
            optimizer["module"] = "keras.optimizers"
    return (json.dumps(config, indent=2) + "\n").encode()


def weights_file(model: "keras.Model", weights: Any = None) -> bytes:
    """The contents of a Keras weights file, without optimizer slots.

    Args:
        model: Whose layers they are.
        weights: In `get_weights()` order; default the model's own.
    """
    import tempfile

    import keras

    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights() if weights is None else weights)
    if getattr(model, "optimizer", None):  # which a model lacks that was never compiled
        # The JSON says how to compile, so Keras looks for an optimizer in the file: a new one,
        # which has made no slots yet.
        bare.compile(keras.optimizers.get(keras.optimizers.serialize(model.optimizer)))
    with tempfile.TemporaryDirectory() as scratch, backend.handing_over_arrays():
        path = Path(scratch) / WEIGHTS
        bare.save_weights(path)
        return path.read_bytes()


def versions() -> dict[str, str]:
    """Python and the packages that make a model what it is."""
    import platform
    import sys
    from importlib.metadata import version

    import keras

    backend = keras.backend.backend()
    packages = ("keras_recipes", "keras", "numpy", "h5py")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found, backend: sys.modules[backend].__version__}


def members(fitted: Fitted) -> dict[str, bytes]:
    """The files of a saved model by name, the card last with the digests of the others."""
    files = {ARCHITECTURE: architecture(fitted.model), WEIGHTS: weights_file(fitted.model)}
    if fitted.history is not None:
        files[HISTORY] = fitted.history.to_csv()
    if fitted.first_weights is not None:
        files[FIRST_WEIGHTS] = weights_file(fitted.model, fitted.first_weights)
    if fitted.card is not None:
        files[CARD] = fitted.card.of(files).to_json().encode()
    return files


def _verify(model: "keras.Model", staged: Path) -> None:
    import numpy as np

    for mine, read in zip(
        model.get_weights(), _load_verified(staged).model.get_weights(), strict=True
    ):
        if not np.array_equal(mine, read, equal_nan=True):
            raise RecipeError(
                "the saved model did not read back as it was written; nothing was changed"
            )


def _load_verified(folder: Path) -> Fitted:
    # What is hashed is what is loaded: each member is read once.
    return _open(folder, *_whole(folder))


def _whole(folder: Path) -> tuple[Card, dict[str, bytes]]:
    """The card, and the members that it describes."""
    while True:
        card = places.card_in(folder)
        try:
            return card, _verified(folder, card)
        except CorruptModelError:
            # A save that replaced the folder meanwhile is no damage: look again.
            if places.card_in(folder) == card:
                raise


def _verified(folder: Path, card: Card) -> dict[str, bytes]:
    """The members by name, each the file that the card describes."""
    for name in (ARCHITECTURE, WEIGHTS):
        if name not in card.files:
            raise CorruptModelError(f"{folder / CARD}: lists no {name}; restore it, or fit again")
    contents = {name: places.content(folder / name) for name in card.files}
    if altered := card.altered(contents):
        raise CorruptModelError(
            f"{folder / altered}: not the file that {CARD} describes (SHA-256 differs); "
            "restore it, or fit again"
        )
    return contents


def _open(folder: Path, card: Card, contents: Mapping[str, bytes]) -> Fitted:
    parts = contents[ARCHITECTURE], contents[WEIGHTS]
    pair = _checked(*parts, folder / ARCHITECTURE, folder / WEIGHTS)
    first, stride = contents.get(FIRST_WEIGHTS), int(card.training["history_stride"])
    path = places.shown(folder / FIRST_WEIGHTS)
    first_tree = hdf5.read(first, path, skip=weights.NOT_WEIGHTS) if first else None
    history = _history(folder, contents[HISTORY], stride) if HISTORY in contents else None
    model = _built(pair)
    return Fitted(
        model=model,
        card=card,
        history=history,
        first_weights=tuple(weights.in_order(model, first_tree, path)) if first_tree else None,
    )


def _history(folder: Path, content: bytes, stride: int) -> History:
    try:
        return History.from_csv(content, stride)
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        raise CorruptModelError(
            f"{places.shown(folder / HISTORY)}: damaged, no history: {printable(error)}"
        ) from None


@dataclass(frozen=True)
class _Pair:
    """A pair that passed everything that can be checked without Keras."""

    architecture: Architecture
    tree: hdf5.Tree
    json_path: str
    h5_path: str


def _opened(json_text: bytes, h5: bytes, json_path: Path, h5_path: Path) -> "keras.Model":
    from keras_recipes.legacy import convert, reading

    json_text = reading.unwrapped(json_text, places.shown(json_path))
    old = convert.open_pair(json_text, h5, places.shown(json_path), places.shown(h5_path))
    return old.model if old else _built(_checked(json_text, h5, json_path, h5_path))


def _load_keras_file(path: Path) -> Fitted:
    found, card = _keras_members(path)
    model = _opened(found[archive.CONFIG], found[archive.WEIGHTS], path, path)
    return Fitted(model=model, card=card)


def _keras_members(path: Path) -> tuple[dict[str, bytes], Card | None]:
    found = archive.read_keras(places.content(path), places.shown(path))
    card = places.card_inside(found, path)
    if card and (altered := card.altered(keras_file.described(found))):
        raise CorruptModelError(
            f"{places.shown(path)}: its {altered} is not the one that its card describes (SHA-256 "
            "differs); export it again"
        )
    return found, card


def _checked(json_text: bytes, h5: bytes, json_path: Path, h5_path: Path) -> _Pair:
    architecture = architectures.read(json_text, places.shown(json_path))
    tree = hdf5.read(h5, places.shown(h5_path), skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, places.shown(h5_path))
    return _Pair(
        architecture=architecture,
        tree=tree,
        json_path=places.shown(json_path),
        h5_path=places.shown(h5_path),
    )


def _built(pair: _Pair) -> "keras.Model":
    backend.start()
    model = building.build(pair.architecture, pair.tree, pair.json_path, pair.h5_path)
    # Compiled only now: Keras would miss the slots of an optimizer that has some.
    building.compile_settings(model, pair.architecture, pair.json_path)
    if pair.architecture.left_out:
        log.warning(
            "%s: opened without its compile settings: %s",
            pair.json_path,
            pair.architecture.left_out,
        )
    return model
