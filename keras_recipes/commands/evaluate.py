"""Measuring a model: its recipe's metrics on held-out data, or on data given."""

from pathlib import Path
from typing import Any

from keras_recipes import catalog, options
from keras_recipes.commands import raw
from keras_recipes.commands.predict import check_no_options
from keras_recipes.models.fitted import Model
from keras_recipes.recipe import Measured, Options
from keras_recipes.saved.load import Found, find


def evaluate(
    model: Model, data: Any = None, *, weights: str | Path | None = None, **given: Any
) -> dict[str, float]:
    """The recipe's metrics on its test data, or on data given.

    Args:
        model: From `fit`, `load` or `open_model`; a recipe's name, or a saved model's path.
        data: As for `fit`; None reads again what the model was measured on. For a model that is no
            recipe's, an .npz file with arrays x and y, or a pair `(x, y)`.
        weights: Of a model that is a .json file; default as for `load`.
        **given: Options of the recipe's way to measure, such as where the labels are.

    Returns:
        Name to value, the names being those that `recipes evaluate` prints.

    Raises:
        InputError: The data or an option cannot be used.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    return measure(find(model, weights), data, given).metrics


def measure(model: Found, data: Any, given: Options) -> Measured:
    """The same with all that was measured; see `evaluate`."""
    card = model.card
    if card is None:
        check_no_options(model, given)
        examples, name = raw.examples(data)
        return Measured(raw.measure(model.open(), examples), data=name)
    recipe = catalog.get(card.recipe)
    values = options.of_model(recipe, card, "evaluate", given)
    measured = recipe.answers.assess(recipe, card, data, values)
    return measured(model.open())
