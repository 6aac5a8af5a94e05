"""Measurements in messages: durations, sizes, lengths of queues.

A measurement is a number that is named by the word or the key before it, such as `took 90 ms`,
`size 67108864` or `queue=12`, or by its field in a line of JSON. The normal log decides which names
are measurements: their numbers vary, and are neither times nor identifiers nor counters.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_recipes.data.logs import json_fields

UNITS: dict[bytes, float] = {
    b"": 1.0,
    **dict.fromkeys((b"ns", b"nanoseconds"), 1e-9),
    **dict.fromkeys((b"us", b"\xc2\xb5s", b"\xce\xbcs", b"usec", b"microseconds"), 1e-6),
    **dict.fromkeys((b"ms", b"msec", b"millis", b"milliseconds"), 1e-3),
    **dict.fromkeys((b"s", b"sec", b"secs", b"second", b"seconds"), 1.0),
    **dict.fromkeys((b"m", b"min", b"mins", b"minute", b"minutes"), 60.0),
    **dict.fromkeys((b"h", b"hour", b"hours"), 3_600.0),
    **dict.fromkeys((b"B", b"byte", b"bytes", b"%", b"percent"), 1.0),
    **dict.fromkeys((b"kB", b"KB", b"k", b"K", b"KiB"), 2.0**10),
    **dict.fromkeys((b"MB", b"M", b"MiB"), 2.0**20),
    **dict.fromkeys((b"GB", b"G", b"GiB"), 2.0**30),
}
"""What a unit is worth in seconds or bytes, so that `1.2 s` and `900 ms` can be compared."""

UNIT_NAMES = tuple(UNITS)

MOST = 100
"""The largest number of names of measurements."""

MOST_NAMES = 1_000
"""The largest number of names whose numbers are looked at."""

SAMPLE = 1_000
"""The largest number of numbers of a name that are looked at."""

FEWEST = 20
"""The smallest number of numbers that shows that a name is a measurement."""

FEWEST_VALUES = 10
"""The smallest number of different ones."""

LONGEST_NAME = 60

REMEMBERED, REMEMBERED_BYTES = 200_000, 1 << 26
"""The largest number of masked messages that are cached with the names in them, and their bytes."""

TREND = 0.8
"""The rank correlation of a number with its place in the log from which on it is a counter."""

_BEGIN = rb"(?<![A-Za-z])"
_NUMBER = rb"\d{1,15}(?:\.\d{1,9})?"
_UNIT = rb"[A-Za-z%\xb5\xc2\xce\xbc]{0,12}"
_END = rb"(?![\w/-]|[.:]\d)"
_VALUE = _NUMBER + b" ?" + _UNIT + _END
_PARTS = re.compile(b"(" + _NUMBER + b")( ?)(" + _UNIT + b")" + _END)
# The unit is not consumed, because it may be the next name, as in `port 80 queue=5`.
_NAMED = re.compile(
    rb"(?<![\w.])([A-Za-z_][A-Za-z_.-]{0,39}[\"']?(?: ?[=:] ?|[ (])[\"']?)"
    + b"(" + _NUMBER + b")(?=( ?)(" + _UNIT + b")" + _END + b")"
)  # fmt: skip

_IDENTIFIER = re.compile(
    "account|addr|address|block|blk|build|channel|client|code|core|customer|date|day|epoch|errno|"
    "error|exit|gid|hash|host|hour|id|ids|idx|index|invoice|item|job|key|line|month|nr|no|node|num|"
    "number|order|parcel|part|partition|pid|port|rank|rc|reason|req|request|rev|revision|row|seq|"
    "sequence|serial|session|shard|signal|slot|status|task|term|thread|ticket|tid|timestamp|token|"
    "ts|uid|user|ver|version|vlan|worker|year"
)
"""A word before identifiers."""

_MEASURED = re.compile(
    "bytes|count|cpu|delay|depth|duration|elapsed|free|lag|latency|len|length|load|mem|memory|"
    "percent|queue|rate|records|rows|rtt|size|speed|temp|temperature|time|took|total|usage|used|"
    "wait|waited"
)
"""A word before measurements, also where no unit follows."""

_WORDS = re.compile(r"[A-Za-z][a-z]*")


@dataclass(frozen=True)
class Measures:
    """The names of the measurements of a log.

    Attributes:
        names: What is before the number, such as `took ` or `queue=`.
        fields: The names of fields of JSON; they are numbered after the other names.
    """

    names: tuple[bytes, ...] = ()
    fields: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names) + len(self.fields)

    def name(self, number: int) -> bytes:
        """Return what is written before the number of a measurement."""
        if number < len(self.names):
            return self.names[number]
        return self.fields[number - len(self.names)].encode() + b"="

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"names": [name.decode() for name in self.names], "fields": list(self.fields)}

    @classmethod
    def from_json(cls, values: Any) -> "Measures":
        """Return the names of `to_json`'s values, which may be untrusted.

        Raises:
            ValueError: The values are damaged.
        """
        known = values if isinstance(values, dict) else {}
        names, fields = known.get("names"), known.get("fields")
        for some in (names, fields):
            if not isinstance(some, list) or len(some) > MOST or not all(map(_is_name, some)):
                raise ValueError("the measurements are damaged")
        assert names is not None
        assert fields is not None
        return cls(tuple(name.encode() for name in names), tuple(fields))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST_NAME


Value = tuple[int, float, int]
"""The number of a name; the number in seconds, bytes or as it is; and the number of its unit."""

Pattern = re.Pattern[bytes]


class Reader:
    """Reads the measurements of messages."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        self._patterns: dict[bytes, tuple[tuple[int, Pattern], ...]] = {}
        self._bytes = 0
        self._values: dict[bytes, Value | None] = {}
        self._literals = [(name, re.escape(name)) for name in measures.names]
        self._compiled = {
            alone: [
                re.compile((b"" if alone else _BEGIN) + literal + _VALUE)
                for _, literal in self._literals
            ]
            for alone in (False, True)
        }

    def read(
        self, messages: Sequence[bytes], masked: Sequence[bytes]
    ) -> "tuple[list[Value], list[int]]":
        """Return the measurements in messages, and the number of the message of each.

        Args:
            messages: The messages.
            masked: The same messages, masked.
        """
        if len(self._values) >= REMEMBERED:
            self._values.clear()
        events: dict[bytes, list[int]] = defaultdict(list)
        found = enumerate(map(self._patterns.get, masked))
        for event in [event for event, patterns in found if patterns != ()]:
            events[masked[event]].append(event)
        values: list[Value] = []
        numbers: list[int] = []
        for message, its in events.items():
            for name, pattern in self._patterns_of(message):
                texts, where = _matches(pattern, its, messages)
                for text in set(texts).difference(self._values):
                    self._add(name, text)
                # The same numbers come again and again, and most of them are measurements.
                some = [self._values[text] for text in texts]
                if None in some:
                    where = [event for event, value in zip(where, some, strict=True) if value]
                values += [value for value in some if value]
                numbers += where
        return values, numbers

    def _patterns_of(self, masked: bytes) -> "tuple[tuple[int, Pattern], ...]":
        """Return how the measurements of a masked message are found; most messages have none."""
        if masked not in self._patterns:
            if len(self._patterns) >= REMEMBERED or self._bytes > REMEMBERED_BYTES:
                self._patterns.clear()
                self._bytes = 0
            self._bytes += len(masked)
            self._patterns[masked] = tuple(
                # A pattern that begins with letters is searched much faster.
                (number, self._compiled[masked.count(name) == 1][number])
                for number, (name, literal) in enumerate(self._literals)
                if re.search(_BEGIN + literal, masked)
            )
        return self._patterns[masked]

    def _add(self, name: int, text: bytes) -> None:
        """Remember a name and its number, such as `took 90 ms`, as a measurement, or None."""
        match = _PARTS.fullmatch(text, len(self.measures.names[name]))
        amount = match and _amount(match)
        self._values[text] = (name, *amount) if amount else None

    def of_object(self, value: dict[str, Any]) -> "list[Value]":
        """Return the measurements in the fields of a line of JSON."""
        found = []
        for number, name in enumerate(self.measures.fields, len(self.measures.names)):
            item = json_fields.field(value, name)
            if _is_amount(item):
                found.append((number, float(item), 0))
        return found


