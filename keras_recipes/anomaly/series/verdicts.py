"""The verdict on each record of a table, and the rows that say it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.recipe import Row

if TYPE_CHECKING:
    from keras_recipes.anomaly.series.alarm_policy import Verdict
    from keras_recipes.anomaly.series.detector import Reading

BLAMED = 0.5
"""The deviation of a column to blame, as a share of that of the column that deviates most."""

MOST_BLAMED = 10

LONGEST = 20_000
"""The largest number of characters in a time or in the names of the blamed columns."""

OF_A_COLUMN = (
    *("timestamp", "value", "score", "anomaly", "incident"),
    *("expected_low", "expected_high"),
)
OF_A_TABLE = ("timestamp", "score", "anomaly", "incident", "columns")
OF_EACH_COLUMN = ("timestamp", "column", *OF_A_COLUMN[1:])
OF_AN_INCIDENT = ("incident", "begin", "end", "peak", "score", "columns")


@dataclass(frozen=True)
class Judged:
    """A record and the verdict on it.

    Attributes:
        timestamp: The time as it is written, or the record's number.
        values: The value of each column, the rate of a counter; None if it is missing.
        readings: What each column's detector said.
        verdict: The verdict on the record.
        blamed: The columns that deviate, strongest first; empty outside incidents.
    """

    timestamp: str
    values: Mapping[str, float | None]
    readings: "Mapping[str, Reading]"
    verdict: "Verdict"
    blamed: tuple[str, ...]


def blamed(deviations: Mapping[str, float]) -> tuple[str, ...]:
    """Return the columns to blame, strongest first.

    Args:
        deviations: The deviation of each column, not negative.
    """
    largest = max(deviations.values(), default=0.0)
    found = [name for name, size in deviations.items() if size >= BLAMED * largest > 0]
    return tuple(sorted(found, key=lambda name: -deviations[name])[:MOST_BLAMED])


def keys(columns: int, *, per_column: bool, incidents: bool) -> tuple[str, ...]:
    """Return the keys of the rows about a table with so many columns."""
    if incidents:
        return OF_AN_INCIDENT
    if columns == 1:
        return OF_A_COLUMN
    return OF_EACH_COLUMN if per_column else OF_A_TABLE


def rows(judged: Iterable[Judged], *, per_column: bool) -> Iterator[Row]:
    """Yield a row for each record; if asked, and for one column, with its value.

    A column is anomalous by itself: in `per_column` rows the score is the column's, and `anomaly`
    is 1 at the first record of an incident for each column to blame.
    """
    for one in judged:
        if len(one.values) == 1 or per_column:
            yield from _of_columns(one)
        else:
            yield {
                "timestamp": one.timestamp,
                "score": one.verdict.score,
                "anomaly": int(one.verdict.alarm),
                "incident": one.verdict.incident,
                "columns": ";".join(one.blamed),
            }


def _of_columns(one: Judged) -> Iterator[Row]:
    several = len(one.values) > 1
    for name, value in one.values.items():
        reading, concerned = one.readings[name], name in one.blamed or not several
        yield {
            "timestamp": one.timestamp,
            **({"column": name} if several else {}),
            "value": value,
            "score": reading.score,
            "anomaly": int(one.verdict.alarm and concerned),
            "incident": one.verdict.incident if concerned else 0,
            "expected_low": reading.low,
            "expected_high": reading.high,
        }


@dataclass
class Incident:
    """An incident that is not over yet.

    Attributes:
        number: Its number, from 1.
        begin: The timestamp of its first record.
        end: The timestamp of its last record so far.
        peak: The timestamp of the record with the highest score.
        score: That score.
        columns: The columns to blame for it, joined by `;`.
    """

    number: int
    begin: str
    end: str
    peak: str
    score: float
    columns: str

    def row(self) -> Row:
        """Return the row with the keys `OF_AN_INCIDENT`."""
        return dict(
            zip(
                OF_AN_INCIDENT,
                (self.number, self.begin, self.end, self.peak, self.score, self.columns),
                strict=True,
            )
        )


class Incidents:
    """The rows about incidents, one when each is over."""

    def __init__(self) -> None:
        self.open: Incident | None = None

    def rows(self, judged: Iterable[Judged], *, goes_on: bool) -> Iterator[Row]:
        """Yield a row for each incident.

        Args:
            judged: The records.
            goes_on: Whether a later run continues an incident that is open at the end.
        """
        for one in judged:
            number = one.verdict.incident
            if self.open and self.open.number != number:
                yield self._closed()
            if number:
                self._add(one)
        if self.open and not goes_on:
            yield self._closed()

    def _closed(self) -> Row:
        assert self.open is not None
        row, self.open = self.open.row(), None
        return row

    def _add(self, one: Judged) -> None:
        score, columns = one.verdict.score, ";".join(one.blamed)
        if self.open is None:
            when = one.timestamp
            self.open = Incident(one.verdict.incident, when, when, when, score, columns)
            return
        self.open.end = one.timestamp
        if score > self.open.score:
            self.open.peak, self.open.score = one.timestamp, score
            self.open.columns = columns

    def to_json(self) -> dict[str, Any] | None:
        """Return the open incident as JSON values."""
        return None if self.open is None else vars(self.open).copy()

    @classmethod
    def from_json(cls, values: Any) -> "Incidents":
        """Return the incidents of `to_json`'s values, which may be untrusted.

        Raises:
            ValueError: The values are damaged.
        """
        made = cls()
        if values is None:
            return made
        texts = [values[name] for name in ("begin", "end", "peak", "columns")]
        number, score = values["number"], values["score"]
        good = all(isinstance(text, str) and len(text) <= LONGEST for text in texts)
        if not (good and type(number) is int and 0 < number < 2**53 and type(score) is float):
            raise ValueError("incident")
        if not 0 <= score <= 1:
            raise ValueError("incident")
        made.open = Incident(**values)
        return made
