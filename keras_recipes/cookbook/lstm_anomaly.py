"""An LSTM that has read what is normal, and is surprised by what does not fit.

Follows the network-activity part of «人工神经网络概念梳理与实例演示» (Deeplearning4j): the net that
writes the next character of a text, turned around. It learns to predict the next event of a log
from normal sessions only, and a session is an anomaly where that prediction fails badly, where it
ends too early, or where its events occur in numbers that no normal session has.

Preset `article` is the article's net as it stands: one number in, an LSTM with peepholes of ten
units (510 parameters), a softmax; Nesterov momentum 0.9, learning rate 0.005, gradients summed over
time, clipped at 0.5. The default learns the same ten units faster and better: one-hot symbols,
Keras' own LSTM (which a GPU has fast code for), Adam.

`python benchmarks/hdfs.py` measures it on the HDFS log (Xu et al., SOSP 2009), part by part.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import normality, options
from keras_recipes.data import demonstration, lines, logs, sessions
from keras_recipes.data import labels as labelled
from keras_recipes.data.sessions import Sequences
from keras_recipes.data.templates import FIRST, PADDING, UNSEEN, Templates
from keras_recipes.errors import InputError
from keras_recipes.recipe import (
    Calibrated,
    Count,
    Dataset,
    Examples,
    Fitted,
    Layer,
    Measured,
    NotNegative,
    Plan,
    Positive,
    Recipe,
    Row,
    Seed,
    Share,
    Source,
    Whole,
)

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

    from keras_recipes.detection import Detector
    from keras_recipes.stepping import Twin

TEST, VALIDATION = 0.1, 0.2
"""Shares of the normal sessions that are held back: to measure on; to stop and calibrate by."""

KNOWN_BY_HEART = 0.9
"""If training sessions surprise the net less than so much of what others do, it knows them."""

FEWEST = 30
"""With fewer sessions nothing can be said about what is normal."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Parts:
    """The normal sessions: to train on, to calibrate by, to measure on; and what was known."""

    train: Sequences
    validation: Sequences
    test: Sequences
    before: Mapping[str, Any] | None = None


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
        units: Of the LSTM.
        cell: Keras' LSTM, or the article's, whose gates also see the state.
        encoding: How a symbol enters: as a vector with a single 1, as a learned vector of `units`
            numbers, or as one number from 0 to 1, the article's way.
        optimizer: Adam, or stochastic gradient descent with Nesterov momentum 0.9.
        learning_rate: Of the first update.
        summed_gradients: Whether the loss is summed over time and divided by the batch's size, as
            Deeplearning4j does it, instead of averaged over time too.
        clip: Largest size of any element of a gradient; 0 for none.
        dropout: Share of the LSTM's outputs left out at random while training.
        weight_decay: Of the weights, decoupled from the gradient.
        batch_size: Sequences per update, to divide a summed loss by.
        classes: How many symbols there are; the data decides.
    """
    import keras

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

    # Deeplearning4j's fan in and fan out are those of all weights of the layer together.
    xavier = _xavier(width + 2 * units)
    weights = {"kernel_initializer": xavier, "recurrent_initializer": _xavier(width + 2 * units)}
    if cell == "lstm":
        return keras.layers.LSTM(units, return_sequences=True, name="lstm", **weights)
    from keras_recipes.layers import PeepholeLSTMCell

    peepholes = PeepholeLSTMCell(
        units, peephole_initializer=_xavier(width + 2 * units), name="cell", **weights
    )
    return keras.layers.RNN(peepholes, return_sequences=True, name="lstm")


def _xavier(fans: int) -> Any:
    """An untruncated normal distribution of variance 2 / (fan in + fan out)."""
    import keras

    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fans))


def read(
    data: Sequence[str],
    learned: Mapping[str, Any] | None = None,
    *,
    log_format: Literal["auto", "text", "syslog", "combined", "jsonl"] = "auto",
    session: str = "",
    session_field: str = "",
    window: str = "",
    length: Count = 64,
    seed: Seed = 0,
) -> Dataset:
    """Normal logs: `demo`, or files, folders, globs; of sessions, some are held back.

    Args:
        data: As the user gave it; nothing means `demo`, a synthetic log made here.
        learned: What a model had learned that is to go on training.
        log_format: Of the lines; `auto` looks at the first ones.
        session: A regular expression; lines where it matches the same text are a session.
        session_field: A field of JSON lines, syslog or access logs; equal values are a session.
        window: A stretch of time such as `5m` as a session; where lines have no times, so many
            lines.
        length: Longer sessions are cut into pieces of so many steps for training.
        seed: Of which sessions are held back, and of everything else random.

    Raises:
        InputError: Data that cannot be read, or has too few sessions.
    """
    paths, blocks = _source(data)
    first = [line for _, some in _first_blocks(blocks) for line in some]
    if learned is not None:
        layout = logs.Layout.from_json(learned.get("layout"))
    else:
        layout = logs.recognise(
            first,
            log_format=log_format,
            session=session,
            session_field=session_field,
            window=window,
        )
    log.info("%s: %s, sessions by %s", ", ".join(paths), layout.format, layout.by)
    found = sessions.collected(layout, blocks()).sequences()
    if len(found) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} sessions by {layout.by}, found "
            f"{len(found)}; choose others with --set session=REGEX, session_field=NAME or window=1m"
        )
    return _dataset(paths, layout, found, learned, length, seed)


def _dataset(
    paths: list[str],
    layout: logs.Layout,
    found: Sequences,
    learned: Mapping[str, Any] | None,
    length: int,
    seed: int,
) -> Dataset:
    dealt = normality.splits(found.names, seed)
    before = None if learned is None else _before(learned)
    templates = _mined(found.some(dealt >= TEST), before)
    found = sessions.with_symbols(found, templates)
    parts = {
        "test": found.some(dealt < TEST),
        "validation": found.some((dealt >= TEST) & (dealt < TEST + VALIDATION)),
        "train": found.some(dealt >= TEST + VALIDATION),
    }
    width = min(length, int(found.lengths.max()) + 1)
    return Dataset(
        name=", ".join(paths),
        train=_rows(parts["train"], width),
        validation=_rows(parts["validation"], width),
        test=_rows(parts["test"], width),
        note=(
            f"of {len(found):,} normal sessions {len(parts['validation']):,} held back to "
            f"calibrate, {len(parts['test']):,} to measure the false alarms"
        ),
        learned={
            "kind": "logs",
            "layout": layout.to_json(),
            "templates": templates.to_json(),
            "sessions_a_day": len(found) / found.days if found.days else 0.0,
            "silence": found.silence,
        },
        implied={"classes": templates.symbols},
        known_as=tuple(paths),
        sequences=Parts(**parts, before=learned),
    )


def _mined(found: Sequences, before: Templates | None) -> Templates:
    """Templates of these sessions' forms that occur in two of them at least.

    What one session alone has could as well be in none: its likes will come again as events of no
    known kind, and how often that is has to be learned too.
    """
    import numpy as np

    seen = np.unique(found.forms).tolist()
    every = Templates.mined([found.texts[number] for number in seen], before)
    symbols = sessions.with_symbols(found, every).symbols
    owners = np.repeat(np.arange(len(found)), found.lengths)
    pairs = np.unique(np.stack([symbols, owners]), axis=1)
    often = np.bincount(pairs[0], minlength=every.symbols) >= 2
    if before:
        often[: before.symbols] = True
    kept = np.flatnonzero(often[FIRST:]).tolist()
    return Templates([every.patterns[i] for i in kept], [every.examples[i] for i in kept])


def _before(learned: Mapping[str, Any]) -> Templates:
    """What was known, looked through before a long training rather than behind it."""
    templates = Templates.from_json(learned.get("templates"))
    normality.Counts.from_json(learned.get("counts"), templates.symbols - UNSEEN)
    return templates


def _rows(found: Sequences, width: int) -> Examples:
    """Sessions as rows of that width, longer ones cut, shorter ones filled up with zeros."""
    import numpy as np

    inputs, targets, starts = found.steps()
    lengths = np.diff(starts)
    pieces = -(-lengths // width)
    first_row = np.cumsum(pieces) - pieces
    at = np.arange(len(inputs)) - np.repeat(starts[:-1], lengths)
    row, column = np.repeat(first_row, lengths) + at // width, at % width
    x, y = np.zeros((2, int(pieces.sum()), width), "int32")
    x[row, column], y[row, column] = inputs, targets
    return Examples(x, y)


def _source(data: Sequence[str]) -> tuple[list[str], Any]:
    """Names, and what gives numbered blocks of lines, from the beginning each time."""
    if not data or list(data) == [demonstration.NAME]:
        return [demonstration.NAME], lambda: iter([(0, demonstration.normal())])
    if "-" in data:
        raise InputError("expected files to learn from, received -: it can be read only once")
    paths = lines.paths(data)
    return [str(path) for path in paths], lambda: sessions.blocks(paths)


def _first_blocks(blocks: Any) -> Iterator[tuple[int, list[bytes]]]:
    total = 0
    for number, some in blocks():
        yield number, some[: logs.SAMPLE]
        total += len(some)
        if total >= logs.SAMPLE:
            return


def from_arrays(x: Any, y: Any) -> Dataset:
    """Logs are read from files.

    Raises:
        InputError: Always.
    """
    raise InputError("lstm-anomaly learns from logs: expected paths, received arrays")


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
        epochs: At most.
        batch_size: Sequences per update.
        learning_rate: Of the first epoch.
        schedule: Whether the learning rate falls to zero along half a cosine, or stays.
        patience: After so many epochs without a smaller validation loss training ends.
        seed: Of the weights and the order of the sessions.
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


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Mean -log p of the next symbol in nats, and the share of those predicted right.

    Args:
        targets: Symbols of shape (N, T), 0 where there is none.
        outputs: Probabilities of shape (N, T, V).
    """
    import numpy as np

    there = targets != PADDING
    given = np.take_along_axis(outputs, targets[..., None].astype("int64"), -1)[..., 0][there]
    return {
        "loss": float(-np.mean(np.log(np.maximum(given, 1e-7)))),
        "accuracy": float(np.mean(outputs.argmax(-1)[there] == targets[there])),
    }


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarms: Share = 0.0002,
    false_alarms_a_day: NotNegative = 0.0,
    seed: Seed = 0,
) -> Calibrated:
    """Learns from normal sessions what is strange, and measures false alarms on further ones.

    Args:
        model: The trained net.
        data: With the sessions.
        false_alarms: Share of normal sessions that may be called anomalies.
        false_alarms_a_day: False alarms a day instead, if not 0.
        seed: Of which sessions are kept to compare with, where they are very many.
    """
    from keras_recipes.detection import Detector
    from keras_recipes.stepping import Twin

    parts: Parts = data.sequences
    twin, kinds = Twin.of(model), data.implied["classes"] - UNSEEN
    net = _net_values(twin, parts)
    counts, apart = normality.Counts.of(_known_counts(parts, kinds), seed)
    learned = {
        "tails": {
            view: normality.tail(view, values).to_json()
            for view, values in {**net, "counts": apart}.items()
        },
        "counts": counts.to_json(),
    }
    detector = Detector.of(model, {**data.learned, **learned})
    allowed = normality.promised(false_alarms, false_alarms_a_day, detector.sessions_a_day)
    known = len(net["order"])
    if 0 < known * allowed < 1:
        log.info(
            "one false alarm in %s sessions is rarer than %s of them can show: extrapolated",
            f"{1 / allowed:,.0f}",
            f"{known:,}",
        )
    alarms = detector.judge(parts.test).scores(allowed) >= 0.5
    achieved = {
        "promised_false_alarms": allowed,
        "false_alarms": float(alarms.mean()),
        "held_out_sessions": float(len(alarms)),
    }
    return Calibrated(learned, achieved)


