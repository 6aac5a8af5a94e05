"""Locate saved models and read their cards, without opening a model.

The list of fitted models and the answer to a mistyped name need nothing that opens a model.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import atomic, catalog, options
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, described, printable
from keras_recipes.legacy import recognition
from keras_recipes.models.card import Card
from keras_recipes.untrusted import archive, files, limits, strict_json

if TYPE_CHECKING:
    from keras_recipes.models.formats.format import Format

ARCHITECTURE, WEIGHTS, CARD = "model.json", "model.weights.h5", "card.json"
HISTORY, FIRST_WEIGHTS = "history.csv", "first.weights.h5"
RUNNABLE = "model.tflite"
CONVERSION = "conversion.json"
WHOLE = (".h5", ".hdf5")
KERAS_FILE = ".keras"
SHIPPED = "shipped"
MEMBERS = (ARCHITECTURE, WEIGHTS, RUNNABLE, CARD, HISTORY, FIRST_WEIGHTS, CONVERSION)
DEFAULT_FOLDER = Path("saved_models")
MOST_NAMED = 5
"""The most files that a message names."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """The location that a MODEL argument means.

    Attributes:
        asked: The argument.
        path: The folder or file; for a `model.json` with a card, its folder.
        weights: The weights of a JSON file, if they were named.
        format: The format of an export for another runtime; None for a model that Keras opens.
    """

    asked: str
    path: Path
    weights: Path | None = None
    format: "Format | None" = None


def locate(model: str | Path, weights: str | Path | None = None) -> Located:
    """Return the folder or file that a MODEL argument means.

    Raises:
        InputError: The argument is neither a fitted recipe nor an existing model, or weights
            were named for a model that has its own.
    """
    asked = _text(model)
    path = _existing(asked)
    if path.name == ARCHITECTURE and weights is None and path.with_name(CARD).is_file():
        return Located(asked, path.parent)
    if path.suffix in recognition.YAML and path.is_file():
        raise recognition.yaml(printable(path, 200))
    _check_named_weights(path, weights)
    if format := _export(path):
        return Located(asked, path, format=format)
    if path.is_dir():
        if not ((path / CARD).exists() or (path / ARCHITECTURE).exists()):
            raise InputError(
                f"{path}: holds no saved model, neither {CARD} nor {ARCHITECTURE}; "
                "name a model's folder"
            )
    elif path.suffix not in (".json", KERAS_FILE, *WHOLE):
        raise InputError(
            f"{path}: expected a saved model's folder, or a .json, .keras, .h5, .onnx or .tflite "
            "file"
        )
    return Located(asked, path, None if weights is None else Path(weights))


def _check_named_weights(path: Path, weights: str | Path | None) -> None:
    if weights is not None and path.suffix != ".json":
        raise InputError(
            f"--weights: expected a .json file as the model, received {path}, which has its own "
            "weights"
        )
    if weights is not None and not Path(weights).exists():
        raise InputError(f"{weights}: no such file; expected the weights of {path}")


def check_keras(located: Located) -> None:
    """Refuse an export for another runtime where a Keras model is needed.

    Raises:
        InputError: The model is an export for another runtime.
    """
    if located.format:
        raise InputError(
            f"{located.path}: expected a Keras model, received an export ({located.format.name}), "
            "which only evaluate and predict take; name the model that it was exported from"
        )


def weights_beside(place: Path) -> Path:
    """Return the weights file of a JSON file for which none was named.

    Raises:
        InputError: No file next to the JSON file has the expected name.
    """
    same = [place.with_suffix(ending) for ending in WHOLE if place.with_suffix(ending).is_file()]
    usual = place.with_name(WEIGHTS)
    if not same and not usual.exists() and place.exists():
        there = some_weights(place)
        choice = f"name them, such as {' or '.join(there)}" if there else "none is next to it"
        raise InputError(f"{place}: expected its weights in an .h5 file; {choice}")
    return same[0] if same and not usual.exists() else usual


def some_weights(place: Path) -> list[str]:
    """Return paths of a few files next to a JSON file that may hold its weights."""
    beside = sorted(path for path in place.parent.iterdir() if path.suffix in WHOLE)
    return [str(path) for path in beside[:MOST_NAMED]]


def tell_what_answers(located: Located, card: Card | None) -> None:
    """Tell the user if a recipe's name means a model fitted here instead of the shipped model.

    Args:
        located: The model that is used.
        card: Its card.
    """
    name = catalog.canonical(located.asked)
    if name and located.path == default_folder(name) and shipped(name):
        fitted = f", fitted on {printable(card.data['name'])}" if card else ""
        log.info("using the model in %s%s", located.path, fitted)


def earlier(folder: Path) -> str | None:
    """Describe the saved model that would be replaced; None if nothing would be replaced."""
    if not folder.exists():
        return None
    try:
        card = card_in(folder)
        # The card holds no date, but its file was written together with the model.
        written = datetime.fromtimestamp((folder / CARD).stat().st_mtime)
    except (RecipeError, OSError):
        return f"what was in {folder}"
    metric, value = next(iter(card.metrics.items()), ("", None))
    reached = f" ({printable(metric)} {value:.4g})" if isinstance(value, int | float) else ""
    return f"the fit of {written:%Y-%m-%d %H:%M} on {printable(card.data['name'], 200)}{reached}"


def default_folder(name: str) -> Path:
    """Return the default folder for a recipe's fit."""
    return DEFAULT_FOLDER / name


