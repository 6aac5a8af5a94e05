"""Probabilities that mean what they say, from a net's outputs and a few numbers of its card.

A net's own probabilities are too small or too large, and they add up to 1 even if the picture shows
none of the classes. A calibrated card has two remedies:

- a temperature (Guo et al. 2017, "On calibration of modern neural networks"), by which the logits
  are divided, so that of the answers with a probability of 90 %, nine in ten are right;
- the chance that the picture shows a digit at all (`familiarity`), by which the probabilities are
  multiplied.

So calibrated probabilities may add up to less than 1. The rest is the chance of something else.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from keras_recipes.digits import familiarity
from keras_recipes.errors import CorruptModelError, printable

if TYPE_CHECKING:
    import numpy as np

KEY = "calibration"

LEAST = 1e-7
"""The smallest probability of which a logarithm is taken."""


class Calibration(msgspec.Struct, frozen=True):
    """What a card knows about the meaning of its net's outputs.

    Attributes:
        temperature: What the logits are divided by.
    """

    temperature: Annotated[float, Meta(ge=0.01, le=100)]


def of_card(learned: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration in a card, which may be a file from elsewhere; None if it has none.

    Raises:
        CorruptModelError: The card has something else in its place.
    """
    if KEY not in learned:
        return None
    try:
        return msgspec.convert(learned[KEY], Calibration)
    except msgspec.ValidationError as error:
        what = printable(error, 120)
        raise CorruptModelError(
            f"its card: {KEY}: {what}; restore the card, or fit again"
        ) from None


def logits(outputs: "np.ndarray") -> "np.ndarray":
    """Return the logits of probabilities of shape (N, classes); the mean of each row is 0."""
    import numpy as np

    logarithms = np.log(np.maximum(outputs.astype(float), LEAST))
    centred: np.ndarray = logarithms - logarithms.mean(axis=1, keepdims=True)
    return centred


def tempered(outputs: "np.ndarray", temperature: float) -> "np.ndarray":
    """Return the probabilities of the logits divided by a temperature."""
    import numpy as np

    # Written out, as importing scipy.special takes as long as the whole answer.
    scaled = logits(outputs) / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
    return probabilities


def calibrated(outputs: "np.ndarray", how: Calibration, images: "np.ndarray") -> "np.ndarray":
    """Return calibrated probabilities of shape (N, classes); a row's sum may be less than 1.

    Args:
        outputs: The net's outputs, shape (N, classes).
        how: The calibration in the net's card.
        images: What the net was asked about, shape (N, 28, 28, 1), brightness 0 to 255.
    """
    honest = tempered(outputs, how.temperature)
    probabilities: np.ndarray = honest * familiarity.chances(images)[:, None]
    return probabilities
