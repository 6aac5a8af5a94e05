"""Several series in one file, a line each, become the columns of one record for each time.

The fields that tell the series apart are its keys, such as `host` or `CPU`. Their values come
before the name of the value: `web1.usage`. Keys with one value are left away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_recipes.data.series import times
from keras_recipes.data.series.records import Refuse, Row, Rows
from keras_recipes.errors import InputError

MOST_CELLS = 20_000_000
"""The largest number of cells of a file that can only be read as a whole."""


def varying(rows: Iterable[Mapping[str, Any]], keys: Sequence[str]) -> tuple[str, ...]:
    """Return those of the keys that have several values in these rows."""
    values: dict[str, set[str]] = {key: set() for key in keys}
    for row in rows:
        for key in keys:
            values[key].add(str(row.get(key, "")))
    return tuple(key for key in keys if len(values[key]) > 1)


def named(
    rows: Rows, every: Sequence[str], keys: Sequence[str], time: str | None, refuse: Refuse
) -> Iterator[Row]:
    """Yield the rows with names that have the values of the keys before them.

    Args:
        rows: The rows.
        every: The names of all keys.
        keys: Those that have several values; the others must keep the value of the first row.
        time: The name of the column of times.
        refuse: Gets the message about another value, whose row is then skipped.

    Raises:
        InputError: A key that had one value has another one.
    """
    fixed = [key for key in every if key not in keys]
    first: tuple[Any, ...] | None = None
    left = {*every, time}
    for number, row in rows.rows:
        found = tuple(row.get(key) for key in fixed)
        first = found if first is None else first
        if found != first:
            name, was, now = next(
                (n, a, b) for n, a, b in zip(fixed, first, found, strict=True) if a != b
            )
            message = (
                f"{rows.where} {number}: expected one series with {name} {was!r}, received "
                f"{now!r}; fit on records of all of them, or give a file each"
            )
            if refuse is None:
                raise InputError(message)
            refuse(message)
            continue
        before = "".join(f"{row[key]}." for key in keys if row.get(key) not in (None, ""))
        cells = {before + name: cell for name, cell in row.items() if name not in left}
        yield number, ({time: row[time], **cells} if time is not None and time in row else cells)


def by_record(
    rows: Iterable[Row], time: str | None, wanted: Collection[str] | None
) -> Iterator[Row]:
    """Yield the rows of one time as one row, as soon as it is complete.

    Args:
        rows: The rows in the order of their times.
        time: The name of the column of times; without it, a record ends where a name repeats.
        wanted: The names of the columns of a record; None if they are not known yet.
    """
    columns = set(wanted) if wanted is not None else None
    pending: dict[str, Any] = {}
    begun, missing = 0, set(columns or ())
    for number, row in rows:
        cells = {n: c for n, c in row.items() if n != time and (columns is None or n in columns)}
        if columns is not None and not cells:
            continue
        another = time is not None and pending and pending.get(time) != row.get(time)
        if pending and (another or not pending.keys().isdisjoint(cells)):
            yield begun, pending
            pending, missing = {}, set(columns or ())
        begun = begun if pending else number
        pending.update({time: row[time], **cells} if time is not None and time in row else cells)
        if columns is not None:
            missing -= cells.keys()
            if not missing:
                yield begun, pending
                pending, missing = {}, set(columns)
    if pending:
        yield begun, pending


def sorted_by_time(where: str, rows: Iterable[Row], time: str) -> Iterator[Row]:
    """Yield the rows of each time as one row, in the order of the times if these can be read.

    Where a time comes twice, as when the clocks go back, there are several records of it.

    Raises:
        InputError: The rows would need too much memory.
    """
    found: dict[Any, _OfOneTime] = {}
    cells = 0
    for number, row in rows:
        cells += len(row)
        if cells > MOST_CELLS:
            raise InputError(
                f"{where} {number}: expected at most {MOST_CELLS:,} cells in a file whose series "
                "come one after the other, received more; give a part of it"
            )
        at = row.get(time)
        if at not in found:
            found[at] = _OfOneTime(time)
        found[at].add(number, row)
    known = list(found)
    moments = times.moments(known)
    if moments is not None:
        order = sorted(range(len(known)), key=moments.__getitem__)
        known = [known[place] for place in order]
    for one in known:
        yield from found[one].records


class _OfOneTime:
    """The records of one time: one, unless a value comes twice.

    Args:
        time: The name of the column of times.
    """

    def __init__(self, time: str) -> None:
        self._time = time
        self._filled: dict[str, int] = {}
        self.records: list[tuple[int, dict[str, Any]]] = []

    def add(self, number: int, row: Mapping[str, Any]) -> None:
        """Add a row to the first record that has none of its values yet."""
        mine = [name for name in row if name != self._time]
        place = max((self._filled.get(name, 0) for name in mine), default=0)
        if place == len(self.records):
            self.records.append((number, {}))
        self.records[place][1].update(row)
        self._filled |= dict.fromkeys(mine, place + 1)
