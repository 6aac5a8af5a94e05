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

from benchmarks import series_data, series_peers, series_tables, series_variants
from benchmarks.series_data import Case
from benchmarks.series_tables import Judged

FAMILIES = (
    *("nab", "skab", "ucr", "ecg", "symbols"),
    *("weeks-1", "weeks-8", "weeks-25", "weeks-55", "commands-25", "commands-55"),
)

RECIPE = "recipe"

VARIANTS = series_variants.VARIANTS

CALM = 100
"""The number of records below its threshold after which a peer raises another alarm."""


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
    if asked.nets and asked.variants:
        return by_variants(case, asked.options, seed, asked.nets, asked.variants)
    return [by_recipe(case, asked.options, seed)]


def judge(tasks: Sequence[Task], jobs: int, asked: Asked, *, each: bool) -> list[Judged]:
    """Judge tables in several processes; `each` prints what was found in a table at once."""
    one: Callable[[Task], list[Judged]] = partial(work, asked=asked)
    found = []
    with ProcessPoolExecutor(jobs, initializer=_alone) as pool:
        answers: Iterable[list[Judged]] = pool.map(one, tasks)
        for number, judged in enumerate(answers, 1):
            found += judged
            if each:
                series_tables.print_each(judged)
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


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everyone = (RECIPE, *series_peers.PEERS)
    made.add_argument("folder", type=Path, metavar="DIR")
    made.add_argument("--families", nargs="+", default=FAMILIES, metavar="NAME")
    made.add_argument("--detectors", nargs="+", default=everyone, choices=everyone)
    made.add_argument("--seeds", type=int, default=1, metavar="N")
    made.add_argument("--jobs", type=int, default=2)
    made.add_argument("--each", action="store_true")
    made.add_argument("--set", type=json.loads, default={}, metavar="JSON")
    made.add_argument("--scores", type=Path, metavar="OUT")
    made.add_argument("--nets", type=Path, metavar="NETS")
    made.add_argument("--variants", nargs="*", choices=tuple(VARIANTS), metavar="NAME")
    return made


def tasks_of(given: argparse.Namespace, detectors: Sequence[str]) -> list[Task]:
    """Return each table with each detector; peers have no seed, so they judge real tables once."""
    return [
        (case, name, seed)
        for seed in range(given.seeds)
        for case in series_data.families(given.folder, given.families, seed)
        for name in detectors
        if name == RECIPE or not seed or not case.windows
    ]


def main() -> None:
    given = parser().parse_args()
    detectors, variants = given.detectors, ()
    if given.variants is not None:
        if not given.nets:
            parser().error("--variants: expected --nets, a folder that keeps the trained nets")
        variants = given.variants or tuple(VARIANTS)
    tasks = tasks_of(given, [RECIPE] if variants else detectors)
    if not tasks:
        parser().error(f"{given.folder}: expected nab/ and series/ with the families' tables")
    found = judge(tasks, given.jobs, Asked(given.set, given.nets, variants), each=given.each)
    detectors = variants or detectors
    if given.scores:
        first = [x for x in found if x.detector == detectors[0] and not x.seed]
        series_tables.write_scores(first, given.scores)
    series_tables.print_tables(found, given.families, detectors)


if __name__ == "__main__":
    main()
