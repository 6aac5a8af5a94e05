"""The part that each column of a table has: the time, a value to watch, or left out with a reason.

The first records decide it together. A label, a text and a column of row numbers are not watched.
"""

import itertools
import operator
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_recipes.data.series import numbers, times
from keras_recipes.data.series.numbers import Marks
from keras_recipes.data.series.records import SeriesLayout, plain
from keras_recipes.data.series.times import written
from keras_recipes.errors import InputError

SAMPLE = 1_000
"""The number of records that decide how a table is read."""

FEWEST_STEPS = 10
"""The smallest number of steps that show that numbers are times."""

LOOKED_AT = 200
"""The number of cells of a column that decide whether it holds times."""

TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "when", "index")
"""Names of a column of times, in upper or lower case, with or without `@` and `_` around them."""

EPOCH_NAMES = (
    *("epoch", "epoch_s", "epoch_ms", "epoch_time", "unix", "unixtime", "unix_time", "t", "utc"),
    *("unix_timestamp", "time_s", "time_ms", "time_us", "time_ns", "ts_s", "ts_ms", "ts_us"),
    *("ts_ns", "timestamp_s", "timestamp_ms", "timestamp_us", "timestamp_ns", "time_stamp"),
    *("date_time", "created_at", "event_time", "sample_time", "sampletime", "clock"),
    *("zeit", "zeitstempel", "datum"),
)
"""More names of a column of times; numbers in it must be times from 2000 to 2100."""

DAY_NAMES = ("date", "datum", "day", "zeit", "zeitstempel")
"""Names of a column of times that may be the whole days of a spreadsheet."""

DATE_PARTS = frozenset(("date", "datum", "day", "datetime", "time", "timestamp", "zeit", "month"))
"""Parts of the names of columns that may be dates of digits only, such as 20240301."""

CLOCK_NAMES = ("time", "time_of_day", "hour", "hr", "uhrzeit", "zeit", "clock", "stunde", "heure")
HOURS = ("hour", "hr", "stunde")

LABELS = ("anomaly", "label", "is_anomaly", "changepoint", "change_point", "anomalous", "outlier",
          "is_outlier", "is_anomalous", "labels", "anomaly_label", "is_changepoint")  # fmt: skip
"""Names of a column of labels, if it holds nothing but 0 and 1."""

IN_ORDER = 0.8
"""The share of steps of times of day that go one way: clocks go back, and a day ends at 00:00."""

_LIKE_TIME = re.compile(r"(?:^|[^a-zA-Z])(?i:time|date|ts|dt|epoch)|[a-z](?:Time|Date)")
"""What the name of a column of times since 1970 has; `uptime` is no such name."""

ROW_NUMBERS = "row numbers"

NUMBERED_NAMES = ("no", "no_", "nr", "nr_", "id", "row", "record", "entry_id", "instant", "seq")
"""Names of a column of row numbers, if each is one more than the one before."""

PARTS_OF_TIMES = {
    **dict.fromkeys(("year", "yr"), range(1_900, 2_101)),
    **dict.fromkeys(("month", "mon", "mo"), range(1, 13)),
    **dict.fromkeys(("day", "dy"), range(1, 32)),
    **dict.fromkeys(("hour", "hr"), range(25)),
    **dict.fromkeys(("minute", "second"), range(61)),
}
"""Names of the columns of a date in parts, and what they hold."""

_ZERO_OR_ONE = frozenset(("0", "1", "0.0", "1.0", "true", "false"))

