"""Units behind numbers: which texts are units, and how many of one are in another."""

import re

_TIME = {
    "ns": 1e-9,
    **dict.fromkeys(("us", "\u00b5s", "\u03bcs"), 1e-6),
    "ms": 1e-3,
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("day", "days"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 604_800.0),
}

_LARGE = {
    **dict.fromkeys(("k", "K"), 1e3),
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    **{prefix: 1024.0**power for power, prefix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)},
}
_SMALL = {"n": 1e-9, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6, "m": 1e-3}

_COUNTS = {"": 1.0, "Mil": 1e6, "Bil": 1e9, "Tri": 1e12, **_LARGE}
"""Units of numbers without one, as Grafana writes them: `2.18 K`, `1.2 Mil`."""

_UNIT = re.compile(
    r"[^\W\d_]{1,7}"  # ms, GiB, req
    r"|[%\u2030$\u20ac\u00a3\u00a5\u03a9]|\u00b0[A-Z]?"
    r"|[^\W\d_]{1,2}[\u00b2\u00b3]"  # m3
    r"|(?:\S{1,3} )?[^\W\d_]{1,8}/[^\W\d_]{1,8}[\u00b2\u00b3]?"  # K req/s, ug/m3
)


def is_unit(text: str) -> bool:
    """Return whether a text may be a unit; a number without a unit has an empty one."""
    return not text or _UNIT.fullmatch(text) is not None


def scale(unit: str, base: str) -> float | None:
    """Return how many of `base` one `unit` is; None if it is no multiple of it."""
    if unit == base:
        return 1.0
    for known in (_TIME, _COUNTS):
        if unit in known and base in known:
            return known[unit] / known[base]
    for factor, plain in _split(unit):
        for other, same in _split(base):
            if plain == same and plain:
                return factor / other
    return None


def _split(unit: str) -> list[tuple[float, str]]:
    """Return the ways to take a unit apart into a prefix's factor and a unit without prefix."""
    prefixes = {**_LARGE, **_SMALL}
    unit = unit.replace(" ", "")
    taken = [(prefixes[unit[:n]], unit[n:]) for n in (1, 2) if unit[:n] in prefixes]
    return [(1.0, unit), *(pair for pair in taken if pair[1] and pair[1][0] != "i")]
