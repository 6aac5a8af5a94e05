"""How long a first answer takes: python -m benchmarks.start [TURNS].

Fits small models, then asks each from the shell. The commands take turns with imports of
onnxruntime, ai-edge-litert and Keras. "In Keras" is the same model without its runnable form. For
streams the time ends with the first row. Medians of processor time (all processes) and wall time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from keras_recipes.saved import locate

RECIPES = [sys.executable, "-c", "from keras_recipes.cli import main; main()"]
FEW = ["--epochs", "1", "--out"]
HEAVY = {"tensorflow", "keras", "jax", "torch", "sklearn"}
STEPS = ("opened", "read", "checked", "closed")
LOG = [
    f"2026-03-01T{n // 3_600:02}:{n // 60 % 60:02}:{n % 60:02} INFO order {n // 4} {STEPS[n % 4]}"
    for n in range(4_000)
]
SERIES = ["time,value"] + [
    f"2026-03-01T{n // 60 % 24:02}:{n % 60:02}:00,{50 + 10 * np.sin(n / 40):.3f}"
    for n in range(1_440)
]


def prepare(folder: Path) -> None:
    """Write the inputs into a folder, and fit the models there."""
    seven = np.zeros((28, 28), "uint8")
    seven[5:8, 8:20] = seven[8:23, 16:19] = 255
    Image.fromarray(seven).save(folder / "seven.png")
    np.save(folder / "seven.npy", seven[None])
    (folder / "app.log").write_text("\n".join(LOG) + "\n")
    (folder / "load.csv").write_text("\n".join(SERIES) + "\n")
    for arguments in (
        ["xor"],
        ["lstm-anomaly", "--data", "app.log", "--set", r"session=order (\d+)", *FEW, "log"],
        ["lstm-anomaly", "--data", "load.csv", *FEW, "series"],
    ):
        subprocess.run([*RECIPES, "-q", "fit", *arguments], cwd=folder, check=True)
    shipped = locate.shipped("lenet5")
    assert shipped
    for source, name in ((folder / "saved_models/xor", "xor-keras"), (shipped, "lenet5-keras")):
        in_keras(source, folder / name)


def in_keras(source: Path, target: Path) -> None:
    """Copy a saved model without its runnable form."""
    target.mkdir()
    card = json.loads((source / locate.CARD).read_text())
    del card["files"][locate.RUNNABLE]
    for name in card["files"]:
        (target / name).write_bytes((source / name).read_bytes())
    (target / locate.CARD).write_text(json.dumps(card))


def whole(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a command; return its processor time and its wall time in seconds."""
    before, begin = psutil.Process().cpu_times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    seconds, after = time.perf_counter() - begin, psutil.Process().cpu_times()
    used = after.children_user - before.children_user + after.children_system
    return used - before.children_system, seconds


def first_row(model: str, lines: Sequence[str], folder: Path) -> tuple[float, float]:
    """Give a few lines to a stream; return both times until it prints a row."""
    command = [*RECIPES, "predict", model, "-", "--format", "jsonl"]
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as stream:
        assert stream.stdin
        assert stream.stdout
        stream.stdin.write("".join(f"{line}\n" for line in lines).encode())
        stream.stdin.close()
        stream.stdout.readline()
        seconds, process = time.perf_counter() - begin, psutil.Process(stream.pid)
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        times.append(process.cpu_times())
        used = sum(one.user + one.system for one in times[:-1])
        used += times[-1].children_user + times[-1].children_system
        stream.kill()
    return used, seconds


def loaded(arguments: Sequence[str], folder: Path) -> set[str]:
    """Return the heavy packages that a command imports."""
    command = [sys.executable, "-X", "importtime", *RECIPES[1:], *arguments]
    told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stderr
    names = {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in told.splitlines()
             if line.startswith("import time:")}  # fmt: skip
    return names & HEAVY


def main(turns: int) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled modules
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare(folder)
        imports = {
            f"import {name}": [sys.executable, "-c", f"import {name}"]
            for name in ("onnxruntime", "ai_edge_litert.interpreter", "keras")
        }
        asked = {
            "xor": ["xor", "0,1"],
            "xor, in Keras": ["xor-keras", "0,1"],
            "lenet5, an array": ["lenet5", "seven.npy"],
            "lenet5, a picture": ["lenet5", "seven.png"],
            "lenet5, a picture, in Keras": ["lenet5-keras", "seven.png"],
            "lstm-anomaly, a log": ["log", "app.log"],
            "lstm-anomaly, a series": ["series", "load.csv"],
        }
        commands = {**imports, **{n: [*RECIPES, "predict", *a] for n, a in asked.items()}}
        commands["fit xor"] = [*RECIPES, "fit", "xor", "--out", "again"]
        took: dict[str, list[tuple[float, float]]] = {}
        for _ in range(turns):
            for name, command in commands.items():
                took.setdefault(name, []).append(whole(command, folder))
            took.setdefault("log, first row", []).append(first_row("log", LOG[:400], folder))
            took.setdefault("series, first row", []).append(
                first_row("series", SERIES[:200], folder)
            )
        table(took)
        for name, arguments in asked.items():
            print(
                f"{name}: {', '.join(loaded(['predict', *arguments], folder)) or 'none'} imported"
            )


def table(took: dict[str, list[tuple[float, float]]]) -> None:
    """Print medians, and the medians of the ratios in the same turn."""
    base = {name: [used for used, _ in took[f"import {name}"]] for name in ("onnxruntime", "keras")}
    for name, values in took.items():
        used, seconds = (statistics.median(column) for column in zip(*values, strict=True))
        ratios = [
            statistics.median(mine / its for (mine, _), its in zip(values, theirs, strict=True))
            for theirs in base.values()
        ]
        print(
            f"{name}: {used:.2f} s of processor time, {seconds:.2f} s; {ratios[0]:.1f} of import "
            f"onnxruntime, {ratios[1]:.2f} of import keras"
        )


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["5"])[0]))
