"""An LSTM that learns what is normal in a log or a series of numbers, and flags what does not fit.

The recipe follows the network-activity part of «人工神经网络概念梳理与实例演示»
(Deeplearning4j). The article takes the net that writes the next character of a text, and trains it
on normal activity only. The net predicts what comes next. If that is very different from what
comes, an alarm is raised. The article's net has one number as its input, an LSTM with peepholes of
ten units (510 parameters) and a softmax. It is trained with Nesterov momentum 0.9, learning rate
0.005, gradients summed over time and clipped at 0.5, and seed 123. The preset `article` is this
net. The default also has ten units, but learns faster and better: it has one-hot tokens, Keras' own
LSTM, which is fast on a GPU, and Adam.

Reported: no number.
Measured on logs: HDFS (Xu et al., SOSP 2009), F1 0.991, 95 % interval 0.987 to 1.000, at one
anomaly in 30 sessions, with a threshold from normal sessions only; the mean of three seeds, by
`python -m benchmarks.logs hdfs`.
Measured on numbers: the Numenta Anomaly Benchmark, with the first 15 % of each series to learn
from, and other families of series, by `python -m benchmarks.series DIR`; docs/benchmarks.md has
the tables.

The net predicts one of two things:

- the next event of a log (`anomaly/logs`). A session is an anomaly if its events are very different
  from the predictions, if it ends too early, or if the counts of its events are unlike those of all
  normal sessions;
- the class of the next value of a series of numbers (`anomaly/series`). A record is an anomaly if
  the prediction and four other features together show that it does not fit. Shapes that repeat
  have a part in it, and the columns of a table are judged together.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import options
from keras_recipes.anomaly.logs.kind import LOGS
from keras_recipes.anomaly.series.kind import SERIES
from keras_recipes.answers.streams import Streams
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Share
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.logs.format_names import FormatName
from keras_recipes.recipe import Guess, LayerSummary, Metric, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    import numpy as np

PADDING = 0
"""The token id that pads sequences; the loss ignores it."""


@options.builder
def build_lstm_anomaly(
    *,
    units: Count = 10,
    cell: Literal["lstm", "peephole"] = "lstm",
    encoding: Literal["one-hot", "embedding", "number"] = "one-hot",
    optimizer: Literal["adam", "nesterov"] = "adam",
    learning_rate: Positive = 0.01,
    summed_gradients: bool = False,
    clip: Positive | None = None,
    dropout: Share = 0.0,
    weight_decay: NotNegative = 0.0,
    batch_size: Count = 64,
    classes: Count = 33,
) -> "keras.Model":
    """Build and compile the net: an LSTM with tanh, and a softmax over the classes at every step.

    The input is token ids, int32 of shape (N, T). The output is probabilities of the next token, of
    shape (N, T, classes). The targets are token ids of shape (N, T); the loss ignores 0, which is
    padding.

    Args:
        units: Number of LSTM units.
        cell: Keras' LSTM, or the article's cell, whose gates also read the state (`peephole`). Only
            `lstm` goes on learning as it reads numbers, so `peephole` is for logs.
        encoding: How a token is given to the net: as a vector with a single 1, as a learned vector
            of `units` numbers, or as one number from 0 to 1, as in the article.
        optimizer: Adam, or gradient descent with Nesterov momentum 0.9.
        learning_rate: Step size of the optimizer in the first epoch.
        summed_gradients: Sums the loss over time and divides it by the batch size, as
            Deeplearning4j does, instead of averaging it over time as well.
        clip: Largest absolute value of an element of a gradient; `none` sets no limit.
        dropout: Share of the LSTM's outputs that are set to zero at random in training.
        weight_decay: Weight decay of the optimizer.
        batch_size: Number of sequences per update.
        classes: Number of tokens; the data decides it.
    """
    import keras

    tokens = keras.Input((None,), dtype="int32", name="symbols")  # T
    x = _encoded(tokens, encoding, units, classes)  # T, 33
    x = _recurrent(cell, units, int(x.shape[-1]))(x)  # T, 10
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    output = keras.layers.Dense(  # T, 33
        classes,
        activation="softmax",
        kernel_initializer=_xavier(units + classes),
        name="next",
    )(x)
    model = keras.Model(tokens, output, name="lstm_anomaly")

    settings: dict[str, Any] = {"weight_decay": weight_decay or None, "clipvalue": clip}
    if optimizer == "adam":
        optimize = keras.optimizers.Adam(learning_rate, **settings)
    else:
        optimize = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, **settings)
    reduction = "sum" if summed_gradients else "sum_over_batch_size"
    model.compile(
        optimizer=optimize,
        loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=PADDING, reduction=reduction),
        loss_weights=[1 / batch_size] if summed_gradients else None,
    )
    return model


def _encoded(tokens: Any, encoding: str, units: int, classes: int) -> Any:
    from keras.layers import CategoryEncoding, Embedding, Rescaling, Reshape

    if encoding == "one-hot":
        # TensorFlow's exporter has to know the last axis, one token per step, before it has data.
        steps = Reshape((-1, 1), name="steps")(tokens)  # T, 1
        return CategoryEncoding(classes, output_mode="one_hot", name="one_hot")(steps)  # T, 33
    if encoding == "embedding":
        return Embedding(classes, units, name="embedding")(tokens)  # T, 10
    scaled = Rescaling(1 / (classes - 1), name="scaling")(tokens)  # T
    return Reshape((-1, 1), name="number")(scaled)  # T, 1


def _recurrent(cell: str, units: int, width: int) -> "keras.Layer":
    import keras

    # Deeplearning4j's fan in and fan out are those of all weights of the layer together. Each
    # kernel has its own initializer, because one used twice gives the same numbers twice.
    fans = width + 2 * units
    weights = {"kernel_initializer": _xavier(fans), "recurrent_initializer": _xavier(fans)}
    if cell == "lstm":
        return keras.layers.LSTM(units, return_sequences=True, name="lstm", **weights)
    from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell

    peepholes = PeepholeLSTMCell(units, peephole_initializer=_xavier(fans), name="cell", **weights)
    return keras.layers.RNN(peepholes, return_sequences=True, name="lstm")


def _xavier(fans: int) -> Any:
    """Return an untruncated normal initializer of variance 2 / (fan in + fan out)."""
    import keras

    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fans))


def kind_of_data(
    data: Sequence[str],
    *,
    kind: Literal["auto", "logs", "metrics"] = "auto",
    log_format: Literal["auto", FormatName] = "auto",
) -> str:
    """Return the kind of the data: `logs` or `metrics`.

    Args:
        data: Paths; none means the synthetic log.
        kind: Kind of the data: logs, or metrics, which are tables of numbers over time; `auto`
            detects it by the first lines, unless `log_format` is given.
        log_format: Format of the lines of a log; `auto` detects it by the first lines.
    """
    if kind != "auto":
        return kind
    return "logs" if log_format != "auto" else recognise(data)


def recognise(data: Sequence[str]) -> str:
    """Return the kind that these paths look like."""
    from keras_recipes.data import record_kind

    return record_kind.recognise(data)


def has_content(path: str) -> bool:
    """Return whether a path has any content to detect its kind by."""
    from keras_recipes.data import record_kind

    return record_kind.has_content(path)


def training(
    *,
    epochs: Count = 40,
    batch_size: int,
    learning_rate: float,
    schedule: Literal["cosine", "constant"] = "cosine",
    patience: Count | None = 10,
    seed: Seed = 0,
) -> Plan:
    """Plan the training on normal data, with early stopping by the validation loss.

    Args:
        epochs: Largest number of epochs.
        batch_size: As for the net.
        learning_rate: As for the net.
        schedule: Schedule of the learning rate: falling to zero along half a cosine, or constant.
        patience: Number of epochs without a smaller validation loss after which training stops;
            `none` trains all epochs.
        seed: Seed of the initial weights, of the order of the sequences, and of the choice of
            held-out sessions.
    """
    return Plan(
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        rate=cosine(learning_rate, epochs) if schedule == "cosine" else None,
        patience=patience or 0,
    )


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Measure how well the net predicts the next token.

    Args:
        targets: Token ids of shape (N, T); 0 is padding.
        outputs: Probabilities of shape (N, T, classes).

    Returns:
        The mean surprise in nats as `loss`, and `next_event_accuracy`.
    """
    import numpy as np

    there = targets != PADDING
    given = np.take_along_axis(outputs, targets[..., None].astype("int64"), -1)[..., 0][there]
    return {
        "loss": float(-np.mean(np.log(np.maximum(given, 1e-7)))),
        "next_event_accuracy": float(np.mean(outputs.argmax(-1)[there] == targets[there])),
    }


