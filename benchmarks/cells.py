"""What recurrent cells remember, what they predict, and what they cost, at equal parameters.

    python benchmarks/cells.py [--only copying|text|speed] [--seeds N] [--distances D...]

All nets come from `build_char_rnn`. Their numbers of units are chosen so that each has as many
parameters as the LSTM, within 2 %. Each number is a mean of the seeds, with the smallest and the
largest.

copying  The net reads a symbol, then `distance` other symbols drawn at random, then a mark, and has
         to answer with the first symbol: it must keep that symbol and let the others pass. The
         table gives the share of right answers for sequences that it has not seen; guessing gives
         1 of 8. Training ends after `--epochs` epochs of 100 updates, or after an epoch without a
         mistake. The learning rate was chosen with seed 0, which is in no table.
text     Bits per character of held-out text, as `recipes fit char-rnn` measures them, on its
         synthetic source text.
speed    Seconds per epoch of that text. The cells take turns, and medians are printed.

Copying and text fit in as many processes as there are cores; speed does not.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend, build_char_rnn, fit
from keras_recipes.cookbook import char_rnn
from keras_recipes.data.dataset import Examples
from keras_recipes.train import compiled_loop

if TYPE_CHECKING:
    import keras

SYMBOLS = 8
"""Different symbols to remember, numbered from 1; as many others may come between."""
MARK = 0
EPOCH, BATCH, MEASURED = 3_200, 32, 1_000
TOLERANCE = 0.02
COPYING_NET: dict[str, Any] = {"classes": 2 * SYMBOLS + 1, "embedding": 16}
TURNS = 3


@dataclass(frozen=True)
class Kind:
    """What a net is made of.

    Attributes:
        cell: As `build_char_rnn` names it.
        forget_bias: The start of the forget gate's bias; 1 for cells without that gate.
        layers: Number of recurrent layers.
    """

    cell: str
    forget_bias: float = 1.0
    layers: int = 1

    @property
    def options(self) -> dict[str, Any]:
        """The options of `build_char_rnn`."""
        return {"cell": self.cell, "forget_bias": self.forget_bias, "layers": self.layers}

    def __str__(self) -> str:
        bias = f", forget bias {self.forget_bias:g}" if self.cell == "lstm" else ""
        return self.cell + bias + (f", {self.layers} layers" if self.layers > 1 else "")


def kinds(biases: Sequence[float]) -> list[Kind]:
    """All kinds; the LSTM has each of the biases, the others start at 1."""
    lstms = [Kind("lstm", bias) for bias in biases]
    others = [Kind("peephole"), Kind("coupled"), Kind("lstm", layers=2)]
    return [Kind("simple"), Kind("gru"), *lstms, *others]


def size(kind: Kind, units: int, net: dict[str, Any]) -> int:
    """Number of parameters."""
    return int(build_char_rnn(**kind.options, units=units, **net).count_params())


def matched_units(kind: Kind, parameters: int, net: dict[str, Any]) -> int:
    """The number of units with which a kind has so many parameters, within 2 %."""
    # Sizes are squares of the units, units and a constant.
    known = np.polyfit((1, 2, 3), [size(kind, units, net) for units in (1, 2, 3)], 2)
    best = round(float(max(np.roots(known - np.array([0, 0, parameters])).real)))
    if abs(size(kind, best, net) / parameters - 1) > TOLERANCE:
        raise SystemExit(
            f"{kind}: expected a net of {parameters:,} parameters within {TOLERANCE:.0%}, "
            f"{best} units give {size(kind, best, net):,}; choose more units"
        )
    return best


def copying(count: int, distance: int, seed: int) -> Examples:
    """Make sequences of the copying task.

    Args:
        count: Number of sequences.
        distance: Number of other symbols between the symbol and the mark.
        seed: Of the symbols.

    Returns:
        Inputs, int32 of shape (count, distance + 2), and the symbols to answer with, int32 of shape
        (count, 1).
    """
    random = np.random.default_rng([seed, distance])
    asked = random.integers(1, SYMBOLS + 1, (count, 1))
    others = random.integers(SYMBOLS + 1, 2 * SYMBOLS + 1, (count, distance))
    x = np.concatenate([asked, others, np.full((count, 1), MARK)], axis=1)
    return Examples(x.astype("int32"), asked.astype("int32"))


def copying_net(kind: Kind, units: int, distance: int, rate: float) -> "keras.Model":
    """A net of `build_char_rnn` that answers only at the mark, compiled."""
    import keras

    net = build_char_rnn(**kind.options, units=units, **COPYING_NET)
    model = keras.Sequential([net, keras.layers.Cropping1D((distance + 1, 0))])
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=1.0),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


@dataclass(frozen=True)
class Copying:
    """One fit on the copying task; calling it gives loss and accuracy on new sequences."""

    kind: Kind
    units: int
    distance: int
    rate: float
    seed: int
    epochs: int

    def __call__(self) -> tuple[float, float]:
        backend.start()
        backend.seed(self.seed)
        model = copying_net(self.kind, self.units, self.distance, self.rate)
        data = copying(EPOCH, self.distance, 2 * self.seed)
        call = compiled_loop.compile_epochs(
            model, data, batch_size=BATCH, seed=self.seed, jit_compile=True
        )
        for metrics in compiled_loop.train(model, call, first_epoch=0, epochs=self.epochs):
            if metrics["accuracy"][-1] == 1:
                break
        new = copying(MEASURED, self.distance, 2 * self.seed + 1)
        loss, accuracy = model.evaluate(new.x, new.y, verbose=0)
        return float(loss), float(accuracy)


@dataclass(frozen=True)
class Text:
    """One fit of char-rnn; calling it gives bits per character and the number of epochs."""

    kind: Kind
    units: int
    seed: int
    epochs: int

    def __call__(self) -> tuple[float, float]:
        fitted = fit(
            "char-rnn",
            **self.kind.options,
            units=self.units,
            seed=self.seed,
            epochs=self.epochs,
            sample_length=0,
            judged_length=0,
            show_progress=False,
        )
        assert fitted.card
        return fitted.card.metrics["bits_per_character"], float(fitted.card.training["epochs"])


def called(work: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    return work()


def in_processes(work: Iterable[Any], jobs: int) -> dict[Any, tuple[float, float]]:
    """What each piece of work gives; each process has one core."""
    pieces = list(work)
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        found = {}
        for piece, (loss, score) in zip(pieces, pool.map(called, pieces), strict=True):
            found[piece] = loss, score
            print(f"{piece}: {loss:.4f} {score:.4f}", file=sys.stderr, flush=True)
    del os.environ["TF_NUM_INTRAOP_THREADS"], os.environ["TF_NUM_INTEROP_THREADS"]
    return found


def row(name: str, *cells: str) -> None:
    print(f"| {name} |", " | ".join(cells), "|", flush=True)


def spread(values: Sequence[float], digits: str) -> str:
    """Mean, smallest and largest."""
    mean, least, most = (
        format(v, digits) for v in (statistics.fmean(values), min(values), max(values))
    )
    return f"{mean} ({least} to {most})"


def matched(asked: argparse.Namespace, units: int, net: dict[str, Any]) -> dict[Kind, int]:
    parameters = size(Kind("lstm"), units, net)
    return {kind: matched_units(kind, parameters, net) for kind in kinds(asked.biases)}


def copying_table(asked: argparse.Namespace) -> None:
    units, distances = matched(asked, asked.units, COPYING_NET), sorted(asked.distances)
    # The longest come first, so that no process works alone at the end.
    fits = [
        Copying(kind, units[kind], distance, asked.rate, seed, asked.epochs)
        for distance in reversed(distances)
        for kind in units
        for seed in range(1, asked.seeds + 1)
    ]
    found = in_processes(fits, asked.jobs)
    row("Cell", "Units", "Parameters", *(f"Distance {d}" for d in distances))
    for kind in units:
        shares = (
            spread([found[f][1] for f in fits if (f.kind, f.distance) == (kind, d)], ".0%")
            for d in distances
        )
        parameters = size(kind, units[kind], COPYING_NET)
        row(str(kind), str(units[kind]), f"{parameters:,}", *shares)


def text_table(asked: argparse.Namespace, units: dict[Kind, int], net: dict[str, Any]) -> None:
    fits = [
        Text(kind, units[kind], seed, asked.text_epochs)
        for kind in units
        for seed in range(1, asked.seeds + 1)
    ]
    found = in_processes(fits, asked.jobs)
    row("Cell", "Units", "Parameters", "Bits per character")
    for kind in units:
        bits = [found[f][0] for f in fits if f.kind == kind]
        row(
            str(kind),
            str(units[kind]),
            f"{size(kind, units[kind], net):,}",
            spread(bits, ".3f"),
        )


def speed_table(units: dict[Kind, int], data: Examples, net: dict[str, Any]) -> None:
    """Print seconds per epoch, of all kinds that differ in more than where a bias starts."""
    calls = {
        kind: compiled_loop.compile_epochs(
            build_char_rnn(**kind.options, units=units[kind], **net),
            data,
            batch_size=32,
            seed=0,
            jit_compile=False,
            replicas=backend.replicas(True),
        )
        for kind in units
        if kind.forget_bias == 1
    }
    taken: dict[Kind, list[float]] = {kind: [] for kind in calls}
    for turn in range(TURNS + 1):  # the first one compiles
        for kind, call in calls.items():
            started = time.perf_counter()
            call(turn, 1)
            taken[kind].append(time.perf_counter() - started)
    row("Cell", "Seconds per epoch")
    for kind, seconds in taken.items():
        row(str(kind), f"{statistics.median(seconds[1:]):.2f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["copying", "text", "speed"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--biases", type=float, nargs="+", default=[0.0, 1.0, 3.0])
    parser.add_argument("--distances", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--rate", type=float, default=0.003, help="learning rate for copying")
    parser.add_argument("--units", type=int, default=50, help="of the LSTM, for copying")
    parser.add_argument("--epochs", type=int, default=8, help="for copying")
    parser.add_argument("--text-units", type=int, default=64, help="of the LSTM, for text")
    parser.add_argument("--text-epochs", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    backend.choose("cpu", side_by_side=True)
    backend.start()
    started = time.perf_counter()
    if asked.only in (None, "copying"):
        copying_table(asked)
    if asked.only in (None, "text", "speed"):
        data = char_rnn.read([], None)
        net = {"classes": len(data.learned["characters"]), "embedding": 32}
        units = matched(asked, asked.text_units, net)
        if asked.only != "speed":
            text_table(asked, units, net)
        if asked.only != "text":
            speed_table(units, data.train, net)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
