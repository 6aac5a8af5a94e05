"""From a MODEL argument to a model: found once, read once, opened when it is needed."""

import logging
from pathlib import Path

from keras_recipes import catalog
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Model, Opened, needs_keras
from keras_recipes.saved import opening
from keras_recipes.saved.locate import Located, check_keras, in_message, locate, tell_what_answers
from keras_recipes.saved.read import Contents, may_have_card, read

log = logging.getLogger(__name__)


class Found:
    """A model that was named, or given open.

    Its files are read when the card or the model is first asked for, and never again: what the
    card was compared with is what is opened.

    Args:
        model: Where it lies, or the model itself.
    """

    def __init__(self, model: Located | Fitted | Opened) -> None:
        self._located = model if isinstance(model, Located) else None
        self._contents: Contents | None = None
        self._opened = None if isinstance(model, Located) else model

    @property
    def place(self) -> Path | None:
        """Its folder or file; None where it was fitted in this process."""
        if self._located:
            return self._located.path
        return self._opened.place if self._opened else None

    @property
    def name(self) -> str:
        """What is made of it is named after this: its place or, where it has none, its recipe."""
        if self.place is not None:
            return self.place.name if self.place.is_dir() else self.place.stem
        return self.card.recipe if self.card else "model"

    @property
    def card(self) -> Card | None:
        """Its card, if its files are the ones that the card describes; None where it has none.

        Raises:
            InputError: What computes it is not installed, or an export was given where a recipe
                answers with its Keras model only.
            UnsafeModelError: The model could do more than compute, or is larger than the limits.
            CorruptModelError: The card is damaged, or a file is missing or not the one described.
        """
        if self._opened:
            return self._opened.card
        assert self._located
        if not may_have_card(self._located):
            return None
        card = self.contents.card
        if self._located.format and card and catalog.get(card.recipe).answers.needs_keras:
            raise needs_keras(card.recipe)
        return card

    @property
    def contents(self) -> Contents:
        """What its files hold, before it is open; see `read`."""
        assert self._located
        if self._contents is None:
            self._contents = read(self._located)
        return self._contents

    def open(self) -> Fitted | Opened:
        """The model, in the runtime that it was saved or exported for.

        Raises:
            InputError: What computes it is not installed.
            UnsafeModelError: The model could do more than compute, or is larger than the limits.
            CorruptModelError: A member is missing, damaged, or not the one in the card.
        """
        if self._opened is None:
            assert self._located
            self._opened = opening.opened(self.contents)
            self._contents = None  # which may be as large as the model
            self._tell(self._located, self._opened.card)
        return self._opened

    def in_keras(self) -> Fitted:
        """The model in Keras; see `open`.

        Raises:
            InputError: It is an export for another runtime.
        """
        self.check_keras()
        opened = self.open()
        assert isinstance(opened, Fitted)
        return opened

    def check_keras(self) -> None:
        """Refuses an export for another runtime, before it is read.

        Raises:
            InputError: It is one.
        """
        if self._located:
            check_keras(self._located)
        elif isinstance(self._opened, Opened):
            raise needs_keras(self.name)

    @staticmethod
    def _tell(located: Located, card: Card | None) -> None:
        tell_what_answers(located, card)
        if card is None:
            log.warning("unverified: no card with digests comes with %s", in_message(located.path))


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
