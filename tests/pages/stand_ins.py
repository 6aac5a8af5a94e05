"""Files and programs of the names that README and pages use, made in the present folder."""

import csv
import gzip
import io
import json
import math
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from keras_recipes.data import demonstration
from tests.legacy import legacy_files

PLACES = {"/var/log/app/": "var/log/app/"}
"""What pages name outside the present folder, and where its stand-in lies."""


def make(folder: Path) -> None:
    """Makes them all below the folder; programs in its `bin`."""
    _pictures(folder)
    _logs(folder)
    _tables(folder)
    _old_models(folder)
    _programs(folder / "bin")


def _pictures(folder: Path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images[:40], digits.target, strict=False)):
        grey = Image.fromarray((255 - image * 15.9).astype("uint8")).resize((64, 64))
        path = folder / "scans" / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        grey.save(path)
    shutil.copy(folder / "scans" / "7" / "7.png", folder / "digit.png")
    Image.open(folder / "digit.png").resize((400, 300)).save(folder / "photo.jpg")
    date = Image.new("L", (128, 64), 255)
    for place, name in enumerate(("1/1.png", "2/2.png")):
        date.paste(Image.open(folder / "scans" / name), (64 * place, 0))
    date.save(folder / "date.png")


def _logs(folder: Path) -> None:
    lines = demonstration.normal()
    logs = folder / "var" / "log" / "app"
    logs.mkdir(parents=True)
    (logs / "app.log.1.gz").write_bytes(gzip.compress(b"\n".join(lines[:9_000]) + b"\n"))
    (logs / "app.log").write_bytes(b"\n".join(lines[9_000:]) + b"\n")
    today = b"\n".join(demonstration.broken()[:3_000]) + b"\n"
    (folder / "today.log").write_bytes(today)
    (folder / "app.log").write_bytes(today)


def _tables(folder: Path) -> None:
    for name, first_day, days in (("metrics.csv", 1, 14), ("today.csv", 15, 1)):
        (folder / name).write_text("".join(_table(first_day, days)))


def _table(first_day: int, days: int) -> Iterator[str]:
    number, begin = random.Random(first_day), datetime(2026, 6, first_day)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", "requests"])
    for i in range(144 * days):
        usual = 500 + 300 * math.sin(2 * math.pi * i / 144) + number.gauss(0, 20)
        writer.writerow([begin + timedelta(minutes=10 * i), f"{usual:.0f}"])
    yield text.getvalue()


def _old_models(folder: Path) -> None:
    """A pair as Keras 1.2 wrote it, and a whole model of Keras 2 in one file."""
    kernel, bias = np.array([[1.0], [2.0]], "float32"), np.array([0.5], "float32")
    dense = {"batch_input_shape": [None, 2], "output_dim": 1, "activation": "linear"}
    (folder / "old.json").write_text(json.dumps(legacy_files.sequential(("Dense", dense))))
    arrays = [("dense_1_W", kernel), ("dense_1_b", bias)]
    (folder / "old.h5").write_bytes(legacy_files.weights_file({"dense_1": arrays}))
    x = np.array([[0, 1], [1, 1]], "float32")
    np.save(folder / "x.npy", x)
    np.savez(folder / "x-and-y.npz", x=x, y=x @ kernel + bias)
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "layers": [
                {
                    "class_name": "Dense",
                    "config": {
                        "name": "dense",
                        "batch_input_shape": [None, 2],
                        "units": 1,
                        "activation": "linear",
                    },
                }
            ],
        },
    }
    with h5py.File(folder / "whole-model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense"]
        group = weights.create_group("dense")
        group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        group.create_dataset("dense/kernel:0", data=kernel)
        group.create_dataset("dense/bias:0", data=bias)


def _programs(folder: Path) -> None:
    """`tail`, which ends, and `collector`, which is whatever a reader collects with."""
    folder.mkdir()
    for name, text in {
        "tail": '#!/bin/sh\nfor file; do :; done\nexec cat "$file"\n',
        "collector": "#!/bin/sh\nexec cat today.csv\n",
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
