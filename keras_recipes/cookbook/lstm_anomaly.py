"""An LSTM that has read what is normal, and is surprised by what does not fit.

Follows the network-activity part of «人工神经网络概念梳理与实例演示» (Deeplearning4j): the net that
writes the next character of a text, turned around. It learns to predict what comes next from normal
data only, of two kinds:

- the next event of a log: a session is an anomaly where that prediction fails badly, where it ends
  too early, or where its events occur in numbers that no normal session has (`anomaly/logs.py`);
- the next value of a series of numbers, as a class: a record is an anomaly where the prediction and
  four other views of it find it odd together (`anomaly/metrics.py`).

Preset `article` is the article's net as it stands: one number in, an LSTM with peepholes of ten
units (510 parameters), a softmax; Nesterov momentum 0.9, learning rate 0.005, gradients summed over
time, clipped at 0.5. The default learns the same ten units faster and better: one-hot symbols,
Keras' own LSTM (which a GPU has fast code for), Adam.

`python benchmarks/hdfs.py` measures it on the HDFS log (Xu et al., SOSP 2009), part by part, and
`python benchmarks/nab.py` on the Numenta Anomaly Benchmark.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import options
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Share, Whole
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import (
    Calibrated,
    Guess,
    Layer,
    Measured,
    Metric,
    Plan,
    Recipe,
    Row,
    Source,
)

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

OF_STREAMS = {"timeout", "open_sessions", "state"}
OF_LOGS = {"false_alarm_rate", "false_alarms_per_day", "timeout", "open_sessions"}
OF_METRICS = {"threshold", "first"}
"""Options without effect on anything else."""

COLUMNS = ("session", "score", "anomaly", "position", "observed", "expected", "line")


@options.checked
def build_lstm_anomaly(
    *,
    units: Count = 10,
    cell: Literal["lstm", "peephole"] = "lstm",
    encoding: Literal["one-hot", "embedding", "number"] = "one-hot",
    optimizer: Literal["adam", "nesterov"] = "adam",
    learning_rate: Positive = 0.01,
    summed_gradients: bool = False,
    clip: NotNegative = 0.0,
    dropout: Share = 0.0,
    weight_decay: NotNegative = 0.0,
    batch_size: Count = 64,
    classes: Count = 33,
) -> "keras.Model":
    """The article's net: LSTM(10, tanh) and a softmax over the classes at every step, compiled.

    Takes symbols, int32 of shape (N, T), and gives probabilities of the next one, of shape
    (N, T, classes). Targets are symbols of shape (N, T); 0 fills up and counts for nothing.

    Args:
        units: Number of LSTM units.
        cell: Builds Keras' LSTM, or the article's, whose gates also see the state (peepholes). The
            net goes on learning from numbers as it reads them, which is done for `lstm` only.
        encoding: How a symbol enters the net: as a vector with a single 1, as a learned vector of
            `units` numbers, or as one number from 0 to 1, the article's way.
        optimizer: Trains with Adam, or with gradient descent and Nesterov momentum 0.9.
        learning_rate: Step size of the optimizer in the first epoch.
        summed_gradients: Sums the loss over time and divides it by the size of the batch, as
            Deeplearning4j does it, instead of averaging it over time too.
        clip: Largest size that an element of a gradient may have; 0 sets no limit.
        dropout: Share of the LSTM's outputs that is left out at random while training.
        weight_decay: How strongly the optimizer shrinks the weights.
        batch_size: Number of sequences per update.
        classes: Number of symbols, which the data decides.
    """
    import keras

    from keras_recipes.data.templates import PADDING

    symbols = keras.Input((None,), dtype="int32", name="symbols")
    x = _encoded(symbols, encoding, units, classes)
    x = _recurrent(cell, units, int(x.shape[-1]))(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    output = keras.layers.Dense(
        classes,
        activation="softmax",
        kernel_initializer=_xavier(units + classes),
        name="next",
    )(x)
    model = keras.Model(symbols, output, name="lstm_anomaly")
    settings: dict[str, Any] = {"weight_decay": weight_decay or None, "clipvalue": clip or None}
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate, **settings)
        if optimizer == "adam"
        else keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, **settings),
        loss=keras.losses.SparseCategoricalCrossentropy(
            ignore_class=PADDING,
            reduction="sum" if summed_gradients else "sum_over_batch_size",
        ),
        loss_weights=[1 / batch_size] if summed_gradients else None,
    )
    return model


def _encoded(symbols: Any, encoding: str, units: int, classes: int) -> Any:
    from keras.layers import CategoryEncoding, Embedding, Rescaling, Reshape

    if encoding == "one-hot":
        # TensorFlow's exporter wants to know what the layer else asks the data: one symbol a step.
        steps = Reshape((-1, 1), name="steps")(symbols)
        return CategoryEncoding(classes, output_mode="one_hot", name="one_hot")(steps)
    if encoding == "embedding":
        return Embedding(classes, units, name="embedding")(symbols)
    return Reshape((-1, 1), name="number")(Rescaling(1 / (classes - 1), name="scaling")(symbols))


def _recurrent(cell: str, units: int, width: int) -> "keras.Layer":
    import keras

    # Deeplearning4j's fan in and fan out are those of all weights of the layer together. Each gets
    # an initializer of its own: one used twice gives the same numbers twice, and Keras warns.
    fans = width + 2 * units
    weights = {"kernel_initializer": _xavier(fans), "recurrent_initializer": _xavier(fans)}
    if cell == "lstm":
        return keras.layers.LSTM(units, return_sequences=True, name="lstm", **weights)
    from keras_recipes.anomaly.peephole_lstm import PeepholeLSTMCell

    peepholes = PeepholeLSTMCell(units, peephole_initializer=_xavier(fans), name="cell", **weights)
    return keras.layers.RNN(peepholes, return_sequences=True, name="lstm")


def _xavier(fans: int) -> Any:
    """An untruncated normal distribution of variance 2 / (fan in + fan out)."""
    import keras

    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fans))


def read(
    data: Sequence[str],
    learned: Mapping[str, Any] | None = None,
    *,
    kind: Literal["auto", "logs", "metrics"] = "auto",
    log_format: Literal["auto", "text", "syslog", "combined", "jsonl"] = "auto",
    session: str = "",
    session_field: str = "",
    window: str = "",
    columns: str = "",
    time: str = "",
    time_format: str = "",
    zone: str = "",
    first: Whole = 0,
    cell: Literal["lstm", "peephole"] = "lstm",
    length: Count = 64,
    seed: Seed = 0,
) -> Dataset:
    """Normal logs or numbers over time: files, folders, globs; some of it is held back.

    Args:
        data: As the user gave it; nothing means `demo`, a synthetic log made here; `demo-metrics`
            is a synthetic series of numbers.
        learned: What a model had learned that is to go on training.
        kind: What the data is: logs, or metrics, which are tables of numbers over time; `auto`
            looks at the first lines, unless `log_format` says that it is a log.
        log_format: How the lines of a log are written; `auto` looks at the first ones.
        session: Regular expression; lines in which it matches the same text are a session.
        session_field: Field of JSON lines, syslog or access logs; lines with equal values are a
            session.
        window: Length of time that makes a session, such as `5m`; where lines have no times, the
            number of lines.
        columns: Columns of a table to watch, such as `cpu,memory`; without it all that hold numbers
            are watched.
        time: Column of a table that holds the times; without it the column is looked for.
        time_format: How times are written, as for Python's strptime.
        zone: Time zone of the clock on the wall, such as `Europe/Berlin`, for times in UTC.
        first: Number of records at the beginning of a table that are taken for normal; 0 takes all.
        cell: As for the net.
        length: Number of steps at which longer sequences are cut for training.
        seed: Seed of the random weights and orders, and of which sessions are held back.

    Raises:
        InputError: Data that cannot be read, or too little of it.
    """
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics
    from keras_recipes.data.time_series import Layout

    if _kind(data, learned, kind, log_format) == "metrics":
        if cell != "lstm":
            raise InputError(
                "cell: the net goes on learning from numbers as it reads them, which is done for "
                f"lstm only, received {cell}; add --set cell=lstm"
            )
        names = [name.strip() for name in columns.split(",")] if columns else []
        if len(set(names)) < len(names):
            raise InputError(f"columns: expected each name once, received {columns}")
        layout = Layout(
            time=time or None,
            columns=tuple(names) or None,
            time_format=time_format or None,
            zone=zone or None,
        )
        return metrics.read(data, learned, layout=layout, first=first, length=length)
    return logs.read(
        data,
        learned,
        log_format=log_format,
        session=session,
        session_field=session_field,
        window=window,
        length=length,
        seed=seed,
    )


def _kind(data: Sequence[str], learned: Mapping[str, Any] | None, kind: str, form: str) -> str:
    """Which of the two it is; what goes on training stays what it is."""
    if learned is not None:
        return str(learned.get("kind"))
    if kind != "auto":
        return kind
    if form != "auto":
        return "logs"
    from keras_recipes.data import kinds

    return kinds.recognise(data)


def _of_metrics(fitted: Fitted) -> bool:
    return fitted.card is not None and fitted.card.learned.get("kind") == "metrics"


def from_arrays(x: Any, y: Any) -> Dataset:
    """Logs and tables are read from files.

    Raises:
        InputError: Always.
    """
    raise InputError("lstm-anomaly learns from files: expected paths, received arrays")


def training(
    *,
    epochs: Count = 40,
    batch_size: Count = 64,
    learning_rate: Positive = 0.01,
    schedule: Literal["cosine", "constant"] = "cosine",
    patience: Whole = 10,
    seed: Seed = 0,
) -> Plan:
    """Trains on normal sessions until those held back are predicted no better.

    Args:
        epochs: Largest number of passes over the training data.
        batch_size: Number of sequences per update.
        learning_rate: Step size of the optimizer in the first epoch.
        schedule: How the learning rate goes on: falling to zero along half a cosine, or constant.
        patience: Number of epochs without a smaller validation loss after which training ends; 0
            trains them all.
        seed: As for `read`.
    """

    def falling(epoch: int) -> float:
        return learning_rate * (1 + math.cos(math.pi * epoch / epochs)) / 2

    return Plan(
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        rate=falling if schedule == "cosine" else None,
        patience=patience,
    )


METRICS = {
    "precision": Metric("Share of the alarms that were about an anomaly.", "share"),
    "recall": Metric("Share of the anomalies that raised an alarm.", "share"),
    "f1": Metric("Harmonic mean of precision and recall.", "share"),
    "auc_pr": Metric("Area under precision over recall at all thresholds; 1 is perfect."),
    "vus_pr": Metric(
        "Area under precision over recall at all thresholds, averaged over margins of many widths "
        "around the labels; 1 is perfect."
    ),
    "nab": Metric("Score of the Numenta Anomaly Benchmark; 100 is perfect, 0 is no alarm at all."),
    "false_alarms": Metric(
        "Alarms about what was normal: a share, or of numbers with labels how many.", "share"
    ),
    "promised_false_alarms": Metric(
        "Share of normal sessions that the threshold lets be false alarms.", "share"
    ),
    "false_alarms_a_day": Metric("False alarms a day among the records held back."),
    "alarms": Metric("Share of what was judged that raised an alarm.", "share"),
    "anomalies": Metric("Number of alarms raised.", "count"),
    "windows": Metric("Number of labels.", "count"),
    "windows_found": Metric("Number of labels in which an alarm lies.", "count"),
    "sessions": Metric("Number of sessions judged.", "count"),
    "records": Metric("Number of records judged.", "count"),
    "held_out_sessions": Metric("Number of normal sessions held back to measure on.", "count"),
    "held_out_records": Metric("Number of normal records held back to measure on.", "count"),
    "loss": Metric("Mean surprise of the net at what comes next, in nats; less is better."),
    "next_event_accuracy": Metric(
        "How often the net's likeliest next event, or class of numbers, is the one that comes. No "
        "measure of how well anomalies are found.",
        "share",
    ),
}


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """How well the net predicts the next symbol.

    Args:
        targets: Symbols of shape (N, T), 0 where there is none.
        outputs: Probabilities of shape (N, T, V).
    """
    import numpy as np

    from keras_recipes.data.templates import PADDING

    there = targets != PADDING
    given = np.take_along_axis(outputs, targets[..., None].astype("int64"), -1)[..., 0][there]
    return {
        "loss": float(-np.mean(np.log(np.maximum(given, 1e-7)))),
        "next_event_accuracy": float(np.mean(outputs.argmax(-1)[there] == targets[there])),
    }


def guess(data: Dataset) -> Guess:
    """The loss of expecting each symbol as often as it occurs in the training part."""
    import numpy as np

    from keras_recipes.data.templates import PADDING

    known, asked = (part.y[part.y != PADDING] for part in (data.train, data.test))
    symbols = data.implied["classes"]
    # One more of each, so that no symbol is impossible that was never seen.
    often = np.bincount(known, minlength=symbols) + 1.0
    loss = float(-np.log(often / often.sum())[asked].mean())
    return Guess("loss", loss, "expecting each event as often as it occurs", best=0.0)


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: Share = 0.0002,
    false_alarms_per_day: NotNegative = 0.0,
    threshold: Positive = 0.85,
    seed: Seed = 0,
) -> Calibrated:
    """Learns from normal data what is strange, and measures false alarms on more of it.

    Args:
        model: The trained net.
        data: From `read`.
        false_alarm_rate: Share of the normal sessions of a log that may be called anomalies.
        false_alarms_per_day: Number of false alarms a day that may be raised for a log; 0 goes by
            `false_alarm_rate`.
        threshold: How surprising numbers have to be for an alarm, in orders of magnitude of
            probability.
        seed: As for `read`.
    """
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics

    if data.learned["kind"] == "metrics":
        return metrics.calibrate(model, data, threshold=threshold)
    return logs.calibrate(
        model,
        data,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        seed=seed,
    )


def answer(
    fitted: Fitted,
    asked: Any,
    *,
    false_alarm_rate: Share = 0.0002,
    false_alarms_per_day: NotNegative = 0.0,
    threshold: Positive = 0.85,
    only_anomalies: bool = False,
    timeout: NotNegative = 0.0,
    open_sessions: Count = 50_000,
    state: str = "",
) -> Iterator[Row]:
    """A row for each session or record, with its score; from 0.5 it is an anomaly.

    Of logs `session,score,anomaly,position,observed,expected,line`. An anomaly has the score and
    the explanation of the event at which it became certain, in files as on standard input, where
    it is answered at that event. Any other session is judged as a whole, when it is over.

    Of numbers `timestamp,value,score,anomaly,expected_low,expected_high`, of several columns with
    `column` behind the timestamp. Several files are parts of one table. Each record is judged by
    those before it alone, in files as on standard input. `expected_low` is not below zero where no
    value that was learned from is.

    Args:
        fitted: The model.
        asked: Paths; `-` for standard input; `demo-anomalies` or `demo-metrics-anomalies` for what
            is synthetic; from Python also lines, numbers or a DataFrame.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        threshold: As for `calibrate`.
        only_anomalies: Prints the anomalies alone.
        timeout: Seconds of the log's time without a line after which a session on standard input is
            over; 0 means twice the longest silence of a normal session.
        open_sessions: Largest number of sessions that are kept open on standard input; then the
            most silent one is over.
        state: File that keeps the open sessions, or the state of the series, when standard input
            ends or the program is stopped, and from which the next run goes on.
    """
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics

    if _of_metrics(fitted):
        return metrics.answer(
            fitted, asked, threshold=threshold, only_anomalies=only_anomalies, state=state
        )
    return logs.answer(
        fitted,
        asked,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        only_anomalies=only_anomalies,
        timeout=timeout,
        open_sessions=open_sessions,
        state=state,
    )


def check_answer(
    learned: Mapping[str, Any],
    asked: Sequence[str],
    given: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """Refuses what `answer` would, before the model is opened.

    Args:
        learned: In the card.
        asked: Paths.
        given: Options that the user gave.
        values: All options.

    Raises:
        InputError: An option without effect on such a model or such input, or nothing to read.
        CorruptModelError: What was learned is damaged.
    """
    from keras_recipes.anomaly import state_file
    from keras_recipes.data import lines

    streaming = lines.on_standard_input(list(asked))
    if not streaming:
        for name in sorted(OF_STREAMS & given.keys()):
            raise InputError(f"{name}: is of standard input; give - instead of files")
    _check_kind(learned, given)
    _check_readable(learned, None if streaming else asked, values)
    if given.get("state"):
        state_file.check(given["state"])


def check_assess(
    learned: Mapping[str, Any],
    asked: Sequence[str] | None,
    given: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """Refuses what `assess` would, before the model is opened; see `check_answer`."""
    _check_kind(learned, given)
    _check_readable(learned, asked, values)


def _check_readable(
    learned: Mapping[str, Any], asked: Sequence[str] | None, values: Mapping[str, Any]
) -> None:
    """Refuses data that cannot be judged, and says where it is of the other kind."""
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics
    from keras_recipes.data import files, kinds

    if asked and files.read_once(asked):
        asked = None  # a look would leave nothing to judge
    of_metrics = learned.get("kind") == "metrics"
    try:
        (metrics if of_metrics else logs).check(learned, asked, values)
    except InputError:
        mine = "metrics" if of_metrics else "logs"
        if not asked or not kinds.has_content(asked[0]) or kinds.recognise(asked) == mine:
            raise
        this, other = ("numbers", "a log") if of_metrics else ("a log", "numbers")
        raise InputError(
            f"{asked[0]}: looks like {other}, and this model was fitted on {this}; name another "
            "model, or fit one on such data with --out"
        ) from None


def _check_kind(learned: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    of_metrics = learned.get("kind") == "metrics"
    for name in sorted((OF_LOGS if of_metrics else OF_METRICS) & given.keys()):
        other, this = ("logs", "numbers") if of_metrics else ("numbers", "logs")
        raise InputError(f"{name}: is of {other}, and this model watches {this}; leave it out")


def assess(
    fitted: Fitted,
    asked: Sequence[str] | None,
    *,
    labels: str = "",
    false_alarm_rate: Share = 0.0002,
    false_alarms_per_day: NotNegative = 0.0,
    threshold: Positive = 0.85,
    first: Whole = 0,
    seed: Seed = 0,
) -> Measured:
    """With labels precision, recall, F1 and more; or how many alarms without.

    Of logs AUC-PR, all of them by scikit-learn. Of numbers these are of events, without adjusting
    points, with VUS-PR and the score of the Numenta Anomaly Benchmark.

    Args:
        fitted: The model.
        asked: Paths; None for the normal data that was held back.
        labels: CSV file that says what really was an anomaly: of a log with the columns `session`
            and `anomaly` (0 or 1), of numbers with `start` and `end`, or `timestamp`.
        false_alarm_rate: As for `calibrate`.
        false_alarms_per_day: As for `calibrate`.
        threshold: As for `calibrate`.
        first: As for `read`.
        seed: As for `read`.
    """
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics

    if _of_metrics(fitted):
        return metrics.assess(fitted, asked, labels_file=labels, threshold=threshold, first=first)
    return logs.assess(
        fitted,
        asked,
        labels=labels,
        false_alarm_rate=false_alarm_rate,
        false_alarms_per_day=false_alarms_per_day,
        seed=seed,
    )


def figures(fitted: Fitted, data: Any) -> "Iterator[tuple[str, Figure]]":
    """The loss; the scores with the threshold; the strangest session, or each series."""
    from keras_recipes.anomaly.logs import calibration as logs
    from keras_recipes.anomaly.series import calibration as metrics
    from keras_recipes.report import plots

    values = options.resolve(RECIPE, None, {}) | (fitted.card.options if fitted.card else {})
    if fitted.history:
        unit = "nats a value" if _of_metrics(fitted) else "nats an event"
        if values["summed_gradients"]:
            unit = "nats"
        yield "loss", plots.curve(fitted.history, "loss", unit, note=_of_training(values))
    if _of_metrics(fitted):
        yield from metrics.figures(fitted, data, threshold=values["threshold"])
        return
    yield from logs.figures(
        fitted,
        data,
        false_alarm_rate=values["false_alarm_rate"],
        false_alarms_per_day=values["false_alarms_per_day"],
    )


def _of_training(values: Mapping[str, Any]) -> str:
    """What makes the loss while training another one than that on validation data."""
    notes = []
    if values["summed_gradients"]:
        notes.append("training: summed over a sequence; validation: mean of its steps")
    if values["dropout"]:
        notes.append(f"training with dropout {values['dropout']}, validation without")
    return "\n".join(notes)


def example(data: Sequence[str]) -> str:
    """What may be asked of a model: for what is synthetic, the same with anomalies in it."""
    from keras_recipes.data import demonstration

    broken = demonstration.BROKEN_OF.get(data[0] if len(data) == 1 else "", "TODAY")
    return f"{broken} --set only_anomalies=true"


def columns_of(learned: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the rows that a model with this in its card answers with."""
    if learned.get("kind") != "metrics":
        return COLUMNS
    from keras_recipes.anomaly.series import calibration as metrics

    return metrics.columns(learned)


