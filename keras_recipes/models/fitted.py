"""A model that can be asked: fitted, loaded, or opened in another runtime."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import InputError, printable
from keras_recipes.models.runtime import KerasRuntime, Runtime

if TYPE_CHECKING:
    import keras
    import numpy as np

    from keras_recipes.models.card import Card
    from keras_recipes.models.history import History


class Askable(Protocol):
    """A model that can be asked: fitted, loaded, or opened in another runtime."""

    @property
    def card(self) -> "Card | None":
        """What is known about the model besides its weights; None if no recipe made it."""

    @property
    def runtime(self) -> Runtime:
        """The runtime that computes the model's outputs."""

    @property
    def in_keras(self) -> "Fitted":
        """The model in Keras, for answers that need more of the model than its outputs.

        Raises:
            InputError: The model is an export for another runtime.
        """


class Described(ABC):
    """A model that describes itself in two lines, in a terminal and in a notebook."""

    @abstractmethod
    def lines(self) -> tuple[str, str]:
        """Return what the model is and where it came from, without control characters."""

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        import html

        what, origin = map(html.escape, self.lines())
        return f"<div><strong>{what}</strong><br><small>{origin}</small></div>"


@dataclass(frozen=True, kw_only=True, repr=False)
class Fitted(Described):
    """A trained model with what is known about it.

    Attributes:
        model: The compiled Keras model.
        card: Recipe, options, metrics and so on; None if no recipe made the model.
        history: Metrics by epoch; None if they were not kept.
        first_weights: The weights before training, in `model.get_weights()` order, if the recipe
            keeps them.
        place: The path that the model was loaded from; None if it was fitted in this process.
    """

    model: "keras.Model"
    card: "Card | None" = None
    history: "History | None" = None
    first_weights: "tuple[np.ndarray, ...] | None" = None
    place: Path | None = field(default=None, compare=False)

    def lines(self) -> tuple[str, str]:
        """Return what the model is and where it came from."""
        size = f"{self.model.count_params():,} parameters"
        what = f"{self.card.name}, {size}, {self.card.result}" if self.card else f"a model, {size}"
        course = self.card.course if self.card else "without a card"
        origin = f"from {printable(self.place, 200)}" if self.place else "fitted here"
        return what, f"{origin}; {course}"

    @property
    def in_keras(self) -> "Fitted":
        """This model."""
        return self

    @property
    def runtime(self) -> Runtime:
        """The Keras runtime of this model.

        Raises:
            InputError: The model has several inputs or outputs.
        """
        where = printable(self.place, 200) if self.place else self.model.name
        return KerasRuntime(self.model, where)


@dataclass(frozen=True, repr=False)
class Opened(Described):
    """An exported model in its runtime, with the card that came with it.

    Attributes:
        runtime: The runtime that computes its outputs.
        card: The card; None if no recipe made the model.
        place: The path of its file or folder.
    """

    runtime: Runtime
    card: "Card | None"
    place: Path

    def lines(self) -> tuple[str, str]:
        """Return what the model is and where it came from."""
        what = f"{self.card.name}, {self.card.result}" if self.card else "a model without a card"
        return what, f"from {printable(self.place, 200)}; computed by {self.runtime.name}"

    @property
    def in_keras(self) -> Fitted:
        """Not available: an export has no Keras model.

        Raises:
            InputError: Always.
        """
        raise needs_keras(self.card.recipe if self.card else str(self.place))


def needs_keras(what: str) -> InputError:
    """Return the error for a recipe that needs a Keras model and received an export.

    Args:
        what: The name of the recipe or the path of the export.
    """
    return InputError(
        f"{what}: expected a Keras model, received an export; name the model that it was "
        "exported from"
    )


Model = Fitted | Opened | str | Path
"""What the functions take as a model: an open model, a recipe's name, or a path."""
