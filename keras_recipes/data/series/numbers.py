"""Cells as numbers: decimal and thousands marks, units, booleans, missing values.

A number is read in one way or not at all. What a mark means is decided once for a table
(`marks_of`), so `1,985` is never sometimes 1985 and sometimes 1.985.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keras_recipes.data.series import units
from keras_recipes.errors import InputError

MISSING = frozenset(
    (
        *("", "nan", "null", "none", "na", "n/a", "#n/a", "nil", "<nil>", "-", "--", "?"),
        *("undefined", "(null)", "\\n", "#nv", "#n/v", "<na>", "---", "n.a.", "[n/a]", "nat"),
        *("#div/0!", "#value!", "#ref!", "#wert!"),
    )
)

WORDS = frozenset(("unavailable", "unknown", "no data"))
"""Words that stand for a missing value among numbers, and are texts among texts."""

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "t", "y"), 1.0),
    **dict.fromkeys(("false", "no", "off", "f", "n"), 0.0),
}

_INFINITE = ("inf", "infinity")

BOOLEAN = "true or false"
"""The unit of a column of booleans."""

_BLANKS = "'\u2019 \u00a0\u202f"
_MOST = 60
"""The largest number of characters of a number with its unit."""


def _grammar(decimal: str, groups: str) -> re.Pattern[str]:
    """Return the pattern of numbers with this decimal mark and these marks between thousands."""
    grouped = rf"[1-9]\d{{0,2}}(?P<mark>[{groups}])\d{{3}}(?:(?P=mark)\d{{3}})*"
    fraction = rf"(?:{re.escape(decimal)}\d*)?"
    number = rf"(?:{grouped}|\d+){fraction}|{re.escape(decimal)}\d+"
    return re.compile(rf"[+-]?(?:{number})(?:[eE][+-]?\d{{1,4}})?")


_GRAMMARS = {
    (".", False): _grammar(".", _BLANKS),
    (".", True): _grammar(".", _BLANKS + ","),
    (",", False): _grammar(",", _BLANKS),
    (",", True): _grammar(",", _BLANKS + "."),
}
_WITH_UNIT = re.compile(
    r"([$\u20ac\u00a3\u00a5]?)\s*"
    rf"([+-]?[\d.,{_BLANKS}]*(?:\d[eE][+-]?\d+|[\d.,]))(.*)"
)


@dataclass(frozen=True)
class Marks:
    """What the marks in a table's numbers mean.

    Attributes:
        decimal: The decimal mark, `.` or `,`.
        grouped: Whether the other of the two may stand between thousands.
    """

    decimal: str = "."
    grouped: bool = False

    def number(self, text: str) -> float | None:
        """Return the number that a text without a unit is; None if it is no number."""
        if len(text) > _MOST:
            return None
        text = _plain(text)
        match = _GRAMMARS[self.decimal, self.grouped].fullmatch(text)
        if match is None:
            return None
        if match["mark"]:
            text = text.replace(match["mark"], "")
        return float(text.replace(self.decimal, "."))

    def measure(self, text: str) -> tuple[float, str] | None:
        """Return the number and the unit that a text is; the unit may be empty."""
        match = None if len(text) > _MOST else _WITH_UNIT.fullmatch(_plain(text))
        if match is None:
            return None
        number, unit = self.number(match[2]), match[1] or match[3].strip()
        if number is None or (match[1] and match[3].strip()) or not units.is_unit(unit):
            return None
        return number, unit


def _plain(text: str) -> str:
    return text.strip().replace("\u2212", "-")


def marks_of(cells: Iterable[str]) -> "tuple[set[str], dict[str, str]]":
    """Return the decimal marks that all of these numbers allow, and a number that forbids each.

    Args:
        cells: Numbers, as text; anything else is passed over.
    """
    allowed = {".", ","}
    against: dict[str, str] = {}
    for cell in cells:
        if "," not in cell and "." not in cell:
            continue
        fitting = {mark for mark in ".," if Marks(mark, True).measure(cell) is not None}
        if fitting and len(fitting) == 1:
            for mark in {".", ","} - fitting:
                allowed.discard(mark)
                against.setdefault(mark, cell.strip())
    return allowed, against


def is_number(cell: Any) -> bool:
    """Return whether a cell is a finite number, without a unit and with a decimal point."""
    try:
        return not isinstance(cell, bool) and "_" not in str(cell) and math.isfinite(float(cell))
    except (TypeError, ValueError, OverflowError):
        return False


def is_missing(cell: Any) -> bool:
    """Return whether a cell is a missing value."""
    if not isinstance(cell, str):
        return cell is None
    word = cell.strip().casefold()
    return word in MISSING or word in WORDS


def is_word(cell: Any) -> bool:
    """Return whether a cell is one of `WORDS`."""
    return isinstance(cell, str) and cell.strip().casefold() in WORDS


def is_value(cell: Any, marks: Marks | None = None) -> bool:
    """Return whether a cell is a number or a missing value; with marks, a unit may follow."""
    if is_missing(cell) or is_number(cell):
        return True
    return bool(marks and isinstance(cell, str) and marks.measure(cell) is not None)


def unit_of(cells: Sequence[Any], marks: Marks) -> str | None:
    """Return the unit of a column of numbers; None if it is no column of numbers.

    The unit is the first that occurs, and every other one must be a multiple of it.
    """
    known = [cell for cell in cells if not is_missing(cell)]
    if known and all(_boolean(cell) is not None for cell in known):
        return BOOLEAN
    measures = [measure for cell in known if (measure := _measure(cell, marks)) is not None]
    if len(measures) < max(1, len(known) / 2) or (known and _measure(known[0], marks) is None):
        return None if known else ""
    # A zero may have any unit, or none.
    zero = not any(number for number, _ in measures)
    found = dict.fromkeys(unit for number, unit in measures if number or zero)
    first = "" if "" in found and len(found) > 1 else next(iter(found), "")
    fitting = all(units.scale(unit, first) is not None for unit in found)
    return first if fitting else None


def _boolean(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return float(cell)
    return BOOLEANS.get(cell.strip().casefold()) if isinstance(cell, str) else None


def _is_infinite(text: str) -> bool:
    return text.strip().lstrip("+-").casefold() in _INFINITE


def _measure(cell: Any, marks: Marks) -> tuple[float, str] | None:
    if isinstance(cell, str):
        if cell.isdecimal():
            return float(cell), ""
        return marks.measure(cell) or ((0.0, "") if _is_infinite(cell) else None)
    return (0.0, "") if is_number(cell) or isinstance(cell, float) else None


def reader(name: str, marks: Marks, unit: str) -> Callable[[Any], float]:
    """Return a function from a cell of this column to its number.

    It gives NaN for a missing value and infinity for a number that is too large, and raises
    ValueError for any other cell.

    Args:
        name: The name of the column, for the message.
        marks: What the marks in the numbers mean.
        unit: The unit of the numbers; numbers in multiples of it are converted.
    """
    plain = marks.decimal == "." and unit in ("", BOOLEAN)

    def read(cell: Any) -> float:
        if plain:
            try:
                if type(cell) is not str or "_" not in cell:
                    return float(cell)
            except OverflowError:
                return math.inf
            except (TypeError, ValueError):
                pass
        if is_missing(cell):
            return math.nan
        number = _converted(cell, marks, unit)
        if number is None:
            raise ValueError(name)
        return number

    return read


def _converted(cell: Any, marks: Marks, unit: str) -> float | None:
    if not isinstance(cell, str):
        try:
            return float(cell)
        except (TypeError, ValueError):
            return None
        except OverflowError:
            return math.inf
    if unit == BOOLEAN and (truth := _boolean(cell)) is not None:
        return truth
    if (measure := marks.measure(cell)) is None:
        return float(cell) if _is_infinite(cell) else None
    number, written = measure
    factor = units.scale(written, "" if unit == BOOLEAN else unit)
    if factor is None:
        return 0.0 if number == 0 else None
    return number * factor


def refused(where: str, name: str, cell: Any, unit: str) -> InputError:
    """Return the error about a cell that is no number of its column."""
    expected = f"a number in {unit}" if unit not in ("", BOOLEAN) else "a number"
    return InputError(
        f"{where}: expected {expected} in column {name!r}, received {str(cell)[:40]!r}; choose the "
        "columns to read with --set columns=A,B, or say what a mark means with --set decimal=comma"
    )
