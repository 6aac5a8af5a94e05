"""Fit or judge what was dropped on the page; `jobs` starts it in a folder of its own.

The argument is what to do, as JSON (`Asked`). Standard output has a line of JSON for each event:

    {"said": ..., "warning": ...}   a message of the fit or of the reader
    {"kind", "total", "first"}      what was received: its kind, its records, those to learn from
    {"epoch", "epochs"}             an epoch is done
    {"facts": {...}}                what the model knows about its threshold
    {"rows", "alarms"}              the rows are written, as `rows.jsonl` and `rows.csv`
    {"error": ...}                  one line, as the command line would print it

Standard input ends with the server. This process then ends, and the folder with it.
"""

import contextlib
import json
import logging
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from keras_recipes import catalog, options
from keras_recipes.answers.streams import Streams
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.recipe import Recipe, Row, Rows, Words

if TYPE_CHECKING:
    import keras

    from keras_recipes.models.card import Card
    from keras_recipes.saved.load import Found

RECIPE = "lstm-anomaly"

FITTED = "model"
ROWS = "rows"
CHART = "chart.json"
"""What is written, in the folder above that of the file: the two can never have one name."""

ABOVE = Path("..")

MOST_DRAWN = 4
"""The most columns of a table that are drawn: those that were blamed most often."""

THRESHOLDS = [round(0.05 * step, 2) for step in range(4, 61)]
"""The thresholds for which the page says how many false alarms they promise."""

DIGITS = 6
"""The significant digits of the numbers that are drawn."""


class Asked(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the process is asked to do.

    Attributes:
        file: The path of the file that was dropped.
        most: The most records or lines.
        options: The options of `fit` or `predict`.
        share: The share to learn from; None judges only.
        model: The model that judges; None is the one that was fitted.
        after: The records that were learned from.
    """

    file: str
    most: int
    options: dict[str, Any] = {}
    share: float | None = None
    model: str = f"../{FITTED}"
    after: int | None = None


def tell(**event: Any) -> None:
    """Tell the server what happened."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def fit(asked: Asked, share: float) -> None:
    """Fit a model on the first records of the file."""
    from keras_recipes.commands.fit import fit as fitted_on
    from keras_recipes.saved import save

    recipe = catalog.get(RECIPE)
    kind, total = _counted(recipe, asked)
    if total > asked.most:
        raise InputError(
            f"{asked.file}: expected at most {asked.most:,} lines or records, received {total:,}; "
            "send fewer"
        )
    first = max(1, round(share * total))
    tell(kind=kind, total=total, first=first)
    epochs = options.resolve(recipe, None, asked.options)["epochs"]
    fitted = fitted_on(
        RECIPE,
        [asked.file],
        callbacks=_told(epochs),
        show_progress=False,
        first=first,
        **asked.options,
    )
    save.write(fitted, ABOVE / FITTED)


def _counted(recipe: Recipe, asked: Asked) -> tuple[str, int]:
    """Return the kind of the file, and the number of its records, or of a log's lines."""
    from keras_recipes.anomaly.series import dataset, source
    from keras_recipes.data.logs import sessions

    assert isinstance(recipe.answers, Streams)
    values = options.resolve(recipe, None, asked.options)
    kind = options.call(recipe.answers.of_data, [asked.file], options=values)
    if kind == "logs":
        return kind, sum(len(block) for _, block in sessions.blocks([Path(asked.file)]))
    layout = options.call(dataset.asked_layout, options=values)
    return kind, sum(1 for _ in source.records_of([asked.file], layout)[1].records)


def _told(epochs: int) -> "Iterator[keras.callbacks.Callback]":
    """Yield a callback that tells of epochs; Keras is imported only when the fit asks for it."""
    import keras

    yield keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: tell(epoch=epoch + 1, epochs=epochs)
    )


def judge(asked: Asked) -> None:
    """Write the rows that `recipes predict` prints, and what the page draws of a table."""
    from keras_recipes.commands.predict import answer
    from keras_recipes.report import tables
    from keras_recipes.saved.load import find

    found = find(asked.model)
    given = asked.options if asked.after is None else {**asked.options, "after": asked.after}
    answered = answer(found, Words([asked.file]), given)
    assert isinstance(answered, Rows)
    card = found.card
    assert card is not None
    kind = card.learned.get("kind", "logs")
    values = options.of_model(catalog.get(RECIPE), card, "predict", asked.options)
    facts_of = _facts_of_table if kind == "metrics" else _facts_of_log
    tell(kind=kind, facts={"metrics": dict(card.metrics), **facts_of(card, values)})
    rows = _drawn(found, asked, values) if kind == "metrics" else answered.rows
    counted = _Counted(rows, asked)
    tables.write(counted, "jsonl", str(ABOVE / f"{ROWS}.jsonl"))
    columns = answered.columns or ()
    with (ABOVE / f"{ROWS}.jsonl").open() as lines:
        csv = str(ABOVE / f"{ROWS}.csv")
        tables.write(map(json.loads, lines), "csv", csv, columns=columns)
    tell(rows=counted.rows, alarms=counted.alarms)


