"""Series of numbers under watch: what is normal for each column, learned; records judged.

One of the two kinds of data that the recipe `lstm-anomaly` reads; `anomaly/logs.py` is the other
one. The values of each column become classes, the recipe's net learns which one comes next from the
columns together, and each column's `SeriesDetector` starts with what the net knows and learns on.
"""

import hashlib
import itertools
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.series import event_metrics
from keras_recipes.anomaly.series.detector import SeriesDetector, ValueClasses
from keras_recipes.anomaly.series.table import Watch, joined
from keras_recipes.data import demonstration, files, labels, lines, time_series
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.data.numbers import array
from keras_recipes.data.time_series import Increase, Layout, Series
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Calibrated, Measured, Row

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

COLUMNS = ("timestamp", "value", "score", "anomaly", "expected_low", "expected_high")

TRAIN, KNOWN = 0.7, 0.9
"""Shares of the records: to train the net on; and with those that training is stopped by."""

FEWEST = 30
"""A column with fewer numbers says nothing about what is normal."""

SYMBOLS = 24
"""Of the net: one that fills up, twenty classes of equally frequent values and what is outside."""

MOST_COLUMNS = 100
"""Each takes 50 to 160 kB of the card, which has a limit."""

DRAWN, DRAWN_RECORDS = 6, 10_000
"""Pictures of so many columns are drawn, of so many records at the end of each."""

DAY = 86_400

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Observed:
    """Normal records, by column.

    Attributes:
        layout: How they were read.
        counters: The columns that are counters; of these, `values` is the growth.
        times: Of the clock on the wall, of shape (N,); None for each where there is none.
        values: Of each column, float64 of shape (N,); NaN where it is missing.
        header: All columns of the table.
    """

    layout: Layout
    counters: Mapping[str, Increase]
    times: list[float | None]
    values: "Mapping[str, np.ndarray]"

    def __len__(self) -> int:
        return len(self.times)

    @property
    def days(self) -> float:
        """How long they took, or 0 where nobody knows."""
        known = [time for time in self.times if time is not None]
        return (max(known) - min(known)) / DAY if known else 0.0


def read(
    data: Sequence[str],
    learned: Mapping[str, Any] | None,
    *,
    layout: Layout,
    first: int,
    length: int,
) -> Dataset:
    """Normal numbers over time, the last of which are held back; see the recipe's `read`.

    Raises:
        InputError: Data that cannot be read, or has too few numbers.
    """
    layout.clock()  # refuses a zone or a form of times that there is not
    before = Watch.from_json(learned["watch"]) if learned else None
    paths, found = _source(data, before.layout if before else layout)
    if before:
        found = time_series.grown(found, before.counters)
    observed = _observed(paths, found, before, layout, first)
    if len(observed) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} records, received {len(observed)}"
        )
    classes = {
        name: before.detectors[name].classes if before else _classes(observed, name)
        for name in observed.values
    }
    parts = _parts(observed, classes, length)
    return Dataset(
        name=files.in_words([demonstration.SYNTHETIC.get(path, path) for path in paths]),
        **parts,
        note=(
            f"of {len(observed):,} normal records the last tenth held back to measure the false "
            "alarms, the fifth before to stop training by"
        ),
        learned={"kind": "metrics"},
        implied={"classes": SYMBOLS},
        known_as=tuple(paths),
        sequences=(observed, before),
    )


