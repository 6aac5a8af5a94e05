"""The detector of series on the Numenta Anomaly Benchmark, or on any folder like it.

    python benchmarks/nab.py DIR --scores OUT [--jobs 2] [--seed 0]
    python benchmarks/nab.py DIR --halves 200
    python benchmarks/nab.py DIR --ablation
    python benchmarks/nab.py DIR --seeds 5
    python benchmarks/nab.py DIR --starts 5

DIR holds `labels/combined_windows.json`, whose keys are the series, and `data/`. OUT gets a CSV
file for each series with the columns `timestamp,anomaly_score`. A detector learns from the first
15 % of a series, at most 750 rows. These rows are NAB's probation and have the score 0. Then it
judges record by record. From a score of 0.5 on a record is an anomaly. The labels are used only for
the tables.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from keras_recipes.anomaly.series import event_metrics as metrics
from keras_recipes.anomaly.series.alarm_policy import AlarmGate
from keras_recipes.anomaly.series.detector import FEATURES, SMOOTHING, SeriesDetector
from keras_recipes.data import time_series

CHOICES = {
    "threshold": (0.7, 0.8, 0.85, 0.9, 1.0, 1.2),
    "rise": (0.0, 0.1, 0.2, 0.3, 0.4),
    "decay": (2, 3, 4),
    "cooldown": (0.1, 0.2, 0.4),
}
"""Settings to choose from on half of the series.

`decay` and `cooldown` are multiples of the number of learned records.
"""

THRESHOLDS = tuple(np.arange(0.5, 1.85, 0.1).round(1).tolist())


@dataclass(frozen=True)
class Result:
    """The results of one series of N rows.

    Attributes:
        key: The file below `data/`.
        windows: The rows (first, last) of the labelled windows.
        timestamps: The times as they are written in the file.
        probation: The number of rows that were learned from.
        scores: The scores, of shape (N,).
        alarms: Whether an incident begins with a row, of shape (N,).
        evidence: The evidence before the alarm gate, of shape (N,).
        features: The evidence of each feature, of shape (N, 5).
        seconds: The seconds of learning, and of scoring the other rows.
    """

    key: str
    windows: list[tuple[int, int]]
    timestamps: list[str]
    probation: int
    scores: np.ndarray
    alarms: np.ndarray
    evidence: np.ndarray
    features: np.ndarray
    seconds: tuple[float, float]


def result(
    folder: Path, options: dict[str, Any], left_away: float, labelled: tuple[str, Any]
) -> Result:
    key, spans = labelled
    every = list(time_series.read(str(folder / "data" / key)).records)
    begin = int(left_away * len(every))
    records = every[begin:]
    times, values = [r.seconds for r in records], [r.values[0] for r in records]
    probation = min(int(0.15 * len(records)), 750)
    detector, start = SeriesDetector(**options), time.perf_counter()
    detector.learn(times[:probation], values[:probation])
    learned = time.perf_counter()
    readings = list(detector.readings(times[probation:], values[probation:]))
    done = time.perf_counter()
    nothing = np.zeros(probation)
    return Result(
        key,
        [(max(a - begin, 0), b - begin) for a, b in (window_rows(every, span) for span in spans)],
        [record.timestamp for record in records],
        probation,
        np.concatenate([nothing, [reading.score for reading in readings]]),
        np.concatenate([nothing > 0, [reading.alarm for reading in readings]]),
        np.concatenate([nothing, [reading.evidence for reading in readings]]),
        np.concatenate([np.zeros((probation, len(FEATURES))), [r.features for r in readings]]),
        (learned - start, done - learned),
    )


def window_rows(records: Sequence[time_series.Record], span: Sequence[str]) -> tuple[int, int]:
    """Return the first rows that have a window's first and last time."""
    parse = time_series.TimeParser(time_series.SeriesLayout())
    first, last = (parse.seconds("a label", text) for text in span)
    seconds = [-1.0 if r.seconds is None else r.seconds for r in records]
    return seconds.index(first), seconds.index(last)


def results(
    folder: Path,
    jobs: int,
    options: dict[str, Any],
    *,
    left_away: float = 0.0,
    progress: bool = False,
) -> list[Result]:
    labels = json.loads((folder / "labels/combined_windows.json").read_text())
    # The longest series come first, so that no process works alone on one at the end.
    order = sorted(labels.items(), key=lambda item: -(folder / "data" / item[0]).stat().st_size)
    work: Callable[[tuple[str, Any]], Result] = partial(result, folder, options, left_away)
    done = []
    # A net of ten units gains nothing from threads, and the processes would compete for the cores.
    with ProcessPoolExecutor(jobs, initializer=threadpool_limits, initargs=(1,)) as pool:
        found: Iterable[Result] = pool.map(work, order)
        for item in found:
            done.append(item)
            if progress:
                print(f"  {len(done)}/{len(order)} {item.key}", file=sys.stderr, flush=True)
    return sorted(done, key=lambda item: item.key)