Cells = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Choice:
    """The parts of the columns.

    Attributes:
        time: The column of times, or of dates.
        clock: The column of the times of day that belong to the dates.
        values: The columns to watch, with their units.
        formats: The formats of the times.
        day_first: Which of day and month comes first; None if it does not matter.
        left: The columns that are not watched, with the reason.
        warnings: What may be wrong.
    """

    time: str | None
    clock: str | None
    values: Mapping[str, str]
    formats: tuple[str, ...] = ()
    day_first: bool | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def cells_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the cells of each column; rows without a column are passed over."""
    names = dict.fromkeys(itertools.chain.from_iterable(rows))
    return {name: [row[name] for row in rows if name in row] for name in names}


def marks_of(source: str, cells: Cells, layout: SeriesLayout, delimiter: str) -> Marks:
    """Return what the marks in a table's numbers mean.

    Raises:
        InputError: The numbers contradict each other, or leave it open.
    """
    if layout.decimal is not None:
        return Marks(layout.decimal, True)
    known = {name: texts for name in cells if (texts := _like_numbers(cells[name]))}
    every = [text for texts in known.values() for text in texts]
    allowed, against = numbers.marks_of(every)
    if len(allowed) == 1:
        return Marks(allowed.pop(), True)
    if not allowed:
        raise InputError(
            f"{source}: expected numbers with one decimal mark, received {against['.']!r} and "
            f"{against[',']!r}; say which is right with --set decimal=comma or decimal=point"
        )
    dotted = any(map(_has_dotted_dates, cells.values()))
    for name, texts in known.items():
        commas = [text for text in texts if "," in text]
        points = [text for text in texts if "." in text]
        bare = [float(text) for text in texts if text.strip().isdecimal()]
        if commas and not points and any(value >= 1_000 for value in bare):
            return Marks(",")
        if commas and not points and bare and delimiter == ",":
            return Marks(".", True)
        german = max(bare) < 1_000 if bare else dotted
        # Where a comma stands between cells, decimals hardly have one.
        if commas or (points and (delimiter == ";" or (dotted and delimiter != ",")) and german):
            shown = (commas or points)[0].strip()
            raise InputError(
                f"{source}: expected numbers with one meaning, received {shown!r} in column "
                f"{name!r}, whose mark may be a decimal mark or stand between thousands; say which "
                "with --set decimal=comma or decimal=point"
            )
    return Marks()


def _has_dotted_dates(cells: Sequence[Any]) -> bool:
    return _share(cells, lambda cell: times.is_dotted_date(written(cell))) == 1


def _like_numbers(cells: Sequence[Any]) -> list[str]:
    """Return the texts of a column of numbers in some notation; none of any other column."""
    texts = [cell for cell in cells if isinstance(cell, str) and not numbers.is_missing(cell)]
    marks = (Marks(".", True), Marks(",", True))
    fitting = [t for t in texts if t.isdecimal() or any(mark.measure(t) for mark in marks)]
    return fitting if len(fitting) >= 0.9 * max(1, len(texts)) else []


def choose(
    source: str, cells: Cells, layout: SeriesLayout, marks: Marks, timed: str | None = None
) -> Choice:
    """Choose the columns of times and of values by the first records.

    Args:
        source: The name of the table in messages.
        cells: The cells of the first records, by column.
        layout: What the user says.
        marks: What the marks in numbers mean.
        timed: The column of times, if the form of the table says it.

    Raises:
        InputError: There is no column of numbers, or none that the user names.
    """
    time = layout.time or _time_column(source, cells, layout, marks, timed)
    clock = _clock_column(cells, time, layout) if time is not None else None
    formats, day_first, warnings = _formats(cells, time, clock, layout, marks)
    parts = [] if layout.columns else _parts_of_times(cells)
    if parts and time is None:
        warnings.append(_in_parts(source, parts))
    values, left = _watched_and_left(cells, layout, marks, (time, clock), parts)
    unread = [
        name
        for name, why in left.items()
        if plain(name) in TIME_NAMES[:5]
        and why != ROW_NUMBERS
        and (time is None or why.startswith("text"))
    ]
    warnings += [_unread(name, cells[name]) for name in unread]
    if time is None and layout.columns is None:
        warnings += [
            _watched(name, cells[name]) for name in values if plain(name) in TIME_NAMES[:5]
        ]
    if not values:
        raise InputError(
            f"{source}: expected a column of numbers, received columns {', '.join(cells)[:200]}"
            + "".join(f"; {name} ({reason})" for name, reason in [*left.items()][:5])
        )
    changing = [
        name for name, why in left.items() if why.startswith("text that") and name not in unread
    ]
    if changing:
        warnings.append(
            f"{source}: text in {', '.join(changing[:5])} changes from record to record; if it "
            "tells several series apart, give a file each; a log needs --set kind=logs"
        )
    return Choice(time, clock, values, formats, day_first, left, tuple(warnings))


def _watched_and_left(
    cells: Cells,
    layout: SeriesLayout,
    marks: Marks,
    times_of: Collection[str | None],
    parts: Collection[str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the units of the columns that are watched, and why the others are not."""
    if layout.columns:
        return {name: numbers.unit_of(cells[name], marks) or "" for name in layout.columns}, {}
    values: dict[str, str] = {}
    left: dict[str, str] = {}
    for name in cells:
        if name in times_of:
            continue
        reason = "a part of the time" if name in parts else _reason(name, cells[name], marks)
        if reason is None:
            values[name] = numbers.unit_of(cells[name], marks) or ""
        else:
            left[name] = reason
    return values, left


