"""From a MODEL argument to a model: found once, read once, opened when it is needed."""

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from keras_recipes import catalog
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Model, Opened, needs_keras
from keras_recipes.saved.locate import Located, check_keras, in_message, locate, tell_what_answers
from keras_recipes.saved.read import Opening, read

log = logging.getLogger(__name__)


class Found:
    """A model that was named or given, and what is known of it before it is opened.

    Args:
        model: One that is open, or where one lies.
    """

    def __init__(self, model: Fitted | Opened | Located) -> None:
        self._model = model

    @property
    def place(self) -> Path | None:
        """Where it lies; None for one that was fitted here."""
        return self._model.path if isinstance(self._model, Located) else self._model.place

    @property
    def name(self) -> str:
        """What is named after it is called so."""
        if isinstance(self._model, Located):
            return self._model.name
        if place := self._model.place:
            return Located(str(place), place).name
        return self._model.card.recipe if self._model.card else "model"

    @cached_property
    def card(self) -> Card | None:
        """Its card, if its files are the ones that it describes; None where there is none.

        Raises:
            InputError: What computes it is not installed, or an export was given where a recipe
                answers with its Keras model only.
            UnsafeModelError: A file is larger than the limits.
            CorruptModelError: The card or a file is damaged.
        """
        if not isinstance(self._model, Located):
            return self._model.card
        card = self._read[0]
        if self._model.format and card and catalog.get(card.recipe).answers.needs_keras:
            raise needs_keras(card.recipe)
        return card

    @cached_property
    def _read(self) -> tuple[Card | None, Opening]:
        assert isinstance(self._model, Located)
        return read(self._model)

    def open(self) -> Fitted | Opened:
        """The model, in the runtime that its file is meant for.

        Raises:
            UnsafeModelError: It could do more than compute.
            CorruptModelError: It is damaged.
        """
        return self._opened

    @cached_property
    def _opened(self) -> Fitted | Opened:
        located = self._model
        if not isinstance(located, Located):
            return located
        card, build = self._read
        opened = build()
        if isinstance(opened, Fitted):
            opened = replace(opened, place=located.path)
        tell_what_answers(located, card)
        if card is None:
            log.warning("unverified: no card with digests comes with %s", in_message(located.path))
        return opened

    def in_keras(self) -> Fitted:
        """The model in Keras.

        Raises:
            InputError: It left Keras.
            UnsafeModelError: As for `open`.
            CorruptModelError: As for `open`.
        """
        if isinstance(self._model, Located):
            check_keras(self._model)
        return self.open().in_keras


def find(model: Model, weights: str | Path | None = None) -> Found:
    """What a MODEL argument means; nothing is read yet.

    Args:
        model: As for `open_model`.
        weights: As for `load`.

    Raises:
        InputError: There is no such model.
    """
    return Found(model if isinstance(model, Fitted | Opened) else locate(model, weights))


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
    return find(model, weights).in_keras()


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
    return find(model, weights).open()
