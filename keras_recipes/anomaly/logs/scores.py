"""The score of a session, from the p-values of its features.

Each feature is a number for a session. The larger it is, the more unusual the session:

surprise The largest surprise, -log p in nats, over all events and the end of the session. The net
         predicts the next event, as in DeepLog (Du, Li, Zheng, Srikumar, CCS 2017). DeepLog asks
         whether the event is among the k likeliest; this feature takes its probability.
order    log(1 + the CUSUM of the surprise in nats): how much the surprise of any part of the
         session exceeds what the net expects. It is large if many events are a little unlikely. The
         logarithm is taken because in a rare normal session all events are unlikely at once.
counts   The distance of the counts of its templates from those of the nearest normal session: the
         sum over all templates e of w(e) |log2(1 + n(e)) - log2(1 + m(e))|, smallest over the
         learned sessions m. w(e) is -log of the share of sessions in which e does not occur as
         often as usual, so that counts which vary in normal sessions weigh little. All new events
         count as one more template.
measurements
         How far the most extreme measurement is beyond the normal range, see `normal_ranges`. Logs
         without measurements do not have this feature, nor have older cards.

The p-value of a feature is the share of normal sessions in which it is at least as large, see
`null_distribution`. The net's features are compared with those of the validation sessions, and also
of the training sessions unless the net is overfitted. The counts and the measurements are compared
by leaving each session out in turn. Simes' method combines them (*An improved Bonferroni procedure
for multiple tests of significance*, Biometrika 1986): the session's p-value is the smallest of
k p(i) / i, where p(i) is the i-th smallest of the k features' p-values. New events have a p-value
of their own, see `new_events`; the smaller of the two counts. The threshold is the share of normal
sessions that may be false alarms.
"""

from collections.abc import Mapping

import numpy as np

from keras_recipes.anomaly.null_distribution import NullDistribution
from keras_recipes.errors import InputError

SURPRISE, ORDER, COUNTS, MEASUREMENTS = "surprise", "order", "counts", "measurements"

LEAST_SCALE = {SURPRISE: 1.0, ORDER: 0.2, COUNTS: 0.2, MEASUREMENTS: 0.2}
"""The smallest distance over which the p-value of a feature falls by a factor of e.

The most unusual normal sessions may be much alike by chance, and a more unusual one may be normal.
A net with correct probabilities has a scale of 1 nat.
"""

FEATURES = (SURPRISE, ORDER, COUNTS)
"""The features of every log."""

RAREST = 0.0002
"""The share of false alarms that is allowed where the normal sessions are enough to show it."""


def null_distribution(feature: str, values: np.ndarray) -> NullDistribution:
    """Return the distribution of a feature's values on normal sessions, of shape (N,)."""
    return NullDistribution.of(values, LEAST_SCALE[feature])


def p_values(nulls: Mapping[str, NullDistribution], values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the p-values of sessions, in (0, 1], of shape (N,).

    Args:
        nulls: The null distribution of each feature.
        values: The values of each feature, of shape (N,).
    """
    by_feature = np.stack([null.p_value(values[feature]) for feature, null in nulls.items()])
    ranks = np.arange(1, len(nulls) + 1)[:, None]
    return np.asarray((np.sort(by_feature, axis=0) * len(nulls) / ranks).min(axis=0))


def decisive(nulls: Mapping[str, NullDistribution], values: Mapping[str, np.ndarray]) -> list[str]:
    """Return the name of the feature with the smallest p-value in each session, N names."""
    names = list(nulls)
    by_feature = np.stack([null.p_value(values[feature]) for feature, null in nulls.items()])
    return [names[number] for number in by_feature.argmin(axis=0).tolist()]


def score(p_values: np.ndarray, false_alarm_rate: float) -> np.ndarray:
    """Return the scores of p-values, from 0 to 1.

    The score is 0.5 at a p-value equal to `false_alarm_rate`, and 0.91 at a tenth of it.

    Args:
        p_values: The p-values.
        false_alarm_rate: The share of normal sessions that may be called anomalies.
    """
    return np.asarray(false_alarm_rate / (false_alarm_rate + np.maximum(p_values, 1e-300)))


def session_maxima(values: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of each session, and its first index, both of shape (N,).

    Args:
        values: The values of all steps, session after session, of shape (total,).
        starts: The index at which each session begins, and the total, of shape (N + 1,).
    """
    largest = np.maximum.reduceat(values, starts[:-1])
    at = np.flatnonzero(values == np.repeat(largest, np.diff(starts)))
    return largest, at[np.searchsorted(at, starts[:-1])]


def allowed_rate(
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    *,
    sessions: int = 0,
    sessions_per_day: float = 0.0,
) -> float:
    """Return the share of normal sessions that may be false alarms.

    Args:
        false_alarm_rate: The share; None takes `RAREST`, or one in N + 1 if that is more, because N
            normal sessions cannot show anything rarer.
        false_alarms_per_day: The number of false alarms per day; None uses the share.
        sessions: The number N of normal sessions that were compared; 0 if it is unknown.
        sessions_per_day: The number of sessions on a normal day; 0 if it is unknown.

    Raises:
        InputError: No false alarm is allowed, so that nothing could be an anomaly.
    """
    if false_alarm_rate == 0 and not false_alarms_per_day:
        raise InputError("false_alarm_rate: expected more than 0, received 0; try 1e-6")
    if false_alarms_per_day and sessions_per_day:
        return min(0.5, false_alarms_per_day / sessions_per_day)
    if false_alarm_rate:
        return false_alarm_rate
    return max(RAREST, 1 / (sessions + 1)) if sessions else RAREST
