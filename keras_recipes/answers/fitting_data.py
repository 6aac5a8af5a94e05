"""The data of a fit: what is given, or what a model was fitted on, read again."""

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
    """Data that was given, and the paths it was read from; None where these cannot be read again.

    Args:
        recipe: To be fitted, or of the model to be measured.
        data: Paths, a pair `(x, y)`, or an empty sequence for the recipe's own data.
        options: All of the recipe's.
        learned: By a model that goes on training.
        read: Reads paths, instead of the recipe's way to read data to fit on.

    Raises:
        InputError: It cannot be read, or is neither.
    """
    texts = files.as_texts(data)
    if texts is None and not (isinstance(data, Sequence) and not data):
        found = recipe.answers.data_of_arrays(*_pair(data))
        _say_read(found)
        return found, None
    # A name that is no text in any encoding can still be opened, but not written down.
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
    """The data given or, where it is None, what the card's model was fitted on.

    Args:
        recipe: The model's.
        card: The model's.
        data: As for `given`.
        options: To read it by.
        read: As for `given`.

    Raises:
        InputError: The data cannot be read, came from Python when the model was fitted, or is not
            such as the model takes; or what the model was fitted on is to be read in another way.
    """
    if data is None:
        as_fitted = settings.of_model(recipe, card, "evaluate", {})
        # Other ways would hold out other examples, which the model may have learned from.
        for name in settings.of(recipe, "evaluate", card.learned):
            if options[name] != as_fitted[name]:
                raise InputError(
                    f"{name}: what the model was fitted on is read as it was then, with "
                    f"{as_fitted[name]}, received {options[name]}; leave it out, or give --data"
                )
        return again(recipe, card)
    found, _ = given(recipe, data, options, read=read)
    recipe.answers.check_same(card.learned, found)
    return found


def again(recipe: Recipe, card: "Card") -> Dataset:
    """What the card's model was fitted on, read again; a change since then is said.

    Args:
        recipe: The model's.
        card: The model's.

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
    """A name as a card can have it."""
    return name.encode(errors="replace").decode()


def _pair(data: Any) -> Sequence[Any]:
    if not isinstance(data, Sequence) or len(data) != 2:
        raise InputError(f"data: expected paths or a pair (x, y), received {described(data)}")
    return data


def _say_read(data: Dataset) -> None:
    log.debug(
        "read %s: %s examples to train on, %s to watch, %s to measure on; %s",
        data.name,
        f"{len(data.train):,}",
        f"{len(data.validation) if data.validation else 0:,}",
        f"{len(data.test):,}",
        data.note,
    )