def _net_values(twin: "Twin", parts: Parts) -> "dict[str, np.ndarray]":
    """The net's views of normal sessions: of those held back, and if that is fair of all."""
    import numpy as np

    both, nats = [], []
    for part in (parts.validation, parts.train):
        inputs, targets, starts = part.steps()
        seen = twin.surprises(inputs, targets, starts)
        both.append((normality.worst(seen.nats, starts)[0], np.log1p(seen.runs)))
        nats.append(float(seen.nats.mean()))
    # Rare ways of being normal are missed where few sessions are looked at; but sessions that the
    # net knows by heart would promise too much.
    fair = both if nats[1] >= KNOWN_BY_HEART * nats[0] else both[:1]
    surprise, order = (np.concatenate(values) for values in zip(*fair, strict=True))
    return {"surprise": surprise, "order": order}


def _known_counts(parts: Parts, kinds: int) -> "np.ndarray":
    """The counts of all normal sessions known, those from before the last training included."""
    import numpy as np

    known = [parts.train, parts.validation]
    tables = [normality.table(part.symbols - UNSEEN, part.lengths, kinds) for part in known]
    if parts.before:
        earlier = len(Templates.from_json(parts.before["templates"]).patterns) + FIRST - UNSEEN
        references = normality.Counts.from_json(parts.before["counts"], earlier).references
        # Twice, since they count as seen and not as strange.
        tables += 2 * [np.pad(references, ((0, 0), (0, kinds - earlier)))]
    return np.concatenate(tables)