def write(found: Sequence[Result], out: Path) -> None:
    for item in found:
        path = out / item.key
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = zip(item.timestamps, item.scores.tolist(), strict=True)
        lines = [f"{timestamp},{score!r}" for timestamp, score in rows]
        path.write_text("\n".join(["timestamp,anomaly_score", *lines]) + "\n", encoding="utf-8")


def windows(found: Iterable[Result]) -> int:
    return sum(len(item.windows) for item in found)


def gains(found: Sequence[Result], alarms: Sequence[np.ndarray]) -> list[float]:
    return [
        metrics.nab_gain(alarm, item.windows, probation=item.probation)
        for item, alarm in zip(found, alarms, strict=True)
    ]


def alarms_of(found: Sequence[Result]) -> list[np.ndarray]:
    return [item.alarms for item in found]


def measures(found: Sequence[Result], alarms: Sequence[np.ndarray]) -> str:
    """Return NAB's score, the counts of events, F1 and VUS-PR as one line."""
    counts = np.sum(
        [
            metrics.events(alarm, item.windows, probation=item.probation)
            for item, alarm in zip(found, alarms, strict=True)
        ],
        axis=0,
    ).tolist()
    volume = np.mean(
        [
            metrics.vus_pr(
                item.evidence[item.probation :],
                [(max(a - item.probation, 0), b - item.probation) for a, b in item.windows],
            )
            for item in found
            if item.windows
        ]
    )
    score = metrics.nab_score(gains(found, alarms), windows(found))
    return (
        f"NAB {score:6.2f}  found {counts[0]:3} of {windows(found)}  false {counts[1]:4}  "
        f"event F1 {metrics.f1(*counts):.3f}  VUS-PR {volume:.3f}"
    )


def print_table(found: Sequence[Result], wall: float) -> None:
    for item, gain in zip(found, gains(found, alarms_of(found)), strict=True):
        hit, false, missed = metrics.events(item.alarms, item.windows, probation=item.probation)
        print(f"{item.key:62s} found {hit} of {hit + missed}  false {false:2}  gain {gain:6.2f}")
    rows = sum(len(item.scores) for item in found)
    scored = rows - sum(item.probation for item in found)
    learning, scoring = (sum(item.seconds[i] for item in found) for i in (0, 1))
    print(measures(found, alarms_of(found)))
    print(
        f"{len(found)} series, {rows:,} records in {wall:.1f} s; learning {learning:.1f} s, "
        f"then {1e6 * scoring / scored:.0f} microseconds a record on a core"
    )


def regated(
    item: Result, *, threshold: float, rise: float, decay: float, cooldown: float
) -> np.ndarray:
    """Return the alarms that the same evidence gives with other settings of the alarm gate."""
    gate = AlarmGate(
        threshold=threshold,
        rise=rise,
        decay=int(decay * item.probation),
        cooldown=int(cooldown * item.probation),
    )
    alarms = [gate.judge(value).alarm for value in item.evidence[item.probation :].tolist()]
    return np.concatenate([np.zeros(item.probation, bool), alarms])


def by_default(item: Result, threshold: float) -> np.ndarray:
    return regated(item, threshold=threshold, rise=0.3, decay=3, cooldown=0.2)


