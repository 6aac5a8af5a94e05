"""The functions and options of `lstm-anomaly` for logs.

A keyword argument with a default is an option that is declared here, and only here. A keyword
argument without a default is an option that is declared elsewhere in the recipe. The modules next
to this one do the work. They are imported only in the calls, because `recipes show` must not wait
for NumPy.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from keras_recipes.bounds import Count, Positive, Share
from keras_recipes.data.dataset import Dataset
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.recipe import Calibrated, Learned, Measured, Row, Stream

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

COLUMNS = (
    *("session", "score", "anomaly", "position", "observed", "expected", "line"),
    *("new_events", "explanation"),
)


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    log_format: str,
    session: str | None = None,
    session_field: str | None = None,
    window: str | None = None,
    time: str | None,
    time_format: str | None,
    length: Count = 64,
    first: int | None,
    seed: int,
) -> Dataset:
    """Return normal logs, some of their sessions held out.

    Args:
        data: Files, folders or globs as the user gave them; none means `demo`, a synthetic log.
        learned: What the model learned, if its training is continued.
        log_format: The format of the lines, or `auto`.
        session: Regular expression; lines in which it matches the same text are a session.
        session_field: Name of a field of JSON lines, syslog, access logs or tables; lines with the
            same value are a session.
        window: Time span that makes a session, such as `5m`; or a number of lines, such as `100`.
        time: Name of the field of the times; see `series.kind.read`.
        time_format: Format of the times; see `series.kind.read`.
        length: Number of steps at which longer sequences are cut for training.
        first: Number of lines; see `series.kind.read`. Sessions that go on after them are left out.
        seed: Seed of the choice of held-out sessions.

    Raises:
        InputError: The data cannot be read, or there is too little.
    """
    from keras_recipes.anomaly.logs import dataset

    return dataset.read(
        data,
        learned,
        log_format=log_format,
        session=session,
        session_field=session_field,
        window=window,
        time=time,
        time_format=time_format,
        length=length,
        first=first,
        seed=seed,
    )


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: Share | None = None,
    false_alarms_per_day: Positive | None = None,
    seed: int,
) -> Calibrated:
    """Calibrate the scores on normal sessions, and measure the false alarms on held-out ones.

    Args:
        model: The trained net.
        data: The data set from `read`.
        false_alarm_rate: Share of the normal sessions of a log that may be called anomalies; `none`
            takes 0.0002, or one in N + 1 where the N normal sessions cannot show that.
        false_alarms_per_day: Number of false alarms per day that a log, or a table of numbers with
            times, may raise; `none` uses `false_alarm_rate`, or the `threshold` of numbers.
        seed: Seed of the choice of sessions to compare with.
    """
    from keras_recipes.anomaly.logs import calibration

    return calibration.calibrate(
        model,
        data,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        seed=seed,
    )


def columns(learned: Learned) -> tuple[str, ...]:
    """Return the keys of the rows, the same for every log."""
    return COLUMNS


def check(
    learned: Learned,
    paths: Sequence[str] | None,
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    idle_after: str | None,
    labels: str | None,
    state: str | None,
    after: int | None,
) -> None:
    """Check the input before the net is loaded.

    Raises:
        InputError: There is no such file, or it has no sessions; or the labels cannot be read; or
            the state cannot be kept; or no false alarm is allowed; or `idle_after` is no time span,
            or the lines of files have no times to measure it by.
        CorruptModelError: The card or the state is damaged.
    """
    from keras_recipes.anomaly import state_file
    from keras_recipes.anomaly.logs import scores, silence, source
    from keras_recipes.anomaly.logs.detector import parts_of
    from keras_recipes.data import labels as labelled
    from keras_recipes.data.logs.parser import Parser

    layout = parts_of(learned)["layout"]
    scores.allowed_rate(false_alarm_rate, false_alarms_per_day)
    if idle_after:
        silence.check(idle_after, layout, live=paths is None)
    if state:
        state_file.check(state)
    if labels:
        labelled.read(labels)
    if paths:
        names, blocks = source.to_judge(paths)
        if after:
            source.check_one("after", names)
        parser = Parser(layout)
        if not any(len(parser.parse(block)) for _, block in blocks):
            raise source.without_sessions(names, layout)


def judge(
    model: Askable,
    asked: Any,
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    only_anomalies: bool = False,
    idle_after: str | None = None,
    after: Count | None = None,
) -> Iterator[Row]:
    """Yield a row with the keys `COLUMNS` for each session; from a score of 0.5 on, an anomaly.

    The row of an anomaly has the score and the explanation of the event at which the anomaly became
    certain. On standard input the row comes at that event; in files it is the same row. Any other
    session is judged as a whole when it is over.

    Args:
        model: The model.
        asked: Paths; `demo-anomalies` for the synthetic log; or a list of lines from Python.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        only_anomalies: Prints only the anomalies.
        idle_after: Time span, such as `10m`, without a line of a session after which a log has a
            row of its own, which is an anomaly: by the times in files, and on standard input also
            by the computer's clock while no line comes.
        after: Number of records of a file, or of a log's lines, that are not judged, such as the
            `first` that were learned from; of a log, the sessions that begin after them are judged.
    """
    from keras_recipes.anomaly.logs import source
    from keras_recipes.anomaly.logs.detector import LogDetector
    from keras_recipes.anomaly.logs.silence import Silences
    from keras_recipes.anomaly.logs.verdicts import Verdicts

    detector = LogDetector.of_model(model)
    rate = detector.allowed_rate(false_alarm_rate, false_alarms_per_day)
    silences = Silences(idle_after) if idle_after else None
    names, found = source.sessions_of(detector, asked, silences, after or 0)
    rows = Verdicts.of(detector, found).rows(rate, names, only_anomalies=only_anomalies)
    return chain(rows, silences.rows()) if silences else rows


def watch(
    model: Askable,
    blocks: Iterator[list[bytes]],
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    only_anomalies: bool,
    idle_after: str | None,
    timeout: Positive | None = None,
    open_sessions: Count = 50_000,
    state: str | None = None,
) -> Iterator[Row]:
    """Yield the rows of `judge` for lines as they arrive, such as those on standard input.

    Args:
        model: The model.
        blocks: The lines, some at a time; an empty list means that time passed.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        only_anomalies: As for `judge`.
        idle_after: As for `judge`.
        timeout: Seconds without a line, by the times in the log, after which a session on standard
            input is over, or seconds after the end of a window; `none` takes twice the longest gap
            in a normal session.
        open_sessions: Largest number of open sessions on standard input; beyond it, the session
            that has been silent the longest is over. As many closed ones are remembered.
        state: File that keeps the open sessions, or the state of the series, when standard input
            ends, the program is stopped or an error ends it; the next run continues from it.
    """
    from keras_recipes.anomaly import summary
    from keras_recipes.anomaly.logs.detector import LogDetector
    from keras_recipes.anomaly.logs.stream import LogStream

    detector = LogDetector.of_model(model)
    rate = detector.allowed_rate(false_alarm_rate, false_alarms_per_day)
    stream = LogStream(
        detector,
        rate,
        timeout=timeout,
        open_sessions=open_sessions,
        idle_after=idle_after,
        state=state,
    )
    rows = stream.rows(blocks)
    return summary.anomalies(rows, "sessions") if only_anomalies else rows


def assess(
    model: Askable,
    paths: Sequence[str] | None,
    *,
    labels: str | None = None,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    seed: int,
) -> Measured:
    """Return precision, recall, F1 and AUC-PR if there are labels, else the share of alarms.

    Args:
        model: The model.
        paths: The logs; None for the held-out normal sessions.
        labels: CSV file of the true anomalies: for a log with the columns `session` and `anomaly`
            (0 or 1), for numbers with `start` and `end`, or with `timestamp`.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        seed: As for `read`.
    """
    from keras_recipes.anomaly.logs import evaluation

    return evaluation.assess(
        model,
        paths,
        labels=labels,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        seed=seed,
    )


def figures(
    fitted: Fitted,
    paths: Sequence[str],
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """Yield pictures: the loss, the scores with the threshold, the session of the highest score."""
    from keras_recipes.anomaly.logs import figures as pictures

    return pictures.figures(
        fitted,
        paths,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        summed_gradients=summed_gradients,
        dropout=dropout,
    )


LOGS = Stream(
    noun="a log",
    plural="logs",
    read=read,
    calibrate=calibrate,
    columns=columns,
    check=check,
    judge=judge,
    watch=watch,
    assess=assess,
    figures=figures,
)