def _observed(
    paths: Sequence[str], found: Series, before: Watch | None, layout: Layout, first: int
) -> Observed:
    """The first records, or all; columns that say nothing are left out, counters seen as such."""
    import numpy as np

    times, rows = [], []
    for number, record in enumerate(found.records):
        if first and number == first:
            break
        times.append(record.seconds)
        rows.append(record.values)
    table = np.array(rows, "float64").reshape(len(rows), len(found.columns))
    values = dict(zip(found.columns, table.T, strict=True))
    counters = before.counters if before else {}
    if not before:
        values = _telling(paths, values)
        grown = [name for name in values if time_series.is_counter(values[name].tolist())]
        counters = {name: Increase() for name in grown}
        for name, counter in counters.items():
            pairs = zip(times, values[name].tolist(), strict=True)
            values[name] = np.array([counter.of(time, value) for time, value in pairs])
        layout = replace(
            layout, time=found.time, columns=tuple(values), header=found.header or None
        )
    observed = Observed(before.layout if before else layout, counters, times, values)
    _say(paths, observed)
    return observed


def _telling(paths: Sequence[str], values: "Mapping[str, np.ndarray]") -> "dict[str, np.ndarray]":
    import numpy as np

    usable = {name: int(np.isfinite(column).sum()) for name, column in values.items()}
    kept = {name: column for name, column in values.items() if usable[name] >= FEWEST}
    if not kept:
        raise InputError(
            f"{', '.join(paths)}: expected a column with at least {FEWEST} numbers to learn what "
            f"is normal from, received {max(usable.values(), default=0)}"
        )
    if len(kept) > MOST_COLUMNS:
        raise InputError(
            f"{', '.join(paths)}: expected at most {MOST_COLUMNS} columns of numbers, received "
            f"{len(kept)}; choose some with --set columns=A,B"
        )
    if left := [name for name in values if name not in kept]:
        log.warning("columns with fewer than %d numbers are left out: %s", FEWEST, _listed(left))
    return kept


def _say(paths: Sequence[str], observed: Observed) -> None:
    layout = observed.layout
    log.info(
        "%s: metrics, %s records of %s%s, %s",
        files.in_words(paths),
        f"{len(observed):,}",
        _listed(list(observed.values)),
        f" (counters, of which the growth a second: {_listed(list(observed.counters))})"
        * bool(observed.counters),
        f"times in {layout.time}" if layout.time is not None else "without times",
    )
    times = [time for time in observed.times if time is not None]
    older = sum(b < a for a, b in itertools.pairwise(times))
    if older:
        log.warning(
            "%s records are older than the one before; they are taken in the order they stand in",
            f"{older:,}",
        )


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(names[:5])
    return some if len(names) <= 5 else f"{some} and {len(names) - 5} more"


def _classes(observed: Observed, name: str) -> ValueClasses:
    import numpy as np

    known = observed.values[name][: int(KNOWN * len(observed))]
    finite = known[np.isfinite(known)]
    if len(finite) < 10:
        raise InputError(
            f"{name}: expected numbers from the beginning on, there are {len(finite)} in the first "
            "nine tenths of the records; leave it out with --set columns=A,B"
        )
    return ValueClasses(finite)


def _parts(
    observed: Observed, classes: Mapping[str, ValueClasses], length: int
) -> dict[str, Examples]:
    """The symbols of each column as rows, cut by time."""
    cuts = [0, *(int(share * len(observed)) for share in (TRAIN, KNOWN)), len(observed)]
    parts = {}
    for number, name in enumerate(("train", "validation", "test")):
        pieces = [
            _rows(values[cuts[number] : cuts[number + 1]], classes[column], length)
            for column, values in observed.values.items()
        ]
        parts[name] = _together(pieces, length)
        if not len(parts[name].x):
            raise InputError(
                f"records {cuts[number]:,} to {cuts[number + 1]:,}: expected numbers to "
                f"{'train on' if number == 0 else 'measure on'}, all are missing; leave these out"
            )
    return parts