def answer(
    fitted: Fitted,
    asked: Any,
    *,
    false_alarms: Share = 0.0002,
    false_alarms_a_day: NotNegative = 0.0,
    only_anomalies: bool = False,
    timeout: NotNegative = 0.0,
    open_sessions: Count = 50_000,
    state: str = "",
) -> Iterator[Row]:
    """Rows `session,score,anomaly,position,observed,expected,line`; from 0.5 it is an anomaly.

    Of files, every session is judged as a whole. Lines on standard input are judged as they
    arrive: an anomaly is answered as soon as it is certain, any other session when it is over.

    Args:
        fitted: The model.
        asked: Paths; `-` for standard input; `demo-anomalies` for a synthetic log; or lines.
        false_alarms: Share of normal sessions that may be called anomalies.
        false_alarms_a_day: False alarms a day instead, if not 0.
        only_anomalies: Whether to leave out the sessions that are none.
        timeout: On standard input, a session silent for so many seconds of the log's time is over;
            0 means twice the longest silence of a normal session.
        open_sessions: So many sessions are kept open at most; then the most silent one is over.
        state: File that keeps the open sessions when standard input ends or the program is
            stopped, and from which the next run goes on.
    """
    detector = _detector(fitted)
    allowed = normality.promised(false_alarms, false_alarms_a_day, detector.sessions_a_day)
    if _standard_input(asked):
        from keras_recipes.live import Live

        live = Live(
            detector, allowed, timeout=timeout or None, most=open_sessions, state=state or None
        )
        found = live.rows(lines.arriving(live.tick))
        return (row for row in found if row["anomaly"]) if only_anomalies else found
    names, found_sessions = _asked(detector, asked)
    verdicts = detector.judge(found_sessions)
    return verdicts.rows(allowed, names, only_anomalies=only_anomalies)


