"""Learning rate schedules, by epoch."""

import math
from collections.abc import Callable


def cosine(learning_rate: float, epochs: int) -> Callable[[int], float]:
    """Return a schedule that falls to zero along half a cosine (Loshchilov and Hutter 2017).

    Args:
        learning_rate: The learning rate of the first epoch.
        epochs: The number of epochs after which the learning rate would be zero.

    Returns:
        A function from an epoch, counted from 0, to its learning rate.
    """
    return lambda epoch: learning_rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
