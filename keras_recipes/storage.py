"""The saved model: a folder with architecture, weights and card; saved whole, loaded verified.

model.json          what Keras' `to_json()` gives
model.weights.h5    Keras' own weights file, without optimizer slots
card.json           what is not in the graph, and the digests of the other members
history.csv         metrics over the epochs
first.weights.h5    the untrained weights, where the recipe's pictures need them
"""

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import backend, catalog, publish
from keras_recipes.card import Card
from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    UnsafeModelError,
)
from keras_recipes.history import History
from keras_recipes.recipe import Fitted

if TYPE_CHECKING:
    import keras

ARCHITECTURE, WEIGHTS, CARD = "model.json", "model.weights.h5", "card.json"
HISTORY, FIRST_WEIGHTS = "history.csv", "first.weights.h5"
SHIPPED = "shipped.txt"
MEMBERS = (ARCHITECTURE, WEIGHTS, CARD, HISTORY, FIRST_WEIGHTS)
DEFAULT_FOLDER = Path("saved_models")

log = logging.getLogger(__name__)


def save(fitted: Fitted, path: str | Path) -> Path:
    """Saves a fitted model as the folder `path`, replacing a model that is there.

    The folder is written beside, read back and compared, and only then put in place in one step: at
    every moment the old or the new model is there, whole.

    Args:
        fitted: From `fit` or `load`.
        path: The model's own folder.

    Returns:
        The folder.

    Raises:
        InputError: There is no card to save, or the folder holds something that is no saved model.
        RecipeError: It could not be written, or did not read back as it was; nothing was changed.
    """
    if not isinstance(fitted, Fitted) or fitted.card is None:
        raise InputError("expected what fit or load returned; Keras' own model.save saves the rest")
    target = Path(path).resolve()
    check_replaceable(target)
    with publish.folder(target, members(fitted)) as staged:
        _verify(fitted.model, staged)
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
    publish.complete(target)
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target}: expected a folder, found a file; name another folder")
    if Path.cwd().is_relative_to(target) or target.is_mount():
        raise InputError(f"{target}: cannot be replaced as a whole; name a folder inside it")
    names = {entry.name for entry in target.iterdir()}
    if strange := names - set(ours):
        raise InputError(f"{target}: holds {min(strange)}, no saved model's; name another folder")
    if names and not {ARCHITECTURE, CARD} <= names and names != {ARCHITECTURE, WEIGHTS}:
        raise InputError(f"{target}: holds no saved model; name another folder")


