"""Time spans as people write them in options, such as `5m`."""

import re

from keras_recipes.errors import InputError, printable

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""The units, with their seconds."""

LONGEST = 1e9
"""The longest time span in seconds, about 32 years."""

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.ASCII)


def parts(text: str) -> tuple[float, str] | None:
    """Return the number and the unit of a text such as `5m`, or None if it is not written so.

    Args:
        text: A number, and perhaps a unit of `SECONDS`; without one, the unit is empty.
    """
    match = _WRITTEN.fullmatch(text.strip())
    return (float(match[1]), match[2]) if match else None


def seconds(name: str, text: str) -> float:
    """Return the seconds of a time span with a unit.

    Args:
        name: The option, for the message.
        text: The time span, such as `30s`, `10m` or `2h`.

    Raises:
        InputError: It is no time span, or it is not above 0 and at most `LONGEST`.
    """
    number, unit = parts(text) or (0.0, "")
    if not unit or not 0 < number * SECONDS[unit] <= LONGEST:
        raise InputError(
            f"{name}: expected a time span such as 30s, 10m or 2h, received {printable(repr(text))}"
        )
    return number * SECONDS[unit]
