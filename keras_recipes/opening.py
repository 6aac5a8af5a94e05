"""From a MODEL argument to a model that answers, in the runtime that its file is meant for.

ONNX and LiteRT files are computed by onnxruntime and ai-edge-litert; neither Keras nor TensorFlow
is imported for them.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from keras_recipes import catalog, extras, formats, places, storage
from keras_recipes.card import Card
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.formats.format import MOST_CARD_BYTES, Format, Members, card_too_large
from keras_recipes.recipe import Askable, Fitted
from keras_recipes.runtime import Runtime
from keras_recipes.safety import files, limits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A model that left Keras, in the runtime that computes it, with the card that it took along.

    Attributes:
        runtime: Computes its outputs.
        card: None where the file is no recipe's.
    """

    runtime: Runtime
    card: Card | None

    @property
    def in_keras(self) -> Fitted:
        """Never there.

        Raises:
            InputError: Always.
        """
        assert self.card is not None
        raise _needs_keras(self.card)


def open_model(path: str | Path, weights: str | Path | None = None) -> Askable:
    """Opens a model to ask or to measure, whatever it was saved or exported as.

    Args:
        path: As for `load`, or a `.onnx` file, a `.tflite` file, or a SavedModel's folder.
        weights: As for `load`.

    Raises:
        InputError: There is no such model, or what computes it is not installed.
        UnsafeModelError: The model could do more than compute.
        CorruptModelError: It is damaged, or not the one that its card describes.
    """
    place = places.locate(str(path), weights)
    format = formats.of(place)
    if not format:
        return storage.load(path, weights)
    opened = open_export(place, format)
    places.tell_what_answers(str(path), place, opened.card)
    if opened.card is None:
        log.warning("unverified: %s has no card with digests", place)
    return opened


def card_of(model: str, weights: str | Path | None = None) -> Card | None:
    """The card of a MODEL argument, or None where it has none; the model is not opened.

    Raises:
        InputError: There is no such model, what computes it is not installed, or an export was
            given where a recipe answers with its Keras model only.
        UnsafeModelError: The model could do more than compute.
        CorruptModelError: The card is damaged, or the files are not the ones that it describes.
    """
    place = places.locate(model, weights)
    format = formats.of(place)
    if not format:
        return storage.verified_card(place)
    card = _unaltered(place, format)[1]
    if card and catalog.get(card.recipe).answer:
        raise _needs_keras(card)
    return card


def open_export(place: Path, format: Format) -> Opened:
    """Opens an export; see `open_model`.

    Args:
        place: Its file or folder.
        format: Its format.
    """
    members, card = _unaltered(place, format)
    return Opened(format.open(members, str(place)), card)


def _needs_keras(card: Card) -> InputError:
    return InputError(
        f"{card.recipe}: answers with its Keras model, received an export; name the model that it "
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
    return members, None if text is None else places.read_card(text, str(place))
