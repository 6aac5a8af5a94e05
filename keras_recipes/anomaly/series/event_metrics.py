"""Metrics of alarms about a series: NAB's score, F1 of events and of records, VUS-PR.

The labels of a series are `windows`: pairs of row numbers (first, last), both included, in order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Windows = Sequence[tuple[int, int]]

FALSE_ALARM, MISS = 0.11, 1.0
"""The weights of NAB's standard profile."""


def nab_gain(alarms: np.ndarray, windows: Windows, *, probation: int) -> float:
    """Return how much NAB's score of one series exceeds the score without any alarm.

    The score is that of NAB's standard profile (Lavin & Ahmad 2015, arXiv 1510.03336). A found
    window is worth 1, and up to 1 more the earlier it is found. Further alarms in it are worth
    nothing. An alarm outside costs up to 0.11, and less shortly after a window.

    Args:
        alarms: Booleans of shape (N,).
        windows: The labels of the series.
        probation: The number of rows at the beginning that do not count.
    """
    gain = 0.0
    rows = np.flatnonzero(alarms)
    rows = rows[rows >= probation]
    outside = np.ones(len(rows), dtype=bool)
    for first, last in windows:
        inside = (rows >= first) & (rows <= last)
        outside &= ~inside
        if inside.any():
            earliest = -(last - rows[inside][0] + 1) / (last - first + 1)
            gain += MISS + _sigmoid(earliest) / _sigmoid(-1.0)
    for row in rows[outside]:
        before = [window for window in windows if window[1] < row]
        if before:
            first, last = before[-1]
            gain += FALSE_ALARM * _sigmoid((row - last) / max(last - first, 1))
        else:
            gain -= FALSE_ALARM
    return gain


def nab_score(gains: Sequence[float], windows: int) -> float:
    """Return the NAB score of several series: 0 without any alarm, 100 if all is perfect.

    Args:
        gains: The `nab_gain` of each series.
        windows: The number of windows in all series.
    """
    return 100 * sum(gains) / (2 * windows) if windows else 0.0


def _sigmoid(position: float) -> float:
    return -1.0 if position > 3 else float(2 / (1 + np.exp(5 * position)) - 1)


def events(alarms: np.ndarray, windows: Windows, *, probation: int) -> tuple[int, int, int]:
    """Return the numbers of windows found, of alarms outside all windows, and of windows missed.

    No points are adjusted. The arguments are those of `nab_gain`.
    """
    rows = np.flatnonzero(alarms)
    rows = rows[rows >= probation]
    inside = [(rows >= first) & (rows <= last) for first, last in windows]
    found = sum(bool(hits.any()) for hits in inside)
    false = int((~np.any(inside, axis=0)).sum()) if inside else len(rows)
    return found, false, len(windows) - found


def f1(found: int, false: int, missed: int) -> float:
    """Return the harmonic mean of precision and recall; 1 without any window and any alarm."""
    wrong = false + missed
    return 2 * found / (2 * found + wrong) if found + wrong else 1.0


class Points(NamedTuple):
    """Metrics of single records, each of which counts by itself.

    Attributes:
        f1: Harmonic mean of precision and recall; 0 if no anomalous record was called so.
        false_alarm_rate: The share of the normal records that were called anomalous.
        missed_alarm_rate: The share of the anomalous records that were not.
    """

    f1: float
    false_alarm_rate: float
    missed_alarm_rate: float


def points(flags: np.ndarray, labels: np.ndarray) -> Points:
    """Return the metrics of single records.

    Args:
        flags: Booleans of shape (N,): the records that are called anomalous.
        labels: Booleans of shape (N,): the records that are anomalous.
    """
    true, false = int((flags & labels).sum()), int((flags & ~labels).sum())
    missed, normal = int((~flags & labels).sum()), int((~labels).sum())
    return Points(
        2 * true / max(2 * true + false + missed, 1),
        false / max(normal, 1),
        missed / max(true + missed, 1),
    )


def vus_pr(scores: np.ndarray, windows: Windows, *, widest: int = 100, widths: int = 11) -> float:
    """Return VUS-PR, the volume under the surface of precision and recall.

    It is defined by Paparrizos et al. 2022, VLDB 15: the area under the range-aware curve, averaged
    over buffers of 0 to `widest` rows around the windows. In a buffer a label falls off with the
    square root. Recall is weighted with the share of windows of which any row was found. No
    threshold is chosen.

    Args:
        scores: Scores of shape (N,), higher for more anomalous rows.
        windows: At least one window.
        widest: The width of the widest buffer in rows, half of it on each side of a window.
        widths: The number of buffers.
    """
    areas = [_range_pr(scores, windows, int(w)) for w in np.linspace(0, widest, widths)]
    return float(np.mean(areas))


def _range_pr(scores: np.ndarray, windows: Windows, buffer: int) -> float:
    soft, hard = _labels(len(scores), windows, buffer)
    positives = (soft.sum() + hard.sum()) / 2
    order = np.argsort(-scores, kind="stable")
    cuts = np.unique(np.linspace(1, len(scores), 251).astype(int))
    true = np.cumsum(soft[order])[cuts - 1]
    # The rank of the first row of each window in the order of the scores.
    rank = np.empty(len(scores), dtype=int)
    rank[order] = np.arange(1, len(scores) + 1)
    touched = np.array([rank[first : last + 1].min() for first, last in windows])
    existence = (touched[None] <= cuts[:, None]).mean(axis=1)
    recall = np.minimum(true / positives, 1) * existence
    precision = true / cuts
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float((steps * precision).sum())


def _labels(rows: int, windows: Windows, buffer: int) -> tuple[np.ndarray, np.ndarray]:
    hard, soft = np.zeros(rows), np.zeros(rows)
    half = buffer // 2
    for first, last in windows:
        hard[first : last + 1] = soft[first : last + 1] = 1
        for away in range(1, half + 1):
            value = np.sqrt(1 - away / buffer)
            for row in (first - away, last + away):
                if 0 <= row < rows:
                    soft[row] = max(soft[row], value)
    return soft, hard
