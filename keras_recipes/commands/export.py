"""Exporting a model to another format: the export is read back and compared before it is kept."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import atomic, backend, extras
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError, RecipeError, described
from keras_recipes.models import formats
from keras_recipes.models.endings import ENDINGS
from keras_recipes.models.fitted import Askable, Fitted, Model
from keras_recipes.models.formats import keras_file
from keras_recipes.models.formats.format import Format, Members
from keras_recipes.saved import comparison, locate, opening, save
from keras_recipes.saved.load import find
from keras_recipes.untrusted import archive

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exported:
    """An export that was read back and compared.

    Attributes:
        path: The file or folder that was written.
        largest_difference: Largest difference between its outputs and the model's, relative to
            max(1, |output|).
        tolerance: The largest difference that was allowed.
        inputs: The number of inputs that were compared.
        runtime: The runtime that computed the export's outputs, such as "onnxruntime 1.31.1".
    """

    path: Path
    largest_difference: float
    tolerance: float
    inputs: int
    runtime: str


@dataclass(frozen=True)
class Way:
    """The way to write a format and to read it back.

    Attributes:
        ending: The end of its files' names or, if it begins with a hyphen, of the folders' default
            names.
        staged: Writes the export next to its place, and moves it there if the block ends well.
        tolerance: The largest difference of outputs that is allowed.
        format: The format, if it is one that other runtimes read.
        check_folder: Refuses a folder in which other files would be lost.
    """

    ending: str
    staged: Callable[[Fitted, Path], contextlib.AbstractContextManager[Path]]
    tolerance: float
    format: Format | None = None
    check_folder: Callable[[Path], None] = lambda path: None

    @property
    def is_file(self) -> bool:
        """Whether the export is a single file."""
        return self.ending.startswith(".")


def export(
    model: Model,
    format: str,
    path: str | Path | None = None,
    *,
    weights: str | Path | None = None,
) -> Exported:
    """Write a model in another format and check that it computes the same outputs.

    Args:
        model: What `fit` or `load` returned; or a recipe's name, or the path of a saved model.
        format: One of `json-h5`, `keras`, `saved-model`, `onnx` and `litert`.
        path: The file to write, or the folder for `json-h5` and `saved-model`. None means the
            model's name, in the current folder.
        weights: The weights of a model that is a .json file; the default is that of `load`.

    Returns:
        The path that was written, and the largest difference of the outputs.

    Raises:
        InputError: The format is unknown, the path does not suit it, or an extra is not installed.
        RecipeError: The export could not be written, or its outputs differ. Nothing was written.
        UnsafeModelError: As for `load`.
        CorruptModelError: As for `load`.
    """
    _check_format(format)
    found = find(model, weights)
    target = _default_path(found.name, format) if path is None else locate.target(path)
    never_replaced.check(target, [place for place in (found.place, weights) if place], "output")
    check(format, target)
    found.check_keras()
    fitted = found.in_keras()
    way, x, there = FORMATS[format], comparison.inputs(fitted), target.exists()
    expected = fitted.runtime.outputs(x)
    with way.staged(fitted, target) as staged:
        opened = opening.staged(staged)
        try:
            difference = comparison.difference(expected, opened.runtime.outputs(x))
        except ValueError as error:
            raise RecipeError(
                f"the export computes something else: {error}; nothing was written"
            ) from None
        if not difference <= way.tolerance:
            raise RecipeError(
                f"the export computes something else: outputs differ by {difference:.3g}, "
                f"expected at most {way.tolerance:g}; nothing was written"
            )
        if _known(opened) != _known(fitted):
            raise RecipeError("the export does not contain the model's card; nothing was written")
    if there:
        log.info("replaced the %s that was at %s", "file" if way.is_file else "folder", target)
    return Exported(target, difference, way.tolerance, len(x), opened.runtime.name)


def check(format: str, path: Path) -> None:
    """Refuse a format or a path before any work is done.

    Raises:
        InputError: The format is unknown, the path does not suit it or cannot be written, an extra
            is not installed, or the backend cannot write the format.
    """
    _check_format(format)
    way = FORMATS[format]
    if way.format:
        packages = () if way.format.extra else way.format.computing
        extras.require(f"format {format}", way.format.extra, packages)
    if way.format and backend.name() != "tensorflow":
        raise InputError(
            f"format {format}: is written by TensorFlow, received KERAS_BACKEND={backend.name()}; "
            "unset it: the model is the same on every backend"
        )
    if way.is_file and path.suffix != way.ending:
        raise InputError(f"{path}: expected a name that ends in {way.ending} for format {format}")
    way.check_folder(path.resolve())
    atomic.prepare_file(path) if way.is_file else atomic.prepare(path.resolve())


def _check_format(format: Any) -> None:
    if not isinstance(format, str) or format not in ENDINGS:
        raise InputError(
            f"format: expected one of {', '.join(ENDINGS)}, received {described(format)}"
        )


def _default_path(model: str, format: str) -> Path:
    """Return the default path of an export: the model's name, in the current folder."""
    return Path(f"{model}{ENDINGS[format]}")


