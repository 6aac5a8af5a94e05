"""What a net that writes text predicts, and how fast it learns and writes.

    python benchmarks/char_rnn.py [FILE]... [--seeds N] [--only bits|speed|cells]

Without files, on the recipe's synthetic source text.

bits   Bits per character of the held-out end of the text: the recipe's net with several seeds, an
       n-gram model of order 5 with Kneser-Ney smoothing (nltk), and gzip and xz, which have read
       the text before it. Brackets that close in what each of the two models writes.
cells  The same for each kind of cell, with one seed, at the same number of units.
speed  Characters per second in training and in writing: the recipe; the same net by Keras' `fit`,
       written by `predict` on the last 40 characters, as Keras' example of text generation does it;
       and the same net in PyTorch, if it is installed. They take turns, and medians are printed.
"""

import argparse
import collections
import itertools
import lzma
import math
import statistics
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_recipes import backend, build_char_rnn, fit
from keras_recipes.cookbook import char_rnn
from keras_recipes.data.dataset import Dataset
from keras_recipes.train import compiled_loop

ORDER, DISCOUNTS = 5, (0.5, 0.7, 0.8, 0.9)
UNSEEN = 1e-4
"""Share of the n-gram model's probability that goes to all characters alike: none is impossible."""
TURNS, WRITTEN, KERAS_WRITTEN, SEEN_BY_KERAS = 5, 5_000, 60, 40
CELLS = ("simple", "gru", "lstm", "peephole", "coupled")


def text_of(part: Any, characters: str) -> str:
    """The text of pieces that follow one another."""
    numbers = [int(part.x[0, 0]), *part.y.ravel().tolist()]
    return "".join(characters[number] for number in numbers)


class NGrams:
    """nltk's interpolated Kneser-Ney model, with its continuation counts made once and kept."""

    def __init__(self, text: str, discount: float) -> None:
        from nltk.lm import KneserNeyInterpolated
        from nltk.util import everygrams

        self.model = KneserNeyInterpolated(ORDER, discount=discount)
        self.model.fit([everygrams(text, max_len=ORDER)], vocabulary_text=text)
        counts = self.model.counts
        kinds: collections.Counter[tuple[str, ...]] = collections.Counter()
        totals: collections.Counter[tuple[str, ...]] = collections.Counter()
        for size in range(2, ORDER + 1):
            for prefix, following in counts[size].items():
                kinds.update((*prefix[1:], character) for character in following)
                totals[prefix[1:]] += len(following)

        def continuations(word: str, context: tuple[str, ...] = ()) -> tuple[int, int]:
            return kinds[(*context, word)], totals[context]

        self.model.estimator._continuation_counts = continuations
        self.characters = sorted(set(text))

    def probability(self, character: str, before: str) -> float:
        context = tuple(before[-ORDER + 1 :])
        known = self.model.unmasked_score(character, context)
        return (1 - UNSEEN) * float(known) + UNSEEN / (len(self.characters) + 1)

    def bits(self, text: str) -> float:
        pairs = ((text[i], text[max(0, i - ORDER + 1) : i]) for i in range(1, len(text)))
        return statistics.fmean(-math.log2(self.probability(*pair)) for pair in pairs)

    def written(self, length: int, temperature: float) -> str:
        random, text = np.random.default_rng(0), "\n"
        for _ in range(length):
            odds = np.array([self.probability(c, text) for c in self.characters])
            odds **= 1 / temperature
            text += str(random.choice(self.characters, p=odds / odds.sum()))
        return text


def by_compressor(before: str, text: str) -> Iterator[tuple[str, float]]:
    """Bits per character of a text for compressors that have read the text before it."""
    known, asked = before.encode(), text.encode()
    gzip = zlib.compressobj(9, zdict=known[-(1 << 15) :])
    yield "gzip", 8 * len(gzip.compress(asked) + gzip.flush()) / len(text)
    sizes = [len(lzma.compress(x, preset=9 | lzma.PRESET_EXTREME)) for x in (known, known + asked)]
    yield "xz", 8 * (sizes[1] - sizes[0]) / len(text)


def brackets(text: str) -> str:
    closed, wrong = char_rnn.count_brackets(text)
    return f"{closed:,} of {closed + wrong:,} brackets close"


