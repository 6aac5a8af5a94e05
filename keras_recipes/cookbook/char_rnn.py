"""A recurrent net that predicts the next character, and so writes text.

Follows «人工神经网络概念梳理与实例演示», which explains its anomaly detector by such a generator:
after "h" comes "e", and the brackets of Java source open and close at a distance that varies. The
article also describes the cells that the option `cell` offers, starts the bias of the forget gate
at 1 and clips gradients.

Reported: no numbers.
Measured: bits per character next to an n-gram model and two compressors, brackets that close, and
characters per second: `python benchmarks/char_rnn.py`.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import options
from keras_recipes.answers.text import Text
from keras_recipes.bounds import Count, NotNegative, Positive, Seed, Share, Whole
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Guess, LayerSummary, Learned, Metric, Plan, Recipe, Source
from keras_recipes.schedules import cosine

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

    from keras_recipes.cells.stepping import SteppingNet

log = logging.getLogger(__name__)

UNKNOWN = "\ufffd"
"""Stands for every character that the model does not know; it has the number 0."""

BRACKETS = {")": "(", "]": "[", "}": "{"}

MEASURED_WINDOW = 500
"""Longest piece of held-out text; the net begins each piece without having read anything."""

MOST_PROBABILITIES = 1 << 25
"""Largest number of probabilities of the held-out characters, which are in memory together."""


@options.builder
def build_char_rnn(
    *,
    cell: Literal["simple", "gru", "lstm", "peephole", "coupled"] = "lstm",
    layers: Count = 1,
    units: Count = 128,
    embedding: Count = 32,
    bidirectional: bool = False,
    forget_bias: NotNegative = 1.0,
    dropout: Share = 0.0,
    clip: Positive | None = 1.0,
    learning_rate: Positive = 0.01,
    classes: Count = 73,
) -> "keras.Model":
    """Build a recurrent net with a softmax over the next character at every step, compiled.

    It takes numbers of characters, int32 of shape (N, T), and gives probabilities, float32 of shape
    (N, T, classes). The loss is the cross-entropy.

    Args:
        cell: Kind of the recurrent cell: `simple`, `gru`, `lstm`, an LSTM whose gates also see its
            state (`peephole`), or one whose input gate is one minus its forget gate (`coupled`).
        layers: Number of recurrent layers; each reads the outputs of the one below.
        units: Number of units of each recurrent layer.
        embedding: Length of the learned vector with which a character enters the net.
        bidirectional: Reads the text backwards too. A generator cannot do that, so `true` is
            refused.
        forget_bias: Start of the forget gate's bias, for the three kinds of LSTM.
        dropout: Share of each recurrent layer's outputs that is left out at random while training.
        clip: Largest norm of the gradient of all weights together; a longer gradient is shortened.
            `none` sets no limit.
        learning_rate: Step size of Adam in the first epoch.
        classes: Number of different characters, which the data decides.

    Raises:
        InputError: The net would be bidirectional, or has no forget gate whose bias could be set.
    """
    check_net(cell, bidirectional, forget_bias)
    import keras

    net: list[Any] = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(classes, embedding, name="characters"),
    ]
    for number in range(1, layers + 1):
        net.append(_recurrent(cell, units, f"{cell}_{number}"))
        if dropout:
            net.append(keras.layers.Dropout(dropout, name=f"dropout_{number}"))
    net.append(keras.layers.Dense(classes, activation="softmax", name="next"))
    model = keras.Sequential(net, name="char_rnn")
    _set_forget_bias(model, cell, forget_bias)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate, global_clipnorm=clip),
        loss="sparse_categorical_crossentropy",
    )
    return model


def check_net(cell: str, bidirectional: bool, forget_bias: float) -> None:
    """Refuse nets that cannot be what the options say; see `build_char_rnn`."""
    if bidirectional:
        raise InputError(
            "bidirectional: expected false, received true; a generator cannot read the characters "
            "after the one that it writes, so leave it out"
        )
    if cell in ("simple", "gru") and forget_bias != 1:
        raise InputError(
            f"forget_bias: expected an lstm, peephole or coupled cell, received {cell}, which has "
            "no forget gate; leave it out"
        )


def _recurrent(cell: str, units: int, name: str) -> "keras.Layer":
    import keras

    from keras_recipes.cells.coupled_lstm import CoupledLSTMCell
    from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell

    own = {"peephole": PeepholeLSTMCell, "coupled": CoupledLSTMCell}
    if cell in own:
        inner = own[cell](units, recurrent_initializer="orthogonal", name=f"{name}_cell")
        return keras.layers.RNN(inner, return_sequences=True, name=name)
    of_keras = {
        "simple": keras.layers.SimpleRNN,
        "gru": keras.layers.GRU,
        "lstm": keras.layers.LSTM,
    }
    return of_keras[cell](units, return_sequences=True, name=name)


def _set_forget_bias(model: "keras.Model", cell: str, forget_bias: float) -> None:
    first = {"lstm": 1, "peephole": 1, "coupled": 0}  # which of the gates it is
    if cell not in first or forget_bias == 1:  # with which all three start
        return
    for layer in model.layers:
        if hasattr(layer, "cell"):
            bias, units = layer.cell.bias.numpy(), layer.cell.units
            bias[first[cell] * units :][:units] = forget_bias
            layer.cell.bias.assign(bias)


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    window: Count = 100,
    held_out: Share = 0.1,
) -> Dataset:
    """Read text files to fit on; without any, a synthetic source text.

    Args:
        data: Paths.
        learned: Of a model that goes on training; it keeps its characters.
        window: Number of characters of a piece of text that the net learns from at once.
        held_out: Share of the text, at its end, that the metrics are measured on. As much before it
            is the validation part.

    Raises:
        InputError: A path cannot be read, or the text is too short.
    """
    from keras_recipes.data import files

    text, name = _text(data)
    characters = (
        known_characters(learned) if learned else UNKNOWN + "".join(sorted(set(text) - {UNKNOWN}))
    )
    most = MOST_PROBABILITIES // len(characters)
    kept = min(int(len(text) * held_out), most)
    codes = numbers_of(text, characters)
    train, validation, test = codes[: -2 * kept or None], codes[-2 * kept : -kept], codes[-kept:]
    if len(train) <= window or 0 < kept < 2:
        raise InputError(
            f"{files.in_words(data) or name}: expected more than {window} characters to train on, "
            f"received {len(train)}; give a longer text or a smaller window"
        )
    return Dataset(
        name=name,
        train=_pieces(train, window),
        validation=_pieces(validation, MEASURED_WINDOW) if kept else None,
        test=_pieces(test if kept else train[: most + 1], MEASURED_WINDOW),
        note=f"the last {kept:,} characters are held out, as many before them for validation"
        if kept
        else "nothing is held out",
        learned={"characters": characters},
        implied={"classes": len(characters)},
    )


def measured_on(data: Sequence[str], learned: Learned | None) -> Dataset:
    """Read text files to measure a model on as a whole.

    Args:
        data: Paths.
        learned: Of the model.

    Raises:
        InputError: A path cannot be read, or the text is too short.
    """
    text, name = _text(data)
    characters = known_characters(learned or {})
    most = MOST_PROBABILITIES // len(characters)
    if len(text) < 2:
        raise InputError(f"{name}: expected two characters or more, received {len(text)}")
    if len(text) > most:
        log.warning("%s: measured on its first %s characters", name, f"{most:,}")
    examples = _pieces(numbers_of(text[:most], characters), MEASURED_WINDOW)
    return Dataset(name=name, train=examples, test=examples, note="all of it is measured on")


def _text(data: Sequence[str]) -> tuple[str, str]:
    from keras_recipes.data import demonstration_source, files, texts

    if not data:
        return demonstration_source.text(), demonstration_source.SYNTHETIC
    return texts.read(data), files.in_words(data)


def _pieces(codes: "np.ndarray", window: int) -> Examples:
    """Cut a text into pieces; the target of each character is the next one."""
    window = min(window, len(codes) - 1)
    count = (len(codes) - 1) // window
    x, y = (codes[i : i + count * window].reshape(count, window) for i in (0, 1))
    return Examples(x, y)


def numbers_of(text: str, characters: str) -> "np.ndarray":
    """Return the numbers of the characters of a text, int32 of shape (len(text),); 0 if unknown."""
    import numpy as np

    known = np.array([ord(c) for c in characters], "uint32")
    order = np.argsort(known, kind="stable")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "uint32")
    place = np.minimum(np.searchsorted(known, points, sorter=order), len(known) - 1)
    return np.where(known[order][place] == points, order[place], 0).astype("int32")


def known_characters(learned: Learned) -> str:
    """Return the characters of a model, by their numbers.

    Raises:
        CorruptModelError: The card has none, or has some twice.
    """
    characters = learned.get("characters")
    if (
        not isinstance(characters, str)
        or not characters.startswith(UNKNOWN)
        or len(set(characters)) < len(characters)
    ):
        raise CorruptModelError(
            "its card: expected the characters that the model knows, received others; restore it, "
            "or fit again"
        )
    return characters


def training(
    *,
    cell: str,
    bidirectional: bool,
    forget_bias: float,
    epochs: Count = 20,
    batch_size: Count = 32,
    learning_rate: float,
    patience: Count | None = 4,
    seed: Seed = 0,
) -> Plan:
    """Train until the validation part is predicted no better.

    Args:
        cell: See `build_char_rnn`.
        bidirectional: See `build_char_rnn`.
        forget_bias: See `build_char_rnn`.
        epochs: Largest number of passes over the text.
        batch_size: Number of pieces per update.
        learning_rate: Falls to zero along half a cosine.
        patience: Number of epochs without a smaller validation loss after which training ends;
            `none` trains all epochs.
        seed: Seed of the random weights, of the order of the pieces, and of what is written.
    """
    check_net(cell, bidirectional, forget_bias)  # before Keras is started
    return Plan(
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        rate=cosine(learning_rate, epochs),
        patience=patience or 0,
        jit_compile=cell == "lstm",  # whose loop is rewritten for XLA on a CPU
        jit_compile_on_gpu=False,
    )


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Measure how well the net predicts the next character.

    Args:
        targets: Numbers of characters, shape (N, T).
        outputs: Probabilities, shape (N, T, V).
    """
    import numpy as np

    given = np.take_along_axis(outputs, targets[..., None].astype("int64"), -1)
    loss = float(-np.mean(np.log(np.maximum(given, 1e-7))))
    return {
        "bits_per_character": loss / float(np.log(2)),
        "next_character_accuracy": float(np.mean(outputs.argmax(-1) == targets)),
        "loss": loss,
    }


