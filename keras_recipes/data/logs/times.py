"""Where the times of log lines are, and how they are read.

The first lines of a log show which of the `spellings` it has and where: at the beginning of the
lines, or after a level, a label, a name or `ts=`.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keras_recipes.data.logs.spellings import (
    FIRST,
    READINGS,
    SPELLINGS,
    UNITED,
    problem_of,
    searching,
)
from keras_recipes.data.logs.time_values import is_cyclic, near, read

ANYWHERE_BELOW = 512
"""Number of bytes at the beginning of a line in which its time is looked for."""

AT_ONCE = 100
"""Number of lines at the beginning, in the middle and at the end that a place is looked for in."""

HEADLINES = 0.1
"""The smallest share of lines with a time where a time begins an event of several lines."""

LEFT = 24
"""The column up to which a line of several begins with its time."""

_DOTTED = re.compile(rb"(?<!\d)\d{1,2}\.\d{1,2}\.\d\d")

Found = tuple[int, int, float]
"""Where a time begins and ends in a line, and its seconds since 1970."""

START = "start"
"""The place that cards of before have: a time of one of `FIRST`, at the beginning of a line."""


@dataclass(frozen=True)
class TimePlace:
    """Where the time of a line is.

    Attributes:
        spelling: A name of `SPELLINGS`, a format as for strptime, or `START`.
        nth: Which of the times in a line that are spelt so, from 0.
    """

    spelling: str
    nth: int = 0

    @classmethod
    def of_text(cls, text: str) -> "TimePlace":
        """Return the place that `str` gives.

        Raises:
            ValueError: There is no such place.
        """
        spelling, _, nth = text.partition("#")
        problem = problem_of(spelling) if spelling != START else ""
        if problem:
            raise ValueError(problem)
        if not (nth or "0").isdecimal() or len(nth) > 1:
            raise ValueError(f"{text!r} does not say which of a line's times it is")
        return cls(spelling, int(nth or 0))

    def __str__(self) -> str:
        return f"{self.spelling}#{self.nth}" if self.nth else self.spelling

    @property
    def is_cyclic(self) -> bool:
        """Whether the times come again each day or year, so that `near` has to continue them."""
        return self.spelling != START and is_cyclic(self.spelling)

    def find(self, line: bytes) -> "Found | None":
        """Return where the time of a line begins and ends, and its seconds since 1970, or None."""
        return self.finder()(line)

    def finder(self) -> "Callable[[bytes], Found | None]":
        """Return a function that does what `find` does; it is faster for several lines."""
        if self.spelling == START:
            return _at_start
        spelling = self.spelling

        def find(line: bytes) -> "Found | None":
            match = self._nth(line)
            if match is None or (seconds := read(spelling, match[0])) is None:
                return None
            return *_around(line, match), seconds

        return find

    def split(self, lines: Sequence[bytes]) -> "tuple[list[bytes], list[float | None]]":
        """Return the lines without their times, and the times; None for a line without one.

        It does for all lines what `find` does for one, faster.
        """
        if self.spelling == START:
            hits = [(line, _at_start(line)) for line in lines]
            without = [line[hit[1] :] if hit else line for line, hit in hits]
            return without, [hit[2] if hit else None for _, hit in hits]
        search, spelling, others = searching(self.spelling).search, self.spelling, self.nth
        rests: list[bytes] = []
        seconds: list[float | None] = []
        last, time = b"", None
        for line in lines:
            match = search(line, 0, ANYWHERE_BELOW) if not others else self._nth(line)
            if match:
                text = match[0]
                if text != last:  # several lines in a row have the same time
                    last, time = text, read(spelling, text)
                begin, end = match.span()
                if time is None:
                    rests.append(line)
                else:
                    rests.append(_without(line, match) if begin else line[end:])
                seconds.append(time)
            else:
                rests.append(line)
                seconds.append(None)
        return rests, seconds

    def _nth(self, line: bytes) -> "re.Match[bytes] | None":
        search = searching(self.spelling).search
        match = search(line, 0, ANYWHERE_BELOW)
        for _ in range(self.nth):
            match = match and search(line, match.end(), ANYWHERE_BELOW)
        return match


def _around(line: bytes, match: "re.Match[bytes]") -> tuple[int, int]:
    """Return where a time begins and ends, with the brackets around it."""
    begin, end = match.span()
    if begin and line[begin - 1] in b"[(" and line[end : end + 1] in (b"]", b")"):
        return begin - 1, end + 1
    return begin, end


def _without(line: bytes, match: "re.Match[bytes]") -> bytes:
    begin, end = _around(line, match)
    return line[:begin] + line[end:]


def _at_start(line: bytes) -> Found | None:
    begin = 1 if line[:1] in (b"[", b"(") else 0
    for name in FIRST:
        match = searching(name).match(line, begin)
        if match and (seconds := read(name, match[0])) is not None:
            end = match.end()
            return 0, end + (line[end : end + 1] in (b"]", b")")), seconds
    return None


def place_of(lines: Sequence[bytes]) -> TimePlace | None:
    """Return where the lines have their times, or None if too few of them have one.

    A spelling that most lines have beats one that fewer have, and a time of a day; among equals the
    one that begins first is chosen. Numbers and times of a day count only where they nearly always
    grow, and a time that is the same in every line, such as one in a file's name, does not count.
    Half of the lines must have a time, or a tenth where it begins an event of several lines.

    Args:
        lines: The first lines.
    """
    some = _heads(lines)
    best: tuple[int, float, float, int] | None = None
    chosen = None
    for order, name in enumerate(SPELLINGS):
        for nth in range(3):
            hits = _hits(TimePlace(name, nth), some)
            if len(hits) < HEADLINES * max(1, len(some)):
                break
            times = [time for _, _, time in hits]
            if len(set(times)) == 1 and len(some) > 2 and (nth or _has_more(name, some)):
                continue
            begins = sum(begin for begin, _, _ in hits) / len(hits)
            whole = 2 * len(hits) >= len(some)
            sure = whole and name not in UNITED
            if not sure and not (_grows(times) and (whole or begins <= LEFT)):
                continue
            tier = 0 if sure or (whole and name != "clock") else 1 if whole else 2
            rank = (tier, -round(len(hits) / len(some), 1), begins, order)
            if best is None or rank < best:
                best, chosen = rank, TimePlace(name, nth)
            break
    return _as_together(chosen, lines) if chosen else None


def _heads(lines: Sequence[bytes]) -> list[bytes]:
    """Return some of the lines, without those that go on with the line before."""
    heads = [line for line in lines if line[:1] not in (b" ", b"\t")]
    heads = heads if 2 * len(heads) > len(lines) or len(heads) > 10 else list(lines)
    if len(heads) <= 3 * AT_ONCE:
        return heads
    middle = (len(heads) - AT_ONCE) // 2
    return heads[:AT_ONCE] + heads[middle : middle + AT_ONCE] + heads[-AT_ONCE:]


def _hits(place: TimePlace, lines: Sequence[bytes]) -> list[Found]:
    find, found, before = place.finder(), [], 0.0
    for line in lines:
        if hit := find(line):
            if place.is_cyclic:
                before = near(place.spelling, hit[2], before)
                hit = (*hit[:2], before)
            found.append(hit)
    return found


def _has_more(name: str, lines: Sequence[bytes]) -> bool:
    """Return whether the lines have other times, so that a constant one is not theirs."""
    others = (n for n in SPELLINGS if n != name)
    return TimePlace(name, 1).find(lines[-1]) is not None or any(
        len({hit[2] for line in lines if (hit := TimePlace(n).find(line))}) > 1 for n in others
    )


def _grows(times: Sequence[float]) -> bool:
    steps = [after - before for before, after in itertools.pairwise(times)]
    return sum(step >= 0 for step in steps) >= 0.9 * len(steps)


def _as_together(place: TimePlace, lines: Sequence[bytes]) -> TimePlace:
    """Return which number is the day, the month and the year, as the lines together show it.

    Dots are written between day, month and year only in this order. Otherwise a number above 12 is
    no month, and nothing was logged in the future; of what is left, the reading whose times lie
    closer together is chosen.
    """
    names = next((names for names in READINGS if place.spelling in names), ())
    tomorrow = datetime.now(UTC).timestamp() + 86_400
    ranks = {}
    for name in names:
        hits = [(line, hit) for line in lines if (hit := TimePlace(name, place.nth).find(line))]
        seconds = [hit[2] for _, hit in hits]
        span = max(seconds, default=0.0) - min(seconds, default=0.0)
        dotted = any(_DOTTED.search(line, *hit[:2]) for line, hit in hits)
        wrong = dotted and "day/month" not in name
        late = max(seconds, default=0.0) > tomorrow
        ranks[name] = (wrong, -len(hits), late, span)
    if not ranks:
        return place
    return TimePlace(min(ranks, key=lambda name: ranks[name]), place.nth)


class Reader:
    """Reads times that stand alone, as a field of JSON does; most are spelt like the one before."""

    def __init__(self, usual: str = "iso") -> None:
        """Prepare to read.

        Args:
            usual: The spelling to try first.
        """
        self._usual, self._before = usual, 0.0

    def read(self, value: Any) -> float | None:
        """Return a time in seconds since 1970, or None if it cannot be read as one.

        Args:
            value: A text, or seconds, milliseconds, microseconds or nanoseconds since 1970.
        """
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _since_1970(value)
        if isinstance(value, str):
            value = value.encode(errors="replace")
        # What `read` reads is cached, so it has to be short.
        if not isinstance(value, bytes) or len(value) > ANYWHERE_BELOW:
            return None
        text = value.strip().removeprefix(b"[").removesuffix(b"]")
        seconds = read(self._usual, text)
        if seconds is None and "%" not in self._usual:
            for name in SPELLINGS:
                seconds = None if name in ALONE_NO_TIME else read(name, text)
                if seconds is not None:
                    self._usual = name
                    break
        if seconds is not None and is_cyclic(self._usual):
            seconds = self._before = near(self._usual, seconds, self._before)
        return seconds


ALONE_NO_TIME = ("uptime", "uptime s", "clock")
"""Spellings of texts that may well be no times where nothing stands around them."""


def _since_1970(value: float) -> float | None:
    """Return seconds; the size of the number shows its unit."""
    if not 1e8 <= value < 1e20:  # from 1973 on; nanoseconds have 19 digits
        return None
    for unit in (1, 1e3, 1e6, 1e9):
        if value < 1e11 * unit:
            return value / unit
    return None
