"""Converting every old model in a folder, each to a folder of its own."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_recipes.commands.convert import convert
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError, RecipeError, printable
from keras_recipes.legacy import reading
from keras_recipes.legacy.convert import Converted
from keras_recipes.saved import locate
from keras_recipes.untrusted import hdf5

log = logging.getLogger(__name__)

MOST_MODELS = 10_000


@dataclass(frozen=True)
class Outcome:
    """What became of an old model.

    Attributes:
        old: The path of its architecture, or of the whole model.
        new: The folder of the new model.
        converted: The new model; None if it could not be converted.
        error: Why not, or None.
    """

    old: Path
    new: Path
    converted: Converted | None
    error: RecipeError | None = None


def is_folder_of_models(old: str | Path) -> bool:
    """Return whether a path is a folder that may hold old models, and is no saved model itself."""
    path = Path(old)
    return path.is_dir() and not (path / locate.CARD).exists()


def convert_folder(old: str | Path, target: str | Path) -> Iterator[Outcome]:
    """Convert every old model in a folder and the folders below it.

    A pair is a JSON file with the weights of the same name or, if there are none, with the only
    other file of weights in its folder. Whole models in one file are converted as well.

    Args:
        old: The folder.
        target: The folder to write. The new models are in folders of the old files' names in it.

    Yields:
        What became of each model. One that cannot be converted does not stop the others.

    Raises:
        InputError: There is no model in the folder, or `target` is the same folder.
    """
    folder, into = Path(old), locate.target(target)
    if folder.resolve() == into.resolve():
        raise InputError(f"{into}: holds the old models; name another folder with --output")
    found = list(_models(folder, into))
    if not found:
        raise InputError(
            f"{folder}: expected old models, found none: neither a .json file with an architecture "
            "nor a whole model in an .h5 or .keras file"
        )
    read = [path for pair in found for path in pair if path]
    for path, weights in found:
        new = into / path.relative_to(folder).with_suffix("")
        try:
            never_replaced.check(new, read)
            yield Outcome(path, new, convert(path, weights, new))
        except RecipeError as error:
            yield Outcome(path, new, None, error)


def _models(folder: Path, into: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield every model's file, with its weights if they are in another one."""
    used: set[Path] = set()
    places = [path for path in sorted(folder.rglob("*")) if _may_be(path, into)]
    if len(places) > MOST_MODELS:
        raise InputError(f"{folder}: holds more than {MOST_MODELS:,} files; name a part of it")
    for path in places:
        if path.suffix == ".json" and _is_architecture(path):
            weights = _weights_of(path)
            used.update([weights] if weights else [])
            yield path, weights
    for path in places:
        if path.suffix == locate.KERAS_FILE or (
            path.suffix in locate.WHOLE and path not in used and _is_whole(path)
        ):
            yield path, None


def _may_be(path: Path, into: Path) -> bool:
    kinds = (".json", locate.KERAS_FILE, *locate.WHOLE)
    return path.suffix in kinds and path.is_file() and into.resolve() not in path.resolve().parents


def _is_architecture(path: Path) -> bool:
    try:
        value = reading.architecture(locate.content(path), str(path))
    except RecipeError as error:
        log.warning("passed over %s: %s", printable(path, 200), error)
        return False
    return isinstance(value, dict) and {"class_name", "config"} <= value.keys()


def _weights_of(path: Path) -> Path | None:
    """Return the weights of a JSON file: of its name, or the only ones in its folder."""
    try:
        return locate.weights_beside(path)
    except InputError:
        others = [other for other in sorted(path.parent.iterdir()) if _holds_weights(other)]
        return others[0] if len(others) == 1 else None


def _holds_weights(path: Path) -> bool:
    return path.suffix in locate.WHOLE and path.is_file() and reading.holds_weights(_tree(path))


def _is_whole(path: Path) -> bool:
    tree = _tree(path)
    return tree is not None and isinstance(tree.attributes.get("", {}).get("model_config"), str)


def _tree(path: Path) -> hdf5.Tree | None:
    try:
        return hdf5.read(locate.content(path), printable(path, 200))
    except RecipeError as error:
        log.debug("passed over %s: %s", printable(path, 200), error)
        return None