def guess(data: Dataset) -> Guess:
    """Guess by expecting each character as often as it occurs in the training part."""
    import numpy as np

    often = np.bincount(data.train.y.ravel(), minlength=data.implied["classes"]) + 1.0
    bits = float(-np.log2(often / often.sum())[data.test.y].mean())
    return Guess(
        "bits_per_character", bits, "expecting each character as often as it occurs", best=0.0
    )


def generate(
    fitted: Fitted,
    prompt: str,
    *,
    length: Whole = 400,
    temperature: NotNegative = 0.7,
    seed: int,
) -> Iterator[str]:
    """Yield the prompt, and then the characters with which the model goes on.

    Args:
        fitted: The model.
        prompt: The text to go on with.
        length: Number of characters that are written after the prompt.
        temperature: How much chance there is: 1 draws characters as often as the model expects
            them, less prefers the likely ones, and 0 always writes the likeliest.
        seed: Seed of the draws; see `training`.
    """
    characters = known_characters(fitted.card.learned if fitted.card else {})
    if unknown := sorted(set(prompt) - set(characters)):
        log.warning(
            "the model does not know %s of the prompt and passes over them",
            ", ".join(map(repr, unknown[:5])) + ("..." if len(unknown) > 5 else ""),
        )
    yield prompt
    yield from write(fitted.model, characters, prompt, length, temperature, seed)