def target(path: str | Path) -> Path:
    """Check and return a path to write to that was passed from Python.

    Raises:
        InputError: The argument is not a path.
    """
    if not isinstance(path, str | Path) or not str(path):
        raise InputError(f"path: expected a folder or a file, received {described(path)}")
    return Path(path)


def check_own(folder: Path) -> None:
    """Refuse to save a fit in the folder of the models that come with this package.

    Raises:
        InputError: The folder is `saved_models/shipped`, here or in the package, or is inside it.
    """
    reserved = {(DEFAULT_FOLDER / SHIPPED).resolve(), shipped_folder().resolve()}
    if reserved & {folder.resolve(), *folder.resolve().parents}:
        raise InputError(
            f"{folder}: is reserved for the models that come with this package; name another folder"
        )


def shipped(name: str) -> Path | None:
    """Return the folder of a recipe's shipped model, or None if none is shipped."""
    folder = shipped_folder() / name
    return folder if folder.is_dir() else None


def shipped_folder() -> Path:
    """Return where the shipped models are: next to the modules in a wheel, else in the checkout."""
    package = Path(__file__).parent.parent
    installed = package / SHIPPED
    return installed if installed.is_dir() else package.parent / DEFAULT_FOLDER / SHIPPED


def card_of(model: str | Path) -> Card | None:
    """Return the card of a MODEL argument as it is on the disk, or None if it has no card.

    This reads and verifies nothing else, so that a list of models does not wait for weights.

    Raises:
        InputError: There is no such model.
        CorruptModelError: The card is damaged.
    """
    located = locate(model)
    check_keras(located)
    if located.path.suffix == KERAS_FILE:
        members = archive.read_keras(content(located.path), in_message(located.path))
        return card_inside(members, located.path)
    return card_in(located.path) if (located.path / CARD).exists() else None


def card_in(folder: Path) -> Card:
    """Read the card of a saved model's folder."""
    return read_card(content(folder / CARD), str(folder / CARD))


def card_inside(found: Mapping[str, bytes], path: Path) -> Card | None:
    """Read the card among the members of a `.keras` file; None if it has no card."""
    return read_card(found[CARD], in_message(path)) if CARD in found else None


def read_card(text: bytes, where: str) -> Card:
    """Read a card and check that this version has its recipe.

    Raises:
        CorruptModelError: The text is not a card, or this version does not have its recipe.
    """
    card = Card.from_json(text, where)
    if catalog.canonical(card.recipe) is None:
        raise CorruptModelError(
            f"{where}: expected a recipe of this version, received {card.recipe!r}; upgrade"
        )
    recipe = catalog.get(card.recipe)
    preset = options.renamed(recipe, {"preset": card.preset})["preset"]
    card = replace(card, options=options.renamed(recipe, card.options), preset=preset)
    known = options.of(recipe)
    try:
        # An older version may have had other options.
        options.check(recipe, {n: value for n, value in card.options.items() if n in known})
    except InputError as error:
        raise CorruptModelError(
            f"{where}: {printable(error, 200)}; restore it, or fit again"
        ) from None
    return card


def content(path: Path) -> bytes:
    """Read a member of a saved model; it must not exceed the limits."""
    small = path.suffix in (".json", ".csv")
    return files.read(path, strict_json.MOST_BYTES if small else limits.current().file_bytes)


def in_message(path: Path) -> str:
    """Format a path for a message."""
    return printable(path, 200)


def _export(place: Path) -> "Format | None":
    """Return the format of an export for another runtime, or None for a folder with a card."""
    if (place / CARD).is_file():
        return None
    from keras_recipes.models import formats

    return formats.of(place)


def _text(model: str | Path) -> str:
    if not isinstance(model, str | Path):
        raise InputError(
            f"model: expected a fitted model, a recipe's name or a path, received "
            f"{described(model)}"
        )
    return str(model)


def _existing(model: str) -> Path:
    name = catalog.canonical(model)
    places = [DEFAULT_FOLDER / name, *filter(None, [shipped(name)])] if name else []
    try:
        for place in [*places, Path(model)] if model else []:
            atomic.complete(place)
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
