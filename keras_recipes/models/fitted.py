"""A model that can be asked: fitted, loaded, or opened in another runtime."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keras_recipes.errors import InputError, printable
from keras_recipes.models.runtime import KerasRuntime, Runtime

if TYPE_CHECKING:
    import keras
    import numpy as np

    from keras_recipes.models.card import Card
    from keras_recipes.models.formats.litert import LayerOutputs
    from keras_recipes.models.history import History
    from keras_recipes.models.net import Net


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

    @property
    def net(self) -> "Net":
        """The model as data, for answers that NumPy computes.

        Raises:
            InputError: The model is an export for another runtime.
            ValueError: The layers do not simply follow each other.
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
    def net(self) -> "Net":
        """The model as data.

        Raises:
            ValueError: The layers do not simply follow each other.
        """
        from keras_recipes.models.net import Net

        return Net.of(self.model)

    @property
    def runtime(self) -> Runtime:
        """The Keras runtime of this model.

        Raises:
            InputError: The model has several inputs or outputs.
        """
        where = printable(self.place, 200) if self.place else self.model.name
        return KerasRuntime(self.model, where)


class Pair(Protocol):
    """The files with a model's architecture and weights, which were read and compared."""

    def in_keras(self) -> Fitted:
        """Open the model in Keras."""

    def net(self) -> "Net":
        """Read the model as data, without Keras."""

    def layer_outputs(self) -> "LayerOutputs | None":
        """Return what computes each layer's outputs; None without a runnable form."""


@dataclass(frozen=True, repr=False)
class Opened(Described):
    """A model that answers without Keras: an export, or a saved model as far as it can.

    Attributes:
        light: The runtime that computes its outputs without Keras; None if only Keras can.
        card: The card; None if no recipe made the model.
        place: The path of its file or folder.
        pair: Its architecture and weights; None for an export.
    """

    light: Runtime | None
    card: "Card | None"
    place: Path
    pair: Pair | None = field(default=None, compare=False)

    def lines(self) -> tuple[str, str]:
        """Return what the model is and where it came from."""
        what = f"{self.card.name}, {self.card.result}" if self.card else "a model without a card"
        runtime = self.light.name if self.light else "Keras"
        return what, f"from {printable(self.place, 200)}; computed by {runtime}"

    @property
    def runtime(self) -> Runtime:
        """The runtime that computes the model's outputs."""
        return self.light or self.in_keras.runtime

    @cached_property
    def in_keras(self) -> Fitted:
        """The model in Keras.

        Raises:
            InputError: The model is an export.
        """
        return self._files().in_keras()

    @cached_property
    def net(self) -> "Net":
        """The model as data.

        Raises:
            InputError: The model is an export.
            ValueError: The layers do not simply follow each other.
        """
        return self._files().net()

    @cached_property
    def layer_outputs(self) -> "LayerOutputs | None":
        """What computes each layer's outputs; None if only Keras can."""
        return self.pair.layer_outputs() if self.pair else None

    def _files(self) -> Pair:
        if self.pair is None:
            raise needs_keras(self.card.recipe if self.card else str(self.place))
        return self.pair


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
