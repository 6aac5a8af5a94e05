"""From a MODEL argument to a model that answers, in the runtime that its file is meant for.

ONNX and LiteRT files are computed by onnxruntime and ai-edge-litert; neither Keras nor TensorFlow
is imported for them.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from keras_recipes import catalog, extras
from keras_recipes.errors import CorruptModelError, InputError, printable
from keras_recipes.models import formats
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Shown
from keras_recipes.models.formats.format import MOST_CARD_BYTES, Format, Members, card_too_large
from keras_recipes.models.runtime import Runtime
from keras_recipes.saved import load, locate
from keras_recipes.untrusted import files, limits

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Opened(Shown):
    """A model that left Keras, in the runtime that computes it, with the card that it took along.

    Attributes:
        runtime: Computes its outputs.
        card: None where the file is no recipe's.
        place: Its file or folder.
    """

    runtime: Runtime
    card: Card | None
    place: Path

    def lines(self) -> tuple[str, str]:
        """What it is, and where it came from."""
        what = f"{self.card.name}, {self.card.result}" if self.card else "a model without a card"
        return what, f"from {printable(self.place, 200)}; computed by {self.runtime.name}"

    @property
    def in_keras(self) -> Fitted:
        """Never there.

        Raises:
            InputError: Always.
        """
        raise _needs_keras(self.card.recipe if self.card else str(self.place))


Model = Fitted | Opened | str | Path
"""What the library's functions take for a model: one that is open, a recipe's name, or a path."""


def open_model(model: Model, weights: str | Path | None = None) -> Fitted | Opened:
    """Opens a model to ask or to measure, whatever it was saved or exported as.

    Args:
        model: As for `load`, or a `.onnx` file, a `.tflite` file, or a SavedModel's folder.
        weights: As for `load`.

    Returns:
        What `evaluate` and `predict` take.

    Raises:
        InputError: There is no such model, or what computes it is not installed.
        UnsafeModelError: The model could do more than compute.
        CorruptModelError: It is damaged, or not the one that its card describes.
    """
    if isinstance(model, Fitted | Opened):
        return model
    place = locate.locate(model, weights)  # which refuses what is no path
    format = formats.of(place)
    if not format:
        return load.load(model, weights)
    opened = open_export(place, format)
    locate.tell_what_answers(str(model), place, opened.card)
    if opened.card is None:
        log.warning("unverified: %s has no card with digests", place)
    return opened


def card_of(model: Model, weights: str | Path | None = None) -> Card | None:
    """The card of a model, or None where it has none; what is not open yet is not opened.

    Args:
        model: As for `open_model`.
        weights: As for `load`.

    Raises:
        InputError: There is no such model, what computes it is not installed, or an export was
            given where a recipe answers with its Keras model only.
        UnsafeModelError: The model could do more than compute.
        CorruptModelError: The card is damaged, or the files are not the ones that it describes.
    """
    if isinstance(model, Fitted | Opened):
        return model.card
    place = locate.locate(model, weights)
    format = formats.of(place)
    if not format:
        return load.verified_card(place)
    card = _unaltered(place, format)[1]
    if card and catalog.get(card.recipe).answers.needs_keras:
        raise _needs_keras(card.recipe)
    return card


def open_export(place: Path, format: Format) -> Opened:
    """Opens an export; see `open_model`.

    Args:
        place: Its file or folder.
        format: Its format.
    """
    members, card = _unaltered(place, format)
    return Opened(format.open(members, str(place)), card, place)


def _needs_keras(what: str) -> InputError:
    return InputError(
        f"{what}: answers with its Keras model, received an export; name the model that it "
        "was made from"
    )


def _unaltered(place: Path, format: Format) -> tuple[Members, Card | None]:
    members, card = _read(place, format)
    if card and (altered := card.altered(members)):
        raise CorruptModelError(
            f"{place}: its {altered} is not the one that its card describes (SHA-256 differs); "
            "export it again"
        )
    return members, card


def _read(place: Path, format: Format) -> tuple[Members, Card | None]:
    if format.extra:
        extras.require(str(place), format.extra, format.computing)
    most = limits.current().file_bytes
    names = {place: format.members[0]} if format.is_file else {place / m: m for m in format.members}
    found = {name: files.read(path, most) for path, name in names.items() if path.exists()}
    members, text = format.split(found, str(place))
    if text is not None and len(text) > MOST_CARD_BYTES:
        raise card_too_large(str(place))
    return members, None if text is None else locate.read_card(text, str(place))
