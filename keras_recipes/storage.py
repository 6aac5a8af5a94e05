"""The saved model: a folder with architecture, weights and card; saved whole, loaded verified.

model.json          what Keras' `to_json()` gives
model.weights.h5    Keras' own weights file, without optimizer slots
card.json           what is not in the graph, and the digests of the other members
history.csv         metrics over the epochs
first.weights.h5    the untrained weights, where the recipe's pictures need them
"""

import csv
import hashlib
import io
import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import catalog, publish
from keras_recipes.card import Card
from keras_recipes.errors import CorruptModelError, InputError, RecipeError
from keras_recipes.recipe import Fitted

if TYPE_CHECKING:
    import keras

    from keras_recipes.loop import History

ARCHITECTURE, WEIGHTS, CARD = "model.json", "model.weights.h5", "card.json"
HISTORY, FIRST_WEIGHTS = "history.csv", "first.weights.h5"
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
        InputError: The folder holds something that is no saved model.
        RecipeError: It could not be written, or did not read back as it was; nothing was changed.
    """
    target = Path(path).resolve()
    _check_replaceable(target)
    with publish.folder(target, members(fitted)) as staged:
        _verify(fitted.model, staged)
    return Path(path)


def check_target(target: Path) -> None:
    """Finds out before training, not after, whether a model can be saved there.

    Raises:
        InputError: `target` is a file, a folder that is no saved model, or cannot be written.
    """
    _check_replaceable(target)
    publish.prepare(target)


def load(path: str | Path, weights: str | Path | None = None) -> Fitted:
    """Loads a saved model.

    Args:
        path: A folder that `save` wrote, a recipe's name (looked up in ./saved_models), a
            `model.json`, or a `.keras` file.
        weights: The weights that belong to a `model.json`; default `model.weights.h5` beside it.

    Raises:
        InputError: There is no such model.
        CorruptModelError: A member is missing, damaged, or not the one in the card.
    """
    place = locate(str(path))
    if place.name == ARCHITECTURE and weights is None and place.with_name(CARD).is_file():
        place = place.parent
    if place.is_dir():
        return _load_folder(place)
    if place.suffix == ".keras":
        return Fitted(model=_read_keras_file(place))
    if place.suffix != ".json":
        raise InputError(f"{place}: expected a folder, a .json or a .keras file")
    log.warning("unverified: %s has no card with digests", place)
    weights = Path(weights) if weights else place.with_name(WEIGHTS)
    return Fitted(model=_pair(_bytes(place), place, _bytes(weights), weights))


def locate(model: str) -> Path:
    """The folder or file that a MODEL argument means.

    Raises:
        InputError: Neither a fitted recipe nor a path that exists.
    """
    name = catalog.canonical(model)
    place = DEFAULT_FOLDER / name if name else Path(model)
    publish.complete(place)
    if place.exists():
        return place
    if Path(model).exists():
        return Path(model)
    if name:
        raise InputError(
            f"{name} is not fitted here yet ({place} is missing): run `recipes fit {name}`"
        )
    known = ", ".join(catalog.names())
    raise InputError(f"{model}: no such folder or file, and no recipe of that name ({known})")


def card_of(model: str) -> Card | None:
    """The card of a MODEL argument, or None where it has none; the model is not loaded.

    Raises:
        InputError: There is no such model.
        CorruptModelError: The card is damaged.
    """
    place = locate(model)
    return _read_card(place) if (place / CARD).is_file() else None


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
        files[HISTORY] = _history_csv(fitted.history)
    if fitted.first_weights is not None:
        files[FIRST_WEIGHTS] = weights_file(fitted.model, fitted.first_weights)
    if fitted.card is not None:
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        files[CARD] = replace(fitted.card, files=digests).to_json().encode()
    return files


def _check_replaceable(target: Path) -> None:
    publish.complete(target)
    if target.is_dir() and not (target / CARD).is_file() and any(target.iterdir()):
        raise InputError(f"{target}: holds files that are no saved model; name another folder")
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: expected a folder, found a file; name another folder")


def _verify(model: "keras.Model", staged: Path) -> None:
    import numpy as np

    for mine, read in zip(
        model.get_weights(), _load_folder(staged).model.get_weights(), strict=True
    ):
        if not np.array_equal(mine, read, equal_nan=True):
            raise RecipeError(
                "the saved model did not read back as it was written; nothing was changed"
            )


def _load_folder(folder: Path) -> Fitted:
    if not (folder / CARD).is_file() and (folder / ARCHITECTURE).is_file():
        return load(folder / ARCHITECTURE)
    card = _read_card(folder)
    # What is hashed is what is loaded: each member is read once.
    members = {name: _member(folder, name) for name in card.files}
    for name, content in members.items():
        if hashlib.sha256(content).hexdigest() != card.files[name]:
            raise CorruptModelError(
                f"{folder / name}: not the file that {CARD} describes (SHA-256 differs); "
                "restore it, or fit again"
            )
    for name in (ARCHITECTURE, WEIGHTS):
        if name not in members:
            raise CorruptModelError(f"{folder / CARD}: lists no {name}; restore it, or fit again")
    model = _pair(members[ARCHITECTURE], folder / ARCHITECTURE, members[WEIGHTS], folder / WEIGHTS)
    first = members.get(FIRST_WEIGHTS)
    return Fitted(
        model=model,
        card=card,
        history=_read_history(members[HISTORY], card) if HISTORY in members else None,
        first_weights=_first_weights(model, first, folder) if first else None,
    )


def _read_card(folder: Path) -> Card:
    return Card.from_json(_member(folder, CARD), str(folder / CARD))


def _pair(json_text: bytes, json_path: Path, h5: bytes, h5_path: Path) -> "keras.Model":
    import keras

    try:
        config = json.loads(json_text)
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:
        raise CorruptModelError(
            f"{json_path}: no model that Keras opens: {_line(error)}"
        ) from error
    _load_weights(model, h5, h5_path)
    return model


def _load_weights(model: "keras.Model", content: bytes, path: Path) -> None:
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

    log.warning("unverified: %s has no card with digests", path)
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:
        raise CorruptModelError(f"{path}: no model that Keras opens: {_line(error)}") from error


def _first_weights(model: "keras.Model", content: bytes, folder: Path) -> tuple[Any, ...]:
    import keras

    bare = keras.models.clone_model(model)
    _load_weights(bare, content, folder / FIRST_WEIGHTS)
    return tuple(bare.get_weights())


def _history_csv(history: "History") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history.values])
    columns = [history.epochs.tolist(), *(column.tolist() for column in history.values.values())]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _read_history(content: bytes, card: Card) -> "History":
    import numpy as np

    from keras_recipes.loop import History

    names, *rows = csv.reader(io.StringIO(content.decode()))
    table = np.array(rows, "float64")
    values = {name: table[:, i] for i, name in enumerate(names) if i}
    return History(table[:, 0].astype("int64"), values, int(card.training["history_stride"]))


def _member(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise CorruptModelError(
            f"{folder / name}: missing, the saved model is incomplete; restore it, or fit again"
        ) from None
    except OSError as error:
        raise InputError(f"{folder / name}: cannot be read: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _line(error: BaseException) -> str:
    """The first line of a message that may have many."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
