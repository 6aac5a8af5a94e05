"""Values that tell how something ended: numbers and JSON fields with few values in normal logs.

A status, an exit code or a field such as `outcome` takes few values, each of them often. Such
values belong to the event, so that `exit code 137` is a new event where the normal log has only
`exit code 0`. An identifier or a measurement takes many values, or some of them only once. It is
masked. The normal log decides which is which.

A number is told by the word before it: `code` in `exit code 137`, `status=` in `status=503`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_recipes.data.logs import json_fields

LARGEST_SET = 10
"""The largest number of values of a closed set."""

FEWEST = 20
"""The smallest number of lines that can show that a set is closed."""

PER_VALUE = 10
"""The smallest number of lines per value, on average."""

MOST_SETS = 200
"""The largest number of closed sets of a log."""

LONGEST_NAME = 60

# A whole number of up to five digits that is no part of a word, a path, a version, an address, a
# time or a date.
_NUMBER = re.compile(rb"(?:(?<![\w./:\\%+-])|(?<=[A-Za-z_\"]:))-?\d{1,5}(?![\w%-]|[./:]\d|/)")
_DIGITS = b"0123456789"
KEPT = bytes.maketrans(_DIGITS, bytes(range(0x10, 0x1A)))
SHOWN = bytes.maketrans(bytes(range(0x10, 0x1A)), _DIGITS)


@dataclass(frozen=True)
class ClosedSets:
    """The closed sets of a log.

    Attributes:
        words: The words before numbers, without digits.
        fields: Names of JSON fields.
    """

    words: frozenset[bytes] = frozenset()
    fields: tuple[str, ...] = ()

    def mask(self, text: bytes) -> bytes:
        """Return a message without digits but for those of closed sets, as control characters."""
        masked = text.translate(None, _DIGITS)
        if not self.words or not any(word in masked for word in self.words):
            return masked
        return _NUMBER.sub(self._keep, text).translate(None, _DIGITS)

    def _keep(self, match: "re.Match[bytes]") -> bytes:
        if name_of(match) not in self.words:
            return match[0]
        return match[0].translate(KEPT)

    def of_object(self, value: dict[str, Any]) -> bytes:
        """Return the closed fields of a line of JSON in words, digits as control characters."""
        found = ((name, json_fields.field(value, name)) for name in self.fields)
        return b"".join(
            b" " + name.encode() + b"=" + json_fields.as_bytes(value).translate(KEPT)
            for name, value in found
            if value is not None
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        words = sorted(word.decode(errors="replace") for word in self.words)
        return {"words": words, "fields": list(self.fields)}

    @classmethod
    def from_json(cls, values: Any) -> "ClosedSets":
        """Return the sets of `to_json`'s values, which may be untrusted.

        Raises:
            ValueError: The values are damaged.
        """
        if not isinstance(values, dict):
            raise ValueError("the closed sets are damaged")
        words, fields = values.get("words", []), values.get("fields", [])
        for names in (words, fields):
            good = isinstance(names, list) and len(names) <= MOST_SETS
            if not good or not all(
                isinstance(n, str) and 0 < len(n) <= LONGEST_NAME for n in names
            ):
                raise ValueError("the closed sets are damaged")
        return cls(frozenset(word.encode() for word in words), tuple(fields))


def name_of(match: "re.Match[bytes]") -> bytes:
    """Return the word or the key before a number, without digits; empty if there is none.

    Where the word before it is a number too, that number's name and a blank are its name.
    """
    before = match.string[max(0, match.start() - LONGEST_NAME) : match.start()]
    for begin in _word_starts(before):
        name: bytes = before[begin:].translate(None, _DIGITS)
        if name.strip(b" -"):
            return name
    return b""


def _word_starts(text: bytes) -> Iterator[int]:
    """Yield where the last, the last two and the last three words begin."""
    at = len(text.rstrip())
    for _ in range(3):
        at = text.rfind(b" ", 0, max(at, 0))
        yield at + 1


@dataclass
class Census:
    """Counts the values that may belong to closed sets, while they are few.

    Attributes:
        values: The counts of the values, by name; None for a name that has too many values.
    """

    values: dict[bytes | str, Counter[Any] | None] = field(default_factory=dict)

    def mask(self, text: bytes) -> bytes:
        """Count the numbers of a message; return it without digits."""
        for match in _NUMBER.finditer(text):
            self._add(name_of(match), match[0])
        return text.translate(None, _DIGITS)

    def of_object(self, value: dict[str, Any]) -> bytes:
        """Count the fields of a line of JSON that have no other meaning; return no bytes."""
        known = (json_fields.TIME, json_fields.MESSAGE, json_fields.LEVEL, json_fields.SESSION)
        other = {json_fields.named(value, names) for names in known}
        for name, scalar in json_fields.scalars(value):
            if name not in other and len(name) <= LONGEST_NAME:
                self._add(name, scalar)
        return b""

    def _add(self, name: bytes | str, value: Any) -> None:
        counts = self.values.get(name, Counter()) if len(self.values) < 10_000 else None
        if counts is not None:
            counts[value] += 1
        self.values[name] = counts if counts is None or len(counts) <= LARGEST_SET else None

    def closed(self) -> ClosedSets:
        """Return the sets that are closed as far as the lines can show."""
        good = {name for name, counts in self.values.items() if counts and is_closed(counts)}
        words = sorted(name for name in good if isinstance(name, bytes) and name.strip())
        fields = sorted(name for name in good if isinstance(name, str))
        known = {word for word in words if _is_text(word)}
        return ClosedSets(frozenset(sorted(known)[:MOST_SETS]), tuple(fields[:MOST_SETS]))


def is_closed(counts: Mapping[Any, int]) -> bool:
    """Return whether values are so few and each so frequent that another one is unlikely.

    Args:
        counts: The number of lines in which each value occurs.
    """
    lines = sum(counts.values())
    return lines >= max(FEWEST, PER_VALUE * len(counts)) and min(counts.values()) > 1


def _is_text(word: bytes) -> bool:
    try:
        return bool(word.decode())
    except UnicodeDecodeError:
        return False