def _known(cells: Sequence[Any]) -> list[Any]:
    return [cell for cell in cells[:LOOKED_AT] if not numbers.is_missing(cell)]


def _share(cells: Sequence[Any], test: Any) -> float:
    known = _known(cells)
    return sum(map(test, known)) / len(known) if known else 0.0


def _time_column(
    source: str, cells: Cells, layout: SeriesLayout, marks: Marks, timed: str | None
) -> str | None:
    if layout.time_format is not None:
        return _of_format(source, cells, layout)
    if (
        timed is not None
        and timed in cells
        and _share(cells[timed], times.is_number_or_time) >= 0.5
    ):
        return timed
    by_name: dict[str, str] = {}
    for name in cells:
        by_name.setdefault(plain(name), name)
    known = [by_name[name] for name in TIME_NAMES if name in by_name]
    others = [name for name in cells if name not in known]
    timed_ones = [name for name in others if _share(cells[name], times.is_time) >= 0.5]
    named = [name for name in others if plain(name) in EPOCH_NAMES]
    found = [
        *(name for name in known if _holds_times(name, cells, marks, 0.5)),
        *(name for name in timed_ones if name in named),
        *timed_ones,
        *(name for name in named if _holds_times(name, cells, marks, 1)),
        *(name for name in others if _compact_format(name, cells[name])),
        *(name for name in known if _counts_seconds(cells[name], marks)),
        *(name for name in others if _are_regular_epochs(name, cells[name], marks)),
    ]
    first = next(iter(cells))
    if not found and plain(first).startswith("value") and len(cells) > 1:
        rises = _epochs(cells[first], marks) == 1 and _rises(cells[first], marks)
        return first if rises else None
    return found[0] if found else None


def _holds_times(name: str, cells: Cells, marks: Marks, least: float) -> bool:
    """Return whether at least this share of the cells of a column are times with their dates."""
    column = cells[name]
    if _share(column, times.is_time) >= 0.5 or _epochs(column, marks) >= least:
        return True
    format_of = _of_numbers(name, [written(cell) for cell in _known(column)], marks)
    rises = format_of != (times.EXCEL,) or _rises(column, marks)
    return len(cells) > 1 and bool(format_of) and rises


def _epochs(cells: Sequence[Any], marks: Marks) -> float:
    """Return the share of the cells that are times since 1970, of the years 2000 to 2100."""

    def is_epoch(cell: Any) -> bool:
        value = times.number_of(written(cell), marks)
        return value is not None and times.is_epoch(value)

    return _share(cells, is_epoch)