def _detector(fitted: Fitted) -> "Detector":
    from keras_recipes.detection import Detector

    if fitted.card is None:
        raise InputError("a pair without a card cannot read logs: what it learned is in the card")
    return Detector.of(fitted.model, fitted.card.learned)


def _standard_input(asked: Any) -> bool:
    if isinstance(asked, str | Path) or "-" not in [str(item) for item in asked]:
        return False
    if len(asked) > 1:
        raise InputError("expected files, or - alone for standard input, received both")
    return True


def _asked(detector: "Detector", asked: Any) -> tuple[list[str], Sequences]:
    """The sessions that are asked about, and the names of the files that they are in."""
    if isinstance(asked, str | Path):
        asked = [Path(asked)]
    texts = [str(item) for item in asked]
    if texts and not isinstance(asked[0], Path):
        names, blocks = [""], [(0, [text.encode() for text in texts])]
    elif texts == [demonstration.BROKEN]:
        names, blocks = texts, [(0, demonstration.broken())]
    else:
        names, given = _source(texts)
        blocks = given()
    collected = sessions.collected(detector.layout, blocks).sequences()
    found = sessions.with_symbols(collected, detector.templates)
    if not len(found):
        by = detector.layout.by
        raise InputError(f"{', '.join(names)}: expected sessions by {by}, found none")
    return names, found


