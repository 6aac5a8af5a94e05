"""The exceptions that users can act on, each with its exit status."""

import logging
from typing import Any

SUBSTITUTION = logging.WARNING + 5
"""The level of a message that other data is used than was asked for. `--quiet` shows it too."""


class RecipeError(Exception):
    """A failure that the user's input did not cause; its message says what to do next."""

    exit_code: int = 1


class GoalNotReachedError(RecipeError):
    """Training ended, restarts included, without reaching the recipe's goal."""


class StoppedError(RecipeError):
    """Someone stopped a fit; `exit_code` is 128 plus the signal's number, as in a shell."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class InputError(RecipeError, ValueError):
    """Wrong usage or wrong input: what was expected, what was received, what to do next."""

    exit_code = 2


class UnsafeModelError(RecipeError):
    """A model was refused because opening it could do more than compute."""

    exit_code = 3


class CorruptModelError(RecipeError):
    """A saved model is damaged, incomplete, or not the one its card describes."""

    exit_code = 4


class NoMemoryError(RecipeError):
    """There is not enough memory on this machine, or for this process."""


_NO_MEMORY = (
    "cannot allocate memory",
    "failed to allocate",
    "failed to map segment",
    "oom when allocating",
    "out of memory",
    "std::bad_alloc",
    "unable to allocate",
    "can't start new thread",
)
"""What libraries say where memory is short, in lower case."""


def no_memory(error: BaseException, task: str) -> NoMemoryError | None:
    """Return an error that says so if memory was short; None if another cause is likelier.

    Args:
        error: What was raised.
        task: What the memory was for, such as "to start Keras".
    """
    said = str(error).lower()
    if isinstance(error, MemoryError) or any(words in said for words in _NO_MEMORY):
        return NoMemoryError(
            f"not enough memory {task} ({printable(first_line(error), 120)}); close other "
            "programs, or raise the limit of this process (ulimit -v)"
        )
    return None


def described(value: Any) -> str:
    """Describe a value for a message: by its shape, by itself, or by its type."""
    import reprlib

    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{getattr(value, 'dtype', type(value).__name__)} of shape {shape}"
    if value is None or isinstance(value, str | bytes | int | float | list | tuple | dict | set):
        return printable(reprlib.repr(value))
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeio' else 'a'} {name}"


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or its type if it has no message."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def printable(text: object, longest: int = 80) -> str:
    """Return text from a file as one short line without control characters, for a terminal."""
    spelt = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)[: longest + 1])
    return spelt if len(spelt) <= longest else f"{spelt[:longest]}..."