def _matches(
    pattern: Pattern, events: Sequence[int], messages: Sequence[bytes]
) -> tuple[list[bytes], Sequence[int]]:
    """Return the first match in each of these messages that has one, and the messages' numbers."""
    found = pattern.findall(b"\n".join([messages[event] for event in events]))
    if len(found) == len(events):  # nearly always, and much faster
        return found, events
    each = [(event, pattern.search(messages[event])) for event in events]
    hits = [(match[0], event) for event, match in each if match]
    return [text for text, _ in hits], [event for _, event in hits]


def _amount(match: "re.Match[bytes]") -> tuple[float, int] | None:
    """Return a number in seconds, in bytes or as it is, and the number of its unit."""
    number, blank, unit = match.groups()[-3:]
    if unit in UNITS:
        return float(number) * UNITS[unit], UNIT_NAMES.index(unit)
    return (float(number), 0) if blank or not unit else None


def _is_amount(item: Any) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item < 1e15


@dataclass
class MeasurementCensus:
    """Collects numbers by their names, to find which are measurements.

    Attributes:
        values: The first numbers of each name in the order of the lines.
        units: The names that had a unit.
    """

    values: dict[bytes | str, "array[float]"] = field(default_factory=dict)
    units: set[bytes] = field(default_factory=set)

    def message(self, text: bytes) -> None:
        """Look at the numbers of a message."""
        for match in _NAMED.finditer(text):
            amount = _amount(match)
            if amount:
                self._add(match[1], amount[0])
                if amount[1] and len(self.units) < MOST_NAMES:
                    self.units.add(match[1])

    def object_field(self, name: str, value: Any) -> None:
        """Look at the field of a line of JSON."""
        if _is_amount(value):
            self._add(name, float(value))

    def _add(self, name: bytes | str, value: float) -> None:
        if name not in self.values and len(self.values) >= MOST_NAMES:
            return
        numbers = self.values.setdefault(name, array("d"))
        if len(numbers) < SAMPLE:
            numbers.append(value)

    def measures(self, without: "Collection[bytes | str]" = ()) -> Measures:
        """Return which names are measurements, without names that have another meaning."""
        good = [
            name
            for name, numbers in self.values.items()
            if name not in without
            and is_measurement(_text(name), np.array(numbers), has_unit=name in self.units)
        ]
        names = sorted(name for name in good if isinstance(name, bytes) and _is_name(_text(name)))
        fields = sorted(name for name in good if isinstance(name, str) and _is_name(name))
        return Measures(tuple(names[:MOST]), tuple(fields[:MOST]))


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")


