"""Draw how gradients vanish and explode into docs/pictures/cells.

    python docs/scripts/draw_gradients.py

vanishing.png   How much of the gradient is left at an input so many steps before the loss, in new
                nets. The inputs have the standard deviation 1. A last line has inputs as small as
                they are before training.
exploding.png   The norm of the gradient of all weights, for texts of so many steps, in nets whose
                recurrent weights start `GAIN` times as large. Clipping shortens it to at most 1.

The loss is the cross-entropy after the last step of random text. Lines are medians of new nets with
64 units from `build_char_rnn`. The numbers behind the lines are printed. It takes half a minute.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_recipes import backend, build_char_rnn
from keras_recipes.report import plots
from keras_recipes.report.plots import canvas

PICTURES = Path(__file__).parent.parent / "pictures" / "cells"

STEPS, UNITS, CLASSES, TEXTS, SEEDS = 101, 64, 73, 16, 3
GAIN = 3.0
LENGTHS = (2, 5, 10, 20, 50, 100)
PRINTED = (10, 30, 100)
CLIP = 1.0
SMALL_INPUTS = 0.03
"""The standard deviation with which Keras starts an embedding, rounded."""
LOWEST = 1e-12
"""Where the axis of shares ends."""

NETS: dict[str, tuple[dict[str, Any], str, str]] = {
    "simple": ({"cell": "simple"}, plots.ONE, "-"),
    "gru": ({"cell": "gru"}, "#009e73", "-"),
    "lstm, forget bias 0": ({"cell": "lstm", "forget_bias": 0.0}, plots.ZERO, ":"),
    "lstm, forget bias 1": ({"cell": "lstm"}, plots.ZERO, "-"),
    "lstm, forget bias 3": ({"cell": "lstm", "forget_bias": 3.0}, plots.ZERO, "--"),
    "peephole": ({"cell": "peephole"}, "#cc79a7", "-"),
    "coupled": ({"cell": "coupled"}, "#56b4e9", "-."),
}
"""Options, colour and line style; the colours differ for colour-blind people."""


def net(options: dict[str, Any], seed: int, gain: float, inputs: float = 1.0) -> Any:
    """Build a net with inputs of another size.

    Args:
        options: Of `build_char_rnn`.
        seed: Seed of the weights.
        gain: What the recurrent weights are multiplied with.
        inputs: The standard deviation of the vectors that stand for characters.
    """
    backend.seed(seed)
    model = build_char_rnn(**options, units=UNITS, classes=CLASSES)
    vectors, cell = model.layers[0].embeddings, model.layers[1].cell
    vectors.assign(vectors * (inputs / float(np.std(vectors))))
    cell.recurrent_kernel.assign(cell.recurrent_kernel * gain)
    return model


def texts(length: int, seed: int) -> Any:
    """Return numbers of random characters, int32 of shape (TEXTS, length + 1)."""
    return np.random.default_rng(seed).integers(0, CLASSES, (TEXTS, length + 1)).astype("int32")


def gradients(model: Any, text: Any) -> tuple[Any, float]:
    """Return gradients of the loss at the last step, averaged over the texts.

    Args:
        model: From `net`.
        text: Numbers of characters; the last one of each text is the target.

    Returns:
        The norm of the gradient at each input, from the last one back, shape (length,), and the
        norm of the gradient of all weights together.
    """
    import keras
    import tensorflow as tf

    embedding, recurrent, dense = model.layers

    with tf.GradientTape() as tape:
        inputs = embedding(text[:, :-1])
        tape.watch(inputs)
        outputs = dense(recurrent(inputs)[:, -1])
        losses = keras.losses.sparse_categorical_crossentropy(text[:, -1], outputs)
        loss = tf.reduce_mean(losses)
    of_inputs, *of_weights = tape.gradient(loss, [inputs, *model.trainable_weights])
    norms = np.linalg.norm(np.asarray(of_inputs), axis=-1).mean(axis=0)
    return norms[::-1], float(tf.linalg.global_norm(of_weights))


def vanishing() -> Figure:
    """Draw the share of the gradient that is left, by distance."""
    figure = Figure(figsize=(5.6, 5.0), facecolor="white", layout="constrained")
    axes = figure.subplots()
    small = {"simple, small inputs": ({"cell": "simple"}, "#999999", "-")}
    for name, (options, colour, style) in {**NETS, **small}.items():
        size = SMALL_INPUTS if name in small else 1.0
        nets = [net(options, seed, 1.0, size) for seed in range(SEEDS)]
        lines = [gradients(model, texts(STEPS, seed))[0] for seed, model in enumerate(nets)]
        shares = np.median([line / line[0] for line in lines], axis=0)
        axes.plot(shares, color=colour, linestyle=style, label=name)
        found = ", ".join(f"{shares[d]:.1e} after {d}" for d in PRINTED)
        print(f"gradient that is left, {name}: {found}")
    axes.set(
        yscale="log",
        ylim=(LOWEST, 10),
        xlabel="steps between the input and the loss",
        ylabel="gradient, as a share of the last step's",
        title="Vanishing: how far the gradient reaches in a new net",
    )
    axes.title.set_fontsize(canvas.TITLE)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def exploding() -> Figure:
    """Draw the norm of the gradient of all weights, by the length of the text."""
    figure = Figure(figsize=(5.6, 6.4), facecolor="white", layout="constrained")
    without, clipped = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    for name, (options, colour, style) in NETS.items():
        nets = [net(options, seed, GAIN) for seed in range(SEEDS)]
        norms = np.array(
            [
                np.median([gradients(model, texts(n, seed))[1] for seed, model in enumerate(nets)])
                for n in LENGTHS
            ]
        )
        shown: dict[str, Any] = {"color": colour, "linestyle": style}
        without.plot(LENGTHS, norms, label=name, **shown)
        clipped.plot(LENGTHS, np.minimum(norms, CLIP), **shown)
        print(f"gradient of the weights, {name}: {norms[0]:.2g} at 2 steps, {norms[-1]:.2g} at 100")
    without.set(yscale="log", ylabel="norm of the gradient", title="Without clipping")
    clipped.set(ylabel="norm", title="Clipped at 1", xlabel="steps of the text", ylim=(0, 1.1))
    for axes in (without, clipped):
        axes.title.set_fontsize(10)
        axes.grid(alpha=0.3)
    figure.suptitle(f"Exploding: recurrent weights {GAIN:g} times as large", fontsize=canvas.TITLE)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def main() -> None:
    """Draw both pictures."""
    backend.choose("cpu")
    backend.start()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for figure, name in ((vanishing(), "vanishing"), (exploding(), "exploding")):
        print(plots.save(figure, PICTURES / f"{name}.png"))


if __name__ == "__main__":
    main()
