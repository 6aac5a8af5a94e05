"""Fit 40 series on two Ray nodes, lose a node and the driver: python -m benchmarks.fleet [COUNT].

The series are synthetic, one file each; three files are bad. Two nodes of one processor each run on
the loopback device. The driver is killed by SIGKILL after a quarter of the models and started
again; the second node is killed after a half. In the end every model has to be there, made once,
with the bytes of a fit in one process, one after the other; of the card, all but the seconds. Ten
are timed without losses, and all one by one in one process, and some by `recipes fit`.
"""

import argparse
import json
import logging
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

BAD = {"empty": "", "short": "timestamp,cpu\n1,2\n", "text": "no table\n" * 50}
RECORDS, EPOCHS, LENGTH = 200, 2, 32
SINGLE = 2
"""The number of fits by `recipes fit`, a process each, that are timed."""

PATIENCE = 1_800
RECIPES = (sys.executable, "-m", "keras_recipes")


def main() -> None:
    """Run both and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=40, help="files, the bad ones too")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        names = write_series(count - len(BAD))
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"{len(names)} series of {RECORDS} records and {len(BAD)} bad files, {EPOCHS} epochs")
        with_losses(names)
        calm = without_losses(names)
        one_by_one(names)
        for made, asked in (("lossy", names), ("calm", calm), ("command", names[:SINGLE])):
            equal = (files_of(Path(made, name)) == files_of(Path("single", name)) for name in asked)
            print(f"{made}: {sum(equal)} of {len(asked)} models equal those of single fits")


def write_series(count: int) -> list[str]:
    """Write the files, and return the names of the good ones."""
    Path("series").mkdir()
    for name, text in BAD.items():
        Path("series", f"{name}.csv").write_text(text)
    names = [f"host-{number:02}" for number in range(count)]
    for number, name in enumerate(names):
        rows = [
            f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00,"
            f"{10 + math.sin(minute / (5 + number)) + 0.3 * math.sin(2.3 * minute + number):.4f}"
            for minute in range(RECORDS)
        ]
        Path("series", f"{name}.csv").write_text("\n".join(["timestamp,cpu", *rows]) + "\n")
    return names


def with_losses(names: list[str]) -> None:
    """Fit on two nodes; kill the driver after a quarter of the models, a node after a half."""
    from keras_recipes.fleet import cluster

    os.environ.update(cluster.SETTINGS)
    from ray.cluster_utils import Cluster

    settings: dict[str, Any] = {"num_cpus": 1, "object_store_memory": cluster.OBJECT_STORE}
    nodes = Cluster(initialize_head=True, head_node_args={**settings, "include_dashboard": False})
    second = nodes.add_node(**settings)
    nodes.wait_for_nodes()
    begun = time.monotonic()
    try:
        first = driver("lossy", "first.log", nodes.address)
        wait_for(len(names) // 4)
        first.kill()
        first.wait()
        there = times_of(names)
        print(
            f"driver killed after {time.monotonic() - begun:.0f} s with {len(there)} models there"
        )
        again = driver("lossy", "second.log", nodes.address)
        wait_for(len(names) // 2)
        nodes.remove_node(second, allow_graceful=False)
        print(f"second node killed after {time.monotonic() - begun:.0f} s")
        status = again.wait(PATIENCE)
    finally:
        nodes.shutdown()
    text = Path("second.log").read_text()
    done = Counter([*there, *re.findall(r"^(host-\d+): done", text, re.MULTILINE)])
    same = sum(times_of(names)[name] == written for name, written in there.items())
    workers = set(re.findall(r"by process (\S+)", text))
    print(f"exit status {status} after {time.monotonic() - begun:.0f} s")
    print(f"{len(done)} models, each made {max(done.values())} time; {len(workers)} workers")
    print(f"{same} of {len(there)} models of the first driver were left as they were")
    print(*text.splitlines()[-5:], sep="\n")


def driver(
    out: str, log: str, address: str | None, data: str = "series/*.csv"
) -> "subprocess.Popen[bytes]":
    """Start the command that fits all files."""
    options = ["--set", f"epochs={EPOCHS}", "--set", f"length={LENGTH}"]
    where = ["--address", address] if address else []
    command = [*RECIPES, "-v", "fleet", "fit", "lstm-anomaly", "--data", data]
    with Path(log).open("w") as file:
        return subprocess.Popen([*command, "--out", out, *options, *where], stderr=file)


def times_of(names: list[str]) -> dict[str, int]:
    """Return when each model that is there was saved."""
    cards = {name: Path("lossy", name, "card.json") for name in names}
    return {name: card.stat().st_mtime_ns for name, card in cards.items() if card.exists()}


def wait_for(count: int) -> None:
    """Wait until so many models are there."""
    end = time.monotonic() + PATIENCE
    while len(list(Path("lossy").glob("host-*"))) < count:
        if time.monotonic() > end:
            raise TimeoutError("the models did not come")
        time.sleep(0.05)


def without_losses(names: list[str]) -> list[str]:
    """Time the command on the cores of this machine, and return the names of what it fitted."""
    begun = time.monotonic()
    driver("calm", "calm.log", None, data="series/host-0*.csv").wait(PATIENCE)
    seconds = time.monotonic() - begun
    fitted = [name for name in names if Path("calm", name).exists()]
    each = seconds / len(fitted)
    print(f"fleet, start included: {len(fitted)} models in {seconds:.0f} s, {each:.1f} s each")
    return fitted


def one_by_one(names: list[str]) -> None:
    """Time the same fits in one process, and some as a process each."""
    begun = time.monotonic()
    for name in names[:SINGLE]:
        options = ["--set", f"epochs={EPOCHS}", "--set", f"length={LENGTH}"]
        data = ["--data", f"series/{name}.csv", "--out", f"command/{name}"]
        command = [*RECIPES, "-q", "fit", "lstm-anomaly", "--device", "cpu", *data, *options]
        subprocess.run(command, check=True, capture_output=True)
    seconds = (time.monotonic() - begun) / SINGLE
    print(f"`recipes fit`, a process each: {seconds:.1f} s a model (mean of {SINGLE})")
    begun = time.monotonic()
    from keras_recipes import backend, fit

    backend.start("cpu")
    import keras

    logging.disable(logging.WARNING)

    for name in names:
        keras.backend.clear_session()
        fit(
            "lstm-anomaly",
            [f"series/{name}.csv"],
            out=f"single/{name}",
            device="cpu",
            show_progress=False,
            epochs=EPOCHS,
            length=LENGTH,
        )
    seconds = time.monotonic() - begun
    print(f"one by one in one process: {seconds:.0f} s, {seconds / len(names):.1f} s a model")


def files_of(folder: Path) -> dict[str, Any]:
    """Return the files of a model; of the card, all but the seconds."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    found["card.json"] = json.loads(found["card.json"])
    found["card.json"]["training"].pop("seconds")
    return found


if __name__ == "__main__":
    main()
