"""How strange a session is: three views of it, the p-value of each, and the score of all three.

Each view is a number for a session, the larger the stranger:

surprise the largest surprise, -log p in nats, that the net has at any next event, the session's
         end included: an LSTM that predicts the next event, as in DeepLog (Du, Li, Zheng, Srikumar,
         CCS 2017), with its likelihood in place of "is it among the top k"
order    the most by which the surprise of any stretch of the session exceeds what the net expects
         of itself (CUSUM), as log(1 + nats): many events that are each a little out of place; the
         logarithm, since rare ways of being normal are rare in all of their events at once
counts   how much the counts of its events differ from those of the nearest normal session: the sum
         over all event types e of w(e) |log2(1 + n(e)) - log2(1 + m(e))|, smallest over the
         sessions m that were learned. w(e) = -log of the share of sessions in which e is not as
         often as usual: a count that varies freely says little when it varies. Events of a type
         never seen are counted as one more type.

Each has a p-value: the share of normal sessions in which it is at least as large. The net's views
are compared with sessions held back (and with those it was trained on, if it knows them hardly
better), `counts` by leaving each session out in turn. The smallest p-value times three (Bonferroni)
is the session's, since it has had three chances, and the threshold is a share of the normal
sessions: the false alarms that were agreed to.
"""

from collections.abc import Mapping

import numpy as np

from keras_recipes.anomaly.logs.null_distribution import NullDistribution
from keras_recipes.errors import InputError

LEAST_SCALE = {"surprise": 1.0, "order": 0.2, "counts": 0.2}
"""However alike the strangest normal sessions are, those that are a little stranger may be normal:
a p-value does not fall by e within less. A net that is right about itself has a scale of 1 nat."""

VIEWS = tuple(LEAST_SCALE)


def null_distribution(view: str, values: np.ndarray) -> NullDistribution:
    """The distribution of a view's values on normal sessions, of shape (N,)."""
    return NullDistribution.of(values, LEAST_SCALE[view])


def p_values(nulls: Mapping[str, NullDistribution], values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The share of normal sessions that are at least as strange as these, in (0, 1].

    Args:
        nulls: The null distribution of each view.
        values: By view, each of shape (N,).
    """
    by_view = np.stack([null.p_value(values[view]) for view, null in nulls.items()])
    return np.asarray(np.minimum(1.0, len(nulls) * by_view.min(axis=0)))


def decided_by_counts(
    nulls: Mapping[str, NullDistribution], values: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Whether the counts are what is strangest about each session, bool of shape (N,)."""
    by_view = {view: null.p_value(values[view]) for view, null in nulls.items()}
    return np.asarray(by_view["counts"] < np.minimum(by_view["surprise"], by_view["order"]))


def score(p_values: np.ndarray, false_alarm_rate: float) -> np.ndarray:
    """P-values as scores from 0 to 1: 0.5 is the threshold, 0.91 a tenth of the p-value there.

    Args:
        p_values: From the function of that name.
        false_alarm_rate: The share of normal sessions that may be called anomalies.
    """
    return np.asarray(false_alarm_rate / (false_alarm_rate + np.maximum(p_values, 1e-300)))


def session_maxima(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest value of each session, and where it first stands, both of shape (N,).

    Args:
        values: Of all steps, session after session, of shape (total,).
        starts: Where each session begins, and the total, of shape (N + 1,).
    """
    largest = np.maximum.reduceat(values, starts[:-1])
    at = np.flatnonzero(values == np.repeat(largest, np.diff(starts)))
    return largest, at[np.searchsorted(at, starts[:-1])]


def allowed_rate(
    false_alarm_rate: float, false_alarms_per_day: float | None, sessions_per_day: float
) -> float:
    """The share of normal sessions that may be false alarms.

    Args:
        false_alarm_rate: That share itself.
        false_alarms_per_day: How many a day; None leaves it to the share.
        sessions_per_day: How many sessions a normal day has; 0 where nobody knows.

    Raises:
        InputError: None at all, with which nothing would ever be an anomaly.
    """
    if not false_alarm_rate and not false_alarms_per_day:
        raise InputError("false_alarm_rate: expected more than 0, received 0; 1e-6 is nearly none")
    if not false_alarms_per_day or not sessions_per_day:
        return false_alarm_rate
    return min(0.5, false_alarms_per_day / sessions_per_day)
