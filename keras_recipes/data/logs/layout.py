"""How to read the lines of a log: their format, their times, and which lines are a session."""

import re
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from keras_recipes.data.logs.format_names import FormatName
from keras_recipes.data.logs.masking import Masking
from keras_recipes.data.logs.rows import MOST_COLUMNS
from keras_recipes.data.logs.spellings import problem_of
from keras_recipes.data.logs.times import START, TimePlace
from keras_recipes.errors import CorruptModelError, printable

OBJECTS = ("jsonl", "logfmt", "w3c")
"""The formats whose lines have fields with names, in any order."""

LONGEST_KEY = 1_000
SHORTEST_WINDOW, LONGEST_WINDOW = 0.001, 1e9


@dataclass(frozen=True)
class SessionRule:
    """The rule by which lines belong to a session.

    Attributes:
        by: "regex" (the text that it matches), "field" (a field's value), "window" (a time span, or
            a number of lines if the lines have no times), or "lines" (a number of lines).
        key: The pattern or the field's name; empty for windows.
        window: The seconds or lines of a window, else 0.
        idle: Seconds of silence after which a session is over, so that its key begins a new one; 0
            means that a key is one session, however long it is silent.
    """

    by: Literal["regex", "field", "window", "lines"]
    key: str = ""
    window: float = 0.0
    idle: float = 0.0


@dataclass(frozen=True)
class LogLayout:
    """How to read the lines of a log; JSON values only, for the card.

    Attributes:
        format: The format of the lines.
        timed: Whether the lines have times.
        sessions: The rule by which lines belong to a session.
        time: Where the time is: of text a `TimePlace`, of JSON the field's name; empty for formats
            that have it in one place, for lines without times, and in older cards.
        spelling: How the field's times are spelt, a name of `SPELLINGS` or a format as for
            strptime; empty if unknown.
        columns: The names of the columns of a table, in their order.
        words: The fields that make the message: of an access log the method, the status and the
            path; one field if it has none of the usual names; empty for the usual ones.
        masking: The numbers and fields whose few values belong to the event.
    """

    format: FormatName
    timed: bool
    sessions: SessionRule
    time: str = ""
    spelling: str = ""
    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    masking: Masking = field(default_factory=Masking)

    @property
    def by(self) -> str:
        """The rule of the sessions in words."""
        rule = self.sessions
        if rule.by in ("window", "lines"):
            return f"windows of {rule.window:g} {'lines' if self.in_lines else 's'}"
        return rule.key + (f", closed after {rule.idle:g} s of silence" if rule.idle else "")

    @property
    def in_lines(self) -> bool:
        """Whether sessions are numbers of lines."""
        return self.sessions.by == "lines" or (self.sessions.by == "window" and not self.timed)

    @property
    def in_words(self) -> str:
        """What was detected: the format, the times and the sessions."""
        if not self.timed:
            times = "no times"
        elif self.format in OBJECTS:
            times = f"time in {self.time}" if self.time else "with times"
        else:
            times = f"time as {self.time}" if self.time else "with times"
        return f"{self.format}; {times}; sessions by {self.by}"

    @property
    def time_place(self) -> TimePlace | None:
        """Where the lines of text have their time; None without times."""
        return TimePlace.of_text(self.time or START) if self.timed else None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        columns, words = list(self.columns), list(self.words)
        masking = self.masking.to_json()
        return {**asdict(self), "columns": columns, "words": words, "masking": masking}

    @classmethod
    def from_json(cls, values: Any) -> "LogLayout":
        """Return the layout of `to_json`'s values, which may be untrusted.

        Raises:
            CorruptModelError: The values are damaged.
        """
        try:
            by = dict(values["sessions"])
            sessions = SessionRule(by["by"], by["key"], float(by["window"]), float(by["idle"]))
            layout = cls(
                format=values["format"],
                timed=values["timed"],
                sessions=sessions,
                time=values.get("time", ""),
                spelling=values.get("spelling", ""),
                columns=_names(values.get("columns", [])),
                words=_names(values.get("words", [])),
                masking=Masking.from_json(values.get("masking", {})),
            )
            good = layout._is_valid()
        except (TypeError, KeyError, ValueError, AttributeError, re.error) as error:
            raise CorruptModelError(
                f"the card's layout of the log is damaged: {printable(error)}; fit again"
            ) from None
        if not good:
            raise CorruptModelError("the card's layout of the log is damaged; fit again")
        return layout

    def _is_valid(self) -> bool:
        """Return whether logs can be read by this layout."""
        if self.format not in get_args(FormatName) or not isinstance(self.timed, bool):
            return False
        if not isinstance(self.spelling, str) or (self.spelling and problem_of(self.spelling)):
            return False
        if not isinstance(self.time, str) or len(self.time) > LONGEST_KEY:
            return False
        if len(self.words) > 3 or (self.format == "w3c") != bool(self.columns):
            return False
        if self.format == "text":
            self.time_place  # noqa: B018  raises for a place that there is not
        return self._has_valid_sessions()

    def _has_valid_sessions(self) -> bool:
        rule = self.sessions
        if not 0 <= rule.idle <= LONGEST_WINDOW:
            return False
        if rule.by in ("window", "lines"):
            shortest = 1 if self.in_lines else SHORTEST_WINDOW
            return rule.key == "" and shortest <= rule.window <= LONGEST_WINDOW
        if rule.window or not 0 < len(rule.key) <= LONGEST_KEY:
            return False
        if rule.by == "regex":
            compiled(rule.key)
        return rule.by == "regex" or (rule.by == "field" and self.format != "text")


def _names(values: Any) -> tuple[str, ...]:
    """Return names of fields, which may be untrusted.

    Raises:
        ValueError: They are no names.
    """
    if not isinstance(values, list) or len(values) > MOST_COLUMNS:
        raise ValueError("expected a list of names")
    if not all(isinstance(value, str) and len(value) <= LONGEST_KEY for value in values):
        raise ValueError("expected names of fields")
    return tuple(values)


def compiled(pattern: str) -> "re.Pattern[bytes]":
    """Compile a session's regular expression.

    Raises:
        re.error: The pattern is not a regular expression.
        ValueError: The pattern is too long, or too large for Python.
    """
    if len(pattern) > LONGEST_KEY:
        raise ValueError(f"it has more than {LONGEST_KEY:,} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # about syntax that may change one day
            return re.compile(pattern.encode())
    except (OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"it is too large: {printable(error)}") from None
