"""What is normal for a session, learned from normal sessions, and how far others are from it.

Three views, each a number for a session, the larger the stranger:

surprise the largest surprise, -log p in nats, that the net has at any next event, the session's
         end included: an LSTM that predicts the next event, as in DeepLog (Du, Li, Zheng, Srikumar,
         CCS 2017), with its likelihood in place of "is it among the top k"
order    the most by which the surprise of any stretch of the session exceeds what the net expects
         of itself (CUSUM), as log(1 + nats): many events that are each a little out of place; the
         logarithm, since rare ways of being normal are rare in all of their events at once
counts   how much the numbers of its events differ from those of the nearest normal session: the sum
         over all kinds e of w(e) |log2(1 + n(e)) - log2(1 + m(e))|, smallest over the sessions m
         that were learned. w(e) = -log of the share of sessions in which e is not as often as
         usual: an event whose number varies freely says little when it varies. Events of no known
         kind are counted as one more kind.

Each is turned into the share of normal sessions that are at least as strange (a `Tail`): the net's
views from sessions held back (and from those it was trained on, if it knows them hardly better),
`counts` by leaving each session out in turn. The
smallest share times three is the session's, since it has had three chances, and the threshold is a
share: the false alarms that were agreed to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keras_recipes.errors import CorruptModelError, InputError, printable

if TYPE_CHECKING:
    import numpy as np

REFERENCES = 1_000
"""So many different normal sessions are kept to compare with, at most."""

LEAST_WEIGHT = 0.05
KNOTS = 200
LARGEST = 1e9
"""No value, weight or scale that a log can give is larger; and no weight or scale is smaller than
the inverse of it."""

LEAST_SCALE = {"surprise": 1.0, "order": 0.2, "counts": 0.2}
"""However alike the strangest normal sessions are, those that are a little stranger may be normal:
a share does not fall by e within less. A net that is right about itself has a scale of 1 nat."""

SLACK = 0.002
"""A value is larger than another one only by more: equal sessions are, however sums are rounded."""


@dataclass(frozen=True, eq=False)
class Tail:
    """The share of normal values that are at least as large, beyond the largest one too.

    The upper part is taken for exponential, as tails of surprises are: a net that is right about
    its probabilities is surprised by s nats or more in at most exp(-s) of the cases.

    Attributes:
        values: Ascending.
        shares: Of normal values that are at least so large, descending, in (0, 1].
        beyond: Of normal values that are larger than the last one.
        scale: By which the value has to grow beyond the last one for that share to fall by e.
    """

    values: "np.ndarray"
    shares: "np.ndarray"
    beyond: float
    scale: float

    @classmethod
    def of(cls, values: "np.ndarray", least_scale: float = 1e-3) -> "Tail":
        """The tail of observed values, of shape (N,), N > 0."""
        import numpy as np

        ordered = np.sort(np.round(values.astype("float64"), 3))
        count = len(ordered)
        upper = min(count - 1, max(10, count // 200))
        kept, more = ordered[: count - upper], ordered[count - upper :] - ordered[-1 - upper]
        # The largest counts as the second largest: no single session is to set the scale.
        more[-1:] = more[-2:][:1]
        scale = max(float(np.mean(more)) if upper else 0.0, least_scale)
        knots = np.unique(kept[np.linspace(0, len(kept) - 1, KNOTS).astype(int)])
        shares = (count - np.searchsorted(ordered, knots, side="left")) / count
        return cls(knots, shares, (upper + 1) / (count + 1), scale)

    def __call__(self, values: "np.ndarray") -> "np.ndarray":
        """The share for each value, float64 of the same shape."""
        import numpy as np

        values = values - SLACK
        inside = np.exp(np.interp(values, self.values, np.log(self.shares), left=0.0))
        further = np.maximum(values - self.values[-1], 0) / self.scale
        outside = self.beyond * np.exp(-np.minimum(further, 700))
        return np.asarray(np.where(further > 0, np.minimum(inside, outside), inside))

    def reaching(self, share: float) -> float:
        """The smallest value whose share is at most this, to rounding."""
        low, high = 0.0, float(self.values[-1]) + 700 * self.scale
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (low, middle) if self._one(middle) <= share else (middle, high)
        return high

    def _one(self, value: float) -> float:
        import numpy as np

        return float(self(np.array([value]))[0])

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "values": self.values.tolist(),
            "shares": self.shares.tolist(),
            "beyond": self.beyond,
            "scale": self.scale,
        }

    @classmethod
    def from_json(cls, found: Any) -> "Tail":
        """What `to_json` gave, trusting nothing in it.

        Raises:
            CorruptModelError: It is something else.
        """
        import numpy as np

        try:
            values = np.array(found["values"], "float64")
            shares = np.array(found["shares"], "float64")
            beyond, scale = float(found["beyond"]), float(found["scale"])
        except (TypeError, KeyError, ValueError) as error:
            raise CorruptModelError(
                f"the card's threshold is damaged: {printable(error)}; fit again"
            ) from None
        good = (
            values.ndim == 1
            and values.shape == shares.shape
            and 0 < len(values) <= KNOTS
            and bool(np.all(np.abs(values) <= LARGEST))
            and bool(np.all(np.diff(values) > 0))
            and bool(np.all((shares >= 1 / LARGEST) & (shares <= 1)))
            and bool(np.all(np.diff(shares) <= 0))
            and 1 / LARGEST <= beyond <= 1
            and 1 / LARGEST <= scale <= LARGEST
        )
        if not good:
            raise CorruptModelError("the card's threshold is damaged; fit again")
        return cls(values, shares, beyond, scale)


@dataclass(frozen=True, eq=False)
class Counts:
    """How often events occur in normal sessions.

    Attributes:
        references: Different normal sessions: the count of each kind, int32 of shape (K, E).
        weights: What it costs to differ in a kind's count by a factor of two, of shape (E,).
    """

    references: "np.ndarray"
    weights: "np.ndarray"

    @classmethod
    def of(cls, table: "np.ndarray", seed: int) -> "tuple[Counts, np.ndarray]":
        """Learns from normal sessions.

        Args:
            table: The count of each kind in each session, of shape (N, E).
            seed: Of the choice among more different sessions than are kept.

        Returns:
            What was learned; and for sessions (all, or a sample where they are too many) their
            distances from the others, of shape (N,).
        """
        import numpy as np

        different, inverse, times = np.unique(
            table, axis=0, return_inverse=True, return_counts=True
        )
        usual = np.array([np.bincount(column).max() for column in table.T])
        weights = np.maximum(np.log((len(table) + 1) / (len(table) - usual + 1)), LEAST_WEIGHT)
        if len(different) > REFERENCES:
            # The frequent ones, and of the others as many as there is room for.
            random = np.random.default_rng(seed).random(len(different))
            kept = np.sort(np.lexsort((random, -times))[:REFERENCES])
        else:
            kept = np.arange(len(different))
        counts = cls(different[kept].astype("int32"), weights)
        # Whoever has a twin is at no distance from the others.
        distances = np.zeros(len(different))
        for part in np.array_split(np.flatnonzero(times == 1), 1 + len(different) // 4_096):
            apart = counts._apart(different[part])
            apart[part[:, None] == kept[None]] = np.inf
            distances[part] = apart.min(axis=1, initial=np.inf)
        furthest = distances[np.isfinite(distances)].max(initial=0.0)
        return counts, np.where(np.isfinite(distances), distances, furthest)[inverse.reshape(-1)]

    def distances(self, table: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """How far sessions are from normal ones.

        Args:
            table: The count of each kind in each session, of shape (N, E).

        Returns:
            The distance of each, float64; and the number of the nearest reference.
        """
        import numpy as np

        different, inverse = np.unique(table, axis=0, return_inverse=True)
        pieces = [
            self._apart(different[first : first + 4_096])
            for first in range(0, len(different), 4_096)
        ]
        nearest = np.concatenate([piece.argmin(axis=1) for piece in pieces])
        distance = np.concatenate([piece.min(axis=1) for piece in pieces])
        inverse = inverse.reshape(-1)
        return distance[inverse], nearest[inverse]

    def cost(self, counts: "np.ndarray", reference: int) -> "np.ndarray":
        """What each kind contributes to the distance from a reference, of shape (E,)."""
        import numpy as np

        apart = np.log2(1.0 + counts) - np.log2(1.0 + self.references[reference])
        return np.asarray(self.weights * np.abs(apart))

    def _apart(self, table: "np.ndarray") -> "np.ndarray":
        import numpy as np
        from scipy.spatial.distance import cdist

        mine, theirs = (np.log2(1.0 + x) * self.weights for x in (table, self.references))
        return np.asarray(cdist(mine, theirs, "cityblock"))

    def to_json(self) -> dict[str, Any]:
        """As plain values; of a reference only the kinds that occur in it, with their counts."""
        rows = [[[int(e), int(row[e])] for e in row.nonzero()[0]] for row in self.references]
        return {"references": rows, "weights": self.weights.tolist()}

    @classmethod
    def from_json(cls, found: Any, kinds: int) -> "Counts":
        """What `to_json` gave, trusting nothing in it.

        Raises:
            CorruptModelError: It is something else.
        """
        import numpy as np

        try:
            weights = np.array(found["weights"], "float64")
            references = _references(found["references"], kinds)
            if weights.shape != (kinds,):
                raise ValueError(f"expected {kinds} weights")
            if not ((weights >= 1 / LARGEST) & (weights <= LARGEST)).all():
                raise ValueError("a weight that cannot be")
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise CorruptModelError(
                f"the card's counts are damaged: {printable(error)}; fit again"
            ) from None
        return cls(references, weights)


def _references(rows: Any, kinds: int) -> "np.ndarray":
    import numpy as np

    if not isinstance(rows, list) or not 0 < len(rows) <= REFERENCES:
        raise ValueError(f"expected 1 to {REFERENCES:,} normal sessions")
    references = np.zeros((len(rows), kinds), "int32")
    for row, entries in zip(references, rows, strict=True):
        for kind, count in entries:
            if {type(kind), type(count)} != {int} or not 0 <= kind < kinds:
                raise ValueError("a kind that there is not")
            if not 0 < count < 2**31:
                raise ValueError("a count that cannot be")
            row[kind] = count
    return references


VIEWS = tuple(LEAST_SCALE)


def tail(view: str, values: "np.ndarray") -> Tail:
    """The tail of a view's values on normal sessions, of shape (N,)."""
    return Tail.of(values, LEAST_SCALE[view])


