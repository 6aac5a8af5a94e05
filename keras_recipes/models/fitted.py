"""A model that answers: one fitted or loaded, or one opened in another runtime."""

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


class Described(ABC):
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
class Fitted(Described):
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


@dataclass(frozen=True, repr=False)
class Opened(Described):
    """A model that left Keras, in the runtime that computes it, with the card that it took along.

    Attributes:
        runtime: Computes its outputs.
        card: None where the file is no recipe's.
        place: Its file or folder.
    """

    runtime: Runtime
    card: "Card | None"
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
        raise needs_keras(self.card.recipe if self.card else str(self.place))


def needs_keras(what: str) -> InputError:
    """What is said where a recipe's answers take more of a model than an export has.

    Args:
        what: The recipe, or the export.
    """
    return InputError(
        f"{what}: answers with its Keras model, received an export; name the model that it "
        "was made from"
    )


Model = Fitted | Opened | str | Path
"""What the library's functions take for a model: one that is open, a recipe's name, or a path."""
