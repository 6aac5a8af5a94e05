"""Sessions of a log to rows: of files, of lines from Python, of standard input."""

from collections.abc import Iterator, Sequence
from typing import Any

from keras_recipes.anomaly import state_file, summary
from keras_recipes.anomaly.logs import scores, source
from keras_recipes.anomaly.logs.detector import LogDetector, parts_of
from keras_recipes.anomaly.logs.stream import TICK, LogStream
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.data import labels as labelled
from keras_recipes.data import lines, log_formats
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned, Row


def check(
    learned: Learned,
    paths: Sequence[str] | None,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    labels: str | None,
    state: str | None,
) -> None:
    """See `kind.check`."""
    layout = parts_of(learned)["layout"]
    scores.allowed_rate(false_alarm_rate, false_alarms_per_day, 0.0)
    if state:
        state_file.check(state)
    if labels:
        labelled.read(labels)
    if paths:
        names, blocks = source.to_judge(paths)
        parser = log_formats.Parser(layout)
        if not any(len(parser.parse(block)) for _, block in blocks):
            raise source.without_sessions(names, layout)


def judge(
    fitted: Fitted,
    asked: Any,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    only_anomalies: bool,
) -> Iterator[Row]:
    """See `kind.judge`."""
    detector = LogDetector.of_fitted(fitted)
    rate = scores.allowed_rate(false_alarm_rate, false_alarms_per_day, detector.sessions_per_day)
    names, found = source.sessions_of(detector, asked)
    return Verdicts.of(detector, found).rows(rate, names, only_anomalies=only_anomalies)


def watch(
    fitted: Fitted,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    only_anomalies: bool,
    timeout: float | None,
    open_sessions: int,
    state: str | None,
) -> Iterator[Row]:
    """See `kind.watch`."""
    detector = LogDetector.of_fitted(fitted)
    rate = scores.allowed_rate(false_alarm_rate, false_alarms_per_day, detector.sessions_per_day)
    stream = LogStream(detector, rate, timeout=timeout, open_sessions=open_sessions, state=state)
    rows = stream.rows(lines.from_standard_input(TICK))
    return summary.anomalies(rows, "sessions") if only_anomalies else rows
