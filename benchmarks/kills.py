"""Kill fits at random moments and resume them: python -m benchmarks.kills [--kills 100] [--seed 0].

For every recipe and each of its presets, a fit on 1,000 images or as many lines is killed at a
random moment of its time, by SIGKILL, SIGTERM, SIGINT or SIGHUP, and resumed. Some are killed more
than once. A fit that ends before its moment comes is begun again with an earlier one. At the end,
every file of the model has to have the bytes of the fit that nobody killed; of the card, all but
the time that the fit took. A kill counts if it came before the fit's end. A
fit that had kept nothing yet starts anew, which has to give the same bytes, too.

The preset `article` of xor is left out, because it never reaches its goal and saves no model.

This needs a system with `fork`. The programs are forked from a process that has imported Keras but
not used it, which saves most of the time.
"""

import argparse
import itertools
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
KEPT_EVERY = (0.0, 0.3, 60.0)
"""Seconds between two checkpoints; 60 is the usual number."""

KEPT = Path(".killed.checkpoint.npz")
"""The checkpoint of a fit that was killed."""

MOST_KILLS = 3
"""The most kills of one fit."""

TRIES = 4
"""How often a fit is begun for each kill, as it may end before its moment comes."""

PATIENCE = 1_800.0
"""Seconds after which a fit that goes on is a failure."""

IMAGES = "--data digits.npz --epochs 4"
FITS = {
    "perceptron": "",
    "perceptron rosenblatt": "",
    "xor": "",
    "xor three-regressions": "",
    "linear-mnist": IMAGES,
    "linear-mnist deskewed": IMAGES,
    "mnist-mlp": IMAGES,
    "mnist-mlp deskewed": IMAGES,
    "mnist-mlp hog": IMAGES,
    "lenet5": IMAGES,
    "lenet5 best": IMAGES,
    "lenet5 1998": IMAGES,
    "autoencoder": IMAGES,
    "char-rnn": "--data text.txt --epochs 4",
    "lstm-anomaly": "--data normal.log --epochs 6",
    "lstm-anomaly article": "--data normal.log --epochs 6",
    "lstm-anomaly (metrics)": "--data metrics.csv --epochs 6",
}
"""The options of a fit of each recipe, with each preset."""


def make_data() -> None:
    """Write 1,000 images, lines of a log, records of metrics, and lines of text."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    from keras_recipes.data import demonstration

    x, y = load_digits(return_X_y=True)
    small = (x[:1000].reshape(-1, 8, 8) * 15.9).astype("uint8")
    images = np.stack([np.asarray(Image.fromarray(one).resize((28, 28))) for one in small])
    np.savez("digits.npz", x=images, y=y[:1000])
    lines = demonstration.normal()[:1000]
    Path("normal.log").write_bytes(b"\n".join(lines) + b"\n")
    minutes = np.arange(1000)
    values = 400 + 300 * np.sin(minutes / 144 * np.pi) + np.random.default_rng(0).normal(size=1000)
    times = np.datetime_as_string(np.datetime64("2026-01-05T00:00") + minutes)
    rows = [f"{when},{value:.1f}\n" for when, value in zip(times, values.tolist(), strict=True)]
    Path("metrics.csv").write_text("time,requests\n" + "".join(rows))
    words = Path(__file__).read_text().splitlines()
    Path("text.txt").write_text("\n".join((words * 10)[:1000]) + "\n")


def arguments(name: str, folder: str) -> list[str]:
    recipe, _, preset = name.partition(" ")
    given = ["--preset", preset] if preset and preset[0] != "(" else []
    return ["fit", recipe, *given, *FITS[name].split(), "--seed", "3", "--out", folder]


def run(words: list[str], kept_every: float = 60.0) -> int:
    """Fork a program that runs a command; return its process."""
    process = os.fork()
    if process:
        return process
    code = 99
    try:
        from keras_recipes import cli
        from keras_recipes.train import checkpoint

        os.setpgrp()
        for number in SIGNALS[1:]:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        checkpoint.SECONDS = kept_every
        cli.commands.main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def status(process: int, seconds: float = PATIENCE) -> int | None:
    """Wait for a process at most so long; return its exit status, or None if it goes on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, found = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(found)
        time.sleep(0.01)
    return None


def complete(words: list[str], kept_every: float) -> None:
    process = run(words, kept_every)
    if (code := status(process)) != 0:
        raise RuntimeError(f"{' '.join(words)}: status {code}: {Path('output').read_text()[-500:]}")


def content(folder: str) -> dict[str, bytes]:
    """Return the files of a model; of its card, without the time that the fit took."""
    files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    card = json.loads(files["card.json"])
    card["training"].pop("seconds")
    return {**files, "card.json": json.dumps(card, sort_keys=True).encode()}


