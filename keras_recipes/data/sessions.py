"""Events that belong together, in columns: all sessions of a log one after the other."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.data import lines, log_formats
from keras_recipes.data.log_formats import Layout, Parser, Records
from keras_recipes.data.templates import END, START, Templates

if TYPE_CHECKING:
    import numpy as np


log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sessions of a log.

    Attributes:
        names: Of each session, N of them.
        symbols: Kinds of the events, int32 of shape (total,), session after session.
        forms: Numbers of their messages' forms, of the same shape.
        texts: The forms by these numbers.
        lines: Where each event stands: line number, counted from 1, int64 of shape (total,).
        files: Which of several files that line is in, int32 of shape (total,).
        starts: Where each session begins, and the total, int64 of shape (N + 1,).
        days: How long the whole log is.
        silence: The longest time in seconds between two events of one session.
    """

    names: list[str]
    symbols: "np.ndarray"
    forms: "np.ndarray"
    texts: Sequence[bytes]
    lines: "np.ndarray"
    files: "np.ndarray"
    starts: "np.ndarray"
    days: float
    silence: float

    def __len__(self) -> int:
        return len(self.names)

    @property
    def lengths(self) -> "np.ndarray":
        """Events in each session, int64 of shape (N,)."""
        import numpy as np

        return np.diff(self.starts)

    def some(self, chosen: "np.ndarray") -> "Sequences":
        """Some of the sessions.

        Args:
            chosen: Their numbers, ascending, or a truth value for each.
        """
        import numpy as np

        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(
            [self.names[row] for row in rows],
            self.symbols[flat],
            self.forms[flat],
            self.texts,
            self.lines[flat],
            self.files[flat],
            starts,
            self.days,
            self.silence,
        )

    def message(self, event: int) -> bytes:
        """The form of an event's message, by its place among all events."""
        return self.texts[int(self.forms[event])]

    def steps(self) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """What a net is shown and what comes next, with the symbols for beginning and end.

        Returns:
            Inputs and targets, int32 of shape (total + N,), and where each session begins there,
            of shape (N + 1,).
        """
        import numpy as np

        starts = self.starts + np.arange(len(self) + 1)
        inputs = np.insert(self.symbols, self.starts[:-1], START).astype("int32")
        targets = np.insert(self.symbols, self.starts[1:], END).astype("int32")
        return inputs, targets, starts


class Columns:
    """Collects the records of a log, compactly, until all are there."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.forms: dict[bytes, int] = {}
        self.keys: dict[bytes, int] = {}
        self._parts: list[tuple[np.ndarray, ...]] = []

    def add(self, records: Records, file: int) -> None:
        """Adds the records of one file's next lines."""
        import numpy as np

        forms, keys, count = self.forms, self.keys, len(records)
        kinds = [forms.setdefault(form, len(forms)) for form in records.forms]
        sessions = [keys.setdefault(key, len(keys)) for key in records.keys]
        self._parts.append(
            (
                np.fromiter(kinds, "int32", count),
                np.fromiter(sessions, "int32", count),
                np.fromiter(records.times, "float64", count),
                np.fromiter(records.lines, "int64", count),
                np.full(count, file, "int32"),
            )
        )

    def sequences(self) -> Sequences:
        """The sessions in the order of their first lines, with forms' numbers for symbols.

        A session's events are in the order of their times, those of one time in that of the lines.
        """
        import numpy as np

        empty = tuple(np.zeros(0, kind) for kind in ("int32", "int32", "float64", "int64", "int32"))
        columns = zip(*(self._parts or [empty]), strict=True)
        kinds, sessions, times, numbers, files = (np.concatenate(column) for column in columns)
        order = np.lexsort((times, sessions))
        kinds, sessions, times, numbers, files = (
            column[order] for column in (kinds, sessions, times, numbers, files)
        )
        new = np.diff(sessions, prepend=-1) != 0
        idle = self.layout.sessions.idle
        if idle:
            new |= np.diff(times, prepend=0) > idle
        firsts = np.flatnonzero(new)
        keys = list(self.keys)
        names = [lines.shown(keys[sessions[i]]) for i in firsts.tolist()]
        if idle:
            begun = (log_formats.clock(time) for time in times[firsts].tolist())
            names = [f"{name} {time}" for name, time in zip(names, begun, strict=True)]
        days = float(np.ptp(times)) / 86_400 if len(times) else 0.0
        silence = float(np.diff(times, prepend=0)[~new].max(initial=0.0))
        starts = np.append(firsts, len(kinds))
        texts = list(self.forms)
        return Sequences(names, kinds, kinds, texts, numbers, files, starts, days, silence)


def collected(layout: Layout, blocks: "Iterable[tuple[int, list[bytes]]]") -> Columns:
    """The records of numbered files' lines."""
    columns, parser, current = Columns(layout), Parser(layout), 0
    for file, some in blocks:
        if file != current:
            current, parser.line = file, 0
        columns.add(parser.parse(some), file)
    if parser.without:
        log.warning("%s lines are in no session by %s", f"{parser.without:,}", layout.by)
    return columns


def blocks(paths: Sequence[Path]) -> "Iterable[tuple[int, list[bytes]]]":
    """The lines of several files, each block with the number of its file."""
    return ((number, some) for number, path in enumerate(paths) for some in lines.blocks(path))


def with_symbols(sequences: Sequences, templates: Templates) -> Sequences:
    """The same sessions with templates' symbols in place of forms' numbers."""
    import numpy as np

    table = np.array([*templates.all(sequences.texts), 0], "int32")
    return replace(sequences, symbols=table[sequences.forms])
