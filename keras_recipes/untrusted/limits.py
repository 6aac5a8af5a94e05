"""The largest size that a model may have to be opened, and the setting that raises it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from keras_recipes.errors import InputError

VARIABLE = "KERAS_RECIPES_MAX_PARAMETERS"
ORDINARY = 30_000_000
"""The most parameters; compiled with Adam, such a model needs 1.3 GB, including Keras."""


BYTES_PER_PARAMETER = 2
"""The fewest bytes of a parameter in a file: numbers of half precision."""

_implied: ContextVar[int] = ContextVar("parameters", default=0)


@dataclass(frozen=True)
class Limits:
    """All limits on a model's size; one number that users can set determines them.

    Attributes:
        parameters: The most numbers in all weights together.
    """

    parameters: int = ORDINARY

    @property
    def activations(self) -> int:
        """The most numbers in the outputs of all layers together, for one input."""
        return 2 * self.parameters

    @property
    def array_bytes(self) -> int:
        """The most bytes of all arrays in one file."""
        return 8 * self.parameters

    @property
    def file_bytes(self) -> int:
        """The most bytes of a weights file: float32 weights and two optimizer values for each."""
        return 12 * self.parameters + (16 << 20)


@contextmanager
def implied_by(size: int) -> Iterator[None]:
    """Allow the parameters that files of this size may hold, in the block.

    Args:
        size: The number of bytes of a model's files.
    """
    token = _implied.set(size // BYTES_PER_PARAMETER)
    try:
        yield
    finally:
        _implied.reset(token)


def current() -> Limits:
    """Return the limits in force.

    Raises:
        InputError: The environment variable is not a positive integer.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return Limits(max(ORDINARY, _implied.get()))
    if not text.isascii() or not text.isdigit() or len(text) > 15 or not int(text):
        raise InputError(f"{VARIABLE}: expected a positive integer, received {text!r}")
    most = int(text)
    return Limits(max(most, _implied.get()) if most >= ORDINARY else most)


def advice() -> str:
    """Return what to do about a model that is too large."""
    return f"if you trust it, set {VARIABLE} higher than {current().parameters:,}"
