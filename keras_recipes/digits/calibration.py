"""Probabilities that mean what they say, from a net's outputs and a few numbers of its card.

A net's own probabilities are too small or too large, and they add up to 1 even if the picture shows
none of the classes. A calibrated card has two remedies:

- a temperature (Guo et al. 2017, "On calibration of modern neural networks"), by which the logits
  are divided, so that of the answers with a probability of 90 %, nine in ten are right;
- a logistic regression for each class. It takes the logits of a picture that is predicted as this
  class, and gives the chance that it shows any class. The probabilities are multiplied by it.

So calibrated probabilities may add up to less than 1. The rest is the chance of something else.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

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
        weights: For each predicted class, the weight of each logit in the chance that the picture
            shows any of the classes.
        biases: For each predicted class, what is added to this sum.
    """

    temperature: Annotated[float, Meta(ge=0.01, le=100)]
    weights: list[list[Annotated[float, Meta(ge=-1e6, le=1e6)]]]
    biases: list[Annotated[float, Meta(ge=-1e6, le=1e6)]]


def of_card(learned: Mapping[str, Any], classes: int) -> Calibration | None:
    """Return the calibration in a card, which may be a file from elsewhere; None if it has none.

    Raises:
        CorruptModelError: The card has something else in its place.
    """
    if KEY not in learned:
        return None
    try:
        found = msgspec.convert(learned[KEY], Calibration)
    except msgspec.ValidationError as error:
        raise _damaged(printable(error, 120)) from None
    if {len(found.weights), len(found.biases), *map(len, found.weights)} != {classes}:
        raise _damaged(f"expected {classes} weights and a bias for each class")
    return found


def _damaged(what: str) -> CorruptModelError:
    return CorruptModelError(f"its card: {KEY}: {what}; restore the card, or fit again")


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


def calibrated(outputs: "np.ndarray", how: Calibration) -> "np.ndarray":
    """Return calibrated probabilities of shape (N, classes); a row's sum may be less than 1."""
    import numpy as np

    said = outputs.argmax(axis=1)
    weights, biases = np.array(how.weights)[said], np.array(how.biases)[said]
    evidence = (weights * logits(outputs)).sum(axis=1) + biases
    familiar = 0.5 + 0.5 * np.tanh(evidence / 2)  # the logistic function, without overflow
    probabilities: np.ndarray = tempered(outputs, how.temperature) * familiar[:, None]
    return probabilities
