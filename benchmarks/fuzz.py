"""Mutate thousands of files: python -m benchmarks.fuzz --mutations 100000.

Hypothesis changes configurations, weights files and cards of valid models. Each file is read by
the code that reads it before `recipes` imports Keras. `--through-the-command-line N` also runs the
whole command on N more files, each in a separate process. This counts:

    crashes              an exception that is not a refusal, a traceback, a signal, a message of
                         more than one line or with control characters
    hangs                more than 2 s of processor time in the first stage, 60 s in the command
    silent acceptances   a changed member of a model with a card that opens; a pair without a card
                         that opens without a warning

A pair that opens with the warning may be another model: only a card can tell 8 units from 9.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from keras_recipes.errors import CorruptModelError, RecipeError, UnsafeModelError
from keras_recipes.models.card import Card
from keras_recipes.untrusted import architecture, hdf5, weights
from tests.untrusted import hostile_cases, mutations

JSON, WEIGHTS, CARD = "model.json", "model.weights.h5", "card.json"
SHIPPED = Path(__file__).parent.parent / "saved_models" / "shipped"
PIECE = 1_000
SECONDS, TIMEOUT = 2.0, 60.0

Read = Callable[[bytes, str], Any]


def models() -> dict[str, bytes]:
    """Return configurations of several kinds; Keras is needed to make the nets."""
    import keras
    from keras import layers, ops

    first, other = keras.Input((5, 4), name="p"), keras.Input((5, 4), name="q")
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(first)
    x = ops.concatenate([layers.TimeDistributed(layers.Dense(4))(x), ops.relu(other) * 2.0])
    inner = keras.Sequential([keras.Input((5, 4)), layers.RNN([layers.LSTMCell(3)])])
    outputs = [layers.Flatten()(x[:, 1:]), layers.Add()([inner(first), inner(other)])]
    mixed = keras.Model({"p": first, "q": other}, outputs)
    mixed.compile(keras.optimizers.Adam(), loss=["mse", keras.losses.Huber()])
    named = {"mixed": mixed.to_json().encode()}
    return named | {n: (SHIPPED / n / JSON).read_bytes() for n in ("lenet5", "mnist-mlp")}


def in_pieces(
    count: int, strategy: st.SearchStrategy[bytes], test: Callable[[bytes], None], first_seed: int
) -> None:
    """Draw in pieces, because Hypothesis keeps everything that it tried in a run."""
    for piece in range(0, count, PIECE):

        @seed(first_seed + piece)
        @settings(
            max_examples=min(PIECE, count - piece),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def run(content: bytes) -> None:
            test(content)

        run()


def first_stage(kind: str, read: Read, counts: "Counter[str]") -> Callable[[bytes], None]:
    """Return a test that counts the outcome of each file."""

    def test(content: bytes) -> None:
        started, outcome = time.process_time(), "opened"
        try:
            read(content, "file")
        except RecipeError as refusal:
            known = isinstance(refusal, CorruptModelError | UnsafeModelError)
            outcome = type(refusal).__name__ if known else "other refusal"
            if not str(refusal).isprintable():
                outcome = "CRASH (message)"
        except Exception as error:
            outcome = f"CRASH ({type(error).__name__})"
        if time.process_time() - started > SECONDS:
            outcome = "HANG"
        counts[f"{kind}: {outcome}"] += 1
        counts["files"] += 1
        if outcome.isupper() or outcome.startswith("CRASH"):
            _keep(kind, content, outcome)

    return test


def read_weights(content: bytes, where: str) -> None:
    """Read weights as `recipes` does before it builds a model for them."""
    tree = hdf5.read(content, where, skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, where)


def _keep(kind: str, content: bytes, outcome: str) -> None:
    folder = Path(tempfile.gettempdir()) / "keras_recipes_fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}-{abs(hash(content))}"
    path.write_bytes(content)
    print(f"{outcome}: kept as {path}", flush=True)


def whole_command(folder: Path, arguments: list[str], member: str, expected: str) -> str:
    """Return the outcome of `recipes predict` on a folder, in a separate process."""
    command = [sys.executable, "-P", "-m", "keras_recipes", "predict", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return "HANG"
    *before, last = done.stderr.splitlines() or [""]
    if done.returncode < 0 or "Traceback" in done.stderr or "unexpected" in last:
        return f"CRASH ({done.returncode}: {last[:100]})"
    if not done.returncode:
        if "could not be verified" not in done.stderr and member != CARD:
            return "SILENT ACCEPTANCE"
        if member == CARD:
            return "opened; the files are those the card lists"
        return "opened, same answers" if done.stdout == expected else "opened with a warning"
    one_line = last.startswith("error: ") and last.isprintable() and len(before) <= 2
    return f"refused ({done.returncode})" if one_line else f"CRASH (message: {last[:100]})"


def command_line(count: int, first_seed: int, jobs: int) -> "Counter[str]":
    """Run the command on changed files; every second one belongs to a model with a card."""
    from PIL import Image

    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        pair = Path(scratch) / "pair"
        pair.mkdir()
        hostile_cases.good_pair(pair)
        arguments = [JSON, "--weights", WEIGHTS, "input.npy"]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "keras_recipes", "predict", *arguments],
            cwd=pair,
            capture_output=True,
            text=True,
            check=True,
        )
        tasks = list(_tasks(count, first_seed, pair))

        def one(task: tuple[int, Path, str, bytes]) -> str:
            number, source, member, content = task
            folder = Path(shutil.copytree(source, Path(scratch) / str(number)))
            (folder / member).write_bytes(content)
            carded = source != pair
            words = [".", "digit.png"] if carded else arguments
            if carded:
                picture = Image.new("L", (28, 28), 255)
                picture.paste(0, (12, 4, 16, 24))
                picture.save(folder / "digit.png")
            outcome = whole_command(folder, words, member, done.stdout)
            if outcome.isupper() or outcome.startswith("CRASH"):
                _keep(member, content, outcome)
            shutil.rmtree(folder)
            return f"command, {'with' if carded else 'without'} card, {member}: {outcome}"

        with ThreadPoolExecutor(jobs) as pool:
            for outcome in pool.map(one, tasks):
                counts[outcome] += 1
    return counts


def _tasks(count: int, first_seed: int, pair: Path) -> Any:
    carded = SHIPPED / "mnist-mlp"
    chosen: list[tuple[int, Path, str, bytes]] = []
    kinds = [
        (pair, JSON, mutations.mutated_json),
        (carded, CARD, mutations.mutated_json),
        (pair, WEIGHTS, mutations.mutated_hdf5),
        (carded, JSON, mutations.mutated_json),
        (pair, WEIGHTS, mutations.mutated_hdf5),
    ]
    for kind, (source, member, mutate) in enumerate(kinds):
        original, wanted = (source / member).read_bytes(), -(-count // len(kinds))
        found: list[bytes] = []
        in_pieces(2 * wanted, mutate(original), found.append, first_seed + kind)
        changed = [content for content in found if content != original][-wanted:]
        chosen += [(len(chosen) + i, source, member, c) for i, c in enumerate(changed)]
    return chosen[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=2_000)
    parser.add_argument("--through-the-command-line", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kind", choices=["json", "card", "hdf5"], nargs="*")
    given_ = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        hostile_cases.good_pair(Path(scratch))
        small = (Path(scratch) / WEIGHTS).read_bytes()
    plans: list[tuple[str, Read, list[st.SearchStrategy[bytes]], float]] = [
        ("json", architecture.read, [mutations.mutated_json(m) for m in models().values()], 0.5),
        ("card", Card.from_json, [mutations.mutated_json(_card())], 0.2),
        ("hdf5", read_weights, [mutations.mutated_hdf5(small)], 0.3),
    ]
    started = time.monotonic()
    for kind, read, strategies, share in plans:
        if given_.kind is None or kind in given_.kind:
            each = round(given_.mutations * share / len(strategies))
            for number, strategy in enumerate(strategies):
                in_pieces(each, strategy, first_stage(kind, read, counts), given_.seed + number)
    seconds = time.monotonic() - started
    if given_.through_the_command_line:
        counts += command_line(given_.through_the_command_line, given_.seed, given_.jobs)
    for outcome, number in sorted(counts.items()):
        print(f"{number:8,}  {outcome}")
    bad = {what: sum(n for o, n in counts.items() if what in o) for what in _BAD}
    print(json.dumps({**bad, "first stage, seconds": round(seconds)}))


def _card() -> bytes:
    return (SHIPPED / "lenet5" / CARD).read_bytes()


_BAD = ("CRASH", "HANG", "SILENT")

if __name__ == "__main__":
    main()
