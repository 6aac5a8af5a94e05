"""Promised and real false alarms of series on normal data, by the number of columns.

    python -m benchmarks.series_promises
    python -m benchmarks.series_promises --columns 1 8 --seeds 5
    python -m benchmarks.series_promises --family commands --columns 25 55

The tables are those of the families `weeks-N` or `commands-N` of `benchmarks.series`: two weeks are
learned, and each alarm in the next four weeks is a false one. A promise gives another threshold
only, so that each table is judged once. The detectors train their nets themselves, in a second
each.
"""

import argparse
import copy
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import series_constants, series_data, series_variants
from benchmarks.series_data import WEEK, Case
from keras_recipes.anomaly.series import alarm_policy, source
from keras_recipes.anomaly.series.alarm_policy import Verdict

COLUMNS = (1, 8, 25, 55)

FAMILIES = {"weeks": series_data.weeks, "commands": series_data.commands}

PROMISES = (7.0, 3.0, 1.0)
"""The promised false alarms a week."""


class _Gate(alarm_policy.AlarmGate):
    """A gate that keeps the evidence."""

    heard: list[float]

    def judge(
        self, evidence: float, *, latest: float | None = None, lasting: float = 0.0
    ) -> Verdict:
        vars(self).setdefault("heard", []).append(evidence)
        return super().judge(evidence, latest=latest, lasting=lasting)


@dataclass(frozen=True)
class Outcome:
    """The false alarms in a table.

    Attributes:
        weeks: The weeks of normal records that the promise was made from.
        a_week: False alarms a week by default, and for each promise.
    """

    weeks: float
    a_week: tuple[float, ...]


def outcome(case: Case, seed: int, promises: Sequence[float]) -> Outcome:
    logged = {"detector.AlarmGate": _Gate, "joint_detector.AlarmGate": _Gate}
    with tempfile.TemporaryDirectory() as folder, series_variants.changed(logged):
        table, judged = series_constants.fitted(case, seed, None, Path(folder))
        one = table.joint or next(iter(table.detectors.values()))
        gate, promise = one._gate, table.promise
        assert isinstance(gate, _Gate) and promise is not None
        vars(gate)["heard"] = []
        before = copy.deepcopy(gate)
        for _ in table.judged(source.to_judge([str(judged)], table)):
            pass
    thresholds = [before.threshold, *(promise.threshold(each / 7) for each in promises)]
    alarms = [_alarms(before, threshold, gate.heard) for threshold in thresholds]
    weeks = len(case.judged) / WEEK
    return Outcome(promise.spans / promise.per_day / 7, tuple(count / weeks for count in alarms))


def _alarms(before: _Gate, threshold: float, evidence: Sequence[float]) -> int:
    gate = copy.deepcopy(before)
    gate.threshold = threshold
    return sum(gate.judge(value).alarm for value in evidence)


def print_outcomes(
    table: Callable[[int, int], Case], columns: Sequence[int], seeds: int, promises: Sequence[float]
) -> None:
    promised = [f"promised {each:g}" for each in promises]
    print(f"False alarms a week, means of {seeds} tables, with the least and the largest\n")
    print(f"| Columns | Weeks that show it | By default | {' | '.join(promised)} |")
    print(f"| --- | --- | --- |{' --- |' * len(promises)}")
    for number in columns:
        found = [outcome(table(number, seed), seed, promises) for seed in range(seeds)]
        cells = [_ranged(np.array(each)) for each in zip(*(x.a_week for x in found), strict=True)]
        shown = f"{np.mean([x.weeks for x in found]):.1f}"
        print(f"| {number} | {shown} | {' | '.join(cells)} |", flush=True)


def _ranged(values: np.ndarray) -> str:
    mean = f"{values.mean():.2f}"
    return mean if np.ptp(values) == 0 else f"{mean}, {values.min():.2f} to {values.max():.2f}"


def main() -> None:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--family", choices=FAMILIES, default="weeks")
    made.add_argument("--columns", nargs="+", type=int, default=COLUMNS, metavar="N")
    made.add_argument("--seeds", type=int, default=1, metavar="N")
    given = made.parse_args()
    logging.disable(logging.WARNING)
    with threadpool_limits(1):
        print_outcomes(FAMILIES[given.family], given.columns, given.seeds, PROMISES)


if __name__ == "__main__":
    main()
