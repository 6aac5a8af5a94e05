"""Measuring a model: its recipe's metrics on held-out data, or on data given."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keras_recipes import catalog, options
from keras_recipes.commands import predict as prediction
from keras_recipes.data import files
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, described
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Askable
from keras_recipes.models.runtime import check_fits as check_fits_inputs
from keras_recipes.recipe import Measured
from keras_recipes.saved import open as opening
from keras_recipes.saved.open import Model

if TYPE_CHECKING:
    pass
from keras_recipes.commands.fit import _dataset, log


def evaluate(model: Model, data: Any = None, **given: Any) -> dict[str, float]:
    """The recipe's metrics on its test data, or on data given.

    Args:
        model: From `fit`, `load` or `open_model`; a recipe's name, or a saved model's path.
        data: As for `fit`; None reads again what the model was measured on.
        **given: Options of the recipe's way to measure, such as where the labels are.

    Returns:
        Name to value, the names being those that `recipes evaluate` prints.

    Raises:
        InputError: The model is no recipe's, or the data cannot be read.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    card = opening.card_of(model)
    if card is None:
        raise InputError("a model without a card is no recipe's: there is nothing to measure it by")
    if catalog.get(card.recipe).assess:
        return assess(card, lambda: opening.open_model(model), data, given).metrics
    dataset = data_for(card, data, given)
    return measure(opening.open_model(model), dataset).metrics


def assess(
    card: Card, opened: Callable[[], Askable], data: Any, given: Mapping[str, Any]
) -> Measured:
    """How a model does on data, for a recipe that finds that out itself.

    Args:
        card: The model's.
        opened: Opens the model, once it is known that the data can be judged.
        data: Paths; None for what the model was fitted on.
        given: Options.

    Raises:
        InputError: As for `check_assess`.
        CorruptModelError: As for `check_assess`.
    """
    paths = check_assess(card, data, given)
    values = prediction.settings(card, given, options.ASSESSING)
    measured: Measured = options.call(
        catalog.get(card.recipe), "assess", opened().in_keras, paths, options=values
    )
    return measured


def check_assess(card: Card, data: Any, given: Mapping[str, Any]) -> list[str] | None:
    """Refuses, before a model is opened, what `assess` could not measure.

    Args:
        card: The model's.
        data: As for `assess`.
        given: Options.

    Returns:
        The paths of the data; None for what the model was fitted on.

    Raises:
        InputError: An option that has no effect, data or labels that cannot be read.
        CorruptModelError: The card is damaged.
    """
    recipe, values = catalog.get(card.recipe), prediction.settings(card, given, options.ASSESSING)
    if data is None:
        card.paths()
    paths = None if data is None else files.as_texts(data)
    if data is not None and paths is None:
        raise InputError(f"data: expected paths, received {described(data)}")
    if recipe.check_assess:
        recipe.check_assess(card.learned, paths, given, values)
    return paths


def measure(model: Askable, data: Dataset) -> Measured:
    """How a model of a recipe does on the test part of the data."""
    assert model.card is not None
    recipe, targets = catalog.get(model.card.recipe), data.test.y
    check_fits(model, data)
    outputs = model.runtime.outputs(data.test.x)
    log.debug("measured on %s examples by %s", f"{len(data.test):,}", model.runtime.name)
    details = recipe.details(targets, outputs, model.card.learned) if recipe.details else {}
    return Measured(recipe.measure(targets, outputs), details)


def check_fits(model: Askable, data: Dataset) -> None:
    """Refuses data that a model does not take, or that has other targets than its outputs.

    Raises:
        CorruptModelError: The model takes other inputs than the recipe that its card names.
        InputError: Its outputs have another shape than the targets.
    """
    assert model.card is not None
    check_fits_inputs(model.runtime, data.test.x, model.card.recipe)
    expected, found = data.test.y[:1], model.runtime.outputs(data.test.x[:1])
    if found.shape[: expected.ndim] != expected.shape:
        raise InputError(
            f"{data.name}: its targets have the shape {expected.shape[1:]}, "
            f"the model's outputs {found.shape[1:]}"
        )


def data_for(card: Card, data: Any, given: Mapping[str, Any]) -> Dataset:
    """The data given or, where it is None, what the card's model was fitted on, read again.

    Args:
        card: The model's.
        data: As for `fit`.
        given: Options to read it by, instead of the card's.

    Raises:
        InputError: The data cannot be read, or came from Python when the model was fitted.
    """
    recipe, values = catalog.get(card.recipe), prediction.settings(card, given, ("read",))
    if data is not None:
        other = _dataset(recipe, data, values)[0]
        if recipe.check_data:
            recipe.check_data(card.learned, other)
        return other
    dataset, _ = _dataset(recipe, card.paths(), values, card)
    if dataset.sha256 != card.data["sha256"]:
        log.warning("%s has changed since the model was fitted on it", dataset.name)
    return dataset