def _rows(values: "np.ndarray", classes: ValueClasses, length: int) -> "np.ndarray":
    """A column's symbols, each row with what follows it, filled up with zeros: (rows, length+1)."""
    import numpy as np

    numbers = symbols_of(classes)
    found = np.array(
        [numbers[classes.of(value)] for value in values.tolist() if math.isfinite(value)], "int32"
    )
    count = -(-max(len(found) - 1, 0) // length)
    rows = np.zeros((count, length + 1), "int32")
    for row in range(count):
        piece = found[row * length : row * length + length + 1]
        rows[row, : len(piece)] = piece
    return rows


def _together(pieces: "list[np.ndarray]", length: int) -> Examples:
    import numpy as np

    rows = np.concatenate([np.zeros((0, length + 1), "int32"), *pieces])
    x, y = rows[:, :-1].copy(), rows[:, 1:]
    x[y == 0] = 0
    return Examples(x, y)


def symbols_of(classes: ValueClasses) -> list[int]:
    """The net's symbol for each class: what is below and above anything seen has its own.

    A column with fewer classes leaves symbols out.
    """
    return [*range(1, classes.count), SYMBOLS - 1]


def column_weights(weights: "Sequence[np.ndarray]", classes: ValueClasses) -> "list[np.ndarray]":
    """Of the whole net's weights those for a column's classes."""
    kernel, recurrent, bias, dense, shift = weights
    chosen = symbols_of(classes)
    return [kernel[chosen], recurrent, bias, dense[:, chosen], shift[chosen]]


def calibrate(model: "keras.Model", data: Dataset, *, threshold: float) -> Calibrated:
    """What is normal for each column, from records for which the net is trained; the false alarms.

    Learned from are the first nine tenths. The rest is judged as it would be live, which gives the
    false alarms, and learned from on the way.
    """
    observed, before = data.sequences
    watch, achieved = _learned(model, observed, before, threshold)
    return Calibrated({"watch": watch.to_json()}, achieved)


def _learned(
    model: "keras.Model", observed: Observed, before: Watch | None, threshold: float
) -> tuple[Watch, dict[str, float]]:
    from keras_recipes.anomaly.series.online_lstm import weights_of

    net = partial(column_weights, weights_of(model))
    cut = 0 if before else int(KNOWN * len(observed))
    alarms, values, detectors = 0, 0, {}
    for name, column in observed.values.items():
        numbers = column.tolist()
        if before:
            detector = before.detectors[name]
            detector.replace_net(net)
            detector.set_bar(threshold)
        else:
            detector = SeriesDetector(bar=threshold, units=len(weights_of(model)[1]))
            detector.learn(observed.times[:cut], numbers[:cut], net)
        said = list(detector.readings(observed.times[cut:], numbers[cut:]))
        alarms += sum(reading.score >= 0.5 for reading in said)
        values += len(said)
        detector.accept(numbers[cut:])
        detectors[name] = detector
    records = len(observed) - cut
    # Without times nobody knows whether what is to be judged follows at once.
    timed = observed.layout.time is not None
    counters = {name: one if timed else Increase() for name, one in observed.counters.items()}
    watch = Watch(observed.layout, detectors, counters)
    achieved = {
        "false_alarms": alarms / max(values, 1),
        "held_out_records": float(records),
    }
    days = observed.days * records / len(observed)
    if days:
        achieved["false_alarms_a_day"] = alarms / days
    return watch, achieved


def check(
    learned: Mapping[str, Any], asked: Sequence[str] | None, values: Mapping[str, Any]
) -> None:
    """Refuses, without the net, what it could not judge.

    Args:
        learned: In the card.
        asked: Files; None where there are none to look at.
        values: Options.

    Raises:
        InputError: There is no such file, or it has no records; or labels that cannot be read.
        CorruptModelError: What was learned is damaged.
    """
    watch = _restored(learned)
    if values.get("labels"):
        _truth(values["labels"], asked or (), watch.layout)
    if asked and next(iter(_source(asked, watch.layout)[1].records), None) is None:
        raise InputError(f"{', '.join(asked)}: expected records, found none")


def answer(
    fitted: Fitted, asked: Any, *, threshold: float, only_anomalies: bool, state: str
) -> Iterator[Row]:
    """Rows with `COLUMNS`, one for each record; see the recipe's `answer`."""
    watch = _watch(fitted, threshold)
    if lines.on_standard_input(asked):
        assert fitted.card is not None
        rows = watch.live(state or None, _digest(fitted.card.learned))
    elif state:
        raise InputError("state: is kept of standard input; give - instead of files")
    else:
        rows = watch.rows(_given(asked, watch))
    if only_anomalies:
        return summary.anomalies(rows, "records", at_once=len(watch.detectors))
    return rows


def columns(learned: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the rows that this model answers with."""
    watched = learned["watch"]["layout"]["columns"]
    return (COLUMNS[0], "column", *COLUMNS[1:]) if len(watched) > 1 else COLUMNS


def _watch(fitted: Fitted, threshold: float) -> Watch:
    """What the card remembers, trusting nothing in it."""
    if fitted.card is None:
        raise InputError("a pair without a card cannot judge: what it learned is in the card")
    watch = _restored(fitted.card.learned)
    watch.set_threshold(threshold)
    return watch


def _restored(learned: Mapping[str, Any]) -> Watch:
    if "watch" not in learned:
        raise CorruptModelError("the card's state of the series is missing; fit again")
    return Watch.from_json(learned["watch"])


def _digest(learned: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()


def _given(asked: Any, watch: Watch) -> Series:
    """Paths, or values from Python: a DataFrame, or numbers of a single column."""
    if hasattr(asked, "columns"):
        return time_series.from_frame(asked, watch.layout)
    if texts := files.as_texts(asked):
        return _source(texts, watch.layout)[1]
    names = list(watch.detectors)
    expected = f"numbers of shape (N, {len(names)}), a DataFrame, or paths"
    found = array(asked, expected).astype("float64")
    table = found[:, None] if found.ndim == 1 and len(names) == 1 else found
    if table.ndim != 2 or table.shape[1] != len(names) or not len(table):
        raise InputError(f"expected {expected}, received shape {found.shape}")
    records = (
        time_series.Record(str(number), None, tuple(row))
        for number, row in enumerate(table.tolist())
    )
    return Series(tuple(names), records)


def _source(data: Sequence[str], layout: Layout) -> tuple[list[str], Series]:
    """Names, and the records of all files one behind the other."""
    demonstrated: dict[str, Callable[[], Series]] = {
        demonstration.METRICS: demonstration.metrics,
        demonstration.BROKEN_METRICS: demonstration.broken_metrics,
    }
    if "-" in data:
        raise InputError("expected files, received -: it can be read only once")
    if len(data) == 1 and data[0] in demonstrated:
        found = demonstrated[data[0]]()
        if layout.columns and layout.columns != found.columns:
            raise InputError(
                f"{data[0]}: has the column {_listed(found.columns)}, asked for was "
                f"{_listed(layout.columns)}"
            )
        return list(data), found
    names = time_series.names(data)
    return names, joined([(name, partial(time_series.read, name, layout)) for name in names])


def assess(
    fitted: Fitted, asked: Sequence[str] | None, *, labels_file: str, threshold: float, first: int
) -> Measured:
    """How many alarms; with labels what they are worth; see the recipe's `assess`."""
    if asked is None:
        return _held_back(fitted, threshold, first, labels_file)
    watch = _watch(fitted, threshold)
    found = _given([Path(text) for text in asked], watch)
    times: list[float] = []
    scores = _scores(watch, found, times)
    alarms = scores.max(axis=1) >= 0.5
    metrics = {
        "records": float(len(scores)),
        "anomalies": float(alarms.sum()),
        "alarms": float(alarms.mean()),
    }
    truth = _truth(labels_file, asked, watch.layout)
    return Measured(
        metrics if truth is None else {**metrics, **_worth(scores, times, truth, watch)}
    )


def _held_back(fitted: Fitted, threshold: float, first: int, labels_file: str) -> Measured:
    """The records held back by the fit, judged again by what is learned from the others."""
    assert fitted.card is not None
    if labels_file:
        raise InputError("labels: expected --data with the records that they belong to")
    layout = _watch(fitted, threshold).layout
    paths, found = _source(fitted.card.data["paths"] or (), layout)
    observed = _observed(paths, found, None, layout, first)
    return Measured(_learned(fitted.model, observed, None, threshold)[1])


def _scores(watch: Watch, found: Series, times: list[float]) -> "np.ndarray":
    """Of each record and column, of shape (N, columns); fills in the times."""
    import numpy as np

    def records() -> Iterator[time_series.Record]:
        for number, record in enumerate(found.records):
            timed = watch.layout.time is not None and record.seconds is not None
            times.append(record.seconds if timed and record.seconds is not None else float(number))
            yield record

    rows = watch.rows(replace(found, records=records()))
    scores = np.fromiter((row["score"] for row in rows), "float64")
    if not len(scores):
        raise InputError("expected records to measure on, received none")
    return scores.reshape(-1, len(watch.detectors))


def _truth(file: str, asked: Sequence[str], layout: Layout) -> list[labels.Window] | None:
    if not file and list(asked) == [demonstration.BROKEN_METRICS]:
        return [labels.Window(*window) for window in demonstration.metrics_truth()]
    return labels.windows(file, layout) if file else None


def _worth(
    scores: "np.ndarray", times: Sequence[float], truth: Sequence[labels.Window], watch: Watch
) -> dict[str, float]:
    """Of the alarms of all columns together; a label of one column is found by that one's."""
    import numpy as np

    said, when = scores.max(axis=1), np.array(times)
    spans = []
    for window in truth:
        inside = np.flatnonzero((when >= window.begin) & (when <= window.end))
        if not len(inside):
            log.warning("a label lies where no record is: %s", window)
            continue
        spans.append((int(inside[0]), int(inside[-1])))
    spans.sort()
    if not spans:
        raise InputError("labels: none of them lies among the records; is the time zone another?")
    alarms = said >= 0.5
    found, false, missed = event_metrics.events(alarms, spans, probation=0)
    return {
        "windows": float(len(spans)),
        "windows_found": float(found),
        "false_alarms": false,  # how many, and so no share
        "precision": found / max(found + false, 1),
        "recall": found / (found + missed),
        "f1": event_metrics.f1(found, false, missed),
        "vus_pr": event_metrics.vus_pr(said, spans),
        "nab": event_metrics.nab_score(
            [event_metrics.nab_gain(alarms, spans, probation=0)], len(spans)
        ),
    }


def figures(
    fitted: Fitted, data: Sequence[str], *, threshold: float
) -> "Iterator[tuple[str, Figure]]":
    """Each column with what was expected, what was flagged, and the scores."""
    from collections import deque

    from keras_recipes.report import plots

    watch = _watch(fitted, threshold)
    kept: dict[str, deque[Row]] = {name: deque(maxlen=DRAWN_RECORDS) for name in watch.detectors}
    only = next(iter(kept))
    before = watch.records
    for row in watch.rows(_given([Path(text) for text in data], watch)):
        kept[row.get("column", only)].append(row)
    records = watch.records - before
    if records > DRAWN_RECORDS:
        log.info("drawn are the last %s of %s records", f"{DRAWN_RECORDS:,}", f"{records:,}")
    if not kept[only]:
        raise InputError(f"{', '.join(data)}: expected records to draw, found none")
    strangest = sorted(kept, key=lambda name: -max(row["score"] for row in kept[name]))[:DRAWN]
    if len(kept) > DRAWN:
        log.info("drawn are the %d of %d columns with the highest scores", DRAWN, len(kept))
    for number, name in enumerate(name for name in kept if name in strangest):
        file = "series" if len(kept) == 1 else f"series-{number + 1}"
        yield file, plots.watched(list(kept[name]), name, ", ".join(data))