RECIPE = Recipe(
    name="lstm-anomaly",
    summary="learns what is normal in a log or a series of numbers, is surprised by the rest",
    source=Source(
        article="«人工神经网络概念梳理与实例演示», with Deeplearning4j",
        reported={},
        deviations=(
            "one-hot symbols, Adam and Keras' LSTM by default; preset article has the article's "
            "single number, peepholes, Nesterov momentum and summed gradients",
            "besides the next event, the numbers of a session's events are compared with those of "
            "normal sessions",
            "of numbers the net is one of five views, and goes on learning as it reads them",
            "weight decay and early stopping for the regularisation and early stopping that the "
            "article names without numbers",
        ),
    ),
    data="normal logs (text, syslog, JSON lines, Apache/nginx) or numbers over time (CSV, JSON "
    "lines, Parquet); without any, a synthetic log",
    layers=(
        Layer("symbols", "InputLayer", (None, None), 0),
        Layer("steps", "Reshape", (None, None, 1), 0),
        Layer("one_hot", "CategoryEncoding", (None, None, 33), 0),
        Layer("lstm", "LSTM", (None, None, 10), 1_760),
        Layer("next", "Dense", (None, None, 33), 363),
    ),
    columns=COLUMNS,
    columns_of=columns_of,
    build=build_lstm_anomaly,
    read=read,
    from_arrays=from_arrays,
    training=training,
    measure=measure,
    guess=guess,
    check_answer=check_answer,
    check_assess=check_assess,
    metrics=METRICS,
    example=example,
    calibrate=calibrate,
    answer=answer,
    assess=assess,
    former={
        "false_alarms": "false_alarm_rate",
        "false_alarms_a_day": "false_alarms_per_day",
        "bar": "threshold",
    },
    reads_as_before=(
        "kind",
        "log_format",
        "session",
        "session_field",
        "window",
        "columns",
        "time",
        "time_format",
        "zone",
    ),
    figures=figures,
    presets={
        "article": {
            "cell": "peephole",
            "encoding": "number",
            "optimizer": "nesterov",
            "learning_rate": 0.005,
            "summed_gradients": True,
            "clip": 0.5,
            "schedule": "constant",
            "weight_decay": 0.0001,
            "seed": 123,
        },
    },
)
