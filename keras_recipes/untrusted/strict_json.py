"""Read JSON strictly, so that every reader would read the same values."""

import itertools
import json
import math
import re
from typing import Any

from keras_recipes.errors import CorruptModelError, printable

MOST_BYTES = 16 << 20
DEEPEST = 100
MOST_VALUES = 1_000_000
LONGEST_NUMBER = 40
LARGEST_INTEGER = 2**63
ADVICE = "get it again"

# A string that never ends goes to the end of the text, so that the search takes linear time.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NESTING = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_NESTING))


def parse(content: bytes, where: str) -> Any:
    """Read JSON: UTF-8 without a byte order mark, unique keys, finite numbers, limited depth.

    Args:
        content: The bytes of the file.
        where: The name of the file, for the messages.

    Raises:
        CorruptModelError: The content is anything else.
    """
    try:
        _check_size(content)
        text = content.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse,
            parse_int=_integer,
            parse_float=_float,
        )
        if "\\u" in text:
            _check_surrogates(value)
    except UnicodeDecodeError as error:
        raise CorruptModelError(
            f"{where}: damaged, expected JSON in UTF-8, received another byte at {error.start}; "
            f"{ADVICE}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(
            f"{where}: damaged, not JSON: {printable(error, 120)}; {ADVICE}"
        ) from None
    return value


def _check_size(content: bytes) -> None:
    if not content.strip():
        raise ValueError("it is empty")
    if content.startswith(b"\xef\xbb\xbf"):
        raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    # Python's own reader uses the stack of the process for each level.
    brackets = _STRING.sub(b"", content).translate(None, _NO_BRACKETS)
    if max(itertools.accumulate(_NESTING[c] for c in brackets), default=0) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    if content.count(b",") > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES:,} values")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("duplicate key")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number in JSON")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER or abs(int(digits)) >= LARGEST_INTEGER:
        raise ValueError(f"an integer has {len(digits)} digits, too many")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER or not math.isfinite(float(digits)):
        raise ValueError(f"{digits[:20]} is not a finite number")
    return float(digits)


def _check_surrogates(value: Any) -> None:
    """Refuse half a surrogate pair: JSON can write one, but file names and HDF5 cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds half a character (a lone surrogate)") from None
