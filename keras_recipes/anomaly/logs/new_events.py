"""How often normal sessions have new events: events whose template occurs in no other session."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.errors import CorruptModelError

LARGEST = 50
"""The largest number of new events that is told from a larger one."""


@dataclass(frozen=True)
class NewEvents:
    """The numbers of new events in normal sessions.

    A template that occurs in one session only is left out of the templates, so each normal session
    is compared with the others. The estimate is that of Good and Turing: a next session has a new
    event about as often as a normal session has an event that no other one has.

    Attributes:
        sessions: The number N of normal sessions; 0 if it is unknown, as in older cards.
        at_least: The numbers of these sessions that have 1, 2, 3, ... new events or more.
    """

    sessions: int = 0
    at_least: tuple[int, ...] = ()

    @classmethod
    def of(cls, counts: np.ndarray) -> "NewEvents":
        """Return what the numbers of new events in normal sessions show.

        Args:
            counts: The numbers of new events, integers of shape (N,).
        """
        largest = min(int(counts.max(initial=0)), LARGEST)
        at_least = tuple(int((counts >= count).sum()) for count in range(1, largest + 1))
        return cls(len(counts), at_least)

    def p_value(self, count: int) -> float:
        """Return the share of normal sessions with so many new events, no less than 1 / (N + 1)."""
        if not count or not self.sessions:
            return 1.0
        known = min(count, LARGEST)
        sessions = self.at_least[known - 1] if known <= len(self.at_least) else 0
        return (1 + sessions) / (1 + self.sessions)

    def p_values(self, counts: np.ndarray) -> np.ndarray:
        """Return the p-value of each number of new events, float64 of the same shape."""
        table = np.array([self.p_value(count) for count in range(LARGEST + 1)])
        return np.asarray(table[np.minimum(counts, LARGEST)])

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"sessions": self.sessions, "at_least": list(self.at_least)}

    @classmethod
    def from_json(cls, values: Any) -> "NewEvents":
        """Return the numbers of `to_json`'s values, which may be untrusted; none in older cards.

        Raises:
            CorruptModelError: The values are damaged.
        """
        if values is None:
            return cls()
        known = values if isinstance(values, dict) else {}
        sessions, at_least = known.get("sessions"), known.get("at_least")
        numbers: list[Any] = [sessions, *at_least] if isinstance(at_least, list) else [None]
        good = (
            len(numbers) <= LARGEST + 1
            and all(type(number) is int and 0 <= number < 10**15 for number in numbers)
            and numbers == sorted(numbers, reverse=True)
        )
        if good:
            return cls(numbers[0], tuple(numbers[1:]))
        raise CorruptModelError("the card's numbers of new events are damaged; fit again")
