"""Turn a MODEL argument into a model: find it once, read it once, open it when needed."""

import logging
from collections.abc import Callable
from pathlib import Path

from keras_recipes import catalog
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Model, Opened, needs_keras
from keras_recipes.saved import opening
from keras_recipes.saved.locate import Located, check_keras, in_message, locate, tell_what_answers
from keras_recipes.saved.read import Contents, may_have_card, read

log = logging.getLogger(__name__)


class Found:
    """A model that was named by the user, or that is already open.

    Its files are read when the card or the model is first requested, and only once. The content
    that is compared with the card is therefore the content that is opened.

    Args:
        model: The location of the model, or the model itself.

    Attributes:
        located: The location; None if the model was open already.
    """

    def __init__(self, model: Located | Fitted | Opened) -> None:
        self.located = model if isinstance(model, Located) else None
        self._contents: Contents | None = None
        self._opened = None if isinstance(model, Located) else model

    @property
    def place(self) -> Path | None:
        """The model's folder or file; None if it was fitted in this process."""
        if self.located:
            return self.located.path
        return self._opened.place if self._opened else None

    @property
    def name(self) -> str:
        """A name for files made from the model: from its path or, without a path, its recipe."""
        if self.place is not None:
            return self.place.name if self.place.is_dir() else self.place.stem
        return self.card.recipe if self.card else "model"

    @property
    def card(self) -> Card | None:
        """The model's card if its files match the card; None if it has no card.

        Raises:
            InputError: The runtime is not installed, or the recipe needs a Keras model and
                received an export.
            UnsafeModelError: The model could do more than compute, or exceeds the limits.
            CorruptModelError: The card is damaged, or a file is missing or differs from the card.
        """
        if self._opened:
            return self._opened.card
        assert self.located
        if not may_have_card(self.located):
            return None
        card = self.contents.card
        if self.located.format and card and catalog.get(card.recipe).answers.needs_keras:
            raise needs_keras(card.recipe)
        return card

    @property
    def contents(self) -> Contents:
        """The content of the model's files; see `read`."""
        assert self.located
        if self._contents is None:
            with opening.within_limits(self.located):
                self._contents = read(self.located)
        return self._contents

    def open(self) -> Fitted | Opened:
        """Open the model to be asked, without Keras if its files allow that.

        Raises:
            InputError: The runtime is not installed.
            UnsafeModelError: The model could do more than compute, or exceeds the limits.
            CorruptModelError: A member is missing, damaged, or differs from the card.
        """
        return self._open(opening.opened)

    def _open(self, how: Callable[[Contents], Fitted | Opened]) -> Fitted | Opened:
        if self._opened is None:
            assert self.located
            verified = self.contents.verified
            with opening.within_limits(self.located):
                self._opened = how(self.contents)
            self._contents = None  # frees what may be as large as the model
            self._tell(self.located, self._opened.card, verified)
        return self._opened

    def in_keras(self) -> Fitted:
        """Open the model in Keras; see `open`.

        Raises:
            InputError: The model is an export for another runtime.
        """
        self.check_keras()
        return self._open(opening.in_keras).in_keras

    def check_keras(self) -> None:
        """Refuse an export for another runtime, before it is read.

        Raises:
            InputError: The model is an export for another runtime.
        """
        if self.located:
            check_keras(self.located)
        elif isinstance(self._opened, Opened) and self._opened.pair is None:
            raise needs_keras(self.name)

    @staticmethod
    def _tell(located: Located, card: Card | None, verified: bool) -> None:
        tell_what_answers(located, card)
        if card is None and not verified:
            log.warning(
                "%s: no card with digests, so it could not be verified", in_message(located.path)
            )


def find(model: Model, weights: str | Path | None = None) -> Found:
    """Find the model that a MODEL argument names, without reading it.

    Args:
        model: As for `open_model`.
        weights: As for `load`.

    Raises:
        InputError: There is no such model.
    """
    return Found(model if isinstance(model, Fitted | Opened) else locate(model, weights))


def load(model: Fitted | str | Path, weights: str | Path | None = None) -> Fitted:
    """Load a saved model.

    Args:
        model: A folder that `save` wrote, a recipe's name (looked up in ./saved_models, then among
            the models that come with this package), a `model.json` of any version of Keras, a
            `.keras` file, or a whole model in an `.h5` file. Use `open_model` for a model that was
            exported for another runtime. A model that is already loaded is returned unchanged.
        weights: The weights that belong to a `.json` file. The default is `model.weights.h5` next
            to it, or the `.h5` file there that has the same name.

    Returns:
        The compiled Keras model (`.model`), with its card and history.

    Raises:
        InputError: There is no such model.
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: A member is missing, damaged, or differs from the card.
    """
    return find(model, weights).in_keras()


def open_model(model: Model, weights: str | Path | None = None) -> Fitted | Opened:
    """Open a model for `evaluate` or `predict`, in whatever format it was saved or exported.

    Args:
        model: As for `load`; also an `.onnx` file, a `.tflite` file, or a SavedModel's folder.
        weights: As for `load`.

    Returns:
        A model that `evaluate` and `predict` take.

    Raises:
        InputError: There is no such model, or its runtime is not installed.
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: The model is damaged, or differs from its card.
    """
    return find(model, weights).open()
