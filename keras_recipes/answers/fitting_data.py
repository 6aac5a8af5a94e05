"""The data of a fit: given data, or the data that a model was fitted on, read again."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keras_recipes import options as settings
from keras_recipes.data import files
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, described
from keras_recipes.recipe import Learned, Options, Recipe

if TYPE_CHECKING:
    from keras_recipes.models.card import Card

log = logging.getLogger(__name__)


def given(
    recipe: Recipe,
    data: Any,
    options: Options,
    *,
    learned: Learned | None = None,
    read: Callable[..., Dataset] | None = None,
) -> tuple[Dataset, list[str] | None]:
    """Read given data.

    Args:
        recipe: The recipe to fit, or that of the model to measure.
        data: Paths, a pair `(x, y)`, or an empty sequence for the recipe's own data.
        options: The values of all options of the recipe.
        learned: What the model learned, if its training is continued.
        read: A function that reads the paths instead of the recipe's function for training data.

    Returns:
        The data set, and the paths to read it again, or None if it cannot be read again.

    Raises:
        InputError: The data cannot be read, or is neither paths nor a pair.
    """
    texts = files.as_texts(data)
    if texts is None and not (isinstance(data, Sequence) and not data):
        found = recipe.answers.data_of_arrays(*_pair(data))
        _say_read(found)
        return found, None
    # A file name that is not valid text can be opened, but a card cannot hold it.
    known = [writable(text) for text in texts or ()]
    if read is None:
        found = recipe.answers.data_set(texts or [], options, learned)
    else:
        found = settings.call(read, texts or [], options=options)
    _say_read(found)
    return found, None if "-" in known else list(found.known_as) or known


def of_model(
    recipe: Recipe,
    card: "Card",
    data: Any,
    options: Options,
    *,
    read: Callable[..., Dataset] | None = None,
) -> Dataset:
    """Read given data, or the data that the card's model was fitted on if `data` is None.

    Args:
        recipe: The model's recipe.
        card: The model's card.
        data: As for `given`, or None.
        options: The options to read the data by.
        read: As for `given`.

    Raises:
        InputError: The data cannot be read, does not fit the model, or came from Python when the
            model was fitted; or an option would read that data in another way.
    """
    if data is None:
        as_fitted = settings.of_model(recipe, card, "evaluate", {})
        # Other options would hold out other examples, which the model may have learned from.
        reading = (step.function for step in settings.steps(recipe) if step.about == "data")
        reads = set().union(*map(settings.taken, reading))
        for name in settings.of(recipe, "evaluate", card.learned).keys() & reads:
            if options[name] != as_fitted[name]:
                raise InputError(
                    f"{name}: expected {as_fitted[name]}, as in the fit, to read the same data, "
                    f"received {options[name]}; leave it out, or give --data"
                )
        return again(recipe, card)
    found, _ = given(recipe, data, options, read=read)
    return recipe.answers.matched(card.learned, found)


def again(recipe: Recipe, card: "Card") -> Dataset:
    """Read the data that the card's model was fitted on again; warn if it has changed.

    Args:
        recipe: The model's recipe.
        card: The model's card.

    Raises:
        InputError: The data cannot be read, or came from Python when the model was fitted.
        UnsafeModelError: As for `Card.paths`.
    """
    options = settings.of_model(recipe, card, "fit", {})
    found, _ = given(recipe, card.paths(), options, learned=card.learned)
    if found.sha256 != card.data["sha256"]:
        log.warning("%s has changed since the model was fitted on it", found.name)
    return found


def writable(name: str) -> str:
    """Return a file name as text that a card can hold."""
    return name.encode(errors="replace").decode()


def _pair(data: Any) -> Sequence[Any]:
    if not isinstance(data, Sequence) or len(data) != 2:
        raise InputError(f"data: expected paths or a pair (x, y), received {described(data)}")
    return data


def _say_read(data: Dataset) -> None:
    log.debug(
        "read %s: %s training, %s validation and %s test examples; %s",
        data.name,
        f"{len(data.train):,}",
        f"{len(data.validation) if data.validation else 0:,}",
        f"{len(data.test):,}",
        data.note,
    )