@contextmanager
def _json_h5(fitted: Fitted, path: Path) -> Iterator[Path]:
    """Write `model.json`, `model.weights.h5` and the card, without pictures and history."""
    target = path.resolve()
    _check_pair(target)
    bare = Fitted(model=fitted.model, card=fitted.card)
    with atomic.folder(target, save.members(bare)) as staged:
        yield staged


def _check_pair(target: Path) -> None:
    save.check_replaceable(target, (locate.ARCHITECTURE, locate.WEIGHTS, locate.CARD))


@contextmanager
def _keras(fitted: Fitted, path: Path) -> Iterator[Path]:
    """Write the single file `.keras`, as Keras saves it, with the card inside."""
    content = keras_file.converted(fitted.model)
    if fitted.card:
        card = fitted.card.of(archive.read_keras(content, "the export"))
        content = keras_file.joined(content, card.to_json().encode())
    with atomic.checked_file(path, content) as staged:
        yield staged


def _leaving(format: Format) -> Way:
    """Return the way to write a format that other runtimes read."""

    @contextmanager
    def staged(fitted: Fitted, path: Path) -> Iterator[Path]:
        members = _converted(format, fitted.model)
        if fitted.card:
            card = fitted.card.of(members)
            members = format.joined(members, card.to_json().encode())
        if format.is_file:
            (content,) = members.values()
            with atomic.checked_file(path, content) as place:
                yield place
            return
        check_folder(path.resolve())
        with atomic.folder(path.resolve(), members) as place:
            yield place

    def check_folder(path: Path) -> None:
        if format.is_file:
            return
        ours = (*format.members, *format.may_have)
        if (there := atomic.replaced(path, ours)) and format.members[0] not in there:
            raise InputError(f"{path}: holds other files, not a {format.name}; name another folder")

    return Way(format.ending, staged, comparison.OTHER_RUNTIME, format, check_folder)


def _converted(format: Format, model: "keras.Model") -> Members:
    try:
        with _portable(model):
            return format.converted(model)
    except Exception as error:  # each converter raises its own kinds of errors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RecipeError(f"this model cannot be written as {format.name}: {reason}") from error


@contextmanager
def _portable(model: "keras.Model") -> Iterator[None]:
    """Make recurrent layers compute without cuDNN, which only GPUs have, inside the block."""
    layers = [layer for layer in model._flatten_layers() if hasattr(layer, "use_cudnn")]
    before = [layer.use_cudnn for layer in layers]
    for layer in layers:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer.use_cudnn = value


def _known(model: Askable) -> str | None:
    return model.card.of({}).to_json() if model.card else None


FORMATS = {
    "json-h5": Way(ENDINGS["json-h5"], _json_h5, comparison.SAME_RUNTIME, check_folder=_check_pair),
    "keras": Way(ENDINGS["keras"], _keras, comparison.SAME_RUNTIME),
    **{name: _leaving(format) for name, format in formats.FORMATS.items()},
}
