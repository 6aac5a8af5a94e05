"""A model that answers: one fitted or loaded, or one opened in another runtime."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import printable
from keras_recipes.models.runtime import KerasRuntime, Runtime

if TYPE_CHECKING:
    import keras
    import numpy as np

    from keras_recipes.models.card import Card
    from keras_recipes.models.history import History


class Askable(Protocol):
    """A model that answers: one fitted or loaded, or one opened in another runtime."""

    @property
    def card(self) -> "Card | None":
        """What is known of it besides the weights; None for a model that is no recipe's."""

    @property
    def runtime(self) -> Runtime:
        """What computes its outputs."""

    @property
    def in_keras(self) -> "Fitted":
        """The model itself, for answers that take more of it than outputs.

        Raises:
            InputError: It left Keras.
        """


class Shown(ABC):
    """A model that says in two lines what it is, in a terminal and in a notebook."""

    @abstractmethod
    def lines(self) -> tuple[str, str]:
        """What it is, and where it came from, without a control character in it."""

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        import html

        what, origin = map(html.escape, self.lines())
        return f"<div><strong>{what}</strong><br><small>{origin}</small></div>"


@dataclass(frozen=True, kw_only=True, repr=False)
class Fitted(Shown):
    """A trained model with what is known about it.

    Attributes:
        model: The compiled Keras model.
        card: Recipe, options, metrics and so on; None for a pair that is no recipe's.
        history: Per-epoch values; None when they were not kept.
        first_weights: The weights before training, in `model.get_weights()` order, where the
            recipe keeps them.
        place: Where it was loaded from; None where it was fitted in this process.
    """

    model: "keras.Model"
    card: "Card | None" = None
    history: "History | None" = None
    first_weights: "tuple[np.ndarray, ...] | None" = None
    place: Path | None = field(default=None, compare=False)

    def lines(self) -> tuple[str, str]:
        """What it is, and where it came from."""
        size = f"{self.model.count_params():,} parameters"
        what = f"{self.card.name}, {size}, {self.card.result}" if self.card else f"a model, {size}"
        course = self.card.course if self.card else "without a card"
        origin = f"from {printable(self.place, 200)}" if self.place else "fitted here"
        return what, f"{origin}; {course}"

    @property
    def in_keras(self) -> "Fitted":
        """This."""
        return self

    @property
    def runtime(self) -> Runtime:
        """The model as what computes.

        Raises:
            InputError: The model has several inputs or outputs.
        """
        return KerasRuntime(self.model)
