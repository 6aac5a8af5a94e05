"""What the columns of a table say together: one evidence for a record, however many columns.

Each column's value is compared with its normal mean; a column that drifts, with its own last few
hundred records. These deviations are averaged over one record and over ten. Two statistics of the
averages are taken: the largest one, and Hotelling's T2 (1947), which knows which columns move
together. Each is divided by the largest value among the normal records, so that it means the same
for one column and for fifty. The mean of both is the joint deviation. An alarm needs more than
twice the largest normal one (`FACTOR`), because other normal records exceed it now and then.
"""

from collections.abc import Mapping, Sequence

import numpy as np

WINDOWS = (1, 10)
"""The numbers of records over which deviations are averaged."""

FACTOR = 2.1
"""The joint deviation, in largest normal ones, at which an alarm is raised.

It was chosen on 15 files of the Skoltech Anomaly Benchmark, as `DRIFTING` was.
"""

COLUMN_FACTOR, COLUMN_POWER = 1.4, 3
"""The same for the evidence of the columns by themselves, whose ratio is raised to this power.

That evidence is a rank among the past, which has an upper end and stays high for long. The power
keeps it from prolonging an incident.
"""

SPARSE = 0.9
"""The share of records with the same value from which on a column is left to its own detector.

Such a column is constant, nearly constant, or a command that is rarely given. Its deviations have
no usual size.
"""

LAGS, DRIFTING = (10, 200), 2.5
"""A column drifts if its average changes so many times as much over the second lag as the first."""

SLOW = 200
"""The number of records that the reference of a drifting column follows."""

LEARNING = 40
"""The reference of another column follows so many times the number of normal records."""

LEAST_SHRINKAGE = 0.03
"""The smallest weight of the diagonal in the covariances.

It is larger if there are few normal records for the number of columns.
"""

MOST_RECORDS = 2.0**53

LARGEST = 1e6
"""The largest deviation that counts, in standard deviations."""


