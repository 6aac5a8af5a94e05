"""The families of series of `benchmarks/series.py`: what is normal, then what to judge.

`families` reads them from a folder with `nab/` (or a part of NAB's series), `series/skab/` and
`series/shapes/`. Three kinds are made: normal data of weeks, of machines and of spacecraft, in
which each alarm is a false one, and long streams that drift, with anomalies in all their parts.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from keras_recipes.data import time_series
from keras_recipes.data.time_series import SeriesLayout, TimeParser

SKAB_LEARNED = 400
"""The number of records that SKAB's authors learn from in each file."""

WEEK = 7 * 24 * 12
"""Records in a week, one every five minutes."""

WEEKS_LEARNED, WEEKS_JUDGED = 2, 4

DRIFT_LEARNED, DRIFT_JUDGED = 2_000, 20_000
"""Records of a drifting stream."""

DRIFT_EVERY, DRIFT_LASTS = 1_000, 30
"""The records between two anomalies of a drifting stream, and the records of an anomaly."""


@dataclass(frozen=True, eq=False)
class Case:
    """A table whose first records are normal, and whose other records are to be judged.

    Attributes:
        family: The family that the table belongs to.
        name: The table's name in its family.
        columns: The names of the columns of values.
        times: The time of each record as it is written; None for a table without times.
        values: The values, float64 of shape (N, columns).
        learned: The number of records that are normal; the others are judged.
        windows: The first and the last record of each anomaly, counted from the first judged one.
    """

    family: str
    name: str
    columns: tuple[str, ...]
    times: tuple[str, ...] | None
    values: np.ndarray
    learned: int
    windows: tuple[tuple[int, int], ...]

    @property
    def normal(self) -> np.ndarray:
        """The records to learn from, of shape (learned, columns)."""
        return self.values[: self.learned]

    @property
    def judged(self) -> np.ndarray:
        """The records to judge, of shape (N - learned, columns)."""
        return self.values[self.learned :]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both parts as CSV, and return their paths."""
        paths = folder / "normal.csv", folder / "judged.csv"
        cuts = (0, self.learned, len(self.values))
        for path, first, last in zip(paths, cuts[:-1], cuts[1:], strict=True):
            with path.open("w", newline="") as text:
                table = csv.writer(text)
                table.writerow([*(["timestamp"] if self.times else []), *self.columns])
                for row in range(first, last):
                    cells = [repr(value) for value in self.values[row].tolist()]
                    table.writerow([*([self.times[row]] if self.times else []), *cells])
        return paths


def families(folder: Path, names: Sequence[str], seed: int = 0) -> Iterator[Case]:
    """Yield the tables of the named families.

    Args:
        folder: The folder of the data.
        names: `nab`, `skab`, `ucr`, `ecg`, `symbols`, `drift`, or `weeks-N` and `commands-N` for
            N synthetic columns.
        seed: The seed of the synthetic tables.
    """
    for name in names:
        if name == "nab":
            yield from _nab(folder / "nab")
        elif name == "skab":
            yield from _skab(folder / "series" / "skab")
        elif name.startswith("weeks-"):
            yield weeks(int(name.removeprefix("weeks-")), seed)
        elif name.startswith("commands-"):
            yield commands(int(name.removeprefix("commands-")), seed)
        elif name == "drift":
            yield from drifting(seed)
        else:
            yield from _shapes(folder / "series" / "shapes", name)


def _nab(folder: Path) -> Iterator[Case]:
    labels = json.loads((folder / "labels/combined_windows.json").read_text())
    parse = TimeParser(SeriesLayout())
    for key, spans in labels.items():
        records = list(time_series.read(str(folder / "data" / key)).records)
        learned = min(int(0.15 * len(records)), 750)
        seconds = [-1.0 if record.seconds is None else record.seconds for record in records]
        rows = [[seconds.index(parse.seconds("a label", text)) for text in span] for span in spans]
        yield Case(
            "nab",
            key,
            ("value",),
            tuple(record.timestamp for record in records),
            np.array([record.values for record in records]),
            learned,
            tuple((max(first - learned, 0), last - learned) for first, last in rows),
        )


def _skab(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*/*.csv")):
        if path.parent.name == "anomaly-free":
            continue
        found = time_series.read(str(path), SeriesLayout(time="datetime"))
        records = list(found.records)
        # The columns of labels, `anomaly` and `changepoint`, are not read as values.
        with path.open(newline="") as text:
            rows = list(csv.DictReader(text, delimiter=";"))
        labels = np.array([float(row["anomaly"]) for row in rows])
        yield Case(
            "skab",
            f"{path.parent.name}/{path.stem}",
            found.columns,
            tuple(record.timestamp for record in records),
            np.array([record.values for record in records]),
            SKAB_LEARNED,
            runs(labels[SKAB_LEARNED:] > 0),
        )


def _shapes(folder: Path, family: str) -> Iterator[Case]:
    for path in sorted(folder.glob("*.train.csv")):
        name = path.name.removesuffix(".train.csv")
        if family not in name.lower():
            continue
        normal, judged = (
            np.loadtxt(folder / f"{name}.{part}.csv", skiprows=1) for part in ("train", "test")
        )
        rows = np.loadtxt(folder / f"{name}.labels.csv", int, skiprows=1, delimiter=",", ndmin=2)
        values = np.concatenate([normal, judged])[:, None]
        windows = tuple((int(first), int(last)) for first, last in rows)
        yield Case(family, name, ("value",), None, values, len(normal), windows)


def runs(flags: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return the first and the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return tuple((int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True))


def drifting(seed: int) -> Iterator[Case]:
    """Yield streams that change slowly from the first judged record to the last.

    - level: a day's rhythm whose level rises by forty times the noise, and whose size doubles;
    - order: seven levels in turn, and by and by in another order. An anomaly keeps the values and
      changes their order, so that only a model of what comes next can see it;
    - memory: an autoregression whose coefficient falls from 0.95 to -0.5.

    Of the twenty anomalies every other one is a change of level, and the others are records in
    random order.
    """
    rows = DRIFT_LEARNED + DRIFT_JUDGED
    share = np.clip((np.arange(rows) - DRIFT_LEARNED) / DRIFT_JUDGED, 0, 1)
    for number, kind in enumerate(("level", "order", "memory")):
        random = np.random.default_rng([seed, number])
        noise = random.normal(size=rows)
        values = {"level": _rising, "order": _in_turn, "memory": _forgetting}[kind](
            random, noise, share
        )
        windows = []
        begins = range(DRIFT_LEARNED + DRIFT_EVERY // 2, rows - DRIFT_LASTS, DRIFT_EVERY)
        for count, begin in enumerate(begins):
            part = slice(begin, begin + DRIFT_LASTS)
            if count % 2 or kind == "order":
                values[part] = random.permutation(values[part])
            else:
                values[part] += 3 * values[begin - 300 : begin].std()
            first = begin - DRIFT_LEARNED
            windows.append((first, first + 2 * DRIFT_LASTS))
        start = datetime(2024, 1, 1)
        times = tuple(str(start + timedelta(minutes=5 * row)) for row in range(rows))
        yield Case(
            "drift",
            f"{kind}, seed {seed}",
            ("value",),
            times if kind == "level" else None,
            values[:, None].round(6),
            DRIFT_LEARNED,
            tuple(windows),
        )


def _rising(_: np.random.Generator, noise: np.ndarray, share: np.ndarray) -> np.ndarray:
    day = 2 * np.pi * np.arange(len(noise)) / (WEEK / 7)
    values: np.ndarray = 100 + 40 * share + 10 * (1 + share) * np.sin(day) + noise
    return values


def _in_turn(random: np.random.Generator, noise: np.ndarray, share: np.ndarray) -> np.ndarray:
    levels = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    turns = np.arange(len(noise)) % len(levels)
    other = np.array([0, 3, 6, 2, 5, 1, 4])
    cycles = np.arange(len(noise)) // len(levels)
    changed = random.random(cycles[-1] + 1)[cycles] < share
    values: np.ndarray = levels[np.where(changed, other[turns], turns)] + noise
    return values


def _forgetting(_: np.random.Generator, noise: np.ndarray, share: np.ndarray) -> np.ndarray:
    values, memory = noise.copy(), 0.95 - 1.45 * share
    for row in range(1, len(values)):
        kept = memory[row]
        values[row] = kept * values[row - 1] + np.sqrt(1 - kept * kept) * noise[row]
    return values


def weeks(columns: int, seed: int) -> Case:
    """Return a synthetic normal table of six weeks, one record every five minutes.

    The columns are of the kinds that machines have: days and weeks with noise, slow drifts, counts,
    commands that are 0 or 1, constants, and readings that follow another column.
    """
    random = np.random.default_rng([seed, columns])
    rows = (WEEKS_LEARNED + WEEKS_JUDGED) * WEEK
    day = 2 * np.pi * np.arange(rows) / (WEEK / 7)
    load = _slow(random, rows, 0.995)
    made = [_column(random, number, day, load) for number in range(columns)]
    return _normal(f"weeks-{columns}", seed, np.stack(made, axis=1))


ORBIT = 18
"""Records of an orbit of ninety minutes."""


def commands(columns: int, seed: int) -> Case:
    """Return a synthetic normal table of six weeks, with columns as in NASA's SMAP and MSL.

    The first column is a measurement. The others are commands: 1 while one is given, else 0. They
    are given from several times an hour to less than once in the weeks that are learned. A third of
    them move the measurement, which also has the rhythm of an orbit.
    """
    random = np.random.default_rng([seed, columns, ORBIT])
    rows = (WEEKS_LEARNED + WEEKS_JUDGED) * WEEK
    given = np.stack([_given(random, rows) for _ in range(columns - 1)], axis=1)
    effects = random.normal(size=columns - 1) * (random.random(columns - 1) < 1 / 3)
    orbit = np.sin(2 * np.pi * np.arange(rows) / ORBIT)
    measured = lfilter([0.3], [1, -0.7], given @ effects) + 0.3 * orbit
    measured += 0.05 * random.normal(size=rows)
    return _normal(f"commands-{columns}", seed, np.column_stack([measured, given]))


def _given(random: np.random.Generator, rows: int) -> np.ndarray:
    """Return a command: 1 for some records from random moments on, else 0."""
    starts = random.random(rows) < 10 ** random.uniform(-4.5, -1)
    length = int(random.integers(1, 13))
    given: np.ndarray = np.convolve(starts, np.ones(length))[:rows].clip(0, 1)
    return given


def _normal(family: str, seed: int, values: np.ndarray) -> Case:
    """Return a table in which everything is normal."""
    rows, columns = values.shape
    start = datetime(2024, 1, 1)
    return Case(
        family,
        f"{columns} columns, seed {seed}",
        tuple(f"c{number}" for number in range(columns)),
        tuple(str(start + timedelta(minutes=5 * row)) for row in range(rows)),
        values.round(6),
        WEEKS_LEARNED * WEEK,
        (),
    )


def _slow(random: np.random.Generator, rows: int, memory: float) -> np.ndarray:
    """Return an autoregression of order one with standard deviation 1."""
    steps = random.normal(size=rows) * np.sqrt(1 - memory**2)
    values = np.empty(rows)
    value = random.normal()
    for row in range(rows):
        values[row] = value = memory * value + steps[row]
    return values


def _column(
    random: np.random.Generator, number: int, day: np.ndarray, load: np.ndarray
) -> np.ndarray:
    rows = len(day)
    noise = random.normal(size=rows)
    size = 10.0 ** random.integers(-2, 4)
    kind = number % 8
    if kind == 0:  # days, fewer at weekends
        weekend = np.arange(rows) // (WEEK // 7) % 7 >= 5
        values = (
            50 + 20 * np.sin(day + random.uniform(0, 6)) * np.where(weekend, 0.5, 1) + 3 * noise
        )
    elif kind == 1:  # follows the load that several columns share
        values = 30 + 5 * load + noise
    elif kind == 2:  # a slow drift, such as a temperature
        values = 20 + 4 * _slow(random, rows, 0.9995) + 0.1 * noise
    elif kind == 3:  # counts
        counts: np.ndarray = random.poisson(3 + 2 * np.sin(day) + 0.5 * np.abs(load)).astype(float)
        return counts
    elif kind == 4:  # a command, mostly 0
        starts = random.random(rows) < 0.004
        given: np.ndarray = np.convolve(starts, np.ones(6))[:rows].clip(0, 1)
        return given
    elif kind == 5:  # nearly constant: its last digit moves now and then
        digits: np.ndarray = 12.5 + 0.1 * (random.random(rows) < 0.003)
        return digits
    elif kind == 6:  # noise with memory and heavy tails
        values = 2 * _slow(random, rows, 0.8) + random.standard_t(4, size=rows)
    else:  # constant
        return np.full(rows, 7.0)
    return size * values