def is_measurement(name: str, numbers: np.ndarray, *, has_unit: bool = False) -> bool:
    """Return whether the numbers of a name are measurements.

    Args:
        name: The word or key before the numbers.
        numbers: The numbers in the order of the lines, float64 of shape (N,).
        has_unit: Whether a unit comes after a number.
    """
    if len(numbers) < FEWEST or len(np.unique(numbers)) <= FEWEST_VALUES or _has_trend(numbers):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    if has_unit or any(map(_MEASURED.fullmatch, words)):
        return True
    return not any(map(_IDENTIFIER.fullmatch, words)) and not _like_identifiers(numbers)


def _has_trend(numbers: np.ndarray) -> bool:
    """Return whether numbers grow with the log, as those of a counter or a clock do."""
    ranks = np.unique(numbers, return_inverse=True)[1]
    return bool(abs(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]) > TREND)


def _like_identifiers(numbers: np.ndarray) -> bool:
    """Return whether nearly all numbers differ and are spread evenly, or are large and close."""
    if len(np.unique(numbers)) < 0.8 * len(numbers):
        return False
    low, high = float(numbers.min()), float(numbers.max())
    if low > 1e6 and high < 2 * low:
        return True
    even = np.linspace(0, 1, len(numbers))
    apart = np.abs(np.sort((numbers - low) / (high - low)) - even).max()
    return bool(apart < 1.63 / np.sqrt(len(numbers)))