@dataclass
class Outcome:
    """What became of the fits of one name."""

    kills: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    equal: int = 0
    others: list[str] = field(default_factory=list)

    @property
    def trials(self) -> int:
        return self.equal + len(self.others)


class Campaign:
    """The reference of each fit, and the outcomes of the killed ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.references: dict[str, dict[str, bytes]] = {}
        self.seconds: dict[str, float] = {}
        self.outcomes = {name: Outcome() for name in FITS}

    def reference(self, name: str) -> dict[str, bytes]:
        """Return the files of the fit that nobody kills."""
        if name not in self.references:
            begin = time.monotonic()
            complete(arguments(name, "whole"), 60.0)
            self.references[name], self.seconds[name] = content("whole"), time.monotonic() - begin
            shutil.rmtree("whole")
        return self.references[name]

    def trial(self, name: str, most: int) -> int:
        """Kill a fit at most so often, resume it and compare; return how often it was killed."""
        expected, outcome = self.reference(name), self.outcomes[name]
        if kills := self.killed(name, self.random.randint(1, min(most, MOST_KILLS))):
            if not Path("killed").exists() or KEPT.exists():
                complete(self.command(name), self.random.choice(KEPT_EVERY))
            found = content("killed")
            differ = [file for file in expected | found if found.get(file) != expected.get(file)]
            outcome.equal += not differ
            outcome.others += [f"{name}: {', '.join(differ)}"] if differ else []
            left = [path.name for path in Path().glob(".killed*")]
            outcome.others += [f"{name}: left {', '.join(left)}"] if left else []
        for path in Path().glob(".killed*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.rmtree("killed", ignore_errors=True)
        return kills

    def killed(self, name: str, wanted: int) -> int:
        """Kill a fit so often, resuming it in between; return how often it was."""
        kills, outcome = 0, self.outcomes[name]
        for _ in range(TRIES * wanted):
            begin = time.monotonic()
            signalled = self.kill(name)
            if Path("killed").exists() and not KEPT.exists():  # it came to its end
                if kills:
                    break
                self.seconds[name] = min(self.seconds[name], time.monotonic() - begin)
                shutil.rmtree("killed")
                continue
            outcome.kills[signalled.name] += 1
            outcome.resumed += KEPT.exists()
            kills += 1
            if kills == wanted:
                break
        return kills

    def kill(self, name: str) -> signal.Signals:
        """Start or resume a fit, and kill it at a random moment if it still goes on."""
        process = run(self.command(name), self.random.choice(KEPT_EVERY))
        number = self.random.choice(SIGNALS)
        code = status(process, self.random.uniform(0.05, 1.0) * self.seconds[name])
        if code:
            raise RuntimeError(f"{name}: status {code}: {Path('output').read_text()[-500:]}")
        if code is None:
            os.kill(process, number)
            status(process)
        return number

    def command(self, name: str) -> list[str]:
        """Return the command that starts the fit, or resumes it if it can be resumed."""
        return [*arguments(name, "killed"), *["--resume"] * KEPT.exists()]

    def rows(self) -> Iterator[str]:
        yield "| Fit | Fits killed | Kills | Resumed | Equal bytes |"
        yield "| --- | --- | --- | --- | --- |"
        for name, one in self.outcomes.items():
            kills = one.kills.total()
            yield f"| {name} | {one.trials} | {kills} | {one.resumed} | {one.equal} |"
        every = self.outcomes.values()
        sums = [sum(numbers) for numbers in zip(
            *((one.trials, one.kills.total(), one.resumed, one.equal) for one in every), strict=True
        )]  # fmt: skip
        yield f"| all | {' | '.join(map(str, sums))} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: F401  # imported once for all programs that are forked
    import tensorflow  # noqa: F401

    campaign, done, begin = Campaign(asked.seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        make_data()
        for name in itertools.cycle(FITS):
            if done >= asked.kills or time.monotonic() - begin > 60 * asked.minutes:
                break
            try:
                done += campaign.trial(name, asked.kills - done)
            except RuntimeError as error:  # what was found so far is worth printing
                campaign.outcomes[name].others.append(str(error))
                break
            one = campaign.outcomes[name]
            print(f"{done} kills; {name}: {one.equal} of {one.trials} equal", file=sys.stderr)
        os.chdir("/")
    print("\n".join(campaign.rows()))
    kinds = sum((one.kills for one in campaign.outcomes.values()), Counter[str]())
    print(", ".join(f"{number} {name}" for name, number in kinds.items()))
    print(f"{time.monotonic() - begin:,.0f} seconds")
    wrong = [text for one in campaign.outcomes.values() for text in one.others]
    print("\n".join(wrong) or "no difference")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