def guess(data: Dataset) -> Guess:
    """Return the loss of a guess: each token's probability is its share of the training data."""
    import numpy as np

    known, asked = (part.y[part.y != PADDING] for part in (data.train, data.test))
    # Each count is one more, so that no token has the probability 0.
    often = np.bincount(known, minlength=data.implied["classes"]) + 1.0
    loss = float(-np.log(often / often.sum())[asked].mean())
    return Guess("loss", loss, "expecting each event as often as it occurs", best=0.0)


def example(data: Sequence[str]) -> str:
    """Return an example input of `recipes predict` for a model that was fitted on this data.

    For synthetic data it is the synthetic data with anomalies.
    """
    from keras_recipes.data import demonstration

    broken = demonstration.BROKEN_OF.get(data[0] if len(data) == 1 else "", "TODAY")
    return f"{broken} --set only_anomalies=true"


METRICS = {
    "precision": Metric("Share of the alarms that were about an anomaly.", "share"),
    "recall": Metric("Share of the anomalies that raised an alarm.", "share"),
    "f1": Metric("Harmonic mean of precision and recall.", "share"),
    "point_f1": Metric(
        "F1 of single records: those that belong to an incident against the labelled ones.", "share"
    ),
    "point_false_alarms": Metric(
        "Share of the records without a label that belong to an incident.", "share"
    ),
    "point_missed": Metric("Share of the labelled records that belong to no incident.", "share"),
    "auc_pr": Metric("Area under precision over recall at all thresholds; 1 is perfect."),
    "vus_pr": Metric(
        "Area under precision over recall at all thresholds, averaged over margins of many widths "
        "around the labels; 1 is perfect."
    ),
    "nab": Metric("Score of the Numenta Anomaly Benchmark; 100 is perfect, 0 is no alarm at all."),
    "false_alarms": Metric(
        "Alarms about normal sessions or records, as a share; for numbers with labels, their "
        "number.",
        "share",
    ),
    "promised_false_alarms": Metric(
        "Share of normal sessions that may be false alarms at the threshold.", "share"
    ),
    "false_alarms_per_day": Metric("False alarms per day among the held-out records."),
    "alarms": Metric("Share of the judged sessions or records that raised an alarm.", "share"),
    "anomalies": Metric("Number of alarms.", "count"),
    "windows": Metric("Number of labels.", "count"),
    "windows_found": Metric("Number of labels with an alarm in them.", "count"),
    "sessions": Metric("Number of judged sessions.", "count"),
    "records": Metric("Number of judged records.", "count"),
    "held_out_sessions": Metric("Number of held-out normal sessions to measure on.", "count"),
    "held_out_records": Metric("Number of held-out normal records to measure on.", "count"),
    "loss": Metric("Mean surprise of the net at what came next, in nats; less is better."),
    "next_event_accuracy": Metric(
        "Share of the steps at which the net's likeliest event, or class of numbers, came next. It "
        "does not measure how well anomalies are found.",
        "share",
    ),
}