def load(path: str | Path, weights: str | Path | None = None) -> Fitted:
    """Loads a saved model.

    Args:
        path: A folder that `save` wrote, a recipe's name (looked up in ./saved_models, then among
            the models that come with this package), a `model.json`, or a `.keras` file.
        weights: The weights that belong to a `.json` file; default `model.weights.h5` beside it.

    Raises:
        InputError: There is no such model.
        UnsafeModelError: The model holds code.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    backend.start()
    place = locate(str(path), weights)
    if (place / CARD).exists():
        return _load_verified(place)
    log.warning("unverified: %s has no card with digests", place)
    if place.is_dir():
        place = place / ARCHITECTURE
    if place.suffix == ".keras":
        return Fitted(model=_read_keras_file(place))
    weights = Path(weights) if weights else place.with_name(WEIGHTS)
    return Fitted(model=_pair(_content(place), place, _content(weights), weights))


def default_folder(name: str) -> Path:
    """Where a recipe's fit is saved when nothing is said.

    Raises:
        InputError: The model that comes with this package lies there.
    """
    folder, ours = DEFAULT_FOLDER / name, shipped(name)
    if ours and folder.resolve() == ours.resolve():
        raise InputError(
            f"{folder}: holds the model that comes with this package; name another folder with "
            f"--out, or this one to replace it"
        )
    return folder


def shipped(name: str) -> Path | None:
    """Where a recipe's trained model lies that comes with this package, if one does.

    In a checkout they lie in `saved_models`, beside what is fitted there, so a list says which.
    """
    package = Path(__file__).parent
    installed = package / "shipped"
    folder = installed if installed.is_dir() else package.parent / DEFAULT_FOLDER
    listed = folder / SHIPPED
    known = listed.read_text().split() if listed.is_file() else []
    return folder / name if name in known else None


def locate(model: str, weights: str | Path | None = None) -> Path:
    """The folder or file that a MODEL argument means; the folder where `model.json` has a card.

    Raises:
        InputError: Neither a fitted recipe nor a model that exists, or weights for something that
            has its own.
    """
    place = _existing(model)
    if place.name == ARCHITECTURE and weights is None and place.with_name(CARD).is_file():
        return place.parent
    if weights is not None and place.suffix != ".json":
        raise InputError(f"--weights: belongs to a .json file, and {place} has its own weights")
    if place.is_dir():
        if not ((place / CARD).exists() or (place / ARCHITECTURE).exists()):
            raise InputError(f"{place}: holds no saved model, neither {CARD} nor {ARCHITECTURE}")
    elif place.suffix not in (".json", ".keras"):
        raise InputError(f"{place}: expected a saved model's folder, a .json or a .keras file")
    return place


def card_of(model: str, weights: str | Path | None = None) -> Card | None:
    """The card of a MODEL argument, or None where it has none; the model is not loaded.

    Raises:
        InputError: There is no such model.
        CorruptModelError: The card is damaged.
    """
    place = locate(model, weights)
    return _read_card(place) if (place / CARD).exists() else None


def architecture(model: "keras.Model") -> bytes:
    """The model as JSON, with settings that are ours alone reset."""
    config = json.loads(model.to_json())
    if config.get("compile_config"):
        config["compile_config"]["steps_per_execution"] = 1
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
    if model.optimizer:
        # The JSON says how to compile, so Keras looks for an optimizer in the file: a new one,
        # which has made no slots yet.
        bare.compile(keras.optimizers.get(keras.optimizers.serialize(model.optimizer)))
    with tempfile.TemporaryDirectory() as scratch:
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
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        files[CARD] = replace(fitted.card, files=digests).to_json().encode()
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


def _existing(model: str) -> Path:
    name = catalog.canonical(model)
    places = [DEFAULT_FOLDER / name, *filter(None, [shipped(name)])] if name else []
    try:
        for place in [*places, Path(model)] if model else []:
            publish.complete(place)
            if place.exists():
                return place
    except OSError as error:
        raise InputError(f"{model[:60]}: {error.strerror}") from None
    if name:
        raise InputError(
            f"{name} is not fitted here yet ({places[0]} is missing): run `recipes fit {name}`"
        )
    known = ", ".join(catalog.names())
    raise InputError(f"{model!r}: no such folder or file, and no recipe of that name ({known})")


def _load_verified(folder: Path) -> Fitted:
    while True:
        card = _read_card(folder)
        try:
            # What is hashed is what is loaded: each member is read once.
            return _open(folder, card, _verified(folder, card))
        except CorruptModelError:
            # A save that replaced the folder meanwhile is no damage: look again.
            if _read_card(folder) == card:
                raise


def _verified(folder: Path, card: Card) -> dict[str, bytes]:
    """The members by name, each the file that the card describes."""
    for name in (ARCHITECTURE, WEIGHTS):
        if name not in card.files:
            raise CorruptModelError(f"{folder / CARD}: lists no {name}; restore it, or fit again")
    contents = {name: _content(folder / name) for name in card.files}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != card.files[name]:
            raise CorruptModelError(
                f"{folder / name}: not the file that {CARD} describes (SHA-256 differs); "
                "restore it, or fit again"
            )
    return contents


def _open(folder: Path, card: Card, contents: Mapping[str, bytes]) -> Fitted:
    model = _pair(
        contents[ARCHITECTURE], folder / ARCHITECTURE, contents[WEIGHTS], folder / WEIGHTS
    )
    first, stride = contents.get(FIRST_WEIGHTS), int(card.training["history_stride"])
    return Fitted(
        model=model,
        card=card,
        history=History.from_csv(contents[HISTORY], stride) if HISTORY in contents else None,
        first_weights=_first_weights(model, first, folder) if first else None,
    )


def _read_card(folder: Path) -> Card:
    path = folder / CARD
    card = Card.from_json(_content(path), str(path))
    if catalog.canonical(card.recipe) is None:
        raise CorruptModelError(f"{path}: names a recipe {card.recipe!r} that this version lacks")
    return card


def _pair(json_text: bytes, json_path: Path, h5: bytes, h5_path: Path) -> "keras.Model":
    import keras

    from keras_recipes import layers  # noqa: F401 - Keras then knows the layers of our own

    with _explained(json_path):
        config = json.loads(json_text)
        compiled = config.pop("compile_config", None)
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    # Compiled only now: Keras would miss the slots of an optimizer that has some.
    _load_weights(model, h5, h5_path)
    if compiled:
        with _explained(json_path):
            model.compile_from_config(compiled)
    return model


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if "lambda" in str(error).lower():
            raise UnsafeModelError(
                f"{path}: refused, it holds a Lambda layer, which is code that would run"
            ) from error
        raise CorruptModelError(f"{path}: no model that Keras opens: {_line(error)}") from error


def _load_weights(model: "keras.Model", content: bytes, path: Path) -> None:
    import tempfile

    # Keras chooses the format by the name's ending and wants a path: give it a private copy.
    ending = ".weights.h5" if path.name.endswith(".weights.h5") else ".h5"
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / f"copy{ending}"
        copy.write_bytes(content)
        try:
            model.load_weights(copy)
        except Exception as error:
            raise CorruptModelError(
                f"{path}: does not hold this model's weights: {_line(error)}"
            ) from error


def _read_keras_file(path: Path) -> "keras.Model":
    import keras

    with _explained(path):
        return keras.models.load_model(path, safe_mode=True)


def _first_weights(model: "keras.Model", content: bytes, folder: Path) -> tuple[Any, ...]:
    bare = type(model).from_config(model.get_config())
    _load_weights(bare, content, folder / FIRST_WEIGHTS)
    return tuple(bare.get_weights())


def _content(path: Path) -> bytes:
    if not path.exists():
        raise CorruptModelError(
            f"{path}: missing, the model is incomplete; restore it, or fit again"
        )
    if not path.is_file():
        raise CorruptModelError(f"{path}: expected a regular file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _line(error: BaseException) -> str:
    """The first line of a message that may have many."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