class JointView:
    """The joint deviation of the columns of a table.

    Args:
        arrays: The arrays of `state`, whose names and shapes `shapes` lists.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = {name: array.copy() for name, array in arrays.items()}
        self._watched = np.flatnonzero(arrays["watched"])

    @staticmethod
    def shapes(columns: int, watched: int) -> dict[str, tuple[int, ...]]:
        """Return the names and shapes of the arrays for a number of columns.

        Args:
            columns: The number of columns of the table.
            watched: The number of columns that have a part in the joint deviation.
        """
        windows = len(WINDOWS)
        return {
            "watched": (columns,),
            "mean": (watched,),
            "spread": (watched,),
            "drifting": (watched,),
            "reference": (watched,),
            "rate": (watched,),
            "last": (max(WINDOWS), watched),
            "seen": (),
            "largest": (windows, watched),
            "centre": (windows, watched),
            "inverse": (windows, watched, watched),
            "scale": (windows, 2),
        }

    @classmethod
    def of(cls, values: np.ndarray) -> "JointView | None":
        """Return what is usual for the columns; None if no column can be watched.

        Args:
            values: Normal records of shape (N, columns); NaN for a missing value.
        """
        known = np.isfinite(values)
        watched = np.array([_varies(column) for column in values.T])
        if not watched.any():
            return None
        values = np.where(known, values, np.nan)[:, watched]
        mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        level = np.nan_to_num(np.clip((values - mean) / spread, -LARGEST, LARGEST))
        count, width = level.shape
        drifting = _drifting(level)
        made = cls(
            {
                "watched": watched.astype("float64"),
                "mean": mean,
                "spread": spread,
                "drifting": drifting.astype("float64"),
                "reference": np.zeros(width),
                "rate": np.where(drifting, 1 / SLOW, 1 / (LEARNING * count)),
                "last": np.zeros((max(WINDOWS), width)),
                "seen": np.array(0.0),
                "largest": np.ones((len(WINDOWS), width)),
                "centre": np.zeros((len(WINDOWS), width)),
                "inverse": np.stack([np.eye(width)] * len(WINDOWS)),
                "scale": np.ones((len(WINDOWS), 2)),
            }
        )
        made._arrays["reference"] = np.where(drifting, level[0], 0.0)
        averages = np.array([made._averages(row) for row in values])
        made._calibrate(averages[min(SLOW // 3, count // 3) :])
        return made

    def update(self, values: Sequence[float], *, adapt: bool = False) -> tuple[float, np.ndarray]:
        """Return the joint deviation of a record, in largest normal ones, and each column's part.

        Args:
            values: The values of all columns; what is not finite is skipped.
            adapt: Whether the references of all columns follow the last few hundred records.

        Returns:
            The joint deviation, and how much each column deviates, by itself or from the others, of
            shape (columns,).
        """
        averages = self._averages(np.array(values)[self._watched], adapt)
        parts = np.abs(averages) / self._arrays["largest"]
        away = averages - self._arrays["centre"]
        # What each column contributes to T2.
        shares = away * np.einsum("kcd,kd->kc", self._arrays["inverse"], away)
        t2 = np.maximum(shares.sum(axis=1), 0)
        both = np.stack([parts.max(axis=1), np.sqrt(t2)], axis=1)
        scale = self._arrays["scale"]
        joint = (both / scale).mean(axis=1)
        window = int(joint.argmax())
        by_column = np.zeros(len(self._arrays["watched"]))
        by_column[self._watched] = np.maximum(
            parts[window] / scale[window, 0],
            np.sqrt(np.maximum(shares[window], 0)) / scale[window, 1],
        )
        return float(joint[window]), by_column

    def widen(self, largest: float) -> None:
        """Accept a joint deviation as normal; smaller ones are known as normal already."""
        self._arrays["scale"] = self._arrays["scale"] * min(max(largest, 1.0), LARGEST)

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays, from which another view continues."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def _averages(self, values: np.ndarray, adapt: bool = False) -> np.ndarray:
        """Take the next record, and return its deviations over each window, (windows, watched)."""
        arrays, last = self._arrays, self._arrays["last"]
        with np.errstate(invalid="ignore", over="ignore"):
            level = np.clip((values - arrays["mean"]) / arrays["spread"], -LARGEST, LARGEST)
        deviation = level - arrays["reference"]
        deviation[~np.isfinite(values)] = 0.0
        seen = int(arrays["seen"])
        last[seen % len(last)] = deviation
        arrays["seen"] = np.array(float(seen + 1))
        if adapt:
            arrays["reference"] = arrays["reference"] + deviation / SLOW
        else:
            # What is far from a column's reference hardly moves it, unless it drifts.
            step = np.where(arrays["drifting"] > 0, deviation, np.clip(deviation, -3, 3))
            arrays["reference"] = arrays["reference"] + arrays["rate"] * step
        return np.stack([deviation, last.sum(axis=0) / min(seen + 1, len(last))])

    def _calibrate(self, averages: np.ndarray) -> None:
        """Learn the sizes of normal averages, of shape (N, windows, watched)."""
        arrays = self._arrays
        arrays["largest"] = np.maximum(np.abs(averages).max(axis=0), 1e-9)
        arrays["centre"] = averages.mean(axis=0)
        for number, window in enumerate(WINDOWS):
            away = averages[:, number] - arrays["centre"][number]
            covariance = away.T @ away / len(away)
            diagonal = np.diag(np.diag(covariance) + 1e-9)
            # Averages over a window overlap, so there are fewer independent ones.
            shrinkage = min(max(away.shape[1] * window / len(away), LEAST_SHRINKAGE), 1.0)
            covariance = (1 - shrinkage) * covariance + shrinkage * diagonal
            arrays["inverse"][number] = np.linalg.inv(covariance)
            t2 = np.einsum("nc,cd,nd->n", away, arrays["inverse"][number], away)
            largest = np.sqrt(max(float(t2.max()), 1e-9))
            arrays["scale"][number] = (1.0, largest)


def _varies(column: np.ndarray) -> bool:
    """Return whether a column has usual deviations, and is not nearly constant."""
    known = column[np.isfinite(column)]
    if len(known) < 10:
        return False
    spread = float(known.std())
    if not spread > 1e-9 * max(float(np.abs(known).max()), 1e-140):
        return False
    _, counts = np.unique(known, return_counts=True)
    return bool(counts.max() < SPARSE * len(known))


def _drifting(level: np.ndarray) -> np.ndarray:
    """Return which columns of normalised normal records drift, as booleans of shape (columns,)."""
    short, long = (min(lag, max(len(level) // 4, 1)) for lag in LAGS)
    if long <= short:
        return np.zeros(level.shape[1], bool)
    window = max(WINDOWS)
    total = np.concatenate([np.zeros((1, level.shape[1])), level.cumsum(axis=0)])
    average = (total[window:] - total[:-window]) / window
    sooner, later = (
        np.sqrt(((average[lag:] - average[:-lag]) ** 2).mean(axis=0)) for lag in (short, long)
    )
    found: np.ndarray = later > DRIFTING * np.maximum(sooner, 1e-12)
    return found
