"""Answers that continue a prompt: the input is text, and the output is plain text, not a table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate

from keras_recipes import options as settings
from keras_recipes.answers import fitting_data
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, described
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.recipe import (
    Answer,
    Answers,
    Learned,
    Measured,
    Options,
    Prose,
    Recipe,
    Step,
    Words,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_recipes.models.card import Card


@dataclass(frozen=True, kw_only=True)
class Text(Answers):
    """Answers that continue a prompt.

    Attributes:
        read: Reads paths as a data set; no paths mean the recipe's own data.
        generate: Takes the fitted model and the prompt, and yields pieces of text.
        figures: Takes the fitted model and its data, and yields pictures with their names.
    """

    read: Callable[Concatenate[Sequence[str], ...], Dataset]
    generate: Callable[Concatenate[Fitted, str, ...], Iterator[str]]
    figures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]"
    needs_keras = True

    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """See `Answers`."""
        return (
            Step(self.read, "data", frozenset({"fit", "evaluate"})),
            Step(self.generate, "answers", frozenset({"predict"}), kept=True),
        )

    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """See `Answers`."""
        return settings.call(self.read, data, options=options)

    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """Refuse arrays, because texts are read from files.

        Raises:
            InputError: Always.
        """
        raise InputError("expected paths of texts, received arrays")

    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """See `Answers`; the prompt is one text, which is not changed."""
        if isinstance(asked, Words) and len(asked) != 1:
            raise InputError(f"expected one prompt, received {len(asked)} texts; quote the prompt")
        prompt = asked[0] if isinstance(asked, Words) else asked
        if not isinstance(prompt, str):
            raise InputError(f"expected text as a prompt, received {described(asked)}")

        def answer(model: Askable) -> Answer:
            return Prose(settings.call(self.generate, model.in_keras, prompt, options=options))

        return answer

    def assess(
        self, recipe: Recipe, card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """See `Answers`."""
        found = fitting_data.of_model(recipe, card, data, options, read=self.read)

        def measure(model: Askable) -> Measured:
            outputs = model.runtime.outputs(found.test.x)
            return Measured(recipe.measure(found.test.y, outputs), data=found.name)

        return measure

    def draw(
        self, recipe: Recipe, card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """See `Answers`."""
        found = fitting_data.of_model(
            recipe, card, data, settings.of_model(recipe, card, "evaluate", {})
        )
        return lambda model: self.figures(model, found)
