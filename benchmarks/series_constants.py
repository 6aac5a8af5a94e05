"""What each family of series has with the constants that are best for the other families.

    python -m benchmarks.series_constants DIR KEPT
    python -m benchmarks.series_constants DIR KEPT --families nab skab --seeds 5 --nets NETS

DIR is that of `benchmarks.series`. The recipe judges each table once, and what it says before any
constant of `GRID` comes in is kept in KEPT. The verdicts for every choice of constants follow from
that, by the recipe's own gate. The choice with the largest mean F1 of events over all families but
one is then measured on that one; normal tables count as 1 if they have at most two false alarms a
week, else as 0. Of equal choices, the first one is taken that changes the fewest constants.

With `--nets` the nets are those of `recipes fit`, which are trained in minutes and kept in NETS.
Without it the detectors train nets of the same size themselves, in a second each.
"""

import argparse
import itertools
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter
from threadpoolctl import threadpool_limits

from benchmarks import series_data, series_tables, series_variants
from benchmarks.series_data import Case
from benchmarks.series_tables import Judged
from keras_recipes import catalog
from keras_recipes.anomaly.series import alarm_policy, calibration, detector, features, source
from keras_recipes.anomaly.series.alarm_policy import AlarmGate
from keras_recipes.anomaly.series.dataset import KNOWN
from keras_recipes.anomaly.series.joint import COLUMN_POWER, JointView
from keras_recipes.anomaly.series.joint_detector import DEFAULT_THRESHOLD
from keras_recipes.anomaly.series.shapes import LARGEST_EVIDENCE, ShapeView
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.commands.fit import prepare, settled

FAMILIES = ("nab", "skab", "ucr", "ecg", "symbols", "drift", "weeks-1", "weeks-8")

GRID: dict[str, tuple[float, ...]] = {
    "threshold": (0.85, 0.7, 1.0, 1.2),
    "smoothing": (0.3, 0.1, 0.5),
    "rise": (0.3, 0.15, 0.6),
    "shapes' weight": (0.2, 0.1, 0.4),
    "together from": (2.1, 1.6, 2.6),
    "alone from": (1.4, 1.2, 1.7),
}
"""The constants, and their values; the first is the recipe's."""

MOST_FALSE = 2.0
"""The largest number of false alarms a week that normal tables may have."""

Choice = tuple[float, ...]
"""A value for each constant of `GRID`."""

DEFAULT: Choice = tuple(values[0] for values in GRID.values())

_MEANS = features.means_of(features.WINDOWS) @ detector._EQUAL_WEIGHTS
_LATEST = features.means_of(detector.LATEST) @ detector._EQUAL_WEIGHTS


class _Counts(alarm_policy.TailCounts):
    """Counts that keep what they say."""

    def __init__(self, streams: int) -> None:
        super().__init__(streams)
        self.said: list[np.ndarray] = []

    def neg_log10_p(self, magnitudes: np.ndarray, *, add: bool = True) -> np.ndarray:
        said = super().neg_log10_p(magnitudes, add=add)
        self.said.extend(said.astype("float16"))
        return said


class _Shapes(ShapeView):
    """A view of shapes that keeps what it says."""

    said: list[float]

    def update(self, value: float) -> float:
        said = super().update(value)
        vars(self).setdefault("said", []).append(said)
        return said


class _Together(JointView):
    """A joint view that keeps what it says."""

    said: list[float]

    def update(self, values: Sequence[float], *, adapt: bool = False) -> tuple[float, np.ndarray]:
        said = super().update(values, adapt=adapt)
        vars(self).setdefault("said", []).append(said[0])
        return said


@dataclass(frozen=True, eq=False)
class Recorded:
    """What the recipe says about a table before a constant comes in.

    Attributes:
        case: The table, of C columns without missing values.
        seed: The seed of the nets.
        normal: The evidence of each feature and window for the normal records, (C, M, 19).
        judged: The same for the judged records, (C, N, 19).
        shapes: The evidence of the last shape, (C, N); 0 if no shape repeats.
        periods: The period of each column, (C,); 0 if no shape repeats.
        together: The joint deviation of each judged record, (N,); empty for one column.
        learned: The number of normal records that were learned from first.
    """

    case: Case
    seed: int
    normal: np.ndarray
    judged: np.ndarray
    shapes: np.ndarray
    periods: np.ndarray
    together: np.ndarray
    learned: int

    KEYS = ("normal", "judged", "shapes", "periods", "together", "learned")

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {key: getattr(self, key) for key in self.KEYS}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path, case: Case, seed: int) -> "Recorded":
        with np.load(path) as kept:
            arrays = {key: kept[key] for key in cls.KEYS}
        return cls(case, seed, **{**arrays, "learned": int(arrays["learned"])})


def recorded(case: Case, seed: int, kept: Path, nets: Path | None) -> Recorded:
    """Return what the recipe says about a table, and keep it."""
    path = kept / f"{series_variants.name_of(case, seed)}.npz"
    if not path.is_file():
        _record(case, seed, nets).save(path)
    return Recorded.load(path, case, seed)


