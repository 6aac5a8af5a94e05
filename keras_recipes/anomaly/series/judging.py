"""Records to rows: of files, of values from Python, of standard input."""

from collections.abc import Iterator, Sequence
from typing import Any

from keras_recipes.anomaly import state_file, summary
from keras_recipes.anomaly.series import source, stream
from keras_recipes.anomaly.series.table import TableDetector, digest
from keras_recipes.data import labels as labelled
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned, Row


def check(
    learned: Learned, paths: Sequence[str] | None, *, labels: str | None, state: str | None
) -> None:
    """See `kind.check`."""
    table = TableDetector.of(learned)
    if state:
        state_file.check(state)
    if labels:
        labelled.windows(labels, table.layout)
    if paths and next(iter(source.records_of(paths, table.layout)[1].records), None) is None:
        raise InputError(f"{', '.join(paths)}: expected records, found none")


def judge(fitted: Fitted, asked: Any, *, threshold: float, only_anomalies: bool) -> Iterator[Row]:
    """See `kind.judge`."""
    table = TableDetector.of_fitted(fitted, threshold)
    return _chosen(table, table.rows(source.to_judge(asked, table)), only_anomalies)


def watch(
    fitted: Fitted, *, threshold: float, only_anomalies: bool, state: str | None
) -> Iterator[Row]:
    """See `kind.watch`."""
    table = TableDetector.of_fitted(fitted, threshold)
    assert fitted.card is not None
    return _chosen(table, stream.rows(table, state, digest(fitted.card.learned)), only_anomalies)


def _chosen(table: TableDetector, rows: Iterator[Row], only_anomalies: bool) -> Iterator[Row]:
    if not only_anomalies:
        return rows
    return summary.anomalies(rows, "records", at_once=len(table.detectors))
