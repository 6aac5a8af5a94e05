"""The sessions of a log: their events, collected from the lines into arrays."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_recipes.data import lines
from keras_recipes.data.logs import documents, parser
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.masking import Census
from keras_recipes.data.logs.measurements import Value
from keras_recipes.data.logs.parser import Parser, Records
from keras_recipes.data.logs.templates import END, START, UNSEEN, Templates

TIME_SPANS = {"5m": 300, "1m": 60, "20s": 20, "5s": 5, "1s": 1}
LINE_COUNTS = {str(lines): lines for lines in (100, 50, 20, 10, 5, 2, 1)}
"""Windows to propose, the longest first."""

CENSUS_LINES = 50_000
"""The number of lines in which closed sets are looked for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Measured:
    """M measurements of a log's messages, in the order of their events.

    Attributes:
        events: The index of each measurement's event among all events, int64 of shape (M,).
        names: The number of its name in the layout's `measures`, int16 of shape (M,).
        values: The number in seconds, in bytes or as it is, float64 of shape (M,).
        units: The number of its unit, int8 of shape (M,).
    """

    events: np.ndarray
    names: np.ndarray
    values: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, events: np.ndarray, values: "Sequence[Value]") -> "Measured":
        """Return measurements as the parser gives them, by the indices of their events."""
        columns = np.array(values, "float64").reshape(-1, 3)[np.argsort(events, kind="stable")]
        names, numbers, units = columns.T
        return cls(np.sort(events), names.astype("int16"), numbers, units.astype("int8"))

    def subset(self, flat: np.ndarray, total: int) -> "Measured":
        """Return the measurements of some events, by their indices in the new order."""
        place = np.full(total, -1)
        place[flat] = np.arange(len(flat))
        events = place[self.events]
        kept = np.flatnonzero(events >= 0)
        kept = kept[np.argsort(events[kept], kind="stable")]
        return Measured(events[kept], self.names[kept], self.values[kept], self.units[kept])


NOTHING_MEASURED = Measured.of(np.zeros(0, "int64"), [])


