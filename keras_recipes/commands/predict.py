"""Asking a model: its recipe's answers, or the raw outputs of a model without a card."""

from pathlib import Path
from typing import Any

from keras_recipes import catalog, options
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Model
from keras_recipes.recipe import Answer, Options, Prose, Row, Rows
from keras_recipes.saved.load import Found, find


def predict(model: Model, x: Any, *, weights: str | Path | None = None, **given: Any) -> list[Row]:
    """Ask a model about inputs.

    Args:
        model: What `fit`, `load` or `open_model` returned; or a recipe's name, or the path of a
            saved model.
        x: The inputs, as numbers or as on the command line. Numbers are an array, nested lists or a
            DataFrame: of shape (N, 2) for xor, (N, 28, 28) or (28, 28) for digits, (N, columns) for
            a series of lstm-anomaly. As on the command line they are a text, a path, or a list of
            these: values such as "0,1", files, folders, globs. For lstm-anomaly also the lines of a
            log. A model without a card takes arrays, and .npy, .npz and CSV files.
        weights: The weights of a model that is a .json file; the default is that of `load`.
        **given: Options of the answers, such as `unsure_below=0.9`.

    Returns:
        A dict of plain Python values for each row of the answer. Its keys are the columns that
        `recipes predict` prints; for a model without a card `row, output_0, output_1, ...`.

    Raises:
        InputError: There is no such model, file or option; or the inputs have a wrong type or
            shape, or are not finite numbers; or the model continues a prompt (see `generate`).
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    found = answer(find(model, weights), x, given)
    if isinstance(found, Prose):
        raise InputError("this model continues a prompt: call generate instead of predict")
    return list(found.rows)


def generate(model: Model, prompt: str, **given: Any) -> str:
    """Continue a prompt with a model that writes text.

    Args:
        model: A model as for `predict`.
        prompt: The text to continue.
        **given: Options of the recipe's answers.

    Returns:
        The prompt and its continuation.

    Raises:
        InputError: There is no such model or option, or the model does not write text.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    found = answer(find(model), prompt, given)
    if isinstance(found, Rows):
        raise InputError("this model answers with rows: call predict instead of generate")
    return "".join(found.pieces)


def answer(model: Found, asked: Any, given: Options) -> Answer:
    """Return the answer as it is computed. Wrong input is refused before the model is opened.

    Args:
        model: The model to ask.
        asked: `Words` from the command line, or values as for `predict`.
        given: Options of the answers.
    """
    card = model.card
    if card is None:
        from keras_recipes.commands import raw  # imported here, as few models have no card

        check_no_options(model, given)
        return raw.ask(asked)(model.open())
    recipe = catalog.get(card.recipe)
    values = options.of_model(recipe, card, "predict", given)
    answered = recipe.answers.ask(card, asked, given, values)
    return answered(model.open())


def check_no_options(model: Found, given: Options) -> None:
    """Refuse options for a model without a card, which has none.

    Raises:
        InputError: An option was given.
    """
    if given:
        raise InputError(f"{min(given)}: a model without a card has no options; leave it out")
