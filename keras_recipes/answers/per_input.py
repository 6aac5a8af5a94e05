"""Answers with one row for each input, from one output of the net: points, pictures."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate

from keras_recipes import options as settings
from keras_recipes.answers import fitting_data
from keras_recipes.data import files
from keras_recipes.data.dataset import Batch, Dataset
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.models.runtime import check_fits
from keras_recipes.recipe import (
    Answer,
    Answers,
    Details,
    Learned,
    Measured,
    Options,
    Recipe,
    Row,
    Rows,
    Step,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from keras_recipes.models.card import Card

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PerInput(Answers):
    """Answers with one row for each input, from one output of the net.

    Attributes:
        columns: The keys of the rows, in order; more keys may follow.
        read: Reads paths as a data set; no paths mean the recipe's own data.
        held_out: Reads paths as a data set to measure on, if this needs other options than `read`.
        from_arrays: Makes a data set from inputs and targets in Python.
        inputs: Yields batches of the inputs that the command line names.
        as_batch: Makes a batch from Python values.
        interpret: Takes a batch, the net's outputs and what was learned from the data, and yields
            rows.
        figures: Takes the fitted model and its data, and yields pictures with their names.
        details: Takes targets, outputs and what was learned from the data, and returns further
            tables by name.
        match: Returns data to measure on as a model needs it, or refuses it.
        kept: Takes what a model learned and data with other classes; see `Answers.outputs_kept`.
        unseen: Reads paths as data of which a model has seen nothing, so that all is measured.
        is_unseen: Takes the paths in a card and given paths, and returns whether the model has seen
            nothing of them.
    """

    columns: tuple[str, ...]
    read: Callable[Concatenate[Sequence[str], ...], Dataset]
    from_arrays: Callable[[Any, Any], Dataset]
    inputs: Callable[Concatenate[Sequence[str], ...], Iterator[Batch]]
    as_batch: Callable[[Any], Batch]
    interpret: "Callable[Concatenate[Batch, np.ndarray, Learned, ...], Iterable[Row]]"
    figures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]"
    held_out: Callable[Concatenate[Sequence[str], ...], Dataset] | None = None
    details: "Callable[[np.ndarray, np.ndarray, Learned], Details] | None" = None
    match: Callable[[Learned, Dataset], Dataset] | None = None
    kept: Callable[[Learned, Dataset], tuple[int | None, ...] | None] | None = None
    unseen: Callable[Concatenate[Sequence[str], ...], Dataset] | None = None
    is_unseen: Callable[[Any, Sequence[str]], bool] = lambda fitted_on, data: False

    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """See `Answers`."""
        return (
            Step(self.read, "data", frozenset({"fit"})),
            Step(self.held_out or self.read, "data", frozenset({"evaluate"})),
            Step(self.interpret, "answers", frozenset({"predict"}), kept=True),
            Step(self.inputs, "answers", frozenset({"predict"})),
        )

    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """See `Answers`."""
        return settings.call(self.read, data, options=options)

    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """See `Answers`."""
        return self.from_arrays(x, y)

    def outputs_kept(self, learned: Learned, data: Dataset) -> tuple[int | None, ...] | None:
        """See `Answers`."""
        return self.kept(learned, data) if self.kept else None

    def matched(self, learned: Learned, data: Dataset) -> Dataset:
        """See `Answers`."""
        return self.match(learned, data) if self.match else super().matched(learned, data)

    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """See `Answers`; the first inputs are read before the model is loaded."""
        texts = files.as_texts(asked)
        if texts is None:
            batches = iter([self.as_batch(asked)])
        else:
            batches = begun(settings.call(self.inputs, texts, options=options))

        def answer(model: Askable) -> Answer:
            return Rows(self._rows(model, card, batches, options))

        return answer

    def _rows(
        self, model: Askable, card: "Card", batches: Iterator[Batch], options: Options
    ) -> Iterator[Row]:
        runtime = model.runtime
        for batch in batches:
            check_fits(runtime, batch.x, card.recipe)
            outputs = runtime.outputs(batch.x)
            known = batch, outputs, card.learned
            yield from settings.call(self.interpret, *known, options=options)

    def assess(
        self, recipe: Recipe, card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """See `Answers`."""
        held_out = self.held_out or self.read
        texts = files.as_texts(data)
        if self.unseen and texts and self.is_unseen(card.data.get("paths"), texts):
            held_out = self.unseen
        found = fitting_data.of_model(recipe, card, data, options, read=held_out)

        def measure(model: Askable) -> Measured:
            _check_targets(model, card, found)
            targets, outputs = found.test.y, model.runtime.outputs(found.test.x)
            log.debug("measured on %s examples by %s", f"{len(targets):,}", model.runtime.name)
            details = self.details(targets, outputs, card.learned) if self.details else {}
            return Measured(recipe.measure(targets, outputs), details, found.name)

        return measure

    def draw(
        self, recipe: Recipe, card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """See `Answers`."""
        found = fitting_data.of_model(
            recipe, card, data, settings.of_model(recipe, card, "evaluate", {})
        )

        def figures(model: Fitted) -> "Iterator[tuple[str, Figure]]":
            _check_targets(model, card, found)
            return self.figures(model, found)

        return figures


def begun(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Read the first batch now, so that its errors are raised now; return all batches."""
    return itertools.chain(list(itertools.islice(batches, 1)), batches)


def _check_targets(model: Askable, card: "Card", data: Dataset) -> None:
    """Check that data fits a model's inputs and outputs.

    Raises:
        CorruptModelError: The model's inputs are not those of the recipe in its card.
        InputError: The model's outputs have another shape than the targets.
    """
    check_fits(model.runtime, data.test.x, card.recipe)
    expected, found = data.test.y[:1], model.runtime.outputs(data.test.x[:1])
    if found.shape[: expected.ndim] != expected.shape:
        raise InputError(
            f"{data.name}: expected targets of the outputs' shape {found.shape[1:]}, received "
            f"{expected.shape[1:]}; give the data that belongs to this model"
        )
