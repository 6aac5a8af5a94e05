"""Cells as numbers."""

import math
from typing import Any

from keras_recipes.errors import InputError

MISSING = frozenset(("", "nan", "null", "none", "na", "n/a", "nil", "-", "?"))


def is_number(cell: Any) -> bool:
    """Return whether a cell is a finite number."""
    try:
        return not isinstance(cell, bool) and "_" not in str(cell) and math.isfinite(float(cell))
    except (TypeError, ValueError, OverflowError):
        return False


def is_value(cell: Any) -> bool:
    """Return whether a cell is a number or a missing value."""
    missing = cell is None or (isinstance(cell, str) and cell.strip().casefold() in MISSING)
    return missing or is_number(cell)


def value_of(where: str, name: str, cell: Any) -> float:
    """Return a cell's number; NaN if it is missing, infinity if it is too large."""
    if cell is None or (isinstance(cell, str) and cell.strip().casefold() in MISSING):
        return math.nan
    try:
        if isinstance(cell, str) and "_" in cell:
            raise ValueError
        return float(cell)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: expected a number in column {name!r}, received {str(cell)[:40]!r}; "
            "choose the columns to read with --set columns=A,B"
        ) from None