def share(tails: Mapping[str, Tail], values: "Mapping[str, np.ndarray]") -> "np.ndarray":
    """The share of normal sessions that are at least as strange as these, in (0, 1].

    Args:
        tails: By view.
        values: By view, each of shape (N,).
    """
    import numpy as np

    shares = np.stack([tails[view](values[view]) for view in tails])
    return np.asarray(np.minimum(1.0, len(tails) * shares.min(axis=0)))


def by_counts(tails: Mapping[str, Tail], values: "Mapping[str, np.ndarray]") -> "np.ndarray":
    """Whether the counts are what is strangest about each session, bool of shape (N,)."""
    import numpy as np

    shares = {view: tails[view](values[view]) for view in tails}
    return np.asarray(shares["counts"] < np.minimum(shares["surprise"], shares["order"]))


def score(shares: "np.ndarray", false_alarm_rate: float) -> "np.ndarray":
    """Shares as scores from 0 to 1: 0.5 is the threshold, 0.91 a tenth of the share there.

    Args:
        shares: From `share`.
        false_alarm_rate: The share of normal sessions that may be called anomalies.
    """
    import numpy as np

    return np.asarray(false_alarm_rate / (false_alarm_rate + np.maximum(shares, 1e-300)))


def table(symbols: "np.ndarray", lengths: "np.ndarray", kinds: int) -> "np.ndarray":
    """How often each kind occurs in each session.

    Args:
        symbols: Kinds from 0 of all events, session after session, of shape (total,).
        lengths: Of the sessions, of shape (N,).
        kinds: How many there are.

    Returns:
        int64 of shape (N, kinds).
    """
    import numpy as np

    rows = np.repeat(np.arange(len(lengths)), lengths)
    flat = np.bincount(rows * kinds + symbols, minlength=len(lengths) * kinds)
    counts: np.ndarray = flat.reshape(len(lengths), kinds)
    return counts


