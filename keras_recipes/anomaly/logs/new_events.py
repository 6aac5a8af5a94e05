"""How often normal sessions have new events: events whose template occurs in no other session.

In a session that is judged, a new event is one whose template occurs in no normal session.

The novelty of a session is a number. A session whose new events are more severe has a larger one,
by the level that they name, such as FATAL; of two with the same level, the one with more new events
of this level. In many logs normal sessions often have new events, but hardly ever severe ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipes.data.logs import severity
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.data.logs.templates import UNSEEN
from keras_recipes.errors import CorruptModelError

LARGEST = 50
"""The largest number of new events that is told from a larger one."""

MOST_NOVEL = severity.HIGHEST * (LARGEST + 1) + LARGEST


@dataclass(slots=True)
class News:
    """The new events of a session so far.

    Attributes:
        rank: The rank of the most severe one.
        count: The number of new events of this rank.
        line: The line of the first of these.
        message: Its masked message.
        total: The number of all new events.
        last: The position of the last one, from 0, its line and its masked message.
    """

    rank: int = 0
    count: int = 0
    line: int = 0
    message: bytes = b""
    total: int = 0
    last: tuple[int, int, bytes] = (0, 0, b"")

    def add(self, rank: int, position: int, line: int, message: bytes) -> None:
        """Add a new event."""
        if rank > self.rank or not self.count:
            self.rank, self.count, self.line, self.message = rank, 0, line, message
        self.count += rank == self.rank
        self.total += 1
        self.last = position, line, message

    @property
    def novelty(self) -> int:
        """The novelty of the session; 0 without new events."""
        return self.rank * (LARGEST + 1) + min(self.count, LARGEST) if self.count else 0


@dataclass(frozen=True)
class NewEvents:
    """The novelties of normal sessions.

    A template that occurs in one session only is left out of the templates, so each normal session
    is compared with the others. The estimate is that of Good and Turing: a next session has a new
    event about as often as a normal session has an event that no other one has.

    Attributes:
        sessions: The number N of normal sessions; 0 if it is unknown, as in older cards.
        at_least: The numbers of these sessions that have a novelty of 1, 2, 3, ... or more.
        by_level: Whether levels count; False in older cards, whose novelty is the number of new
            events.
    """

    sessions: int = 0
    at_least: tuple[int, ...] = ()
    by_level: bool = True

    @classmethod
    def of(cls, novelties: np.ndarray) -> "NewEvents":
        """Return what the novelties of normal sessions show.

        Args:
            novelties: The novelties, integers of shape (N,).
        """
        largest = int(novelties.max(initial=0))
        at_least = tuple(int((novelties >= novelty).sum()) for novelty in range(1, largest + 1))
        return cls(len(novelties), at_least)

    def rank(self, message: bytes) -> int:
        """Return how severe a new event is, by its masked message; 0 if levels do not count."""
        if not self.by_level:
            return 0
        rank = severity.of_message(message)
        return severity.USUAL if rank is None else rank

    def p_value(self, novelty: int) -> float:
        """Return the share of normal sessions at least as novel, no less than 1 / (N + 1)."""
        if not novelty or not self.sessions:
            return 1.0
        sessions = self.at_least[novelty - 1] if novelty <= len(self.at_least) else 0
        return max(sessions, 1) / (1 + self.sessions)

    def p_values(self, novelties: np.ndarray) -> np.ndarray:
        """Return the p-value of each novelty, float64 of the same shape."""
        table = np.array([self.p_value(novelty) for novelty in range(MOST_NOVEL + 1)])
        return np.asarray(table[novelties])

    def least_anomalous_rank(self, false_alarm_rate: float) -> int | None:
        """Return the rank from which on one new event alone is an anomaly, or None."""
        for rank in range(severity.HIGHEST + 1 if self.by_level else 1):
            if self.p_value(News(rank, 1).novelty) <= false_alarm_rate:
                return rank
        return None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        values = {"sessions": self.sessions, "at_least": list(self.at_least)}
        return {**values, "by_level": self.by_level}

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
        by_level = known.get("by_level", False)
        numbers: list[Any] = [sessions, *at_least] if isinstance(at_least, list) else [None]
        good = (
            type(by_level) is bool
            and len(numbers) <= 1 + (MOST_NOVEL if by_level else LARGEST)
            and all(type(number) is int and 0 <= number < 10**15 for number in numbers)
            and numbers == sorted(numbers, reverse=True)
        )
        if good:
            return cls(numbers[0], tuple(numbers[1:]), by_level)
        raise CorruptModelError("the card's numbers of new events are damaged; fit again")

    def novelties(
        self, sequences: Sequences, is_new: Callable[[bytes], bool] | None = None
    ) -> np.ndarray:
        """Return the novelty of each session, int64 of shape (N,).

        Args:
            sequences: The sessions.
            is_new: Whether a masked message without a token id is a new event; None if all are, as
                in the normal sessions that the templates were learned from.
        """
        found = np.zeros(len(sequences), "int64")
        new = np.flatnonzero(sequences.token_ids == UNSEEN)
        owners = (np.searchsorted(sequences.starts, new, side="right") - 1).tolist()
        ranks: dict[int, int | None] = {}
        news: dict[int, News] = {}
        for owner, message in zip(owners, sequences.message_ids[new].tolist(), strict=True):
            if message not in ranks:
                text = sequences.messages[message]
                ranks[message] = self.rank(text) if is_new is None or is_new(text) else None
            rank = ranks[message]
            if rank is not None:
                news.setdefault(owner, News()).add(rank, 0, 0, b"")
        for owner, its in news.items():
            found[owner] = its.novelty
        return found
