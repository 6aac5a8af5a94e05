"""The kinds of gradient descent: how many examples one update of the weights uses."""

from typing import Literal

from keras_recipes.errors import InputError

Updates = Literal["batch", "stochastic", "minibatch"]
"""Batch uses all training examples for an update, stochastic one, and minibatch a few."""


def batch_size(updates: Updates, given: int | None, *, minibatch: int) -> int | None:
    """Return the number of examples per update; None means all training examples.

    Args:
        updates: The kind of gradient descent.
        given: The number that the user gave, if any.
        minibatch: The number for `updates=minibatch` if none was given.

    Raises:
        InputError: The given number contradicts the kind.
    """
    if updates == "minibatch":
        return minibatch if given is None else given
    if updates == "stochastic" and given in (None, 1):
        return 1
    if given is None:
        return None
    takes = "one example" if updates == "stochastic" else "all training examples"
    raise InputError(
        f"batch_size: expected none with updates={updates}, which uses {takes} per update, "
        f"received {given}; leave out one of the two, or set batch_size=none"
    )