RECIPE = Recipe(
    name="lstm-anomaly",
    summary="learns what is normal in a log or a series of numbers, and flags what does not fit",
    source=Source(
        article="«人工神经网络概念梳理与实例演示», with Deeplearning4j",
        reported={},
        deviations=(
            "the default has one-hot tokens, Adam and Keras' LSTM; the preset article has the "
            "article's single number, peepholes, Nesterov momentum and summed gradients",
            "for logs, the counts of a session's templates are compared with those of normal "
            "sessions as well",
            "for numbers, the net's surprise is one of five features, and the net goes on learning "
            "as it reads",
            "the article names regularisation and early stopping without numbers; this recipe uses "
            "weight decay and a patience of ten epochs",
        ),
    ),
    data="normal logs (text, syslog, JSON lines, Apache/nginx) or numbers over time (CSV, JSON "
    "lines, Parquet); without any, a synthetic log",
    layers=(
        LayerSummary("symbols", "InputLayer", (None, None), 0),
        LayerSummary("steps", "Reshape", (None, None, 1), 0),
        LayerSummary("one_hot", "CategoryEncoding", (None, None, 33), 0),
        LayerSummary("lstm", "LSTM", (None, None, 10), 1_760),
        LayerSummary("next", "Dense", (None, None, 33), 363),
    ),
    build=build_lstm_anomaly,
    training=training,
    measure=measure,
    guess=guess,
    metrics=METRICS,
    answers=Streams(
        kinds={"logs": LOGS, "metrics": SERIES},
        of_data=kind_of_data,
        recognise=recognise,
        has_content=has_content,
    ),
    example=example,
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
    settled=(
        "kind",
        "log_format",
        "session",
        "session_field",
        "window",
        "columns",
        "time",
        "time_format",
        "zone",
        "decimal",
    ),
    former={
        "false_alarms": "false_alarm_rate",
        "false_alarms_a_day": "false_alarms_per_day",
        "bar": "threshold",
    },
)
