"""Reporting that a log fell silent, by its own clock or by the computer's.

A silence is told once. When the log talks and falls silent again, it is told again.
"""

import math
from collections.abc import Iterator, Sequence

from keras_recipes.anomaly.logs.kind import COLUMNS
from keras_recipes.anomaly.logs.log_clock import LogClock
from keras_recipes.data import lines, time_spans
from keras_recipes.data.logs import parser
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.parser import Records
from keras_recipes.errors import InputError
from keras_recipes.recipe import Row

OPTION = "idle_after"


def check(longest: str, layout: LogLayout, *, live: bool) -> None:
    """Refuse what silences cannot be found by.

    Args:
        longest: The time span.
        layout: How the lines are read.
        live: Whether the lines arrive on standard input, where the computer's clock helps.

    Raises:
        InputError: It is no time span, or the lines of files have no times.
    """
    time_spans.seconds(OPTION, longest)
    if not (live or layout.timed):
        raise InputError(
            f"{OPTION}: expected lines with times, and those of this log have none; leave it out, "
            "or give - instead of files"
        )


class Silence:
    """Finds the silences of one log that are longer than a time span."""

    def __init__(self, longest: str, files: Sequence[str] = ()) -> None:
        """Prepare to listen.

        Args:
            longest: The time span, such as `10m`.
            files: The names of the files. If there are several, a row's line is `FILE:NUMBER`.

        Raises:
            InputError: It is no time span.
        """
        self.seconds, self._text = time_spans.seconds(OPTION, longest), longest.strip()
        self._files, self._clock = files, LogClock()
        # The file and the number of the last line, and of the last one of an earlier time.
        self._last, self._before = (0, 0), (0, 0)
        self._told = 0.0

    def heard(self, times: Sequence[float], lines: Sequence[int], file: int = 0) -> Iterator[Row]:
        """Yield a row for each silence between the lines so far and these lines.

        Args:
            times: The times of the next lines in seconds since 1970.
            lines: Their line numbers.
            file: The number of their file.
        """
        clock = self._clock
        for when, line in zip(times, lines, strict=True):
            before, last = clock.now, clock.last
            clock.read(when)
            if clock.now - before > self.seconds and before:
                # The last time ended the silence, and this line confirms it.
                yield from self._tell(before, self._before)
            if when != last:
                self._before = self._last
            self._last = file, line

    def over(self) -> Iterator[Row]:
        """Yield a row if there was a silence before the last line, which no line can confirm."""
        if self._clock.now and self._clock.last - self._clock.now > self.seconds:
            yield from self._tell(self._clock.now, self._before)

    def nothing_heard(self, seconds: float, since: float) -> Iterator[Row]:
        """Yield a row if no line has come for so long, unless it was told before.

        Args:
            seconds: The seconds without a line, by the computer's clock.
            since: When the last line came, or the program began, in seconds since 1970.
        """
        if seconds > self.seconds:
            yield from self._tell(self._clock.last or since, self._last)

    def state(self) -> list[float]:
        """Return what `restore` needs, as JSON values."""
        return [self._clock.now, self._clock.last, self._told, self._last[1], self._before[1]]

    def restore(self, values: Sequence[float]) -> None:
        """Continue from the values of `state`.

        Raises:
            ValueError: They are damaged.
        """
        self._clock.now, self._clock.last, self._told, last, before = map(float, values)
        if not all(map(math.isfinite, map(float, values))):
            raise ValueError("expected finite times")
        self._last, self._before = (0, int(last)), (0, int(before))

    def _tell(self, since: float, where: tuple[int, int]) -> Iterator[Row]:
        if since <= self._told:
            return
        self._told, (file, line) = since, where
        words = f"no line for {self._text}"
        row: Row = {
            "session": f"silent since {parser.iso_time(since)}",
            "score": 1.0,
            "anomaly": 1,
            "position": 0,
            "observed": words,
            "expected": "a line",
            "line": f"{self._files[file]}:{line}" if len(self._files) > 1 else line,
            "new_events": 0,
        }
        yield {name: row.get(name, words) for name in COLUMNS}


class Silences:
    """Finds the silences in files; the parts of a rotated log are one log."""

    def __init__(self, longest: str) -> None:
        """Prepare to listen; see `Silence`."""
        self._longest = longest
        self._files: Sequence[str] = ()
        self._logs: dict[str, Silence] = {}
        self._rows: list[Row] = []

    def name_files(self, files: Sequence[str]) -> None:
        """Take over the names of the files before their lines come."""
        self._files = files

    def heard(self, records: Records, file: int) -> None:
        """Listen to the next lines of a file, given by its number."""
        name = lines.rotated_from(self._files[file])
        if name not in self._logs:
            self._logs[name] = Silence(self._longest, self._files)
        self._rows += self._logs[name].heard(records.times, records.lines, file)

    def rows(self) -> Iterator[Row]:
        """Yield a row for each silence."""
        yield from self._rows
        for log in self._logs.values():
            yield from log.over()
