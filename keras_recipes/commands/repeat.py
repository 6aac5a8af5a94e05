"""Repeating a fit from what its card holds, and comparing the two models."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from keras_recipes import backend, catalog, options
from keras_recipes.commands.fit import fit
from keras_recipes.errors import InputError, printable
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Model
from keras_recipes.saved import save
from keras_recipes.saved.load import find

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repeated:
    """A fit that was repeated.

    Attributes:
        fitted: The new model.
        differences: What is not as it was in the earlier fit, one text each: versions, backend and
            data.
        largest_difference: The largest difference between weights of the two models; None if their
            shapes differ.
        metrics: Each metric of the earlier and of the new model.
    """

    fitted: Fitted
    differences: tuple[str, ...]
    largest_difference: float | None
    metrics: dict[str, tuple[float, float]]

    @property
    def equal(self) -> bool:
        """Whether the weights are equal, bit by bit."""
        return self.largest_difference == 0


def repeat(
    model: Model,
    data: Any = None,
    *,
    recipe: str | None = None,
    out: str | Path | None = None,
    device: Literal["auto", "cpu", "gpu"] = "auto",
    tensorboard: str | Path | None = None,
    show_progress: bool | None = None,
) -> Repeated:
    """Fit a model again with the options, the seed and the data on its card, and compare the two.

    Args:
        model: A fitted model, a recipe's name, or the path of a saved model.
        data: Data as for `fit`; None reads the paths on the card again.
        recipe: The recipe that the model has to be of; None accepts any.
        out: The folder to save the new model in; None does not save it.
        device: The device to train on, as for `fit`.
        tensorboard: A folder for event files, as for `fit`.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.

    Returns:
        The new model, what is not as it was, and how far the weights and metrics are apart.

    Raises:
        InputError: There is no such model, it has no card, it is of another recipe, it continued
            the training of another model, or the data cannot be read.
        RecipeError: As for `fit`.
        UnsafeModelError: As for `load`.
        CorruptModelError: As for `load`.
    """
    found = find(model)
    found.check_keras()
    card = found.card
    _check(card, found.name, recipe)
    assert card is not None
    deterministic = bool(card.training.get("deterministic"))
    backend.start(device, deterministic=deterministic)
    before = found.in_keras().model.get_weights()
    again = fit(
        card.recipe,
        card.paths() or None if data is None else data,
        preset=card.preset,
        out=out,
        device=device,
        deterministic=deterministic,
        tensorboard=tensorboard,
        show_progress=show_progress,
        **_given(card),
    )
    assert again.card is not None
    differences = _differences(card, again.card)
    for difference in differences:
        log.info("not as it was: %s", difference)
    apart = _largest_difference(before, again.model.get_weights())
    log.info("repeated: %s", _in_words(apart))
    metrics = {
        name: (float(card.metrics[name]), float(value))
        for name, value in again.card.metrics.items()
        if isinstance(card.metrics.get(name), int | float)
    }
    for name, (was, now) in metrics.items():
        if was != now:
            log.info("%s was %.6g, is %.6g", name, was, now)
    return Repeated(again, differences, apart, metrics)


def _check(card: Card | None, name: str, recipe: str | None) -> None:
    if card is None:
        raise InputError(
            f"{name}: expected a fitted recipe, received a model without a card; fit a recipe"
        )
    if recipe not in (None, card.recipe):
        raise InputError(
            f"--repeat: expected a fitted {recipe}, received a {card.recipe}; name another model"
        )
    if "start" in card.training:
        raise InputError(
            f"{name}: expected a fit from random weights, received one that continued the training "
            "of another model, which its card does not hold; fit with --from"
        )


def _given(card: Card) -> dict[str, Any]:
    """Return the options of the fit; those that a later version added keep their defaults."""
    taken = options.of(catalog.get(card.recipe), "fit", card.learned)
    return {name: card.options[name] for name in taken if name in card.options}


def _differences(before: Card, after: Card) -> tuple[str, ...]:
    told = [
        f"{name} was {printable(before.versions.get(name, 'missing'))}, is {version}"
        for name, version in save.versions().items()
        if before.versions.get(name) != version
    ]
    was, now = before.training.get("backend"), after.training.get("backend")
    if was != now:
        told.append(f"the backend was {printable(was)}, is {printable(now)}")
    if before.data["sha256"] != after.data["sha256"]:
        told.append(
            f"the data was {printable(before.data['name'])}, is {printable(after.data['name'])}, "
            "with other examples"
        )
    return tuple(told)


def _largest_difference(before: list[np.ndarray], after: list[np.ndarray]) -> float | None:
    if [one.shape for one in before] != [one.shape for one in after]:
        return None
    return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(before, after, strict=True))


def _in_words(apart: float | None) -> str:
    if apart is None:
        return "the weights have other shapes"
    return (
        "the weights are equal, bit by bit"
        if apart == 0
        else f"weights differ by up to {apart:.3g}"
    )
