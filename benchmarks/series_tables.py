"""Tables of the benchmark of series: metrics by family."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.series_data import WEEK, Case
from keras_recipes.anomaly.series import event_metrics


@dataclass(frozen=True, eq=False)
class Judged:
    """What a detector said about the records of a table.

    Attributes:
        case: The table.
        detector: The detector's name.
        seed: The seed of the recipe's net and of synthetic tables.
        scores: A score for each judged record, of shape (M,).
        alarms: Whether each record raised an alarm.
        inside: Whether each record was called anomalous.
        seconds: The seconds of learning, and of judging.
    """

    case: Case
    detector: str
    seed: int
    scores: np.ndarray
    alarms: np.ndarray
    inside: np.ndarray
    seconds: tuple[float, float]


def measures(found: Sequence[Judged]) -> dict[str, float]:
    """Return the metrics of a detector over the tables of a family."""
    hits, false, missed = np.sum([events(x) for x in found], axis=0).tolist()
    result = {"tables": float(len(found)), "found": hits, "windows": hits + missed, "false": false}
    if not hits + missed:
        records = sum(len(x.scores) for x in found)
        return {**result, "false_a_week": false * WEEK / records}
    labels = [_labels(x) for x in found]
    points = event_metrics.points(np.concatenate([x.inside for x in found]), np.concatenate(labels))
    labelled = [x for x in found if x.case.windows]
    volumes = [event_metrics.vus_pr(x.scores, x.case.windows) for x in labelled]
    gains = [event_metrics.nab_gain(x.alarms, x.case.windows, probation=0) for x in found]
    return {
        **result,
        "precision": hits / max(hits + false, 1),
        "recall": hits / (hits + missed),
        "event_f1": event_metrics.f1(hits, false, missed),
        "point_f1": points.f1,
        "far": 100 * points.false_alarm_rate,
        "mar": 100 * points.missed_alarm_rate,
        "vus_pr": float(np.mean(volumes)),
        "nab": event_metrics.nab_score(gains, hits + missed),
    }


def events(judged: Judged) -> tuple[int, int, int]:
    """Return the numbers of windows found, of false alarms, and of windows missed."""
    return event_metrics.events(judged.alarms, judged.case.windows, probation=0)


def _labels(judged: Judged) -> np.ndarray:
    labels = np.zeros(len(judged.scores), bool)
    for first, last in judged.case.windows:
        labels[first : last + 1] = True
    return labels


SHOWN = {
    "windows": "windows",
    "found": "found",
    "false": "false",
    "event_f1": "event F1",
    "point_f1": "point F1",
    "far": "FAR",
    "mar": "MAR",
    "vus_pr": "VUS-PR",
    "nab": "NAB",
    "false_a_week": "false a week",
}


def print_tables(
    found: Sequence[Judged], families: Sequence[str], detectors: Sequence[str]
) -> None:
    for family in families:
        print(f"\n{family}")
        print(f"| detector | {' | '.join(SHOWN.values())} | us/record/column |")
        print(f"| --- |{' --- |' * (len(SHOWN) + 1)}")
        for name in detectors:
            mine = [x for x in found if x.case.family == family and x.detector == name]
            seeds = sorted({x.seed for x in mine})
            runs = [measures([x for x in mine if x.seed == seed]) for seed in seeds]
            cells = [_cell(key, [run[key] for run in runs if key in run]) for key in SHOWN]
            values = sum(x.case.judged.size for x in mine)
            speed = 1e6 * sum(x.seconds[1] for x in mine) / max(values, 1)
            print(f"| {name} | {' | '.join(cells)} | {speed:.0f} |", flush=True)


def _cell(key: str, values: Sequence[float]) -> str:
    if not values:
        return ""
    digits = 0 if key in ("windows", "found", "false") and len(values) == 1 else 1
    digits = 3 if key in ("event_f1", "point_f1", "vus_pr") else digits
    spread = f" ± {np.std(values):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def write_scores(found: Sequence[Judged], out: Path) -> None:
    """Write the scores of NAB's series as its own scorer reads them; what is learned scores 0."""
    for x in found:
        if x.case.family == "nab" and x.case.times:
            path = out / x.case.name
            path.parent.mkdir(parents=True, exist_ok=True)
            scores = [*[0.0] * x.case.learned, *x.scores.tolist()]
            pairs = zip(x.case.times, scores, strict=True)
            lines = ["timestamp,anomaly_score", *(f"{when},{score!r}" for when, score in pairs)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def print_each(found: Sequence[Judged]) -> None:
    """Print a line for each table and detector."""
    for x in found:
        hits, false, missed = events(x)
        points = event_metrics.points(x.inside, _labels(x))
        print(
            f"{x.case.family} {x.case.name} seed {x.seed} {x.detector}: found {hits} of "
            f"{hits + missed}, false {false}; point F1 {points.f1:.3f}, FAR "
            f"{100 * points.false_alarm_rate:.1f}; learning {x.seconds[0]:.1f} s",
            flush=True,
        )
