"""Measuring a model: its recipe's metrics on its test data, or on data of the user."""

from pathlib import Path
from typing import Any

from keras_recipes import catalog, options
from keras_recipes.commands.predict import check_no_options
from keras_recipes.models.fitted import Model
from keras_recipes.recipe import Measured, Options
from keras_recipes.saved.load import Found, find


def evaluate(
    model: Model, data: Any = None, *, weights: str | Path | None = None, **given: Any
) -> dict[str, float]:
    """Measure a model on its test data, or on data of your own.

    Args:
        model: What `fit`, `load` or `open_model` returned; or a recipe's name, or the path of a
            saved model.
        data: Data as for `fit`; None reads the model's own test data again. A model without a card
            needs an .npz file with the arrays x and y, or a pair `(x, y)` of arrays.
        weights: The weights of a model that is a .json file; the default is that of `load`.
        **given: Options of the measurement, such as `labels`, the file with the labels.

    Returns:
        Each metric by its name, as `recipes evaluate` prints them.

    Raises:
        InputError: The data or an option cannot be used.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    return measure(find(model, weights), data, given).metrics


def measure(model: Found, data: Any, given: Options) -> Measured:
    """Measure a model as `evaluate` does, with the detailed tables and the name of the data."""
    card = model.card
    if card is None:
        from keras_recipes.commands import raw  # imported here, as few models have no card

        check_no_options(model, given)
        examples, name = raw.examples(data)
        return Measured(raw.measure(model.open(), examples), data=name)
    recipe = catalog.get(card.recipe)
    values = options.of_model(recipe, card, "evaluate", given)
    measured = recipe.answers.assess(recipe, card, data, values)
    return measured(model.open())
