"""Batch, stochastic and mini-batch descent: loss against examples seen and against seconds.

    python benchmarks/descent.py [SEEDS]
    python benchmarks/descent.py rates KIND

Without `rates`, it fits xor and mnist-mlp with each kind of `--set updates=...`, from three seeds.
It prints how good they are after so many examples and after so many seconds, and draws
docs/pictures/descent/NAME.png. This takes three minutes on two cores.

The seconds are those of the training itself, without compilation: each epoch counts as long as the
fastest one of its fit. For mnist-mlp, loss and accuracy are those of the validation images after
each epoch; the test images are used only at the end. XOR has no others, so its loss is the one of
the training.

rates KIND  Fits mnist-mlp with updates=KIND (batch or stochastic) and several learning rates, from
            a seed that the tables do not have. It prints the result on the validation images.
"""

import logging
import statistics
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_recipes import backend, fit
from keras_recipes.report import plots

PICTURES = Path(__file__).parent.parent / "docs" / "pictures" / "descent"

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    # A mini-batch of 32, the recipe's default, is all four points.
    "xor": {
        "batch": {"updates": "batch"},
        "stochastic": {"updates": "stochastic"},
        "mini-batch of 2": {"updates": "minibatch", "batch_size": 2},
    },
    "mnist-mlp": {
        "batch": {"updates": "batch", "epochs": 200},
        # Weights decay at each update: with 128 times as many updates, they would decay too much.
        "stochastic": {"updates": "stochastic", "weight_decay": 0.0005, "epochs": 10},
        "mini-batch of 128": {"updates": "minibatch"},
    },
}

WATCHED = {"xor": "loss", "mnist-mlp": "val_loss"}
AXIS = {"xor": "training loss", "mnist-mlp": "validation loss"}
EXAMPLES = {"xor": (1_000, 3_000, 10_000), "mnist-mlp": (54_000, 540_000, 3_240_000)}
SECONDS = {"xor": (0.005, 0.01, 0.02), "mnist-mlp": (1.0, 2.0, 5.0)}
COLOURS = (plots.ZERO, plots.ONE, "#009e73")

RATES = {
    "batch": (0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    "stochastic": (0.0005, 0.001, 0.002, 0.004),
}
WHILE_CHOOSING: dict[str, dict[str, Any]] = {
    "batch": {},
    "stochastic": {"weight_decay": 0.0005, "epochs": 5},
}
OTHER_SEED = 100


@dataclass(frozen=True)
class Course:
    """The course of one fit; the arrays have a value for each epoch that the history keeps.

    Attributes:
        examples: Number of examples seen.
        seconds: Seconds of training.
        values: Loss and, for mnist-mlp, validation accuracy, by name.
        updates: Number of updates in all.
        metrics: The metrics that the fit ended with.
    """

    examples: np.ndarray
    seconds: np.ndarray
    values: Mapping[str, np.ndarray]
    updates: int
    metrics: Mapping[str, float]

    def after(self, axis: np.ndarray, most: float, name: str) -> float:
        """Return the last value before an axis passes `most`; NaN outside of the fit."""
        seen = np.flatnonzero(axis <= most)
        inside = len(seen) and axis[-1] >= most
        return float(self.values[name][seen[-1]]) if inside else float("nan")


def course(name: str, seed: int, **options: Any) -> Course:
    import keras

    ends: list[tuple[int, float]] = []
    begun = 0.0

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            nonlocal begun
            begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append((epoch + 1, time.perf_counter() - begun))

    data = "mnist" if name == "mnist-mlp" else None
    fitted = fit(name, data, seed=seed, callbacks=[Clock()], show_progress=False, **options)
    assert fitted.card is not None
    assert fitted.history is not None
    assert not fitted.card.training["restarts"]
    epochs, taken = (np.array(column, float) for column in zip(*ends, strict=True))
    fastest = np.min(taken / np.diff(epochs, prepend=0))
    seen = fitted.history.epochs
    return Course(
        examples=seen * fitted.card.data["examples"],
        seconds=seen * fastest,
        values=fitted.history.values,
        updates=fitted.card.training["updates"],
        metrics=fitted.card.metrics,
    )


def drawn(courses: Mapping[str, list[Course]], name: str) -> Figure:
    """Return two panels, loss against examples and against seconds, with a line per fit."""
    figure = Figure(figsize=(8.4, 4.2), facecolor="white", layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, axis in zip(panels, ("examples", "seconds"), strict=True):
        for colour, (kind, fits) in zip(COLOURS, courses.items(), strict=True):
            for number, one in enumerate(fits):
                label = None if number else kind
                x, y = getattr(one, axis), one.values[WATCHED[name]]
                axes.plot(x, y, color=colour, label=label, linewidth=0.9, alpha=0.8)
        axes.set(xscale="log", yscale="log", xlabel=f"{axis}, logarithmic")
        axes.grid(alpha=0.3)
    panels[0].set(ylabel=f"{AXIS[name]} (cross-entropy)", xlabel="examples seen, logarithmic")
    panels[0].legend()
    figure.suptitle(f"{name}: three kinds of descent, {len(fits)} seeds each")
    return figure


def spread(values: Iterable[float], form: str) -> str:
    """Return mean and standard deviation, or a dash if some fit had no value then."""
    known = [float(value) for value in values]  # NumPy's whole numbers have no standard deviation
    if np.isnan(known).any():
        return "-"
    return f"{statistics.mean(known):{form}} +- {statistics.pstdev(known):{form}}"


def table(courses: Mapping[str, list[Course]], name: str) -> None:
    value, form = ("val_accuracy", ".2%") if name == "mnist-mlp" else ("loss", ".4f")
    for kind, fits in courses.items():
        print(f"{name}, {kind}, {len(fits)} seeds")
        print("  updates", spread((one.updates for one in fits), ",.0f"))
        print("  examples", spread((one.examples[-1] for one in fits), ",.0f"))
        print("  seconds", spread((one.seconds[-1] for one in fits), ".3f"))
        for axis, limits in (("examples", EXAMPLES[name]), ("seconds", SECONDS[name])):
            for most in limits:
                found = (one.after(getattr(one, axis), most, value) for one in fits)
                print(f"  {value} after {most:,} {axis}", spread(found, form))
        for metric in ("accuracy", "loss"):
            at_end = (one.metrics[metric] for one in fits)
            print(f"  {metric} at the end", spread(at_end, ".2%" if metric != "loss" else ".4f"))
    print(flush=True)


def rates(kind: str) -> None:
    for rate in RATES[kind]:
        one = course(
            "mnist-mlp", OTHER_SEED, updates=kind, learning_rate=rate, **WHILE_CHOOSING[kind]
        )
        loss, accuracy = (one.values[f"val_{metric}"][-1] for metric in ("loss", "accuracy"))
        print(f"updates={kind} learning_rate={rate}: {accuracy:.2%}, loss {loss:.4f}", flush=True)


def main(seeds: int) -> None:
    for name, kinds in KINDS.items():
        courses = {
            kind: [course(name, seed, **options) for seed in range(seeds)]
            for kind, options in kinds.items()
        }
        table(courses, name)
        print(plots.save(drawn(courses, name), PICTURES / f"{name}.png"))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    backend.choose("cpu", side_by_side=False)
    backend.start("cpu")
    if sys.argv[1:2] == ["rates"]:
        rates(sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