def _record(case: Case, seed: int, nets: Path | None) -> Recorded:
    logged = {
        "features.TailCounts": _Counts,
        "detector.ShapeView": _Shapes,
        "joint_detector.JointView": _Together,
    }
    with tempfile.TemporaryDirectory() as folder, series_variants.changed(logged):
        table, judged = fitted(case, seed, nets, Path(folder))
        before = [_taken(one) for one in table.detectors.values()]
        for _ in table.judged(source.to_judge([str(judged)], table)):
            pass
    return _of_table(case, seed, table, before)


def fitted(case: Case, seed: int, nets: Path | None, folder: Path) -> tuple[TableDetector, Path]:
    """Return the detectors of a table, and the file of the records to judge in this folder."""
    recipe, given = catalog.get("lstm-anomaly"), {"seed": seed}
    normal, judged = case.write(folder)
    task = prepare(recipe, [str(normal)], settled(recipe, None, given), None, given, None)
    observed, _ = task.data.sequences
    if nets:
        weights = series_variants.weights(case, seed, {}, nets, normal)
        return calibration.learn(weights, observed, None, DEFAULT_THRESHOLD)[0], judged
    with _own_nets():
        return calibration.learn(_UNUSED, observed, None, DEFAULT_THRESHOLD)[0], judged


def _taken(one: detector.SeriesDetector) -> np.ndarray:
    """Return what was said about the normal records, and forget it."""
    counts = one._features._counts
    assert isinstance(counts, _Counts)
    said, counts.said = np.array(counts.said), []
    if one._shapes:
        vars(one._shapes)["said"] = []
    return said


def _of_table(case: Case, seed: int, table: TableDetector, before: list[np.ndarray]) -> Recorded:
    detectors = list(table.detectors.values())
    nothing = np.zeros(len(case.judged))
    views = [one._shapes for one in detectors]
    joint = table.joint.view if table.joint else None
    return Recorded(
        case,
        seed,
        np.array(before),
        np.array([vars(one._features._counts)["said"] for one in detectors]),
        np.array([vars(view)["said"] if view else nothing for view in views]),
        np.array([view.period if view else 0 for view in views]),
        np.array(vars(joint)["said"] if joint else []),
        int(KNOWN * case.learned),
    )


_UNUSED = [np.zeros((1, 40)), np.zeros((10, 40)), *[np.zeros(1)] * 3]
"""Weights of which only the number of units is read."""


@contextmanager
def _own_nets() -> Iterator[None]:
    """Let each detector train a net of its own for a while."""
    make: Callable[..., None] = detector.SeriesDetector._make_net

    def own(self: detector.SeriesDetector, normal: Sequence[float], _: Any) -> None:
        make(self, normal, None)

    with series_variants.changed({"detector.SeriesDetector._make_net": own}):
        yield


def replayed(found: Recorded, choice: Choice) -> Judged:
    """Return the verdicts on a table with other constants."""
    constants = dict(zip(GRID, choice, strict=True))
    if len(found.periods) == 1:
        return _alone(found, constants)
    return _of_columns(found, constants)


def _evidence(found: Recorded, constants: dict[str, float]) -> np.ndarray:
    """Return the evidence of each column, of shape (C, N)."""
    mean = _smooth(found.judged @ _MEANS, constants["smoothing"])
    with_shapes = detector.FEATURES_WEIGHT * mean + constants["shapes' weight"] * found.shapes
    evidence: np.ndarray = np.where(found.periods[:, None] > 0, with_shapes, mean)
    return evidence


def _smooth(values: np.ndarray, share: float) -> np.ndarray:
    smooth: np.ndarray = lfilter([share], [1, share - 1], values.astype(float), axis=1)
    return smooth


