"""The space of a search: options with the values that trials may have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keras_recipes import options
from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Recipe

WIDE = 100
"""How many times its lower end the upper end of a range is from which on it is logarithmic."""


@dataclass(frozen=True)
class Range:
    """A range of numbers, both ends included.

    Attributes:
        low: The lower end.
        high: The upper end.
    """

    low: float
    high: float

    @property
    def logarithmic(self) -> bool:
        """Whether each order of magnitude is as likely as any other."""
        return self.low > 0 and self.high / self.low >= WIDE


@dataclass(frozen=True)
class Choice:
    """Single values."""

    values: tuple[Any, ...]


Space = Mapping[str, Range | Choice]


def parse(recipe: Recipe, assignments: Iterable[str]) -> dict[str, Range | Choice]:
    """Return the space of texts such as `learning_rate=1e-4..1e-1` or `optimizer=adam,nesterov`.

    Raises:
        InputError: A text has another form, an unknown option, or a value that it cannot have.
    """
    found: dict[str, Range | Choice] = {}
    for text in assignments:
        name, sign, values = text.partition("=")
        if not sign or not values:
            raise InputError(
                f"--space: expected OPTION=LOW..HIGH or OPTION=A,B,C, received {printable(text)!r}"
            )
        options.check_name(recipe, name, "fit")
        if name in found:
            raise InputError(f"--space {name}: given twice; leave one out")
        found[name] = _of(options.of(recipe)[name], values)
    if not found:
        raise InputError(
            "--space: expected options to search, received none; give OPTION=LOW..HIGH"
        )
    return found


def sampled(space: Space) -> dict[str, Any]:
    """Return the space as Ray Tune draws from it."""
    from ray import tune

    drawn: dict[str, Any] = {}
    for name, part in space.items():
        if isinstance(part, Choice):
            drawn[name] = tune.choice(list(part.values))
        elif isinstance(part.low, int) and isinstance(part.high, int):
            draw = tune.lograndint if part.logarithmic else tune.randint
            drawn[name] = draw(part.low, part.high + 1)
        else:
            draw = tune.loguniform if part.logarithmic else tune.uniform
            drawn[name] = draw(part.low, part.high)
    return drawn


def _of(option: options.Option, text: str) -> Range | Choice:
    low, dots, high = text.partition("..")
    if not dots:
        return Choice(tuple(option.parse(value) for value in text.split(",")))
    if option.choices or option.kind not in (int, float):
        raise InputError(
            f"--space {option.name}: expected single values such as A,B, received {printable(text)}"
        )
    ends = Range(option.parse(low), option.parse(high))
    if None in (ends.low, ends.high) or not ends.low < ends.high:
        raise InputError(
            f"--space {option.name}: expected a lower and a higher end, received {printable(text)}"
        )
    return ends
