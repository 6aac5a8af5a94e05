"""Pictures of a model of logs: the loss, the scores, the session with the highest score."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.anomaly import loss_curve
from keras_recipes.anomaly.logs import source
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Row
from keras_recipes.report import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures(
    fitted: Fitted,
    paths: Sequence[str],
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """See `kind.figures`."""
    yield from loss_curve.figures(
        fitted.history, "nats per event", summed_gradients=summed_gradients, dropout=dropout
    )
    detector = LogDetector.of_model(fitted)
    rate = detector.allowed_rate(false_alarm_rate, false_alarms_per_day)
    names, found = source.sessions_of(detector, [Path(text) for text in paths])
    verdicts = Verdicts.of(detector, found)
    judged = verdicts.scores(rate)
    yield "scores", plots.scores(judged, ", ".join(paths))
    session = int(judged.argmax())
    (row,) = Verdicts.of(detector, found.subset(np.arange(len(found)) == session)).rows(rate, names)
    yield "session", plots.surprises(*verdicts.steps(session), row["session"], _in_words(row))


def _in_words(row: Row) -> str:
    """Return the explanation of a session's row, in three lines."""
    return "\n".join(
        [
            f"score {row['score']:.3g}, decided by event {row['position']}",
            f"observed: {row['observed']}",
            f"expected: {row['expected']}",
        ]
    )