def assess(
    fitted: Fitted,
    asked: Sequence[str] | None,
    *,
    labels: str = "",
    false_alarms: Share = 0.0002,
    false_alarms_a_day: NotNegative = 0.0,
    seed: Seed = 0,
) -> Measured:
    """Precision, recall, F1 and AUC-PR (scikit-learn's) with labels, or how many alarms without.

    Args:
        fitted: The model.
        asked: Paths of logs; None for the normal sessions that were held back.
        labels: CSV with the columns `session` and `anomaly` (0 or 1).
        false_alarms: Share of normal sessions that may be called anomalies.
        false_alarms_a_day: False alarms a day instead, if not 0.
        seed: Of which sessions were held back.
    """
    detector = _detector(fitted)
    assert fitted.card is not None
    allowed = normality.promised(false_alarms, false_alarms_a_day, detector.sessions_a_day)
    _, found = _asked(detector, [Path(text) for text in asked or fitted.card.data["paths"]])
    if asked is None:
        found = found.some(normality.splits(found.names, seed) < TEST)
    verdicts = detector.judge(found)
    scores = verdicts.scores(allowed)
    metrics = {
        "sessions": float(len(scores)),
        "anomalies": float((scores >= 0.5).sum()),
        "loss": float(verdicts.surprise.mean()),
    }
    truth = _truth(labels, asked, found.names)
    if truth is None:
        return Measured({**metrics, "alarms": float((scores >= 0.5).mean())})
    return Measured({**metrics, **_against(truth, scores)})


def _truth(file: str, asked: Sequence[str] | None, names: Sequence[str]) -> "np.ndarray | None":
    if not file and list(asked or ()) == [demonstration.BROKEN]:
        return labelled.matched(demonstration.truth(), names, demonstration.BROKEN)
    return labelled.matched(labelled.read(file), names, file) if file else None


def _against(truth: "np.ndarray", scores: "np.ndarray") -> dict[str, float]:
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    said = scores >= 0.5
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, said, average="binary", zero_division=0.0
    )
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc_pr": float(average_precision_score(truth, scores)) if truth.any() else 0.0,
        "false_alarms": float(said[truth == 0].mean()) if (truth == 0).any() else 0.0,
    }


def figures(fitted: Fitted, data: Any) -> "Iterator[tuple[str, Figure]]":
    """The loss; the scores with the threshold; the strangest session, event by event."""
    from keras_recipes import plotting

    if fitted.history:
        yield "loss", plotting.curve(fitted.history, "loss", "nats an event")
    assert fitted.card is not None
    detector, values = _detector(fitted), options.resolve(RECIPE, None, {}) | fitted.card.options
    allowed = normality.promised(
        values["false_alarms"], values["false_alarms_a_day"], detector.sessions_a_day
    )
    _, found = _asked(detector, [Path(text) for text in data])
    verdicts = detector.judge(found)
    scores = verdicts.scores(allowed)
    yield "scores", plotting.scores(scores, ", ".join(data))
    session = int(scores.argmax())
    yield "session", plotting.surprises(*verdicts.steps(session), found.names[session])


RECIPE = Recipe(
    name="lstm-anomaly",
    summary="learns what is normal in a log and is surprised by the rest",
    source=Source(
        article="«人工神经网络概念梳理与实例演示», with Deeplearning4j",
        reported={},
        deviations=(
            "one-hot symbols, Adam and Keras' LSTM by default; preset article has the article's "
            "single number, peepholes, Nesterov momentum and summed gradients",
            "besides the next event, the numbers of a session's events are compared with those of "
            "normal sessions",
            "weight decay and early stopping for the regularisation and early stopping that the "
            "article names without numbers",
        ),
    ),
    data="normal logs: text, syslog, JSON lines, Apache/nginx; without any, a synthetic one",
    layers=(
        Layer("symbols", "InputLayer", (None, None), 0),
        Layer("steps", "Reshape", (None, None, 1), 0),
        Layer("one_hot", "CategoryEncoding", (None, None, 33), 0),
        Layer("lstm", "LSTM", (None, None, 10), 1_760),
        Layer("next", "Dense", (None, None, 33), 363),
    ),
    columns=("session", "score", "anomaly", "position", "observed", "expected", "line"),
    build=build_lstm_anomaly,
    read=read,
    from_arrays=from_arrays,
    training=training,
    measure=measure,
    calibrate=calibrate,
    answer=answer,
    assess=assess,
    reads_on=True,
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
