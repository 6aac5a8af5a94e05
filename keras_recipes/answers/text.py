"""Answers that continue a prompt: the input is text, and the output is plain text, not a table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate

from keras_recipes import options as settings
from keras_recipes.answers import fitting_data
from keras_recipes.data import texts
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, described
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.recipe import (
    Answer,
    Answers,
    Calibrated,
    Learned,
    Measured,
    Options,
    Prose,
    Recipe,
    Step,
    Words,
)

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from keras_recipes.models.card import Card


@dataclass(frozen=True, kw_only=True)
class Text(Answers):
    """Answers that continue a prompt.

    Attributes:
        read: Reads paths as a data set to fit on, for a model that learned this if it goes on
            training; no paths mean the recipe's own data.
        generate: Takes the fitted model and the prompt, and yields pieces of text.
        figures: Takes the fitted model and its data, and yields pictures with their names.
        held_out: Reads paths as a data set to measure on, if that differs from `read`.
        sample: Takes a model in training, its data and the number of epochs so far, and returns
            text that it writes, or None if it is not its turn.
        judge: Takes a model and what it learned, lets it write, and returns metrics of the text.
    """

    read: Callable[Concatenate[Sequence[str], Learned | None, ...], Dataset]
    generate: Callable[Concatenate[Fitted, str, ...], Iterator[str]]
    figures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]"
    held_out: Callable[Concatenate[Sequence[str], Learned | None, ...], Dataset] | None = None
    sample: "Callable[Concatenate[keras.Model, Dataset, int, ...], str | None] | None" = None
    judge: "Callable[Concatenate[keras.Model, Learned, ...], dict[str, float]] | None" = None
    needs_keras = True

    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """See `Answers`."""
        found = [
            Step(self.read, "data", frozenset({"fit"})),
            Step(self.held_out or self.read, "data", frozenset({"evaluate"})),
            Step(self.generate, "answers", frozenset({"predict"}), kept=True),
        ]
        if self.sample:
            found.append(Step(self.sample, "training", frozenset({"fit"})))
        if self.judge:
            found.append(Step(self.judge, "measurement", frozenset({"evaluate"}), kept=True))
        return tuple(found)

    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """See `Answers`."""
        return settings.call(self.read, data, learned, options=options)

    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """Refuse arrays, because texts are read from files.

        Raises:
            InputError: Always.
        """
        raise InputError("expected paths of texts, received arrays")

    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """See `Answers`; the prompt is one text, or `-` for standard input, and is not changed."""
        if isinstance(asked, Words) and len(asked) != 1:
            raise InputError(f"expected one prompt, received {len(asked)} texts; quote the prompt")
        prompt = asked[0] if isinstance(asked, Words) else asked
        if isinstance(asked, Words) and prompt == "-":
            prompt = texts.standard_input()
        if not isinstance(prompt, str):
            raise InputError(f"expected text as a prompt, received {described(asked)}")

        def answer(model: Askable) -> Answer:
            return Prose(settings.call(self.generate, model.in_keras, prompt, options=options))

        return answer

    def calibrate(self, model: "keras.Model", data: Dataset, options: Options) -> Calibrated | None:
        """See `Answers`; nothing is learned, but the text that the model writes is measured."""
        if self.judge is None:
            return None
        return Calibrated({}, settings.call(self.judge, model, data.learned, options=options))

    def written(
        self, model: "keras.Model", data: Dataset, epochs: int, options: Options
    ) -> str | None:
        """See `Answers`."""
        if self.sample is None:
            return None
        return settings.call(self.sample, model, data, epochs, options=options)

    def assess(
        self, recipe: Recipe, card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """See `Answers`."""
        read = self.held_out or self.read

        def of_paths(paths: Sequence[str]) -> Dataset:
            return settings.call(read, paths, card.learned, options=options)

        found = fitting_data.of_model(recipe, card, data, options, read=of_paths)

        def measure(model: Askable) -> Measured:
            metrics = recipe.measure(found.test.y, model.runtime.outputs(found.test.x))
            if self.judge and isinstance(model, Fitted):  # an export only computes outputs
                written = model.model, card.learned
                metrics |= settings.call(self.judge, *written, options=options)
            return Measured(metrics, data=found.name)

        return measure

    def draw(
        self, recipe: Recipe, card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """See `Answers`."""
        found = fitting_data.of_model(
            recipe, card, data, settings.of_model(recipe, card, "evaluate", {})
        )
        return lambda model: self.figures(model, found)
