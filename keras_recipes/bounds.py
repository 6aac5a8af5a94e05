"""Ranges for the value of an option, written with `annotated_types`."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import astuple
from typing import Annotated, Any

from annotated_types import Ge, GroupedMetadata, Gt, Interval, Le, Lt

Bound = Ge | Gt | Le | Lt
"""A limit that a value is compared with."""

Count = Annotated[int, Ge(1)]

Whole = Annotated[int, Ge(0)]

Positive = Annotated[float, Gt(0)]

Seed = Annotated[int, Interval(ge=0, lt=2**32)]

NotNegative = Annotated[float, Ge(0)]

Share = Annotated[float, Interval(ge=0, lt=1)]

_RELATIONS: dict[type[Bound], tuple[str, Callable[[Any, Any], bool]]] = {
    Ge: (">=", operator.ge),
    Gt: (">", operator.gt),
    Le: ("<=", operator.le),
    Lt: ("<", operator.lt),
}


def of(metadata: Iterable[Any]) -> tuple[Bound, ...]:
    """Return the bounds of an annotation; an interval gives its two bounds.

    Args:
        metadata: What `Annotated` holds after the type.

    Raises:
        TypeError: An item is not a bound.
    """
    found: list[Bound] = []
    for item in metadata:
        for bound in item if isinstance(item, GroupedMetadata) else (item,):
            if not isinstance(bound, Bound):
                raise TypeError(f"expected bounds such as Ge(1), received {bound!r}")
            found.append(bound)
    return tuple(found)


def met(value: Any, bounds: Iterable[Bound]) -> bool:
    """Return whether a number meets all of the bounds."""
    return all(_RELATIONS[type(bound)][1](value, *astuple(bound)) for bound in bounds)


def in_words(bounds: Iterable[Bound]) -> str:
    """Describe bounds for a message, such as ">= 0 and < 1"; empty if there are none."""
    relations = (f"{_RELATIONS[type(bound)][0]} {astuple(bound)[0]}" for bound in bounds)
    return " and ".join(relations)
