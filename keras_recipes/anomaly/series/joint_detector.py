"""The detector of all columns of a table together: one verdict on a record.

An incident that lasts longer than the normal records is the new normal: from then on the references
of the columns follow their last records, and the incident ends.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_recipes.anomaly.series import joint
from keras_recipes.anomaly.series.alarm_policy import AlarmGate, Verdict
from keras_recipes.anomaly.series.detector import PACE_RECORDS, SeriesDetector
from keras_recipes.anomaly.series.detector_state import (
    LARGEST,
    check_fields,
    check_gate,
    packed,
    unpacked,
)
from keras_recipes.anomaly.series.joint import COLUMN_FACTOR, COLUMN_POWER, FACTOR, JointView
from keras_recipes.errors import CorruptModelError

DEFAULT_THRESHOLD = 0.85
"""The threshold at which the factors of `joint` are those of an alarm."""

RISE = 0.3
"""As in `SeriesDetector`."""


class JointDetector:
    """One verdict on the records of a table with several columns.

    Args:
        view: What is usual for the columns together; None if no column has usual deviations.
        usual: The largest evidence of any column among the normal records; 0 if it is not known.
        gate: Turns evidence into verdicts.
        patience: The number of records after which an incident is the new normal.
    """

    def __init__(
        self, view: JointView | None, usual: float, gate: AlarmGate, patience: int
    ) -> None:
        self.view, self.usual, self.patience = view, usual, patience
        self._gate, self._age = gate, 0
        self._largest = 0.0

    @classmethod
    def of(
        cls, values: np.ndarray, detectors: Sequence[SeriesDetector], threshold: float
    ) -> "JointDetector":
        """Return a detector that learned from normal records.

        Args:
            values: The records, of shape (N, columns); NaN for a missing value.
            detectors: The detectors of the columns, which learned from the same records.
            threshold: The evidence of an alarm.
        """
        usual = max(detector.usual for detector in detectors)
        patience = min(len(values), PACE_RECORDS)
        return cls(JointView.of(values), usual, _gate(threshold, patience), patience)

    @classmethod
    def of_columns(cls, detectors: Sequence[SeriesDetector]) -> "JointDetector":
        """Return a detector that asks the columns' detectors only."""
        gate = _gate(detectors[0].threshold, PACE_RECORDS)
        return cls(None, 0.0, gate, PACE_RECORDS)

    @staticmethod
    def normal_evidence(values: np.ndarray, evidence: np.ndarray) -> np.ndarray:
        """Return the evidence of the second half of normal records, by what the first half shows.

        Args:
            values: The records, of shape (N, columns); NaN for a missing value.
            evidence: The evidence of the columns' detectors for them, of the same shape.
        """
        half = len(values) // 2
        view = JointView.of(values[:half])
        alone = _alone(evidence[half:], float(evidence[:half].max())).max(axis=1)
        rows = values[half:].tolist()
        together = np.array([view.update(row)[0] if view else 0.0 for row in rows])
        largest: np.ndarray = DEFAULT_THRESHOLD * np.maximum(together / FACTOR, alone)
        return largest

    @property
    def threshold(self) -> float:
        """The evidence of an alarm."""
        return self._gate.threshold

    def set_threshold(self, threshold: float) -> None:
        """Use another threshold from now on."""
        self._gate.threshold = threshold

    def update(
        self, values: Sequence[float], evidence: Sequence[float]
    ) -> tuple[Verdict, np.ndarray]:
        """Return the verdict on a record, and how much each column deviates.

        Args:
            values: The value of each column; NaN if it is missing.
            evidence: The evidence of each column's detector.
        """
        alone = _alone(np.array(evidence), self.usual)
        if self.view is None:
            return self._gate.judge(DEFAULT_THRESHOLD * float(alone.max())), alone
        together, parts = self.view.update(values, adapt=self._age > self.patience)
        self._largest = max(self._largest, together)
        largest = max(together / FACTOR, float(alone.max()))
        verdict = self._gate.judge(DEFAULT_THRESHOLD * largest)
        self._age = self._age + 1 if verdict.incident else 0
        return verdict, np.maximum(parts / FACTOR, alone)

    def accept_as_normal(self) -> None:
        """Accept the records that were judged as normal, and end the effect of earlier alarms."""
        if self.view:
            self.view.widen(self._largest)
        self._largest = 0.0
        self._gate.calm()
        self._age = 0

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        arrays = self.view.state() if self.view else {}
        return {
            "usual": self.usual,
            "patience": self.patience,
            "age": self._age,
            "gate": self._gate.state(),
            "columns": len(arrays["watched"]) if arrays else 0,
            "watched": int(arrays["watched"].sum()) if arrays else 0,
            "view": {name: packed(array) for name, array in arrays.items()},
        }

    @classmethod
    def from_json(cls, values: Any, columns: int) -> "JointDetector | None":
        """Return the detector of `to_json`'s values, which may be untrusted.

        Args:
            values: The values; None for a table of one column and in older cards.
            columns: The number of columns of the table.

        Raises:
            CorruptModelError: The values are damaged.
        """
        if values is None:
            return None
        try:
            whole = ("columns", "watched", "patience", "age")
            check_fields(values, least=("usual",), whole=whole)
            check_gate(values["gate"])
            view = None
            if values["columns"]:
                if values["columns"] != columns or not 0 < values["watched"] <= columns:
                    raise ValueError("columns")
                view = _view(values["view"], columns, values["watched"])
            gate = AlarmGate.from_state(values["gate"])
            made = cls(view, values["usual"], gate, values["patience"])
            made._age = values["age"]
            return made
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise CorruptModelError(
                f"the card's state of the table is damaged: {str(error)[:80]}; fit again"
            ) from None


def _alone(evidence: np.ndarray, usual: float) -> np.ndarray:
    """Return how near each column comes to an alarm by itself, which is at 1.

    Args:
        evidence: The evidence of the columns' detectors.
        usual: As for `JointDetector`.
    """
    if not usual:
        return evidence / DEFAULT_THRESHOLD
    near: np.ndarray = (evidence / (COLUMN_FACTOR * usual)) ** COLUMN_POWER
    return near


def _gate(threshold: float, records: int) -> AlarmGate:
    return AlarmGate(threshold=threshold, rise=RISE, decay=3 * records, cooldown=records // 5)


def _view(values: Any, columns: int, watched: int) -> JointView:
    shapes = JointView.shapes(columns, watched)
    arrays = {name: unpacked(values[name], "f8", shape) for name, shape in shapes.items()}
    positive = ("spread", "rate", "largest", "scale")
    flags = ("watched", "drifting")
    for name, array in arrays.items():
        least = 1e-300 if name in positive else 0.0 if name in (*flags, "seen") else -LARGEST
        most = 1.0 if name in flags else joint.MOST_RECORDS if name == "seen" else LARGEST
        if not bool(np.all((array >= least) & (array <= most))):
            raise ValueError(name)
    if any(not np.isin(arrays[name], (0.0, 1.0)).all() for name in flags):
        raise ValueError("watched")
    if arrays["watched"].sum() != watched:
        raise ValueError("watched")
    return JointView(arrays)
