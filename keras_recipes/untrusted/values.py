"""The values of arguments in a configuration: each kind is a function that checks one value."""

import math
import re
from collections.abc import Callable
from typing import Any

from keras_recipes.errors import printable
from keras_recipes.untrusted import allowed

LARGEST = 2**31 - 1
LARGEST_NUMBER = 1e30
SMALL, FEW = 8192, 64
LONGEST_NAME, LONGEST_TEXT, LONGEST_WORD = 255, 100, 1000
MOST_AXES, MOST_NUMBERS = 16, 1_000_000

# Words such as "same", "half_pixel" or "abc,cd->abd", but no paths or addresses.
_TEXT = re.compile(r"[A-Za-z0-9_ .,>()*-]*", re.ASCII)


class UnacceptableError(ValueError):
    """An argument of this kind cannot have the value; the message says what was expected."""


class UnsafeValueError(UnacceptableError):
    """The value may name code or a file that Keras would look up."""


def check(kind: str, value: Any) -> Any:
    """Return the value if an argument of this kind may have it.

    Raises:
        UnacceptableError: An argument of this kind cannot have the value.
    """
    if value is None and kind != "words":
        return None
    return KINDS[kind](value)


def name(value: Any) -> str:
    """Return a layer's name; it becomes part of messages, files and graphs."""
    good = isinstance(value, str) and value.isprintable() and not set(value) & {"/", "\\"}
    if not good or not 0 < len(value) <= LONGEST_NAME:
        raise UnacceptableError("a name of printable characters without slashes")
    return str(value)


def shape(value: Any) -> Any:
    """Return nested lists of sizes; null is a free size, and named inputs have names."""
    if isinstance(value, dict):
        return {name(key): shape(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) <= 1000:
        return [shape(item) for item in value]
    return None if value is None else _integer(-1, LARGEST)(value)


def plain(value: Any) -> bool:
    """Return whether a value is a number, a boolean or null."""
    return value is None or isinstance(value, bool | int) or _is_number(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnacceptableError("true or false")
    return value


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) <= LARGEST_NUMBER


def _integer(least: int, most: int) -> Callable[[Any], int]:
    def check_integer(value: Any) -> int:
        right = isinstance(value, int) and not isinstance(value, bool)
        if not right or not least <= value <= most:
            raise UnacceptableError(f"an integer from {least:,} to {most:,}")
        return int(value)

    return check_integer


def _number(value: Any) -> int | float:
    if not _is_number(value):
        raise UnacceptableError("a number")
    return value  # type: ignore[no-any-return]


def _fraction(value: Any) -> int | float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise UnacceptableError("a number from 0 to 1")
    return value  # type: ignore[no-any-return]


def _positive(value: Any) -> int | float:
    if not _is_number(value) or value < 0:
        raise UnacceptableError("a number of at least 0")
    return value  # type: ignore[no-any-return]


def _nested(item: Callable[[Any], Any], most: int) -> Callable[[Any], Any]:
    """Return a check of one item, or nested lists of items, with at most `most` items."""

    def check_nested(value: Any) -> Any:
        if not isinstance(value, list):
            return None if value is None else item(value)
        if len(value) > most:
            raise UnacceptableError(f"at most {most:,} values")
        return [check_nested(part) for part in value]

    return check_nested


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not _TEXT.fullmatch(value):
        raise UnacceptableError("a word")
    return value


def _choice(*choices: str) -> Callable[[Any], str]:
    def check_choice(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise UnacceptableError(" or ".join(choices))
        return value

    return check_choice


def _switch(value: Any) -> bool | str:
    return value if isinstance(value, bool) else _text(value)


def _word(value: Any) -> str | int | float:
    if isinstance(value, str) and len(value) <= LONGEST_WORD:
        return value
    return _number(value)


def _words(value: Any) -> list[Any]:
    """Return a vocabulary; Keras would open a text as a path, or fetch it from an address."""
    if not isinstance(value, list) or not value or len(value) > MOST_NUMBERS:
        raise UnsafeValueError("the vocabulary itself as a list, not the name of a file")
    return [_word(item) for item in value]


def _null(value: Any) -> None:
    if value is not False:
        raise UnacceptableError("null")


_count = _integer(1, LARGEST)
_any_integer = _integer(-LARGEST, LARGEST)

KINDS: dict[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "count": _count,
    "natural": _integer(0, LARGEST),
    "small": _integer(1, SMALL),
    "few": _integer(1, FEW),
    "int": _any_integer,
    "seed": _any_integer,
    "number": _number,
    "fraction": _fraction,
    "positive": _positive,
    "counts": _nested(_count, MOST_AXES),
    "ints": _nested(_any_integer, 1000),
    "numbers": _nested(_number, MOST_NUMBERS),
    "shape": shape,
    "name": name,
    "text": _text,
    "token": _word,
    "salt": _nested(_any_integer, 2),
    "words": _words,
    "switch": _switch,
    "padding": _choice("valid", "same", "causal"),
    "data_format": _choice("channels_last", "channels_first"),
    "null": _null,
}


def quoted(value: Any) -> str:
    """Return the first characters of a value from a file, for a message."""
    return printable(repr(value), 60)


def by_name(kind: str, value: str) -> str:
    """Return the value if Keras has something of this kind by that name.

    Raises:
        UnacceptableError: Keras has nothing of this kind by that name.
    """
    if value not in allowed.names(kind):
        raise UnsafeValueError(f"the name of one of Keras' {kind}s")
    return value
