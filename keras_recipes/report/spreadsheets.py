"""Text for CSV that a spreadsheet does not compute and a terminal does not obey.

A cell that begins with `=`, `+`, `-` or `@` is a formula for a spreadsheet, and a log or the name
of a file may hold one that somebody else has written. Such a cell gets an apostrophe in front, by
which spreadsheets mark a text. Source: OWASP, CSV Injection.
"""

import re
from typing import Any

from keras_recipes.errors import printable

APOSTROPHE = "'"

# The wide forms are those of Chinese and Japanese fonts, which some spreadsheets take for the
# others. A spreadsheet may pass over spaces in front.
_FORMULA = re.compile("[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20]")

# Numbers, also several, as in the points that `xor` is asked about. None of them is a formula.
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:[,;] ?{_NUMBER})*+")


def cell(value: Any) -> Any:
    """Return a value for CSV: numbers as they are, and texts so that they stay texts."""
    if not isinstance(value, str):
        return value
    text = value if value.isprintable() else printable(value, 10 * len(value))
    computed = _FORMULA.match(value) and not _NUMBERS.fullmatch(value)
    return APOSTROPHE + text if computed else text