class _Counted:
    """Counts rows, and refuses more than the server allows."""

    def __init__(self, rows: Iterator[Row], asked: Asked) -> None:
        self._rows, self._asked, self.rows, self.alarms = rows, asked, 0, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.rows += 1
            self.alarms += bool(row["anomaly"])
            if self.rows > self._asked.most:
                raise InputError(
                    f"{self._asked.file}: expected at most {self._asked.most:,} rows, received "
                    "more; send fewer lines"
                )
            yield row


def _facts_of_log(card: "Card", values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model of a log knows about its threshold."""
    from keras_recipes.anomaly.logs import scores
    from keras_recipes.anomaly.logs.detector import parts_of

    parts = parts_of(card.learned)
    sessions, per_day = parts["new_events"].sessions, parts["sessions_per_day"]
    rate = scores.allowed_rate(
        values["false_alarm_rate"],
        values["false_alarms_per_day"],
        sessions=sessions,
        sessions_per_day=per_day,
    )
    return {"rate": rate, "sessions": sessions, "sessions_per_day": per_day}


def _facts_of_table(card: "Card", values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model of a table knows about its threshold."""
    from keras_recipes.anomaly.series.table import TableDetector

    table = TableDetector.of(card.learned)
    facts = {"threshold": table.promised(values["threshold"], values["false_alarms_per_day"])}
    if table.promise is None:
        return facts
    expected = table.promise.false_alarms_per_day(np.array(THRESHOLDS)).tolist()
    promised = [list(pair) for pair in zip(THRESHOLDS, expected, strict=True)]
    return {**facts, "promised": promised, "days": table.promise.days}


def _drawn(found: "Found", asked: Asked, values: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of a table, and write what the page draws of each column."""
    from keras_recipes.anomaly.series import source, verdicts
    from keras_recipes.anomaly.series.table import TableDetector

    table = TableDetector.of_model(
        found.open(), values["threshold"], values["false_alarms_per_day"]
    )
    judged = source.to_judge([Path(asked.file)], table, asked.after or 0)
    names = list(table.detectors)
    drawn: dict[str, list[list[float | None]]] = {name: [[], [], []] for name in names}
    blamed = dict.fromkeys(names, 0)
    for one in table.judged(judged):
        for name, (value, low, high) in drawn.items():
            reading = one.readings[name]
            value.append(_short(one.values[name]))
            low.append(_short(reading.low))
            high.append(_short(reading.high))
        for name in one.blamed:
            blamed[name] += 1
        yield from verdicts.rows([one], per_column=False)
    some = sorted(names, key=lambda name: -blamed[name])[:MOST_DRAWN]
    columns = [
        {"name": name, **dict(zip(("value", "low", "high"), drawn[name], strict=True))}
        for name in some
    ]
    (ABOVE / CHART).write_text(json.dumps({"columns": columns, "watched": len(names)}))


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.{DIGITS}g}")


class _Said(logging.Handler):
    """Passes messages on to the server."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(said=record.getMessage(), warning=record.levelno >= logging.WARNING)


def _end_with_server() -> None:
    """End this process, and remove its folder, when standard input ends."""
    # Python's own stdin has a lock, which a thread that waits must not hold at the end.
    os.read(0, 1)
    shutil.rmtree(Path.cwd().parent, ignore_errors=True)
    os._exit(1)


def main() -> None:
    """Do what the argument asks."""
    asked = msgspec.json.decode(sys.argv[1].encode(), type=Asked)
    threading.Thread(target=_end_with_server, daemon=True).start()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the server answers first
    log = logging.getLogger("keras_recipes")
    log.setLevel(logging.INFO)
    log.addHandler(_Said())
    try:
        if asked.share is not None:
            fit(asked, asked.share)
        else:
            judge(asked)
    except RecipeError as error:
        tell(error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