def write(
    model: "keras.Model",
    characters: str,
    prompt: str,
    length: int,
    temperature: float,
    seed: int,
) -> Iterator[str]:
    """Yield one character after the other; each takes one step of the net in NumPy.

    Args:
        model: From `build_char_rnn`.
        characters: The characters that it knows, by their numbers.
        prompt: The text to read first; unknown characters are left out.
        length: Number of characters to write.
        temperature: See `generate`.
        seed: See `generate`.

    Raises:
        CorruptModelError: The model is another net.
    """
    import numpy as np

    net, random = _stepping(model, len(characters)), np.random.default_rng(seed)
    # A text without a known character begins as a line does.
    read_first = [int(c) for c in numbers_of(prompt, characters) if c] or [_line_end(characters)]
    states = net.start()
    for number in read_first:
        states = net.step(number, states)
    for _ in range(length):
        logits = net.logits(states)[1:]  # number 0 stands for no character that could be written
        if temperature:
            # The largest of logits with Gumbel noise is a draw from their softmax. Double
            # precision, and 0 as the largest logit, keep them finite or -inf at any temperature.
            with np.errstate(over="ignore"):
                logits = (logits - logits.max()).astype("float64") / temperature
            logits += random.gumbel(size=len(logits))
        number = 1 + int(logits.argmax())
        yield characters[number]
        states = net.step(number, states)


def _line_end(characters: str) -> int:
    return max(characters.find("\n"), min(1, len(characters) - 1))


