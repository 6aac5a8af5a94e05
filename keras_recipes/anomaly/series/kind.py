"""The functions and options of `lstm-anomaly` for numbers over time; see `logs.kind`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes.bounds import Count, Positive
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.recipe import Calibrated, Learned, Measured, Row, Stream

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    columns: str | None = None,
    time: str | None = None,
    time_format: str | None = None,
    zone: str | None = None,
    decimal: Literal["auto", "point", "comma"] = "auto",
    first: Count | None = None,
    cell: str,
    length: int,
) -> Dataset:
    """Return normal numbers over time, the last of them held out.

    Args:
        data: Files, folders or globs as the user gave them; `demo-metrics` is a synthetic series.
        learned: What the model learned, if its training is continued.
        columns: Names of the columns to watch, such as `cpu,memory`; `none` watches all columns of
            numbers.
        time: Name of the column of times, or of the field of a log; `none` looks for it.
        time_format: Format of the times, as for Python's strptime; in a log also the name of one of
            its spellings, such as `day/month/year`; `none` detects it.
        zone: Local time zone, such as `Europe/Berlin`, for times in UTC; `none` keeps them.
        decimal: Decimal mark of the numbers, a point or a comma; `auto` detects it, and refuses a
            table that leaves it open.
        first: Number of records to learn from, or of a log's lines, from the beginning; `none`
            takes all.
        cell: The cell of the net.
        length: Number of steps at which longer sequences are cut for training.

    Raises:
        InputError: The data cannot be read, or there is too little; or the net could not go on
            learning while it reads.
    """
    from keras_recipes.anomaly.series import dataset

    if cell != "lstm":
        raise InputError(
            f"cell: expected lstm, received {cell}, which cannot learn on while it reads; "
            "add --set cell=lstm"
        )
    return dataset.read(
        data,
        learned,
        columns=columns,
        time=time,
        time_format=time_format,
        zone=zone,
        decimal=decimal,
        first=first,
        length=length,
    )


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    threshold: Positive = 0.85,
    false_alarms_per_day: float | None,
) -> Calibrated:
    """Learn what is normal for each column, and measure the false alarms on held-out records.

    Args:
        model: The trained net.
        data: The data set from `read`.
        threshold: Evidence at which numbers raise an alarm, in orders of magnitude of probability.
        false_alarms_per_day: As for `logs.kind.calibrate`; the number of a whole table.
    """
    from keras_recipes.anomaly.series import calibration

    return calibration.calibrate(
        model, data, threshold=threshold, false_alarms_per_day=false_alarms_per_day
    )


def columns(learned: Learned, *, per_column: bool, incidents: bool) -> tuple[str, ...]:
    """Return the keys of the rows, which depend on the number of columns that are watched.

    Raises:
        CorruptModelError: The card is damaged.
    """
    from keras_recipes.anomaly.series import verdicts

    try:
        several = len(learned["watch"]["layout"]["columns"])
    except (KeyError, TypeError):
        raise CorruptModelError(
            "the card's layout of the table is damaged: its columns are missing; fit again"
        ) from None
    return verdicts.keys(several, per_column=per_column, incidents=incidents)


def check(
    learned: Learned,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    state: str | None,
    after: int | None,
) -> None:
    """Check the input before the net is loaded.

    Raises:
        InputError: There is no such file, or it has no records to judge; or the labels cannot be
            read; or the state cannot be kept.
        CorruptModelError: The card or the state is damaged.
    """
    from keras_recipes.anomaly import state_file
    from keras_recipes.anomaly.series import source
    from keras_recipes.anomaly.series.table import TableDetector
    from keras_recipes.data import labels as labelled

    table = TableDetector.of(learned)
    if state:
        state_file.check(state)
    if labels:
        labelled.windows(labels, table.layout)
    if paths:
        source.check_any(source.records_of(paths, table.layout)[1], paths, after or 0)


def judge(
    model: Askable,
    asked: Any,
    *,
    threshold: float,
    false_alarms_per_day: float | None,
    only_anomalies: bool,
    per_column: bool = False,
    incidents: bool = False,
    after: int | None,
) -> Iterator[Row]:
    """Yield a row for each record, with the keys of `columns`.

    An incident begins with a record whose score reaches 0.5, and `anomaly` is 1 there. `incident`
    is its number until it is over. Each record is judged only by the records before it, in files as
    on standard input. `expected_low` is not negative if no learned value is.

    Args:
        model: The model.
        asked: Paths, which are parts of one table; `demo-metrics-anomalies` for the synthetic
            series; or numbers or a DataFrame from Python.
        threshold: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        only_anomalies: As for `logs.kind.judge`.
        per_column: Prints a row for each column of numbers, with its value and expected interval.
        incidents: Prints a row for each incident instead, when it is over.
        after: As for `logs.kind.judge`.
    """
    from keras_recipes.anomaly.series import source
    from keras_recipes.anomaly.series.table import TableDetector

    table = TableDetector.of_model(model, threshold, false_alarms_per_day)
    found = source.to_judge(asked, table, after or 0)
    rows = table.rows(found, per_column=per_column, incidents=incidents)
    return table.shown(rows, only_anomalies=only_anomalies, incidents=incidents)


def watch(
    model: Askable,
    blocks: Iterator[list[bytes]],
    *,
    threshold: float,
    false_alarms_per_day: float | None,
    only_anomalies: bool,
    per_column: bool,
    incidents: bool,
    state: str | None,
) -> Iterator[Row]:
    """Yield the rows of `judge` for records as they arrive; see `logs.kind.watch`."""
    from keras_recipes.anomaly.series import stream
    from keras_recipes.anomaly.series.table import TableDetector, digest

    assert model.card is not None
    table = TableDetector.of_model(model, threshold, false_alarms_per_day)
    rows = stream.rows(
        table,
        blocks,
        state,
        digest(model.card.learned),
        per_column=per_column,
        incidents=incidents,
    )
    return table.shown(rows, only_anomalies=only_anomalies, incidents=incidents)


def assess(
    model: Askable,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    threshold: float,
    false_alarms_per_day: float | None,
    first: int | None,
) -> Measured:
    """Return precision, recall, F1 and more if there are labels, else the number of alarms.

    Precision, recall and F1 are those of events; no points are adjusted. VUS-PR and the score of
    the Numenta Anomaly Benchmark come with them. Without paths the held-out records are judged.
    """
    from keras_recipes.anomaly.series import evaluation

    return evaluation.assess(
        model,
        paths,
        labels=labels,
        threshold=threshold,
        false_alarms_per_day=false_alarms_per_day,
        first=first,
    )


def figures(
    fitted: Fitted,
    paths: Sequence[str],
    *,
    threshold: float,
    false_alarms_per_day: float | None,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """Yield pictures: the loss, and each column with expected interval, incidents and scores."""
    from keras_recipes.anomaly.series import figures as pictures

    return pictures.figures(
        fitted,
        paths,
        threshold=threshold,
        false_alarms_per_day=false_alarms_per_day,
        summed_gradients=summed_gradients,
        dropout=dropout,
    )


SERIES = Stream(
    noun="numbers",
    plural="numbers",
    read=read,
    calibrate=calibrate,
    columns=columns,
    check=check,
    judge=judge,
    watch=watch,
    assess=assess,
    figures=figures,
)