@dataclass(frozen=True, eq=False)
class Sequences:
    """N sessions of a log, with their events session after session.

    Attributes:
        names: The names of the N sessions.
        token_ids: The token ids of all events, int32 of shape (total,).
        message_ids: The numbers of the events' masked messages, of the same shape.
        messages: The masked messages by number.
        lines: The line number of each event, from 1, int64 of shape (total,).
        files: The number of the file of each event, from 0, int32 of shape (total,).
        starts: The index at which each session begins, and the total, int64 of shape (N + 1,).
        days: The time span of the whole log in days.
        max_gap: The longest time in seconds between two events of one session.
        measured: The measurements in the messages.
    """

    names: list[str]
    token_ids: np.ndarray
    message_ids: np.ndarray
    messages: Sequence[bytes]
    lines: np.ndarray
    files: np.ndarray
    starts: np.ndarray
    days: float
    max_gap: float
    measured: Measured = NOTHING_MEASURED

    def __len__(self) -> int:
        return len(self.names)

    @property
    def lengths(self) -> np.ndarray:
        """The number of events in each session, int64 of shape (N,)."""
        return np.diff(self.starts)

    @property
    def new_events(self) -> np.ndarray:
        """The number of new events in each session, int64 of shape (N,)."""
        before = np.concatenate([[0], np.cumsum(self.token_ids == UNSEEN)])
        return np.diff(before[self.starts])

    def subset(self, chosen: np.ndarray) -> "Sequences":
        """Return some of the sessions.

        Args:
            chosen: The numbers of the sessions, ascending, or a boolean for each session.
        """
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(
            [self.names[row] for row in rows],
            self.token_ids[flat],
            self.message_ids[flat],
            self.messages,
            self.lines[flat],
            self.files[flat],
            starts,
            self.days,
            self.max_gap,
            self.measured.subset(flat, len(self.token_ids)),
        )

    def message(self, event: int) -> bytes:
        """Return the masked message of an event, by its index among all events."""
        return self.messages[int(self.message_ids[event])]

    def steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the net's inputs and targets, with the token ids for beginning and end.

        Returns:
            Inputs and targets, int32 of shape (total + N,), and the index at which each session
            begins in them, of shape (N + 1,).
        """
        starts = self.starts + np.arange(len(self) + 1)
        inputs = np.insert(self.token_ids, self.starts[:-1], START).astype("int32")
        targets = np.insert(self.token_ids, self.starts[1:], END).astype("int32")
        return inputs, targets, starts


class SessionCollector:
    """Collects the records of a log in compact arrays."""

    def __init__(self, layout: LogLayout) -> None:
        self.layout = layout
        self.message_ids: dict[bytes, int] = {}
        self.keys: dict[bytes, int] = {}
        self._parts: list[tuple[np.ndarray, ...]] = []
        self._measured: list[Measured] = []
        self._events = 0

    def add(self, records: Records, file: int) -> None:
        """Add the records of a file's next lines."""
        ids, keys, count = self.message_ids, self.keys, len(records)
        messages = [ids.setdefault(message, len(ids)) for message in records.messages]
        sessions = [keys.setdefault(key, len(keys)) for key in records.keys]
        if records.measured:
            events = self._events + np.array(records.measured_in, "int64")
            self._measured.append(Measured.of(events, records.measured))
        self._events += count
        self._parts.append(
            (
                np.fromiter(messages, "int32", count),
                np.fromiter(sessions, "int32", count),
                np.fromiter(records.times, "float64", count),
                np.fromiter(records.lines, "int64", count),
                np.full(count, file, "int32"),
            )
        )

    def width_for(self, count: int) -> str | None:
        """Return the longest of the usual windows that makes so many sessions, or None.

        Args:
            count: The number of sessions.

        Returns:
            A value of the option `window`: a time span, or a number of lines if there are no times.
        """
        timed = self.layout.timed
        places = [part[2] if timed else part[3] - 1 for part in self._parts]
        found = np.concatenate(places) if places else np.zeros(0)
        for text, width in TIME_SPANS.items() if timed else LINE_COUNTS.items():
            if len(np.unique(found // width)) >= count:
                return text
        return None

    def sequences(self) -> Sequences:
        """Return the sessions in the order of their first lines, with message ids as token ids.

        A session's events are in the order of their times. Events of the same time are in the order
        of their lines.
        """
        empty = tuple(np.zeros(0, kind) for kind in ("int32", "int32", "float64", "int64", "int32"))
        columns = zip(*(self._parts or [empty]), strict=True)
        messages, sessions, times, numbers, files = (np.concatenate(column) for column in columns)
        order = np.lexsort((times, sessions))
        messages, sessions, times, numbers, files = (
            column[order] for column in (messages, sessions, times, numbers, files)
        )
        new = np.diff(sessions, prepend=-1) != 0
        idle = self.layout.sessions.idle
        if idle:
            new |= np.diff(times, prepend=0) > idle
        firsts = np.flatnonzero(new)
        keys = list(self.keys)
        names = [lines.decode(keys[sessions[i]]) for i in firsts.tolist()]
        if idle:
            begun = (parser.iso_time(time) for time in times[firsts].tolist())
            names = [f"{name} {time}" for name, time in zip(names, begun, strict=True)]
        days = float(np.ptp(times)) / 86_400 if len(times) else 0.0
        max_gap = float(np.diff(times, prepend=0)[~new].max(initial=0.0))
        starts = np.append(firsts, len(messages))
        known = list(self.message_ids)
        measured = self._all_measured().subset(order, len(order))
        return Sequences(
            names, messages, messages, known, numbers, files, starts, days, max_gap, measured
        )

    def _all_measured(self) -> Measured:
        if not self._measured:
            return NOTHING_MEASURED
        parts = [(part.events, part.names, part.values, part.units) for part in self._measured]
        return Measured(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def collect(
    layout: LogLayout,
    blocks: "Iterable[tuple[int, list[bytes]]]",
    heard: "Callable[[Records, int], None] | None" = None,
) -> SessionCollector:
    """Collect the records of blocks of lines, each with the number of its file.

    Args:
        layout: How to read the lines.
        blocks: The lines.
        heard: A function that also gets the records of each block and the number of its file.
    """
    columns, parser, current = SessionCollector(layout), Parser(layout), 0
    for file, some in blocks:
        if file != current:
            current, parser.line = file, 0
        records = parser.parse(some)
        columns.add(records, file)
        if heard:
            heard(records, file)
    if parser.without:
        log.warning("%s lines belong to no session by %s", f"{parser.without:,}", layout.by)
    if parser.untimed:
        log.warning(
            "%s lines have no time that can be read; each has that of the line before",
            f"{parser.untimed:,}",
        )
    return columns


def with_masking(layout: LogLayout, blocks: "Iterable[tuple[int, list[bytes]]]") -> LogLayout:
    """Return the layout with the closed sets that the first lines of a normal log show."""
    census, read = Census(), 0
    parser = Parser(layout, census)
    for _, some in blocks:
        parser.parse(some)
        read += len(some)
        if read >= CENSUS_LINES:
            break
    return replace(layout, masking=census.masking())


def blocks(paths: Sequence[Path]) -> "Iterable[tuple[int, list[bytes]]]":
    """Yield the lines of several files in blocks, each with the number of its file."""
    return ((number, some) for number, path in enumerate(paths) for some in documents.blocks(path))


def with_token_ids(sequences: Sequences, templates: Templates) -> Sequences:
    """Return the same sessions with the token ids of the templates."""
    table = np.array([*templates.token_ids(sequences.messages), 0], "int32")
    return replace(sequences, token_ids=table[sequences.message_ids])
