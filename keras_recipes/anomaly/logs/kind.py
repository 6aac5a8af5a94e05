"""Logs as a kind of records that `lstm-anomaly` watches: its functions, and their options.

Each keyword with a default is an option, and this its only home; one without takes the option of
that name from elsewhere in the recipe. What the functions do stands in the modules beside this one,
which are imported when somebody calls: reading what a recipe is must not wait for NumPy.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keras_recipes.bounds import Count, Positive, Share
from keras_recipes.data.dataset import Dataset
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Calibrated, Learned, Measured, Row, Stream

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

COLUMNS = ("session", "score", "anomaly", "position", "observed", "expected", "line")


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    log_format: str,
    session: str | None = None,
    session_field: str | None = None,
    window: str | None = None,
    length: Count = 64,
    seed: int,
) -> Dataset:
    """Normal logs: files, folders, globs; some of their sessions are held back.

    Args:
        data: As the user gave it; nothing means `demo`, a synthetic log made here.
        learned: What a model had learned that is to go on training.
        log_format: How lines are written, or `auto`.
        session: Regular expression; lines in which it matches the same text are a session.
        session_field: Field of JSON lines, syslog or access logs; lines with equal values are a
            session.
        window: Length of time that makes a session, such as `5m`; where lines have no times, the
            number of lines.
        length: Number of steps at which longer sequences are cut for training.
        seed: Of which sessions are held back.

    Raises:
        InputError: Data that cannot be read, or too little of it.
    """
    from keras_recipes.anomaly.logs import dataset

    return dataset.read(
        data,
        learned,
        log_format=log_format,
        session=session,
        session_field=session_field,
        window=window,
        length=length,
        seed=seed,
    )


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: Share = 0.0002,
    false_alarms_per_day: Positive | None = None,
    seed: int,
) -> Calibrated:
    """Learns from normal sessions what is strange, and measures the false alarms on further ones.

    Args:
        model: The trained net.
        data: From `read`.
        false_alarm_rate: Share of the normal sessions of a log that may be called anomalies.
        false_alarms_per_day: Number of false alarms a day that may be raised for a log; without it
            `false_alarm_rate` counts.
        seed: Of the choice among more sessions than are kept to compare with.
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
    """Keys of the rows, the same for every log."""
    return COLUMNS


def check(
    learned: Learned,
    paths: Sequence[str] | None,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    labels: str | None,
    state: str | None,
) -> None:
    """Refuses, without the net, what could not be judged.

    Raises:
        InputError: There is no such file, or it has no sessions; labels that cannot be read; a
            state that cannot be kept; or no false alarm is allowed.
        CorruptModelError: What was learned is damaged, or the state.
    """
    from keras_recipes.anomaly import state_file
    from keras_recipes.anomaly.logs import scores, source
    from keras_recipes.anomaly.logs.detector import parts_of
    from keras_recipes.data import labels as labelled
    from keras_recipes.data import log_formats

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
    only_anomalies: bool = False,
) -> Iterator[Row]:
    """A row with `COLUMNS` for each session; from a score of 0.5 it is an anomaly.

    An anomaly has the score and the explanation of the event at which it became certain, in files
    as on standard input, where it is answered at that event. Any other session is judged as a
    whole, when it is over.

    Args:
        fitted: The model.
        asked: Paths; `demo-anomalies` for the synthetic log; from Python also lines.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        only_anomalies: Prints the anomalies alone.
    """
    from keras_recipes.anomaly.logs import scores, source
    from keras_recipes.anomaly.logs.detector import LogDetector
    from keras_recipes.anomaly.logs.verdicts import Verdicts

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
    timeout: Positive | None = None,
    open_sessions: Count = 50_000,
    state: str | None = None,
) -> Iterator[Row]:
    """The same of lines on standard input, as they arrive.

    Args:
        fitted: The model.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        only_anomalies: As for `judge`.
        timeout: Seconds of the log's time without a line after which a session on standard input is
            over; without it twice the longest gap within a normal session.
        open_sessions: Largest number of sessions that are kept open on standard input; then the
            one that is silent the longest is over.
        state: File that keeps the open sessions, or the state of the series, when standard input
            ends or the program is stopped, and from which the next run goes on.
    """
    from keras_recipes.anomaly import summary
    from keras_recipes.anomaly.logs import scores
    from keras_recipes.anomaly.logs.detector import LogDetector
    from keras_recipes.anomaly.logs.stream import TICK, LogStream
    from keras_recipes.data import lines

    detector = LogDetector.of_fitted(fitted)
    rate = scores.allowed_rate(false_alarm_rate, false_alarms_per_day, detector.sessions_per_day)
    stream = LogStream(detector, rate, timeout=timeout, open_sessions=open_sessions, state=state)
    rows = stream.rows(lines.from_standard_input(TICK))
    return summary.anomalies(rows, "sessions") if only_anomalies else rows


def assess(
    fitted: Fitted,
    paths: Sequence[str] | None,
    *,
    labels: str | None = None,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    seed: int,
) -> Measured:
    """With labels precision, recall, F1 and AUC-PR by scikit-learn; or how many alarms without.

    Args:
        fitted: The model.
        paths: None for the normal sessions that were held back.
        labels: CSV file that says what really was an anomaly: of a log with the columns `session`
            and `anomaly` (0 or 1), of numbers with `start` and `end`, or `timestamp`.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        seed: As for `read`.
    """
    from keras_recipes.anomaly.logs import evaluation

    return evaluation.assess(
        fitted,
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
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    summed_gradients: bool,
    dropout: float,
) -> "Iterator[tuple[str, Figure]]":
    """The loss; the scores with the threshold; the strangest session, event by event."""
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
