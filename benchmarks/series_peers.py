"""Detectors to compare with on series: each gives every record a score, and has one threshold.

A peer learns from the normal records. Its threshold comes from the last third of them, which it
judges after learning from the others: `MARGIN` times the largest score there. Then it learns from
all of them.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

MARGIN = 1.05

MOST_WINDOWS = 8_000
"""The largest number of learned windows of the nearest-window peer, spread over the normal data."""

Peer = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A function of normal records and of others, of shape (N, columns), that returns scores, (M,)."""


def rolling_z(normal: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return the largest z-score over the columns, by the 100 records before each."""
    both = np.concatenate([normal[-100:], judged])
    before = sliding_window_view(both, 100, axis=0)[:-1][-len(judged) :]
    spread = np.maximum(before.std(axis=-1), 1e-9 + 1e-6 * np.abs(both).max(axis=0))
    scores: np.ndarray = np.abs((judged - before.mean(axis=-1)) / spread).max(axis=1)
    return scores


def isolation_forest(normal: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return the scores of an isolation forest on windows of 32 records of all columns."""
    known, asked = _windows(normal, judged, 32)
    if len(known) > MOST_WINDOWS:
        known = known[np.linspace(0, len(known) - 1, MOST_WINDOWS).astype(int)]
    forest = IsolationForest(random_state=0).fit(known)
    scores: np.ndarray = -forest.score_samples(asked)
    return scores


def nearest_window(normal: np.ndarray, judged: np.ndarray, length: int = 100) -> np.ndarray:
    """Return the largest distance, over the columns, of a window to the nearest normal one.

    The windows are normalised to mean 0 and standard deviation 1, as in the matrix profile.
    """
    scores = np.zeros(len(judged))
    for column in range(normal.shape[1]):
        one = slice(column, column + 1)
        known, asked = (_normalised(x) for x in _windows(normal[:, one], judged[:, one], length))
        if len(known) > MOST_WINDOWS:
            known = known[np.linspace(0, len(known) - 1, MOST_WINDOWS).astype(int)]
        for first in range(0, len(asked), 512):
            part = asked[first : first + 512]
            alike = (part @ known.T).max(axis=1)
            distance = np.sqrt(np.maximum(2 * length - 2 * alike, 0))
            scores[first : first + 512] = np.maximum(scores[first : first + 512], distance)
    return scores


def pca(normal: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return the larger of T2 and Q by PCA, each as a share of its largest normal value.

    The vectors are records of several columns, or windows of 32 records of one column.
    """
    known, asked = (normal, judged) if normal.shape[1] > 1 else _windows(normal, judged, 32)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    known, asked = (known - mean) / spread, (asked - mean) / spread
    model = PCA(n_components=0.9).fit(known)
    both = []
    for values in (known, asked):
        parts = model.transform(values)
        t2 = (parts**2 / model.explained_variance_).sum(axis=1)
        q = ((values - model.inverse_transform(parts)) ** 2).sum(axis=1)
        both.append(np.stack([t2, q]))
    largest = np.quantile(both[0], 0.99, axis=1, keepdims=True) + 1e-9
    scores: np.ndarray = (both[1] / largest).max(axis=0)
    return scores


PEERS: dict[str, Peer] = {
    "rolling z": rolling_z,
    "isolation forest": isolation_forest,
    "nearest window": nearest_window,
    "PCA T2/Q": pca,
}


def judged_by(peer: Peer, normal: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of the judged records, and which of them are beyond the threshold."""
    normal, judged = _filled(normal, normal), _filled(judged, normal)
    cut = 2 * len(normal) // 3
    threshold = MARGIN * float(peer(normal[:cut], normal[cut:]).max())
    scores = peer(normal, judged)
    return scores, scores > threshold


def _filled(values: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return the values with the column's normal mean where one is missing."""
    filled: np.ndarray = np.where(np.isfinite(values), values, np.nanmean(normal, axis=0))
    return filled


def _windows(normal: np.ndarray, judged: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all normal windows, and for each judged record the window that ends with it."""
    length = min(length, len(normal) // 2)
    both = np.concatenate([normal[len(normal) - length + 1 :], judged])
    known, asked = (
        sliding_window_view(x, length, axis=0).reshape(-1, length * x.shape[1])
        for x in (normal, both)
    )
    return known, asked


def _normalised(windows: np.ndarray) -> np.ndarray:
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    scaled: np.ndarray = centred / np.maximum(spread, 1e-6 * max(float(spread.max()), 1e-9))
    return scaled