def _stepping(model: "keras.Model", classes: int) -> "SteppingNet":
    from keras_recipes.cells.stepping import SteppingNet

    try:
        net = SteppingNet.of(model)
    except ValueError as error:
        raise CorruptModelError(
            f"its card: expected a net that writes text, received {error}; restore it"
        ) from None
    if not len(net.drives) == len(net.dense_bias) == classes:
        raise CorruptModelError(
            f"its card: expected {len(net.dense_bias)} characters, received {classes}; restore it, "
            "or fit again"
        )
    return net


def sample(
    model: "keras.Model",
    data: Dataset,
    epochs: int,
    *,
    sample_length: Whole = 120,
    temperature: float,
    seed: int,
) -> str | None:
    """Return a text that a model in training writes after 1, 2, 4, 8, ... epochs.

    Args:
        model: The model.
        data: The data that it learns from.
        epochs: Number of epochs so far.
        sample_length: Number of characters that the model writes after 1, 2, 4, 8, ... epochs of
            training; 0 writes nothing.
        temperature: See `generate`.
        seed: See `training`.
    """
    if not sample_length or epochs & (epochs - 1):
        return None
    characters = known_characters(data.learned)
    return "".join(write(model, characters, "", sample_length, temperature, seed))


def judge(
    model: "keras.Model",
    learned: Learned,
    *,
    judged_length: Whole = 5_000,
    temperature: float,
    seed: int,
) -> dict[str, float]:
    """Count the brackets that close in a text that the model writes.

    Args:
        model: The model.
        learned: What it learned.
        judged_length: Number of characters that the model writes so that its brackets can be
            counted; 0 counts none.
        temperature: See `generate`.
        seed: See `training`.
    """
    characters = known_characters(learned)
    text = "".join(write(model, characters, "", judged_length, temperature, seed))
    closed, wrong = count_brackets(text)
    return {"closed_brackets": closed / (closed + wrong)} if closed + wrong else {}


def count_brackets(text: str) -> tuple[int, int]:
    """Count pairs of brackets that open and close in order, and brackets without a partner.

    Brackets that are still open at the end of the text are not counted, since they may close later.
    """
    closed, wrong, opened = 0, 0, []
    for character in text:
        if character in BRACKETS.values():
            opened.append(character)
        elif character in BRACKETS:
            if BRACKETS[character] not in opened:
                wrong += 1
                continue
            while opened.pop() != BRACKETS[character]:
                wrong += 1
            closed += 1
    return closed, wrong


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """Draw the loss over the epochs, and the surprise at each character of held-out text."""
    import numpy as np

    from keras_recipes.report import plots

    if fitted.history:
        yield "loss", plots.curve(fitted.history, "loss", "nats per character")
    characters = known_characters(data.learned)
    outputs = fitted.runtime.outputs(data.test.x[:1])[0]
    last = slice(-plots.LONGEST_SESSION, None)
    targets = data.test.y[0][last]
    given = outputs[last][np.arange(len(targets)), targets]
    names = [{"\n": "⏎", " ": "␣"}.get(characters[n], characters[n]) for n in targets]
    nats = -np.log(np.maximum(given, 1e-7))
    yield "surprise", plots.surprises(names, nats, "held-out text", noun="character")


def example(data: Sequence[str]) -> str:
    """Return a prompt to try on a model that was fitted on this data."""
    return "'The '" if data else "'public class '"


RECIPE = Recipe(
    name="char-rnn",
    summary="reads text and writes more of it, one character after the other",
    source=Source(
        article="«人工神经网络概念梳理与实例演示»",
        reported={},
        deviations=(
            "Adam and one LSTM layer by default; the article names no sizes for its generator",
            "the gradient of all weights together is clipped by its norm",
        ),
    ),
    data="text files or folders in UTF-8; without any, a synthetic source text",
    layers=(
        LayerSummary("characters", "Embedding", (None, None, 32), 2_336),
        LayerSummary("lstm_1", "LSTM", (None, None, 128), 82_432),
        LayerSummary("next", "Dense", (None, None, 73), 9_417),
    ),
    build=build_char_rnn,
    training=training,
    measure=measure,
    guess=guess,
    metrics={
        "bits_per_character": Metric(
            "Mean surprise at the next character of held-out text, in bits; less is better."
        ),
        "next_character_accuracy": Metric(
            "Share of the held-out characters that the model expects most.", "share"
        ),
        "closed_brackets": Metric(
            "Share of the brackets in a text written by the model that open and close in order.",
            "share",
        ),
        "loss": Metric("Mean surprise at the next character of held-out text, in nats."),
    },
    answers=Text(
        read=read,
        held_out=measured_on,
        generate=generate,
        sample=sample,
        judge=judge,
        figures=figures,
    ),
    example=example,
    side_by_side=True,
)