def _are_regular_epochs(name: str, cells: Sequence[Any], marks: Marks) -> bool:
    """Return whether numbers are times since 1970 by their name and their steps.

    A counter may be as large, but it hardly grows by the same number each time.
    """
    if _LIKE_TIME.search(name) is None or _epochs(cells, marks) < 1:
        return False
    values = [times.number_of(written(cell), marks) or 0.0 for cell in _known(cells)]
    steps = [b - a for a, b in itertools.pairwise(values)]
    usual = sorted(steps)[len(steps) // 2] if len(steps) >= FEWEST_STEPS else 0.0
    alike = sum(abs(step - usual) < 0.01 * abs(usual) for step in steps)
    return usual != 0 and alike >= 0.9 * len(steps)


def _counts_seconds(cells: Sequence[Any], marks: Marks) -> bool:
    """Return whether numbers that are no times since 1970 rise, and do not count records."""
    known = [cell for cell in cells if not numbers.is_missing(cell)]
    in_order = _rises(known, marks) or _rises(known[::-1], marks)
    return in_order and not _are_row_numbers(known)


def _rises(cells: Sequence[Any], marks: Marks) -> bool:
    values = [
        times.number_of(written(cell), marks) for cell in cells if not numbers.is_missing(cell)
    ]
    known = [value for value in values if value is not None]
    return len(known) == len(values) > 0 and all(a <= b for a, b in itertools.pairwise(known))


def _of_format(source: str, cells: Cells, layout: SeriesLayout) -> str:
    """Return the first column whose cells are written as the user says."""
    parser = times.TimeParser(layout)
    texts = {name: _share(cells[name], numbers.is_number) < 1 for name in cells}
    named = sorted(cells, key=lambda name: (plain(name) not in TIME_NAMES, not texts[name]))
    for name in named:
        known = _known(cells[name])
        if known and all(parser.fits(cell) for cell in known):
            return name
    shown = next((str(_known(cells[name])[0]) for name in named if _known(cells[name])), "")
    raise InputError(
        f"{source}: expected a time written as {layout.time_format!r} in some column, received "
        f"{shown[:40]!r} in column {named[0]!r}; say the column with --set time=NAME, or another "
        "format"
    )


def _clock_column(cells: Cells, time: str, layout: SeriesLayout) -> str | None:
    """Return the column of the times of day, if the column of times has only dates."""
    compact = _share(cells[time], _is_compact) == 1
    dates = compact or _share(cells[time], times.is_date) == 1
    if layout.time_format is not None or not dates:
        return None
    orders = {name: _order(cells[time], cells[name]) for name in cells if name != time}
    for name in sorted(orders, key=lambda name: (plain(name) not in CLOCK_NAMES, -orders[name])):
        if name in (layout.columns or ()):
            continue
        named, share = plain(name), _share(cells[name], times.is_time_of_day)
        colons = any(":" in str(cell) for cell in _known(cells[name])[:1])
        likely = orders[name] >= IN_ORDER and (colons or "time" in named)
        if share == 1 and (named in CLOCK_NAMES or likely):
            return name
        if named in HOURS and _are_hours(cells[name]):
            return name
        if named in CLOCK_NAMES and compact and _share(cells[name], times.is_compact_clock) == 1:
            return name
    return None


def _order(days: Sequence[Any], clocks: Sequence[Any]) -> float:
    """Return the share of steps within days that go one way, as times of day do.

    Durations do not. If no day has several records, it is 0.
    """
    groups = itertools.groupby(
        zip(map(written, days), map(written, clocks), strict=False), key=operator.itemgetter(0)
    )
    of_days = [[times.of_day(clock) for _, clock in group] for _, group in groups]
    steps = [b - a for day in of_days for a, b in itertools.pairwise(day)]
    rising = sum(step >= 0 for step in steps)
    return max(rising, sum(step <= 0 for step in steps)) / len(steps) if steps else 0.0


def _is_compact(cell: Any) -> bool:
    return times.is_compact(written(cell))


def _are_hours(cells: Sequence[Any]) -> bool:
    """Return whether cells are hours from 0 to 23, or from 1 to 24."""
    known = _known(cells)
    if not known or not all(map(numbers.is_number, known)):
        return False
    hours = {float(cell) for cell in known}
    return hours <= {*range(24)} or hours <= {*range(1, 25)}


def _formats(
    cells: Cells, time: str | None, clock: str | None, layout: SeriesLayout, marks: Marks
) -> tuple[tuple[str, ...], bool | None, list[str]]:
    """Return the formats of the times, which of day and month is first, and warnings."""
    if time is None or layout.time_format is not None:
        return (), None, []
    columns = [cells[time]] if clock is None else [cells[time], cells[clock]]
    texts = [
        times.together(*parts)
        for parts in zip(*columns, strict=False)
        if not numbers.is_missing(parts[0])
    ]
    if not texts or all(times.number_of(text, marks) is not None for text in texts):
        formats = _of_numbers(time, texts, marks)
        since = formats or clock or layout.time or _epochs(cells[time], marks) >= 0.5
        return formats, None, [] if since else [_since_1970(time, texts)]
    halves = any(text.rstrip(". ").upper().endswith("M") for text in texts[:3])
    day_first = marks.decimal == "," and not halves
    found = times.detect(texts, day_first=day_first)
    if found is None:
        return (), day_first, []
    formats, other = found
    first = times.day_first_of(formats[0]) if formats else None
    if other is None:
        return formats, first, []
    order = {"d": "day", "m": "month", "y": "year", "Y": "year"}[
        re.findall("%([dmyY])", formats[0])[0]
    ]
    warning = (
        f"times such as {texts[0]!r} in {time} are read with the {order} first; if that is wrong, "
        f"add --set time_format='{other}'"
    )
    return formats, first, [warning]


def _of_numbers(name: str, texts: Sequence[str], marks: Marks) -> tuple[str, ...]:
    """Return the format of times that are numbers; none of times since 1970."""
    if compact := _compact_format(name, texts):
        return (compact,)
    values = [times.number_of(text, marks) for text in texts]
    days = [value for value in values if value is not None and times.is_excel(value)]
    dates = plain(name) in DAY_NAMES or any(value % 1 for value in days)
    known = plain(name) in (*TIME_NAMES, *DAY_NAMES)
    return (times.EXCEL,) if days and len(days) == len(values) and dates and known else ()


def _compact_format(name: str, cells: Sequence[Any]) -> str | None:
    """Return the format of times of digits only; short ones need a name that says so."""
    texts = [written(cell) for cell in _known(cells)]
    parts = {*re.split(r"[^a-z]+", plain(name))}
    if texts and (len(texts[0]) >= 12 or not parts.isdisjoint(DATE_PARTS)):
        return times.compact_format(texts)
    return None


def _since_1970(time: str, texts: Sequence[str]) -> str:
    return (
        f"times such as {texts[0][:40]!r} in {time} are read as seconds since 1970; if they are "
        "something else, name the columns to watch with --set columns=NAME,NAME, or the column of "
        "times with --set time=NAME"
    )


def _reason(name: str, cells: Sequence[Any], marks: Marks) -> str | None:
    """Return why a column is not watched; None if it is watched."""
    unit = numbers.unit_of(cells, marks)
    known = [cell for cell in cells if not numbers.is_missing(cell)]
    unnamed = not name.strip() or name.startswith(("column ", "Unnamed: "))
    if not known:
        words = [cell for cell in cells if numbers.is_word(cell)]
        return f"text, always {words[0]!r}" if words else "empty" if unnamed else None
    if plain(name) in LABELS and all(str(c).strip().casefold() in _ZERO_OR_ONE for c in known):
        return "labels, 0 or 1"
    numbered = unnamed or plain(name) in (*TIME_NAMES, *NUMBERED_NAMES)
    if numbered and unit == "" and _are_row_numbers(known):
        return ROW_NUMBERS
    if unit is None:
        return _not_numbers(known)
    return "times since 1970" if _are_regular_epochs(name, cells, marks) else None


def _parts_of_times(cells: Cells) -> list[str]:
    """Return the columns that are a date in parts: those from the year on, if there is one."""
    found = [
        name
        for name in cells
        if (held := PARTS_OF_TIMES.get(plain(name)))
        and _share(cells[name], lambda cell, held=held: _whole(cell) in held) == 1
    ]
    dated = {"year", "yr"} & {plain(name) for name in found}
    return found if len(found) > 1 and dated else []


def _whole(cell: Any) -> int | None:
    text = written(cell).removesuffix(".0")
    return int(text) if text.isdecimal() else None


def _not_numbers(known: Sequence[Any]) -> str:
    """Return what the cells of a column are that are no numbers."""
    if _share(known, times.is_time) == 1:
        return "times"
    if _share(known, times.is_time_of_day) == 1:
        return "times of day"
    if any(isinstance(cell, list) for cell in known):
        return "lists"
    one, *more = dict.fromkeys(str(cell).strip() for cell in known)
    if not more:
        return f"text, always {one[:40]!r}"
    by_unit: dict[str, str] = {}
    for cell in (one, *more):
        measure = Marks(".", True).measure(cell) or Marks(",", True).measure(cell)
        if measure is None:
            return f"text that changes, such as {one[:40]!r} and {more[0][:40]!r}"
        by_unit.setdefault(measure[1], cell[:40])
    first, other, *_ = [*by_unit.values(), more[0][:40]]
    return f"units that do not fit together, such as {first!r} and {other!r}"


def _are_row_numbers(cells: Sequence[Any]) -> bool:
    texts = [written(cell).removesuffix(".0") for cell in cells]
    if not all(text.isdecimal() for text in texts):
        return False
    return {int(b) - int(a) for a, b in itertools.pairwise(texts)} == {1}


def _watched(name: str, cells: Sequence[Any]) -> str:
    shown = str(next(iter(_known(cells)), ""))[:40]
    return (
        f"column {name!r} is watched as a value: {shown!r} is no time since 1970, and its numbers "
        f"do not rise; if they are times, add --set time={name}, and if it is neither, name the "
        "columns to watch with --set columns=NAME,NAME"
    )


def _in_parts(source: str, parts: Sequence[str]) -> str:
    return (
        f"{source}: the columns {', '.join(parts)} are not put together to times, and each record "
        "counts as one step; give one column of times"
    )


def _unread(name: str, cells: Sequence[Any]) -> str:
    known = _known(cells)
    shown = str(known[0])[:40] if known else ""
    return (
        f"column {name!r} is not read as times: {shown!r} is written in a way that is not known, "
        "or has no date; say how with --set time_format=FORMAT, such as '%d.%m.%Y %H:%M'"
    )
