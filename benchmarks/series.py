"""The recipe and other detectors on families of series with labels, and on normal data of weeks.

    python -m benchmarks.series DIR                              all families, all detectors
    python -m benchmarks.series DIR --families skab ucr --seeds 5
    python -m benchmarks.series DIR --detectors "recipe" "rolling z" --each
    python -m benchmarks.series DIR --variants --nets NETS           the recipe without each part

DIR holds `nab/`, `series/skab/` and `series/shapes/`, as `series_data.py` explains. The recipe is
asked through the functions behind `recipes fit` and `recipes predict`, with the options' defaults.
Labels are used only for the table:

- events: a labelled window with an alarm in it is found; each alarm outside all windows is false;
- points: every record by itself. The recipe calls those of an incident anomalous, and the others
  call those beyond their threshold anomalous. FAR and MAR are the false alarm and the missed alarm
  rate, in per cent;
- VUS-PR, the mean over the tables, and NAB's score with its standard profile;
- false alarms a week, for the normal data.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import series_data, series_peers, series_variants
from benchmarks.series_data import WEEK, Case
from keras_recipes.anomaly.series import event_metrics

FAMILIES = ("nab", "skab", "ucr", "ecg", "symbols", "weeks-1", "weeks-8", "weeks-25", "weeks-55")

RECIPE = "recipe"

VARIANTS = {**series_variants.VARIANTS, **series_variants.CHOICES}

CALM = 100
"""The number of records below its threshold after which a peer raises another alarm."""


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


def by_recipe(case: Case, options: dict[str, Any], seed: int) -> Judged:
    """Judge a table as `recipes fit` and `recipes predict` do."""
    from keras_recipes import fit, predict

    with tempfile.TemporaryDirectory() as folder:
        normal, judged = case.write(Path(folder))
        start = time.process_time()
        fitted = fit("lstm-anomaly", normal, seed=seed, show_progress=False, **options)
        learned = time.process_time()
        rows = predict(fitted, judged)
        done = time.process_time()
    return _judged(case, RECIPE, seed, rows, (learned - start, done - learned))


def _judged(
    case: Case,
    name: str,
    seed: int,
    rows: Sequence[Mapping[str, Any]],
    seconds: tuple[float, float],
) -> Judged:
    score, alarm, incident = (
        np.array([row[key] for row in rows], float) for key in ("score", "anomaly", "incident")
    )
    return Judged(case, name, seed, score, alarm > 0, incident > 0, seconds)


def by_variants(
    case: Case, options: dict[str, Any], seed: int, nets: Path, names: Sequence[str]
) -> list[Judged]:
    """Judge a table by the recipe with parts left out."""
    start, found = time.process_time(), []
    changes = [VARIANTS[name] for name in names]
    answers = series_variants.rows(case, seed, options, nets, changes)
    for name, rows in zip(names, answers, strict=True):
        done = time.process_time()
        found.append(_judged(case, name, seed, rows, (0.0, done - start)))
        start = done
    return found


def by_peer(name: str, case: Case, seed: int) -> Judged:
    start = time.process_time()
    scores, beyond = series_peers.judged_by(series_peers.PEERS[name], case.normal, case.judged)
    seconds = (0.0, time.process_time() - start)
    return Judged(case, name, seed, scores, first_ones(beyond), beyond, seconds)


def first_ones(beyond: np.ndarray) -> np.ndarray:
    """Return the records that are beyond the threshold after `CALM` records that were not."""
    alarms, last = np.zeros(len(beyond), bool), -CALM
    for row in np.flatnonzero(beyond).tolist():
        alarms[row], last = row - last >= CALM, row
    return alarms


@dataclass(frozen=True)
class Asked:
    """What is asked of a process.

    Attributes:
        options: The options of the recipe.
        nets: The folder of trained nets; None if no variants are asked for.
        variants: The names of the variants.
    """

    options: dict[str, Any]
    nets: Path | None
    variants: Sequence[str]


Task = tuple[Case, str, int]
"""A table, a detector and a seed."""


def work(task: Task, asked: Asked) -> list[Judged]:
    case, name, seed = task
    if name != RECIPE:
        return [by_peer(name, case, seed)]
    if asked.nets:
        return by_variants(case, asked.options, seed, asked.nets, asked.variants)
    return [by_recipe(case, asked.options, seed)]


def judge(tasks: Sequence[Task], jobs: int, asked: Asked) -> list[Judged]:
    one: Callable[[Task], list[Judged]] = partial(work, asked=asked)
    found = []
    with ProcessPoolExecutor(jobs, initializer=_alone) as pool:
        answers: Iterable[list[Judged]] = pool.map(one, tasks)
        for number, judged in enumerate(answers, 1):
            found += judged
            case = judged[0].case
            print(
                f"  {number}/{len(tasks)} {case.family} {case.name}, {judged[-1].detector}",
                file=sys.stderr,
                flush=True,
            )
    return found


def _alone() -> None:
    """Use one thread in each process, and no messages of each fit."""
    logging.disable(logging.INFO)
    threadpool_limits(1)


def measures(found: Sequence[Judged]) -> dict[str, float]:
    """Return the metrics of a detector over the tables of a family."""
    events = np.sum(
        [event_metrics.events(x.alarms, x.case.windows, probation=0) for x in found], axis=0
    )
    hits, false, missed = events.tolist()
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
        hits, false, missed = event_metrics.events(x.alarms, x.case.windows, probation=0)
        points = event_metrics.points(x.inside, _labels(x))
        print(
            f"{x.case.family} {x.case.name} seed {x.seed} {x.detector}: found {hits} of "
            f"{hits + missed}, false {false}; point F1 {points.f1:.3f}, FAR "
            f"{100 * points.false_alarm_rate:.1f}; learning {x.seconds[0]:.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everyone = (RECIPE, *series_peers.PEERS)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--families", nargs="+", default=FAMILIES, metavar="NAME")
    parser.add_argument("--detectors", nargs="+", default=everyone, choices=everyone)
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--set", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--scores", type=Path, metavar="OUT")
    parser.add_argument("--nets", type=Path, metavar="NETS")
    parser.add_argument("--variants", nargs="*", choices=tuple(VARIANTS), metavar="NAME")
    given = parser.parse_args()
    detectors, variants = given.detectors, given.variants
    if variants is not None:
        if not given.nets:
            parser.error("--variants: expected --nets, a folder that keeps the trained nets")
        variants = variants or list(series_variants.VARIANTS)
        given.detectors, detectors = [RECIPE], variants
    tasks = []
    for seed in range(given.seeds):
        for case in series_data.families(given.folder, given.families, seed):
            # Peers have no seed, so labelled tables are judged once by them.
            asked = given.detectors if not seed or not case.windows else [RECIPE]
            tasks += [(case, name, seed) for name in asked if name in given.detectors]
    if not tasks:
        parser.error(f"{given.folder}: expected nab/ and series/ with the families' tables")
    asked = Asked(given.set, given.nets if variants else None, variants or ())
    found = judge(tasks, given.jobs, asked)
    if given.each:
        print_each(found)
    if given.scores:
        write_scores([x for x in found if x.detector == detectors[0] and not x.seed], given.scores)
    print_tables(found, given.families, detectors)


if __name__ == "__main__":
    main()
