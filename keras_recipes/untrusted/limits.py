"""How large a model may be before it is opened, and the one way to say that more is fine."""

import os
from dataclasses import dataclass

from keras_recipes.errors import InputError

VARIABLE = "KERAS_RECIPES_MAX_PARAMETERS"
ORDINARY = 30_000_000
"""Parameters; compiled with Adam, Keras and its backend included, such a model needs 1.3 GB."""


@dataclass(frozen=True)
class Limits:
    """Everything that grows with a model, derived from the one number that a user may set.

    Attributes:
        parameters: Numbers in all weights together.
    """

    parameters: int = ORDINARY

    @property
    def activations(self) -> int:
        """Numbers in the outputs of all layers together, for one input."""
        return 2 * self.parameters

    @property
    def array_bytes(self) -> int:
        """Of all arrays that are taken out of one file."""
        return 8 * self.parameters

    @property
    def file_bytes(self) -> int:
        """Of one weights file: float32 weights and two optimizer slots for each."""
        return 12 * self.parameters + (16 << 20)


def current() -> Limits:
    """The limits that hold now.

    Raises:
        InputError: The environment variable holds something else than a positive integer.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return Limits()
    if not text.isascii() or not text.isdigit() or len(text) > 15 or not int(text):
        raise InputError(f"{VARIABLE}: expected a positive integer, received {text!r}")
    return Limits(int(text))


def advice() -> str:
    """What to do about a model that is too large."""
    return f"if you trust it, set {VARIABLE} higher than {current().parameters:,}"