def _alone(found: Recorded, constants: dict[str, float]) -> Judged:
    evidence, period = _evidence(found, constants)[0], int(found.periods[0])
    latest = evidence if period else _smooth(found.judged @ _LATEST, constants["smoothing"])[0]
    powers = 2 ** np.minimum(evidence, LARGEST_EVIDENCE)
    lasting = np.log2(1 + _smooth((powers - 1)[None], detector.LASTING)[0])
    records, rise = min(found.learned, detector.PACE_RECORDS), constants["rise"]
    cooldown = records // 5
    if period:
        rise, cooldown = rise / 3, min(cooldown, period // 2)
    gate = AlarmGate(
        threshold=constants["threshold"], rise=rise, decay=3 * records, cooldown=cooldown
    )
    rows = zip(evidence.tolist(), latest.tolist(), lasting.tolist(), strict=True)
    return _judged(found, [gate.judge(e, latest=at, lasting=mean) for e, at, mean in rows])


def _of_columns(found: Recorded, constants: dict[str, float]) -> Judged:
    normal = _smooth(found.normal @ _MEANS, constants["smoothing"])
    first = found.learned // 6 + detector.SETTLED
    largest = normal[:, first : found.learned].max(axis=1)
    largest = np.where(found.periods > 0, detector.FEATURES_WEIGHT, 1) * largest
    alone = _evidence(found, constants) / (constants["alone from"] * largest.max())
    deviation = np.maximum(
        found.together / constants["together from"], alone.max(axis=0) ** COLUMN_POWER
    )
    records = min(len(found.case.normal), detector.PACE_RECORDS)
    gate = AlarmGate(
        threshold=constants["threshold"],
        rise=constants["rise"],
        decay=3 * records,
        cooldown=records // 5,
    )
    return _judged(found, [gate.judge(e) for e in (DEFAULT_THRESHOLD * deviation).tolist()])


def _judged(found: Recorded, verdicts: Sequence[alarm_policy.Verdict]) -> Judged:
    scores, alarms, incidents = np.array(verdicts).T
    return Judged(found.case, "choice", found.seed, scores, alarms > 0, incidents > 0, (0.0, 0.0))


def choices() -> list[Choice]:
    """Return all choices; those that change fewer constants come first."""
    every = itertools.product(*GRID.values())
    return sorted(every, key=lambda one: sum(map(float.__ne__, one, DEFAULT)))


def worths(found: Sequence[Recorded], every: Sequence[Choice]) -> np.ndarray:
    """Return the worth of each choice for the tables of a family, of shape (choices,)."""
    counted: dict[tuple[int, Choice], np.ndarray] = {}
    worth = np.empty(len(every))
    for number, choice in enumerate(every):
        events = []
        for one, table in enumerate(found):
            key = (one, _relevant(table, choice))
            if key not in counted:
                counted[key] = _events(replayed(table, choice))
            events.append(counted[key])
        worth[number] = _worth(np.sum(events, axis=0))
    return worth


def _relevant(table: Recorded, choice: Choice) -> Choice:
    """Return the choice with the default for constants that change nothing about a table."""
    shapes, several = bool(table.periods.any()), len(table.periods) > 1
    matters = (True, True, True, shapes, several, several)
    return tuple(
        value if matter else usual
        for value, matter, usual in zip(choice, matters, DEFAULT, strict=True)
    )


def _events(judged: Judged) -> np.ndarray:
    found, false, missed = series_tables.events(judged)
    return np.array([found, false, missed, len(judged.scores)])


def _worth(events: np.ndarray) -> float:
    found, false, missed, records = events.tolist()
    if found + missed:
        return float(2 * found / (2 * found + false + missed))
    return float(false * series_data.WEEK / records <= MOST_FALSE)


def print_left_out(families: dict[str, list[Recorded]]) -> None:
    """Print what each family has with the constants that are best for the others."""
    every = choices()
    worth = {}
    for name, tables in families.items():
        worth[name] = worths(tables, every)
        print(f"  {name}: {len(every)} choices", file=sys.stderr, flush=True)
    heads = ("F1 of events", "false alarms", "F1 of records", "VUS-PR", "NAB")
    print(f"\n| family | constants | {' | '.join(heads)} |")
    print(f"| --- | --- |{' --- |' * len(heads)}")
    for name, tables in families.items():
        others = np.mean([one for other, one in worth.items() if other != name], axis=0)
        rows = {"by default": DEFAULT, "best for the others": every[int(others.argmax())]}
        rows["best here"] = every[int(worth[name].argmax())]
        for words, choice in rows.items():
            measured = series_tables.measures([replayed(one, choice) for one in tables])
            cells = [_cell(measured, key) for key in ("event_f1", "false", "point_f1", "vus_pr")]
            cells.append(f"{measured['nab']:.1f}" if "nab" in measured else "")
            print(f"| {name} | {words}{_in_words(choice)} | {' | '.join(cells)} |", flush=True)


def _in_words(choice: Choice) -> str:
    pairs = zip(GRID, choice, DEFAULT, strict=True)
    changed = [f"{name} {value}" for name, value, usual in pairs if value != usual]
    return f": {', '.join(changed)}" if changed else ""


def _cell(measured: dict[str, float], key: str) -> str:
    if key not in measured:
        return ""
    return f"{measured[key]:.0f}" if key == "false" else f"{measured[key]:.3f}"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("folder", type=Path, metavar="DIR")
    made.add_argument("kept", type=Path, metavar="KEPT")
    made.add_argument("--families", nargs="+", default=FAMILIES, metavar="NAME")
    made.add_argument("--seeds", type=int, default=1, metavar="N")
    made.add_argument("--nets", type=Path, metavar="NETS")
    return made


def main() -> None:
    given = parser().parse_args()
    logging.disable(logging.INFO)
    families: dict[str, list[Recorded]] = {}
    with threadpool_limits(1):
        for seed in range(given.seeds):
            for case in series_data.families(given.folder, given.families, seed):
                one = recorded(case, seed, given.kept, given.nets)
                families.setdefault(case.family, []).append(one)
                print(f"  {case.family} {case.name}, seed {seed}", file=sys.stderr, flush=True)
        if len(families) < 2:
            parser().error(f"{given.folder}: expected tables of at least two families")
        print_left_out(families)


if __name__ == "__main__":
    main()
