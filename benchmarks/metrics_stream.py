"""Records through `recipes predict lstm-anomaly -`: how many a second, in how much memory.

    python benchmarks/metrics_stream.py 1000000

Fits the demonstration series, then feeds so many synthetic records to the real command line,
which learns on, and looks at its memory at a tenth of them and at the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

PIECE = 10_000


def records(count: int) -> Iterator[bytes]:
    """A day's rhythm with noise, a record a minute."""
    random = np.random.default_rng(0)
    yield b"timestamp,requests\n"
    for first in range(0, count, PIECE):
        rows = np.arange(first, min(first + PIECE, count))
        values = 400 + 300 * np.sin(rows / 1440 * 2 * np.pi) + random.normal(0, 20, len(rows))
        times = np.datetime64("2024-01-15T00:00:00") + rows.astype("timedelta64[m]")
        lines = zip(np.datetime_as_string(times), values.round(1).tolist(), strict=True)
        yield "".join(f"{when},{value}\n" for when, value in lines).encode()


def computed(process: int) -> float:
    """Seconds of processor time, which other work on the machine makes little longer."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """MiB of memory, on Linux."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", type=int)
    count = parser.parse_args().count
    recipes = [sys.executable, "-m", "keras_recipes"]
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model"
        fit = [*recipes, "fit", "lstm-anomaly", "--data", "demo-metrics", "--out", model]
        subprocess.run(fit, check=True, capture_output=True)
        command = [*recipes, "predict", model, "-", "--format", "csv"]
        command += ["--set", f"state={folder}/state.npz"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            measure(process, count)


def measure(process: "subprocess.Popen[bytes]", count: int) -> None:
    assert process.stdin is not None and process.stdout is not None
    source = process.stdin

    def feed() -> None:
        for piece in records(count):
            source.write(piece)
        source.close()

    threading.Thread(target=feed, daemon=True).start()
    process.stdout.readline()
    process.stdout.readline()
    start, rows, alarms = time.perf_counter(), 1, 0
    early, late, spent = 0.0, 0.0, [0.0, 0.0]
    for row in process.stdout:
        rows += 1
        alarms += row.split(b",")[3] == b"1"
        if rows == count // 10:
            early, spent[0] = resident(process.pid), computed(process.pid)
        if rows == count - 1:
            late, spent[1] = resident(process.pid), computed(process.pid)
    seconds = time.perf_counter() - start
    print(
        f"{rows:,} records in {seconds:.0f} s: {rows / seconds:,.0f} a second, "
        f"{1000 * seconds / rows:.3f} ms each "
        f"({1000 * (spent[1] - spent[0]) / (0.9 * count):.3f} ms of processor time); "
        f"{alarms:,} alarms; "
        f"memory {early:.0f} MiB after a tenth, {late:.0f} MiB at the end"
    )


if __name__ == "__main__":
    main()
