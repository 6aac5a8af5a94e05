"""What of a message is masked, and what belongs to the event, as the normal log shows.

A status, an exit code or a field such as `outcome` takes few values, each of them often. Such
values belong to the event, so that `exit code 137` is a new event where the normal log has only
`exit code 0`. An identifier or a measurement takes many values, or some of them only once. It is
masked. The normal log decides which is which.

A number is told by the word before it: `code` in `exit code 137`, `status=` in `status=503`. Among
the first words of a line, one with digits whose letters vary too, such as a rack or a host, is an
identifier. The whole word is masked then.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_recipes.data.logs import json_fields
from keras_recipes.data.logs.measurements import MeasurementCensus, Measures

LARGEST_SET = 10
"""The largest number of values of a closed set."""

FEWEST = 20
"""The smallest number of lines that can show that a set is closed."""

PER_VALUE = 10
"""The smallest number of lines per value, on average."""

MOST_SETS = 200
"""The largest number of closed sets of a log."""

LONGEST_NAME = 60

FIRST_WORDS = 8
"""The number of words at the beginning of a line that may be identifiers."""

# A whole number of up to five digits that is no part of a word, a path, a version, an address, a
# time or a date.
_NUMBER = re.compile(rb"(?:(?<![\w./:\\%+-])|(?<=[A-Za-z_\"]:))-?\d{1,5}(?![\w%-]|[./:]\d|/)")
DIGITS = b"0123456789"
KEPT = bytes.maketrans(DIGITS, bytes(range(0x10, 0x1A)))
SHOWN = bytes.maketrans(bytes(range(0x10, 0x1A)), DIGITS)
_KEPT = re.compile("[\x10-\x19]")
_OUTCOME = re.compile(r"status|code|exit|errno|result|outcome|\brc\b", re.IGNORECASE)


@dataclass(frozen=True)
class Masking:
    """What is masked in the messages of a log.

    Attributes:
        words: The words before numbers that are closed sets, without digits.
        fields: The names of JSON fields that are closed sets.
        identifiers: The numbers, from 0, of the words of a line that are masked as a whole.
        measures: The names of the measurements, which are masked and judged apart.
    """

    words: frozenset[bytes] = frozenset()
    fields: tuple[str, ...] = ()
    identifiers: tuple[int, ...] = ()
    measures: Measures = field(default_factory=Measures)

    @property
    def digits_only(self) -> bool:
        """Whether nothing but digits is masked, and all digits are."""
        return not self.words and not self.identifiers

    def mask(self, text: bytes) -> bytes:
        """Return a message without digits but for those of closed sets, as control characters."""
        if self.identifiers:
            text = self._without_identifiers(text)
        masked = text.translate(None, DIGITS)
        if not self.words or not any(word in masked for word in self.words):
            return masked
        return _NUMBER.sub(self._keep, text).translate(None, DIGITS)

    def _without_identifiers(self, text: bytes) -> bytes:
        words = text.split(None, self.identifiers[-1] + 1)
        for place in self.identifiers:
            if place < len(words):
                words[place] = b"*"
        return b" ".join(words)

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
        numbers = list(self.identifiers)
        found = {"words": words, "fields": list(self.fields), "identifiers": numbers}
        return {**found, "measures": self.measures.to_json()} if self.measures else found

    @classmethod
    def from_json(cls, values: Any) -> "Masking":
        """Return the sets of `to_json`'s values, which may be untrusted.

        Raises:
            ValueError: The values are damaged.
        """
        if not isinstance(values, dict):
            raise ValueError("the masking is damaged")
        words, fields = values.get("words", []), values.get("fields", [])
        places = values.get("identifiers", [])
        whole = isinstance(places, list) and all(type(place) is int for place in places)
        if not whole or not set(places) <= set(range(FIRST_WORDS)):
            raise ValueError("the masking is damaged")
        for names in (words, fields):
            good = isinstance(names, list) and len(names) <= MOST_SETS
            if not good or not all(
                isinstance(n, str) and 0 < len(n) <= LONGEST_NAME for n in names
            ):
                raise ValueError("the masking is damaged")
        known = frozenset(word.encode() for word in words)
        measures = Measures.from_json(values["measures"]) if "measures" in values else Measures()
        return cls(known, tuple(fields), tuple(sorted(set(places))), measures)


def has_kept_digits(word: str) -> bool:
    """Return whether a word of a masked message has digits that belong to a closed set."""
    return _KEPT.search(word) is not None


def name_of(match: "re.Match[bytes]") -> bytes:
    """Return the word or the key before a number, without digits; empty if there is none.

    Where the word before it is a number too, that number's name and a blank are its name.
    """
    before = match.string[max(0, match.start() - LONGEST_NAME) : match.start()]
    for begin in _word_starts(before):
        name: bytes = before[begin:].translate(None, DIGITS)
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
        lines: The number of messages.
        columns: The counts of the first words that have digits, without the digits.
        measurements: The numbers that may be measurements.
    """

    values: dict[bytes | str, Counter[Any] | None] = field(default_factory=dict)
    lines: int = 0
    columns: tuple[Counter[bytes], ...] = field(
        default_factory=lambda: tuple(Counter() for _ in range(FIRST_WORDS))
    )
    measurements: MeasurementCensus = field(default_factory=MeasurementCensus)

    digits_only = False
    measures = Measures()

    def mask(self, text: bytes) -> bytes:
        """Count the numbers of a message; return it without digits."""
        self.lines += 1
        for match in _NUMBER.finditer(text):
            self._add(name_of(match), match[0])
        self.measurements.message(text)
        for word, counts in zip(text.split(None, FIRST_WORDS), self.columns, strict=False):
            letters = word.translate(None, DIGITS)
            if letters != word and len(counts) < 1_000:
                counts[letters] += 1
        return text.translate(None, DIGITS)

    def of_object(self, value: dict[str, Any]) -> bytes:
        """Count the fields of a line of JSON that have no other meaning; return no bytes."""
        known = (json_fields.TIME, json_fields.MESSAGE, json_fields.LEVEL, json_fields.SESSION)
        other = {json_fields.named(value, names) for names in known}
        for name, scalar in json_fields.scalars(value):
            if name not in other and len(name) <= LONGEST_NAME:
                self._add(name, scalar)
                self.measurements.object_field(name, scalar)
        return b""

    def _add(self, name: bytes | str, value: Any) -> None:
        counts = self.values.get(name, Counter()) if len(self.values) < 10_000 else None
        if counts is not None:
            counts[value] += 1
        self.values[name] = counts if counts is None or len(counts) <= LARGEST_SET else None

    def masking(self) -> Masking:
        """Return what the lines show."""
        good = {name for name, counts in self.values.items() if counts and _tells(name, counts)}
        words = sorted(name for name in good if isinstance(name, bytes) and name.strip())
        fields = sorted(name for name in good if isinstance(name, str))
        known = {word for word in words if _is_text(word)}
        least = max(FEWEST, self.lines // 2)
        identifiers = tuple(
            place
            for place, counts in enumerate(self.columns)
            if len(counts) > 1 and sum(counts.values()) >= least
        )
        kept = frozenset(sorted(known)[:MOST_SETS]), tuple(fields[:MOST_SETS])
        return Masking(*kept, identifiers, self.measurements.measures(without=good))


def is_closed(counts: Mapping[Any, int]) -> bool:
    """Return whether values are so few and each so frequent that another one is unlikely.

    Args:
        counts: The number of lines in which each value occurs.
    """
    lines = sum(counts.values())
    return lines >= max(FEWEST, PER_VALUE * len(counts)) and min(counts.values()) > 1


def _tells(name: bytes | str, counts: Mapping[Any, int]) -> bool:
    """Return whether values are a closed set that tells how something ended.

    Numbers have a usual value then, such as 0 or 200, or a name that says so. The numbers of
    workers or parts, which are few too, are equally frequent.
    """
    numbers = all(_is_number(value) for value in counts)
    usual = 2 * max(counts.values()) >= sum(counts.values())
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return is_closed(counts) and (usual or not numbers or bool(_OUTCOME.search(text)))


def _is_number(value: Any) -> bool:
    return isinstance(value, bytes | int | float) and not isinstance(value, bool)


def _is_text(word: bytes) -> bool:
    try:
        return bool(word.decode())
    except UnicodeDecodeError:
        return False
