"""Numbers over time as a kind of records that `lstm-anomaly` watches; see `logs.kind`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keras_recipes.bounds import Count, Positive
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Calibrated, Learned, Measured, Row, Stream

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

COLUMNS = ("timestamp", "value", "score", "anomaly", "expected_low", "expected_high")


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    columns: str | None = None,
    time: str | None = None,
    time_format: str | None = None,
    zone: str | None = None,
    first: Count | None = None,
    cell: str,
    length: int,
) -> Dataset:
    """Normal numbers over time: files, folders, globs; the last records are held back.

    Args:
        data: As the user gave it; `demo-metrics` is a synthetic series made here.
        learned: What a model had learned that is to go on training.
        columns: Columns of a table to watch, such as `cpu,memory`; without it all that hold numbers
            are watched.
        time: Column of a table that holds the times; without it the column is looked for.
        time_format: How times are written, as for Python's strptime.
        zone: Time zone of the clock on the wall, such as `Europe/Berlin`, for times in UTC.
        first: Number of records at the beginning of a table that are taken for normal; without it
            all are.
        cell: Of the net.
        length: Number of steps at which longer sequences are cut for training.

    Raises:
        InputError: Data that cannot be read, or too little of it; or a net that could not go on
            learning.
    """
    from keras_recipes.anomaly.series import dataset

    if cell != "lstm":
        raise InputError(
            "cell: the net goes on learning from numbers as it reads them, which is done for lstm "
            f"only, received {cell}; add --set cell=lstm"
        )
    return dataset.read(
        data,
        learned,
        columns=columns,
        time=time,
        time_format=time_format,
        zone=zone,
        first=first,
        length=length,
    )


def calibrate(model: "keras.Model", data: Dataset, *, threshold: Positive = 0.85) -> Calibrated:
    """Learns what is normal for each column, and measures the false alarms on further records.

    Args:
        model: The trained net.
        data: From `read`.
        threshold: How surprising numbers have to be for an alarm, in orders of magnitude of
            probability.
    """
    from keras_recipes.anomaly.series import calibration

    return calibration.calibrate(model, data, threshold=threshold)


def columns(learned: Learned) -> tuple[str, ...]:
    """Keys of the rows; where several columns are watched, their names as well.

    Raises:
        CorruptModelError: What was learned is damaged.
    """
    try:
        several = len(learned["watch"]["layout"]["columns"]) > 1
    except (KeyError, TypeError):
        raise CorruptModelError(
            "the card's way to read numbers is damaged: its columns are missing; fit again"
        ) from None
    return (COLUMNS[0], "column", *COLUMNS[1:]) if several else COLUMNS


def check(
    learned: Learned, paths: Sequence[str] | None, *, labels: str | None, state: str | None
) -> None:
    """Refuses, without the net, what could not be judged.

    Raises:
        InputError: There is no such file, or it has no records; labels that cannot be read; or a
            state that cannot be kept.
        CorruptModelError: What was learned is damaged, or the state.
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
    if paths and next(iter(source.records_of(paths, table.layout)[1].records), None) is None:
        raise InputError(f"{', '.join(paths)}: expected records, found none")


def judge(fitted: Fitted, asked: Any, *, threshold: float, only_anomalies: bool) -> Iterator[Row]:
    """A row with `COLUMNS` for each value of each record; from a score of 0.5 it is an anomaly.

    Asked are paths, which are parts of one table, or `demo-metrics-anomalies`; from Python also
    numbers or a DataFrame. Each record is judged by those before it alone, in files as on standard
    input. `expected_low` is not below zero where no value that was learned from is.
    """
    from keras_recipes.anomaly.series import source
    from keras_recipes.anomaly.series.table import TableDetector

    table = TableDetector.of_fitted(fitted, threshold)
    rows = table.rows(source.to_judge(asked, table))
    return table.anomalies(rows) if only_anomalies else rows


def watch(
    fitted: Fitted, *, threshold: float, only_anomalies: bool, state: str | None
) -> Iterator[Row]:
    """The same of records on standard input, as they arrive."""
    from keras_recipes.anomaly.series import stream
    from keras_recipes.anomaly.series.table import TableDetector, digest

    assert fitted.card is not None
    table = TableDetector.of_fitted(fitted, threshold)
    rows = stream.rows(table, state, digest(fitted.card.learned))
    return table.anomalies(rows) if only_anomalies else rows


def assess(
    fitted: Fitted,
    paths: Sequence[str] | None,
    *,
    labels: str | None,
    threshold: float,
    first: int | None,
) -> Measured:
    """With labels precision, recall, F1 and more; or how many alarms without.

    These are of events, without adjusting points, with VUS-PR and the score of the Numenta Anomaly
    Benchmark. Without paths the records that were held back are judged.
    """
    from keras_recipes.anomaly.series import evaluation

    return evaluation.assess(fitted, paths, labels=labels, threshold=threshold, first=first)


def figures(
    fitted: Fitted,
    paths: Sequence[str],
    *,
    threshold: float,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """The loss; each column with what was expected, what was flagged, and the scores."""
    from keras_recipes.anomaly.series import figures as pictures

    return pictures.figures(
        fitted,
        paths,
        threshold=threshold,
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