def worst(values: "np.ndarray", starts: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """The largest value of each session, and where it first stands, both of shape (N,).

    Args:
        values: Of all steps, session after session, of shape (total,).
        starts: Where each session begins, and the total, of shape (N + 1,).
    """
    import numpy as np

    largest = np.maximum.reduceat(values, starts[:-1])
    at = np.flatnonzero(values == np.repeat(largest, np.diff(starts)))
    return largest, at[np.searchsorted(at, starts[:-1])]


def promised(false_alarm_rate: float, a_day: float, sessions_a_day: float) -> float:
    """The share of sessions that may be false alarms.

    Args:
        false_alarm_rate: That share itself.
        a_day: False alarms a day; 0 leaves it to the share.
        sessions_a_day: How many sessions a normal day has.

    Raises:
        InputError: None at all, with which nothing would ever be an anomaly.
    """
    if not false_alarm_rate and not a_day:
        raise InputError("false_alarm_rate: expected more than 0, received 0; 1e-6 is nearly none")
    if not a_day or not sessions_a_day:
        return false_alarm_rate
    return min(0.5, a_day / sessions_a_day)


def deal(names: Sequence[str], seed: int, shares: Sequence[float]) -> "np.ndarray":
    """The part that each session belongs to, by its name and the seed alone.

    Where chance leaves a part without any session, as it can where there are only some dozens, they
    are dealt evenly instead, in the same order.

    Args:
        names: Of the sessions.
        seed: Another one deals them otherwise.
        shares: How much of them part 0, part 1 and so on get; what is left is one part more.

    Returns:
        Numbers of the parts, int64 of shape (names,), from 0 to the number of shares.
    """
    import hashlib

    import numpy as np

    # A checksum such as CRC would do for names without order, and deals numbered ones in lumps.
    texts = (f"{seed}:{name}".encode(errors="replace") for name in names)
    digests = b"".join(hashlib.blake2b(text, digest_size=4).digest() for text in texts)
    dealt, bounds = np.frombuffer(digests, "<u4") / 2.0**32, np.cumsum(shares)
    found = np.digitize(dealt, bounds)
    if len(np.unique(found)) <= len(shares):
        return np.digitize(dealt.argsort().argsort() / len(dealt), bounds)
    return found
