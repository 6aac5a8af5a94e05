"""New kinds of lines, and the promised share of false alarms, for `benchmarks.logs`."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.log_data import NormalLog, Sessions
from benchmarks.log_fits import Fit, fit, percent
from keras_recipes.commands import evaluate as evaluation
from keras_recipes.commands import predict as asking
from keras_recipes.recipe import Row

SEEDS = (0, 1, 2)
INJECTED: dict[str, Any] = {"epochs": 10}
LEARNED, JUDGED = 2_000, 2_900
"""Sessions to learn from, and sessions to judge, where a line is injected."""

SIZES = (30, 100, 300, 1_000, 10_000)
RATES: tuple[float | None, ...] = (None, 0.05, 0.01)
"""The promised shares of false alarms; None is the default."""
PARTS = ("others", "last tenth")
"""The sessions that are judged: others of the first nine tenths, and the last tenth."""

FEW: dict[str, Any] = {"epochs": 10}
POOL, FEWEST_OTHERS, MOST = 16_000, 1_000, 4_000
"""Sessions of a synthetic log, and the fewest and the most other ones that are judged."""


def injected(
    logs: Sequence[NormalLog],
    seeds: Sequence[int] = SEEDS,
    learned: int = LEARNED,
    asked: int = JUDGED,
) -> None:
    """Print how many sessions with a line of a new kind are flagged, and how many without one."""
    print(
        f"A line of a kind that was never seen, in each of {asked:,} normal sessions; learned from "
        f"{learned:,} other normal sessions in {INJECTED['epochs']} epochs; {len(seeds)} seeds\n"
    )
    print("| Log | Flagged | Told as new events | Status 500 flagged | False alarms | Promised |")
    print("| --- | --- | --- | --- | --- | --- |")
    for log in logs:
        found = np.array([_judged(log, seed, learned, asked) for seed in seeds])
        flagged, told, failing, _, promised = found.mean(axis=0)
        shares = [percent(flagged, 1), percent(told, 1), percent(failing, 1) if log.status else ""]
        cells = [log.name, *shares, ranged(found[:, 3]), percent(promised)]
        print("|", " | ".join(cells), "|", flush=True)
    print()


def ranged(shares: np.ndarray) -> str:
    """Return the mean of shares, and the least and the largest unless they look the same."""
    mean, least, largest = map(percent, (shares.mean(), shares.min(), shares.max()))
    return mean if least == largest else f"{mean}, {least} to {largest}"


def _judged(log: NormalLog, seed: int, learned: int, asked: int) -> list[float]:
    """Return the shares of `injected` for one seed.

    They are the sessions that are flagged and told with a line of a new kind, those that are
    flagged with status 500, those that are flagged as they are, and the promised share.
    """
    found = Sessions(log.read(learned + asked, seed), log.key)
    drawn = np.random.default_rng(seed).permutation(len(found))[: learned + asked]
    with tempfile.TemporaryDirectory() as scratch:
        one = _fit(log, found, drawn[:learned], Path(scratch), seed, INJECTED)
        path = found.write(drawn[learned:], Path(scratch) / "judged.log")
        changed = {"new": with_new_lines(log, path, seed)}
        if log.status:
            changed["failing"] = with_failures(log, path)
        rows = {"normal": _rows(one, path)}
        for name, lines in changed.items():
            path.write_bytes(b"".join(line + b"\n" for line in lines))
            rows[name] = _rows(one, path)
    asked_for = (("new", "anomaly"), ("new", "new_events"), ("failing", "anomaly"))
    shares = [_share(rows.get(kind, []), column) for kind, column in asked_for]
    return [*shares, _share(rows["normal"], "anomaly"), one.rate]


def _share(rows: Sequence[Row], column: str) -> float:
    return float(np.mean([row[column] > 0 for row in rows])) if rows else 0.0


def _fit(
    log: NormalLog,
    found: Sessions,
    chosen: np.ndarray,
    scratch: Path,
    seed: int,
    given: dict[str, Any],
) -> Fit:
    path = found.write(chosen, scratch / "train.log")
    return fit(path, seed=seed, **log.options, **given)


def _rows(one: Fit, path: Path) -> list[Row]:
    return asking.predict(one.fitted, [path])


def with_new_lines(log: NormalLog, path: Path, seed: int) -> list[bytes]:
    """Return a log's lines with a line of a new kind in each session, after a random line of it."""
    draw = np.random.default_rng(seed)
    found = Sessions(path.read_bytes().splitlines(), log.key)
    after = {
        int(draw.choice(numbers)): log.new[int(draw.integers(len(log.new)))]
        for numbers in found.numbers
    }
    lines = []
    for number, line in enumerate(found.lines):
        lines.append(line)
        if number in after:
            lines.append(log.inserted(line, after[number]))
    return lines


def with_failures(log: NormalLog, path: Path) -> list[bytes]:
    """Return a log's lines with status 500 in the last line of each session that has a status."""
    found = Sessions(path.read_bytes().splitlines(), log.key)
    lines = list(found.lines)
    for numbers in found.numbers:
        last = max(number for number in numbers if re.search(log.status, lines[number]))
        lines[last] = re.sub(log.status, b"500", lines[last])
    return lines


def promise(
    logs: Sequence[NormalLog],
    sizes: Sequence[int] = SIZES,
    seeds: Sequence[int] = SEEDS,
    pool: int = POOL,
) -> None:
    """Print the promised share of false alarms and the outcome, by number of normal sessions."""
    print(
        "False alarms, promised and the outcome, by the number of normal sessions in the training "
        f"log. They are drawn {len(seeds)} times from the first nine tenths of the log; judged are "
        f"others of the nine tenths, at most {MOST:,}, and the last tenth. {FEW['epochs']} epochs. "
        "Means, with the least and the largest of the draws.\n"
    )
    print("| Log | Sessions | Judged | By default | Outcome | With 5 % | With 1 % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for log in logs:
        found = Sessions(log.read(pool, 0), log.key)
        for size in sizes:
            if size <= 0.9 * len(found) - FEWEST_OTHERS:
                _print_promise(log, found, size, seeds)
    print()


def _print_promise(log: NormalLog, found: Sessions, size: int, seeds: Sequence[int]) -> None:
    draws = [_outcomes(log, found, size, seed) for seed in seeds]
    promised = percent(float(np.mean([rate for rate, _ in draws])))
    shares = np.array([outcome for _, outcome in draws])
    for number, judged in enumerate(PARTS):
        cells = [log.name, f"{size:,}", judged, promised, *map(ranged, shares[:, number].T)]
        print("|", " | ".join(cells), "|", flush=True)


def _outcomes(
    log: NormalLog, found: Sessions, size: int, seed: int
) -> tuple[float, list[list[float]]]:
    """Return the default promise, and for each of `PARTS` the outcome of each of `RATES`."""
    first = len(found) * 9 // 10
    drawn = np.random.default_rng([seed, size]).permutation(first)
    parts = (drawn[size:][:MOST], np.arange(first, len(found))[-MOST:])
    with tempfile.TemporaryDirectory() as scratch:
        one = _fit(log, found, drawn[:size], Path(scratch), seed, FEW)
        paths = [found.write(part, Path(scratch) / f"{n}.log") for n, part in enumerate(parts)]
        shares = [
            [
                evaluation.evaluate(one.fitted, [path], false_alarm_rate=rate)["alarms"]
                for rate in RATES
            ]
            for path in paths
        ]
    return one.rate, shares
