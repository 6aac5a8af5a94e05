"""Pictures of a model of numbers: the loss, and each series with its expected interval."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.anomaly import loss_curve
from keras_recipes.anomaly.series import source
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Row
from keras_recipes.report import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN, DRAWN_RECORDS = 6, 10_000
"""The largest number of columns that are drawn, and of records at the end of each."""

log = logging.getLogger(__name__)


def figures(
    fitted: Fitted,
    paths: Sequence[str],
    *,
    threshold: float,
    false_alarms_per_day: float | None,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """See `kind.figures`."""
    yield from loss_curve.figures(
        fitted.history, "nats per value", summed_gradients=summed_gradients, dropout=dropout
    )
    table = TableDetector.of_model(fitted, threshold, false_alarms_per_day)
    kept: dict[str, deque[Row]] = {name: deque(maxlen=DRAWN_RECORDS) for name in table.detectors}
    only = next(iter(kept))
    before = table.records
    found = source.to_judge([Path(text) for text in paths], table)
    for row in table.rows(found, per_column=True):
        kept[row.get("column", only)].append(row)
    records = table.records - before
    if records > DRAWN_RECORDS:
        log.info("drawing the last %s of %s records", f"{DRAWN_RECORDS:,}", f"{records:,}")
    if not kept[only]:
        raise InputError(f"{', '.join(paths)}: expected records to draw, received none")
    highest = sorted(kept, key=lambda name: -max(row["score"] for row in kept[name]))[:DRAWN]
    if len(kept) > DRAWN:
        log.info("drawing the %d of %d columns with the highest scores", DRAWN, len(kept))
    for number, name in enumerate(name for name in kept if name in highest):
        file = "series" if len(kept) == 1 else f"series-{number + 1}"
        yield file, plots.watched(list(kept[name]), name, ", ".join(paths))