def print_halves(found: Sequence[Result], times: int) -> None:
    """Choose settings on a random half of the series, and measure them on the other half."""
    settings = [dict(zip(CHOICES, v, strict=True)) for v in itertools.product(*CHOICES.values())]
    table = np.array([gains(found, [regated(item, **s) for item in found]) for s in settings])
    count = np.array([len(item.windows) for item in found])
    ours = np.array(gains(found, alarms_of(found)))
    random = np.random.default_rng(0)
    chosen, other, fixed = [], [], []
    for _ in range(times):
        shuffled = random.permutation(len(found))
        a, b = shuffled[: len(found) // 2], shuffled[len(found) // 2 :]
        best = int(table[:, a].sum(axis=1).argmax())
        chosen.append(50 * table[best, a].sum() / count[a].sum())
        other.append(50 * table[best, b].sum() / count[b].sum())
        fixed.append(50 * ours[b].sum() / count[b].sum())
    print(f"{times} random halves, {len(settings)} settings of the gate to choose from")
    for name, values in (
        ("best setting on the half that it was chosen on", chosen),
        ("the same setting on the other half", other),
        ("the default setting on that other half", fixed),
    ):
        print(f"  {name:48s} {np.mean(values):5.1f}, standard deviation {np.std(values):.1f}")


def print_ablation(folder: Path, jobs: int, seed: int) -> None:
    """Print the results without single parts of the detector, and of alarms at fixed intervals.

    The rows without features, with one feature and by single records have no shapes either.
    """
    found = results(folder, jobs, {"seed": seed})
    for threshold in (0.85, 1.2, 1.6):
        print_row(f"everything, threshold {threshold}", found, threshold=threshold)
    print_best_threshold("without shapes", some_features(found, FEATURES))
    for feature in FEATURES:
        name = f"without {feature}" + " (no net)" * (feature == "surprise")
        print_best_threshold(name, some_features(found, [v for v in FEATURES if v != feature]))
    for feature in FEATURES:
        print_best_threshold(
            f"only {feature}" + " (the net)" * (feature == "surprise"),
            some_features(found, [feature]),
        )
    print_row("net not learning on", results(folder, jobs, {"seed": seed, "learning_rate": 0.0}))
    every = list(range(len(FEATURES)))
    alone = [replace(item, evidence=averaged(item, every, 1.0)) for item in found]
    print_best_threshold("each record by itself", alone)
    print_row("threshold not rising", found, rise=0.0)
    print_row("no cooldown", found, cooldown=0.0)
    for step in (250, 500, 1000):
        ticks = [np.arange(len(item.scores)) % step == 0 for item in found]
        print(f"{f'an alarm every {step} records':34s} {measures(found, ticks)}")


def some_features(found: Sequence[Result], features: Sequence[str]) -> list[Result]:
    """Return the results with the evidence of these features only."""
    columns = [FEATURES.index(feature) for feature in features]
    return [replace(item, evidence=averaged(item, columns)) for item in found]


def averaged(item: Result, columns: list[int], weight: float = SMOOTHING) -> np.ndarray:
    """Return the evidence of these features, averaged as in the detector."""
    average, averages = 0.0, np.zeros(len(item.features))
    for row in range(item.probation, len(averages)):
        average += weight * (item.features[row, columns].mean() - average)
        averages[row] = average
    return averages


def print_row(name: str, found: Sequence[Result], **other: float) -> None:
    setting = {"threshold": 0.85, "rise": 0.3, "decay": 3, "cooldown": 0.2, **other}
    print(f"{name:34s} {measures(found, [regated(item, **setting) for item in found])}")


def print_best_threshold(name: str, found: Sequence[Result]) -> None:
    """Print the results at the default and at the best threshold, which depends on the features."""

    def score(threshold: float) -> float:
        alarms = [by_default(item, threshold) for item in found]
        return metrics.nab_score(gains(found, alarms), windows(found))

    best = max(THRESHOLDS, key=score)
    print_row(name, found)
    print_row(f"  at its best threshold here, {best}", found, threshold=best)


def print_seeds(folder: Path, jobs: int, seeds: int) -> None:
    scores = []
    for seed in range(seeds):
        found = results(folder, jobs, {"seed": seed})
        print(f"seed {seed}  {measures(found, alarms_of(found))}", flush=True)
        scores.append(metrics.nab_score(gains(found, alarms_of(found)), windows(found)))
    print(f"NAB mean {np.mean(scores):.2f}, standard deviation {np.std(scores):.2f}")


def print_starts(folder: Path, jobs: int, starts: int) -> None:
    """Print results for other seeds and other first rows, to show how much chance matters."""
    runs = [results(folder, jobs, {"seed": i}, left_away=0.02 * i) for i in range(starts)]
    every = list(range(len(FEATURES)))
    without = [feature for feature in FEATURES if feature != "surprise"]
    for name, kept in (
        ("everything", runs),
        ("without the LSTM", [some_features(run, without) for run in runs]),
        (
            "each record by itself",
            [[replace(x, evidence=averaged(x, every, 1.0)) for x in run] for run in runs],
        ),
    ):
        table = [[nab_and_f1(run, threshold) for run in kept] for threshold in (*THRESHOLDS, 0.85)]
        means = np.mean(table, axis=1)
        best = int(means[:-1, 0].argmax())
        print(
            f"{name:24s} mean of {starts}: NAB {means[-1, 0]:.1f}, event F1 {means[-1, 1]:.3f} at "
            f"threshold 0.85; {means[best, 0]:.1f}, {means[best, 1]:.3f} at its best threshold, "
            f"{THRESHOLDS[best]}",
            flush=True,
        )


def nab_and_f1(found: Sequence[Result], threshold: float) -> tuple[float, float]:
    alarms = [by_default(item, threshold) for item in found]
    counts = np.sum(
        [
            metrics.events(alarm, item.windows, probation=item.probation)
            for item, alarm in zip(found, alarms, strict=True)
        ],
        axis=0,
    ).tolist()
    return metrics.nab_score(gains(found, alarms), windows(found)), metrics.f1(*counts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--scores", type=Path, metavar="OUT")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, metavar="N")
    parser.add_argument("--starts", type=int, metavar="N")
    parser.add_argument("--halves", type=int, metavar="N")
    parser.add_argument("--ablation", action="store_true")
    given = parser.parse_args()
    if not (given.folder / "labels/combined_windows.json").is_file():
        parser.error(f"{given.folder}: expected labels/combined_windows.json and data/ in it")
    start = time.perf_counter()
    if given.seeds:
        print_seeds(given.folder, given.jobs, given.seeds)
    elif given.starts:
        print_starts(given.folder, given.jobs, given.starts)
    elif given.ablation:
        print_ablation(given.folder, given.jobs, given.seed)
    else:
        found = results(given.folder, given.jobs, {"seed": given.seed}, progress=True)
        if given.scores:
            write(found, given.scores)
        print_table(found, time.perf_counter() - start)
        if given.halves:
            print_halves(found, given.halves)


if __name__ == "__main__":
    main()
