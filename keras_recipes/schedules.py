"""Learning rates over the epochs."""

import math
from collections.abc import Callable


def cosine(learning_rate: float, epochs: int) -> Callable[[int], float]:
    """A learning rate that falls to zero along half a cosine (Loshchilov and Hutter 2017).

    Args:
        learning_rate: In the first epoch.
        epochs: After which it would be zero.

    Returns:
        The learning rate of an epoch, counted from 0.
    """
    return lambda epoch: learning_rate * (1 + math.cos(math.pi * epoch / epochs)) / 2
