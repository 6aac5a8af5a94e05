"""An LSTM that has read what is normal, and is surprised by what does not fit.

Follows the network-activity part of «人工神经网络概念梳理与实例演示» (Deeplearning4j): the net that
writes the next character of a text, turned around. Trained on normal activity alone, it predicts
what comes next, and raises an alarm where that fails: one number in, an LSTM with peepholes of ten
units (510 parameters), a softmax; Nesterov momentum 0.9, learning rate 0.005, gradients summed over
time, clipped at 0.5, seed 123. Preset `article` is that net as it stands; the default learns the
same ten units faster and better, by one-hot tokens, Keras' own LSTM (which a GPU has fast code for)
and Adam.

Reported: no number.
Measured, of logs: on HDFS (Xu et al., SOSP 2009) F1 0.991, 95 % interval 0.987 to 1.000, at one
anomaly in 30 sessions, the threshold from normal sessions alone; mean of three seeds, part by part:
`python benchmarks/hdfs.py TRAIN DEV LABELS`.
Measured, of numbers: the Numenta Anomaly Benchmark, each series learned from for its first 15 %:
`python benchmarks/nab.py DIR --scores OUT`; docs/benchmarks.md has the table.

What comes next is either of two things:

- the next event of a log (`anomaly/logs`). A session is an anomaly where the prediction fails
  badly, where it ends too early, or where its events occur in numbers that no normal session has;
- the class of the next value of a series of numbers (`anomaly/series`). A record is an anomaly
  where the prediction and four other views of it find it odd together.
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
from keras_recipes.recipe import Guess, LayerSummary, Metric, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    import numpy as np

PADDING = 0
"""The token id that fills up sequences and counts for nothing."""


@options.checked
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
    """The article's net: LSTM(10, tanh) and a softmax over the classes at every step, compiled.

    Takes token ids, int32 of shape (N, T), and gives probabilities of the next one, of shape
    (N, T, classes). Targets are token ids of shape (N, T); 0 is padding and counts for nothing.

    Args:
        units: Number of LSTM units.
        cell: Builds Keras' LSTM, or the article's, whose gates also see the state (peepholes). The
            net goes on learning from numbers as it reads them, which is done for `lstm` only.
        encoding: How a token enters the net: as a vector with a single 1, as a learned vector of
            `units` numbers, or as one number from 0 to 1, the article's way.
        optimizer: Trains with Adam, or with gradient descent and Nesterov momentum 0.9.
        learning_rate: Step size of the optimizer in the first epoch.
        summed_gradients: Sums the loss over time and divides it by the size of the batch, as
            Deeplearning4j does it, instead of averaging it over time too.
        clip: Largest size that an element of a gradient may have; without it there is no limit.
        dropout: Share of the LSTM's outputs that is left out at random while training.
        weight_decay: How strongly the optimizer shrinks the weights.
        batch_size: Number of sequences per update.
        classes: Number of tokens, which the data decides.
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
        # TensorFlow's exporter wants to know what the layer else asks the data: one token a step.
        steps = Reshape((-1, 1), name="steps")(tokens)  # T, 1
        return CategoryEncoding(classes, output_mode="one_hot", name="one_hot")(steps)  # T, 33
    if encoding == "embedding":
        return Embedding(classes, units, name="embedding")(tokens)  # T, 10
    scaled = Rescaling(1 / (classes - 1), name="scaling")(tokens)  # T
    return Reshape((-1, 1), name="number")(scaled)  # T, 1


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


def kind_of_data(
    data: Sequence[str],
    *,
    kind: Literal["auto", "logs", "metrics"] = "auto",
    log_format: Literal["auto", "text", "syslog", "combined", "jsonl"] = "auto",
) -> str:
    """Whether to learn from logs or from numbers.

    Args:
        data: Paths; nothing means the synthetic log.
        kind: What the data is: logs, or metrics, which are tables of numbers over time; `auto`
            looks at the first lines, unless `log_format` says that it is a log.
        log_format: How the lines of a log are written; `auto` looks at the first ones.
    """
    if kind != "auto":
        return kind
    return "logs" if log_format != "auto" else recognise(data)


def recognise(data: Sequence[str]) -> str:
    """Which of the two these paths look like."""
    from keras_recipes.data import record_kind

    return record_kind.recognise(data)


def has_content(path: str) -> bool:
    """Whether there is anything in a path to go by."""
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
    """Trains on normal data until what is held back is predicted no better.

    Args:
        epochs: Largest number of passes over the training data.
        batch_size: As for the net.
        learning_rate: As for the net.
        schedule: How the learning rate goes on: falling to zero along half a cosine, or constant.
        patience: Number of epochs without a smaller validation loss after which training ends;
            `none` trains them all.
        seed: Seed of the random weights and orders, and of which sessions are held back.
    """
    return Plan(
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        rate=cosine(learning_rate, epochs) if schedule == "cosine" else None,
        patience=patience or 0,
    )


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """How well the net predicts the next token.

    Args:
        targets: Token ids of shape (N, T), 0 where there is none.
        outputs: Probabilities of shape (N, T, V).
    """
    import numpy as np

    there = targets != PADDING
    given = np.take_along_axis(outputs, targets[..., None].astype("int64"), -1)[..., 0][there]
    return {
        "loss": float(-np.mean(np.log(np.maximum(given, 1e-7)))),
        "next_event_accuracy": float(np.mean(outputs.argmax(-1)[there] == targets[there])),
    }


def guess(data: Dataset) -> Guess:
    """The loss of expecting each token as often as it occurs in the training part."""
    import numpy as np

    known, asked = (part.y[part.y != PADDING] for part in (data.train, data.test))
    # One more of each, so that no token is impossible that was never seen.
    often = np.bincount(known, minlength=data.implied["classes"]) + 1.0
    loss = float(-np.log(often / often.sum())[asked].mean())
    return Guess("loss", loss, "expecting each event as often as it occurs", best=0.0)


def example(data: Sequence[str]) -> str:
    """What may be asked of a model: for what is synthetic, the same with anomalies in it."""
    from keras_recipes.data import demonstration

    broken = demonstration.BROKEN_OF.get(data[0] if len(data) == 1 else "", "TODAY")
    return f"{broken} --set only_anomalies=true"


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

RECIPE = Recipe(
    name="lstm-anomaly",
    summary="learns what is normal in a log or a series of numbers, is surprised by the rest",
    source=Source(
        article="«人工神经网络概念梳理与实例演示», with Deeplearning4j",
        reported={},
        deviations=(
            "one-hot tokens, Adam and Keras' LSTM by default; preset article has the article's "
            "single number, peepholes, Nesterov momentum and summed gradients",
            "besides the next event, the counts of a session's event types are compared with those "
            "of normal sessions",
            "of numbers the net is one of five views, and goes on learning as it reads them",
            "weight decay and early stopping for the regularisation and early stopping that the "
            "article names without numbers",
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
    ),
    former={
        "false_alarms": "false_alarm_rate",
        "false_alarms_a_day": "false_alarms_per_day",
        "bar": "threshold",
    },
)
