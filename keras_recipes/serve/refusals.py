"""Refusals: an error as one line of JSON with a status, without anything about this machine."""

import logging

import msgspec

from keras_recipes.errors import InputError, first_line, printable

LONGEST = 500
"""The most characters of a message; some repeat what was received."""

log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818  it is an answer, not a failure
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: What was expected, what was received, what to do next.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class GoneError(Exception):
    """The client went away, so nobody reads an answer."""


def content(message: str) -> bytes:
    """Return the body of an error's answer: `{"error": ...}` on one line."""
    return msgspec.json.encode({"error": printable(message, LONGEST)}) + b"\n"


def of(error: BaseException) -> Refusal:
    """Return the refusal that answers an error; what is no fault of the request is logged."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InputError):
        return Refusal(422, str(error))
    # The message may name files of this machine.
    log.error("unexpected %s: %s", type(error).__name__, first_line(error))
    log.debug("where:", exc_info=error)
    return Refusal(500, "the server failed; its log says why")
