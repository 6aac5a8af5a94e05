"""Asking a model: its recipe's answers for people, or the raw outputs of a model without a card."""

from pathlib import Path
from typing import Any

from keras_recipes import catalog, options
from keras_recipes.commands import raw
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Model
from keras_recipes.recipe import Answer, Options, Prose, Row, Rows
from keras_recipes.saved.load import Found, find


def predict(model: Model, x: Any, *, weights: str | Path | None = None, **given: Any) -> list[Row]:
    """What the model says about each input.

    Args:
        model: From `fit`, `load` or `open_model`; a recipe's name, or a saved model's path.
        x: Inputs as the recipe's net takes them: an array, nested lists or a DataFrame, of shape
            (N, 2) for xor and (N, 28, 28) for digits, whose single image may be (28, 28). Or as on
            the command line, a text, a path, or a list of them: values such as "0,1", files,
            folders, globs. For lstm-anomaly also the lines of a log, or numbers of shape
            (N, columns). A model that is no recipe's takes arrays, .npy, .npz and CSV files.
        weights: Of a model that is a .json file; default as for `load`.
        **given: Options of the recipe's interpretation, such as `unsure_below=0.9`.

    Returns:
        A dict for each input, of plain Python values, with the keys that `recipes predict` has as
        columns; for a model that is no recipe's `row, output_0, output_1, ...`.

    Raises:
        InputError: There is no such model, file or option, inputs have the wrong type or shape or
            are not finite numbers, or the model goes on with a prompt (`generate`).
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    found = answer(find(model, weights), x, given)
    if isinstance(found, Prose):
        raise InputError("the model goes on with a prompt: ask it by generate, not by predict")
    return list(found.rows)


def generate(model: Model, prompt: str, **given: Any) -> str:
    """The text with which a model goes on, the prompt included.

    Args:
        model: As for `predict`.
        prompt: As it is.
        **given: Options of the recipe's answers.

    Raises:
        InputError: There is no such model or option, or the model does not write text.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    found = answer(find(model), prompt, given)
    if isinstance(found, Rows):
        raise InputError("the model answers with rows: ask it by predict, not by generate")
    return "".join(found.pieces)


def answer(model: Found, asked: Any, given: Options) -> Answer:
    """The same, as it comes; what can be refused is refused before the model is opened.

    Args:
        model: Which.
        asked: `Words` from the command line, or as for `predict`.
        given: Options.
    """
    card = model.card
    if card is None:
        check_no_options(model, given)
        return raw.ask(asked)(model.open())
    recipe = catalog.get(card.recipe)
    values = options.of_model(recipe, card, "predict", given)
    answered = recipe.answers.ask(card, asked, given, values)
    return answered(model.open())


def check_no_options(model: Found, given: Options) -> None:
    """Refuses options of a model that has none.

    Raises:
        InputError: There are some.
    """
    if given:
        raise InputError(f"{min(given)}: a model without a card has no options; leave it out")
