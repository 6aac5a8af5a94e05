"""What `recipes fit lstm-anomaly` finds in logs, compared with other ways, as Markdown tables.

    python -m benchmarks.logs [hdfs|bgl|openstack|injected|promise|speed|nets|all] [--data FOLDER]

hdfs       Precision, recall, F1 and AUC-PR on sessions of HDFS, what the parts of the recipe are
           worth, and normal sessions in another order.
bgl        The same measures on BGL, in windows of 20 lines.
openstack  The same on OpenStack's events as words, and inside a sentence.
injected   A line of a kind that was never seen, in normal sessions of six logs: how many are
           flagged, and how many are false alarms. Sessions and epochs are few.
promise    The promised share of false alarms and the outcome, by number of normal sessions, on four
           logs. Epochs are few.
speed      Reading, parsing, judging and training on HDFS.
nets       Other nets than the default one, on HDFS.

Without FOLDER, `datasets` in the folder that KERAS_RECIPES_TEST_DATA names is read; `log_data` says
what is in it. All options are the defaults unless a table says otherwise. All is learned, and all
thresholds are set, on normal sessions; labels are only for measuring. `log_peers` explains the
other ways and their thresholds. Each number is a mean of the seeds; F1 also has the least and the
largest.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks import log_data, log_hdfs, log_promises
from benchmarks.log_data import Labelled
from benchmarks.log_fits import Fit, Measured, fit, interval, measure, percent
from benchmarks.log_peers import PEERS, Rule
from keras_recipes import backend
from keras_recipes.anomaly.logs import source
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.commands import predict as asking
from keras_recipes.data import labels
from keras_recipes.data.logs.sessions import Sequences

SEEDS = (0, 1, 2)
RECIPE = "`recipes fit lstm-anomaly`"


def fits_of(log: Labelled, seeds: tuple[int, ...] = SEEDS) -> list[Fit]:
    return [fit(log.train, seed=seed, **log.options) for seed in seeds]


def judged(log: Labelled, one: Fit) -> tuple[Sequences, np.ndarray]:
    """Return the sessions to measure on, and their labels."""
    _, found = source.sessions_of(one.detector, [log.test])
    return found, labels.matched(labels.read(str(log.labels)), found.names, str(log.labels))


def by_recipe(log: Labelled, one: Fit) -> tuple[np.ndarray, np.ndarray, Measured]:
    """Return the labels, the alarms of `recipes predict`, and what they are worth."""
    started = time.perf_counter()
    rows = asking.predict(one.fitted, [log.test])
    seconds = one.seconds + time.perf_counter() - started
    found, truth = judged(log, one)
    assert [row["session"] for row in rows] == found.names
    alarms = np.array([row["anomaly"] for row in rows])
    # The score of an anomaly's row is that of the event at which it became certain. AUC-PR takes
    # the scores of whole sessions, as `recipes evaluate` does.
    scores = Verdicts.of(one.detector, found).scores(one.rate)
    return truth, alarms, measure(log, truth, scores, alarms, seconds)


def by_rule(log: Labelled, one: Fit, learn: Callable[[Fit], Rule]) -> Measured:
    """Return the measures of another way to judge."""
    found, truth = judged(log, one)
    started = time.perf_counter()
    rule = learn(one)
    scores = rule.score(found)
    seconds = time.perf_counter() - started
    return measure(log, truth, scores, scores > rule.threshold, seconds)


def table(log: Labelled, fits: list[Fit], ways: Mapping[str, Callable[[Fit], Rule]]) -> None:
    """Print the measures of the recipe and of these ways."""
    recipe = [by_recipe(log, one) for one in fits]
    truth, alarms, _ = recipe[0]
    print(heading(log, fits[0], truth))
    print("\n| What judges | F1 | Precision | Recall | AUC-PR | False alarms | Seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print(line(RECIPE, [measured for *_, measured in recipe]))
    for name, learn in ways.items():
        print(line(name, [by_rule(log, one, learn) for one in fits]), flush=True)
    low, high = interval(log, truth, alarms)
    print(f"\nThe recipe's F1 with the first seed: 95 % interval {low:.3f} to {high:.3f}.\n")


def heading(log: Labelled, one: Fit, truth: np.ndarray) -> str:
    learned = sum(map(len, (*one.known, one.parts.test)))
    rare = f"1 in {1 / log.prevalence:.0f}" if log.prevalence else "as in the log"
    return (
        f"**{log.name}**: {learned:,} normal sessions to learn from; {len(truth):,} judged, "
        f"{int(truth.sum()):,} of them anomalies; prevalence for precision, F1 and AUC-PR: {rare}; "
        f"false alarms promised: {percent(one.rate)}."
    )


def line(name: str, found: list[Measured]) -> str:
    """Return a row of the table."""
    mean = Measured(*np.mean(found, axis=0).tolist())
    f1 = sorted(one.f1 for one in found)
    spread = "" if f1[-1] - f1[0] < 0.0005 else f", {f1[0]:.3f} to {f1[-1]:.3f}"
    return (
        f"| {name} | {mean.f1:.3f}{spread} | {mean.precision:.3f} | {mean.recall:.3f} | "
        f"{mean.auc_pr:.3f} | {percent(mean.false_alarms)} | {mean.seconds:.1f} |"
    )


def hdfs(folder: Path) -> None:
    log = log_data.hdfs(folder)
    fits = fits_of(log)
    table(log, fits, {**PEERS, **log_hdfs.PARTS})
    log_hdfs.reordered(fits)


def openstack(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        sentences = log_data.openstack_in_sentences(folder, Path(scratch))
        for log in (log_data.openstack(folder), sentences):
            table(log, fits_of(log), PEERS)


def bgl(folder: Path) -> None:
    log = log_data.bgl(folder)
    table(log, fits_of(log), PEERS)


PRINT: dict[str, Callable[[Path], None]] = {
    "hdfs": hdfs,
    "bgl": bgl,
    "openstack": openstack,
    "injected": lambda folder: log_promises.injected(log_data.normal_logs(folder)),
    "promise": lambda folder: log_promises.promise(log_data.promised_logs(folder)),
    "speed": lambda folder: log_hdfs.speed(log_data.hdfs(folder).train),
    "nets": lambda folder: log_hdfs.nets(log_data.hdfs(folder)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subject", nargs="?", default="all", choices=[*PRINT, "all"])
    outside = Path(os.environ.get("KERAS_RECIPES_TEST_DATA", "")) / "datasets"
    parser.add_argument("--data", type=Path, metavar="FOLDER", default=outside)
    given = parser.parse_args()
    if not (given.data / "hdfs").is_dir():
        parser.error(
            f"{given.data}: expected a folder with hdfs and logs_labelled; name it by --data"
        )
    backend.start()
    for subject in PRINT if given.subject == "all" else (given.subject,):
        PRINT[subject](given.data)


if __name__ == "__main__":
    main()