def bits(files: Sequence[str], data: Dataset, seeds: int) -> None:
    characters = data.learned["characters"]
    assert data.validation
    parts = [text_of(part, characters) for part in (data.train, data.validation, data.test)]
    print(f"{data.name}: {sum(map(len, parts)):,} characters, {len(parts[2]):,} held out")
    reached = []
    for seed in range(seeds):
        fitted = fit("char-rnn", files or None, seed=seed, sample_length=0, show_progress=False)
        assert fitted.card
        reached.append(fitted.card.metrics["bits_per_character"])
        text = "".join(char_rnn.write(fitted.model, characters, "", WRITTEN, 1.0, seed))
        print(
            f"char-rnn, seed {seed}: {reached[-1]:.3f} bits per character, {brackets(text)}, "
            f"{fitted.card.training['epochs']} epochs in {fitted.card.training['seconds']:.0f} s"
        )
    print(f"char-rnn: mean {statistics.fmean(reached):.3f}, {min(reached):.3f}-{max(reached):.3f}")
    # The discount is chosen on the validation part, and the model then also learns from that.
    chosen = min(DISCOUNTS, key=lambda discount: NGrams(parts[0], discount).bits(parts[1]))
    model = NGrams(parts[0] + parts[1], chosen)
    print(
        f"n-grams of order {ORDER}, discount {chosen}: {model.bits(parts[2]):.3f} bits per "
        f"character, {brackets(model.written(WRITTEN, 1.0))}"
    )
    for name, found in by_compressor(parts[0] + parts[1], parts[2]):
        print(f"{name}: {found:.3f} bits per character")


def cells(files: Sequence[str]) -> None:
    for cell in CELLS:
        fitted = fit("char-rnn", files or None, cell=cell, sample_length=0, show_progress=False)
        assert fitted.card
        metrics, training = fitted.card.metrics, fitted.card.training
        print(
            f"{cell}: {fitted.model.count_params():,} parameters, "
            f"{metrics['bits_per_character']:.3f} bits per character, "
            f"{metrics.get('closed_brackets', math.nan):.1%} of the brackets close, "
            f"{training['epochs']} epochs in {training['seconds']:.0f} s"
        )


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def speed(data: Dataset) -> None:
    """Print characters per second of each way, in training and in writing."""
    count, characters = data.train.x.size, data.learned["characters"]
    ways: dict[str, Callable[[], object]] = {}
    sizes: dict[str, int] = {}
    ours, plain = (build_char_rnn(classes=len(characters)) for _ in range(2))
    call = compiled_loop.compile_epochs(
        ours, data.train, batch_size=32, seed=0, jit_compile=True, replicas=backend.replicas(True)
    )
    numbers = itertools.count()

    def written_by_keras() -> None:
        text = char_rnn.numbers_of("public class " * 4, characters)[None, :SEEN_BY_KERAS]
        for _ in range(KERAS_WRITTEN):
            likeliest = plain.predict(text, verbose=0)[0, -1].argmax()
            text = np.append(text[:, 1:], [[likeliest]], axis=1)

    ways["recipe, training"] = lambda: call(next(numbers), 1)
    ways["Keras, training"] = lambda: plain.fit(data.train.x, data.train.y, verbose=0)
    ways["recipe, writing"] = lambda: list(
        char_rnn.write(ours, characters, "public class ", WRITTEN, 0.7, 0)
    )
    ways["Keras, writing"] = written_by_keras
    sizes["Keras, writing"] = KERAS_WRITTEN
    try:
        ways |= in_pytorch(data, len(characters))
    except ImportError:
        print("PyTorch is not installed: pip install torch")
    for work in ways.values():
        work()  # compiles
    taken = {name: [] for name in ways}  # type: dict[str, list[float]]
    for _ in range(TURNS):
        for name, work in ways.items():
            taken[name].append(seconds(work))
    for name, some in taken.items():
        size = sizes.get(name, count if name.endswith("training") else WRITTEN)
        print(f"{name}: {size / statistics.median(some):,.0f} characters per second")


def in_pytorch(data: Dataset, classes: int) -> dict[str, Callable[[], object]]:
    import torch

    torch.manual_seed(0)
    embedding, lstm = torch.nn.Embedding(classes, 32), torch.nn.LSTM(32, 128, batch_first=True)
    dense = torch.nn.Linear(128, classes)
    weights = [w for part in (embedding, lstm, dense) for w in part.parameters()]
    adam = torch.optim.Adam(weights, 0.01)
    x, y = (torch.tensor(part).long() for part in (data.train.x, data.train.y))
    cross_entropy = torch.nn.functional.cross_entropy

    def train() -> None:
        for rows in torch.randperm(len(x)).split(32):
            adam.zero_grad()
            logits = dense(lstm(embedding(x[rows]))[0])
            loss: Any = cross_entropy(logits.reshape(-1, classes), y[rows].reshape(-1))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            adam.step()

    def write() -> None:
        number, state = torch.tensor([[1]]), None
        with torch.inference_mode():
            for _ in range(WRITTEN):
                output, state = lstm(embedding(number), state)
                odds = torch.softmax(dense(output[0, -1]) / 0.7, 0)
                number = torch.multinomial(odds, 1)[None]

    return {"PyTorch, training": train, "PyTorch, writing": write}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=["bits", "cells", "speed"])
    asked = parser.parse_args()
    # As on the command line: a batch is divided among the cores.
    backend.choose("auto", side_by_side=True)
    backend.start()
    data = char_rnn.read(asked.files, None)
    if asked.only in (None, "bits"):
        bits(asked.files, data, asked.seeds)
    if asked.only in (None, "cells"):
        cells(asked.files)
    if asked.only in (None, "speed"):
        speed(data)


if __name__ == "__main__":
    main()
