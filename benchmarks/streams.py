"""Lines through `recipes predict lstm-anomaly -`: how many a second, in how much memory.

    python benchmarks/streams.py metrics 1000000
    python benchmarks/streams.py logs 10000000

Fits a demonstration (synthetic, no data needed), then feeds so many lines like it to the real
command line, its state kept in a file, and looks at its memory at a tenth of them and at the end.
Metrics: a day's rhythm, a record a minute; the series is learned on. Logs: orders of which one in
thirty goes wrong, a day a pass with order numbers of its own; once in one go, once stopped by
SIGTERM after half of the lines and started again, and whether the answers are the same.
"""

import argparse
import datetime
import fcntl
import itertools
import os
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_recipes.data import demonstration

PIECE = 10_000
RECIPES = [sys.executable, "-m", "keras_recipes"]


def records(count: int) -> Iterator[bytes]:
    """A table with so many records, in pieces."""
    random = np.random.default_rng(0)
    yield b"timestamp,requests\n"
    for first in range(0, count, PIECE):
        rows = np.arange(first, min(first + PIECE, count))
        values = 400 + 300 * np.sin(rows / 1440 * 2 * np.pi) + random.normal(0, 20, len(rows))
        times = np.datetime64("2024-01-15T00:00:00") + rows.astype("timedelta64[m]")
        lines = zip(np.datetime_as_string(times), values.round(1).tolist(), strict=True)
        yield "".join(f"{when},{value}\n" for when, value in lines).encode()


def log_lines(first: int, last: int) -> Iterator[bytes]:
    """The lines from `first` up to `last` of a log without end, a piece for each day."""
    day, lines = datetime.date(2026, 1, 5), demonstration.broken()
    text = b"\n".join(lines) + b"\n"
    for number in itertools.count(first // len(lines)):
        begin = number * len(lines)
        if begin >= last:
            return
        today = (day + datetime.timedelta(number)).isoformat().encode()
        piece = text.replace(day.isoformat().encode(), today)
        piece = piece.replace(b"order-2", b"order-%d" % (1000 + number))
        kept = piece.splitlines(keepends=True)[max(0, first - begin) : last - begin]
        yield b"".join(kept)


def computed(process: int) -> float:
    """Seconds of processor time, which other work on the machine makes little longer."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """MiB of memory, on Linux."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


@dataclass
class Sample:
    """What was seen of a process."""

    seconds: float
    computed: float
    resident: float


def sample(process: int) -> Sample:
    return Sample(time.perf_counter(), computed(process), resident(process))


def wait_until_idle(process: int, pipe: int) -> None:
    """Until all that was written was read and worked off."""
    spent = -1.0
    while unread(pipe) or computed(process) != spent:
        spent = computed(process)
        time.sleep(2)


def unread(pipe: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def stream(
    command: list[str], pieces: Iterable[bytes], lines: int, *, stop: bool = False
) -> tuple[list[bytes], Sample, Sample]:
    """Feeds a command; its answers, and what was seen of it after a tenth and at the end."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        source, answers, seen = process.stdin, process.stdout, list[Sample]()
        rows: list[bytes] = []
        reader = threading.Thread(target=lambda: rows.extend(answers), daemon=True)
        reader.start()
        written = 0
        for piece in pieces:
            source.write(piece)
            written += piece.count(b"\n")
            if not seen and written >= lines // 10:
                seen.append(sample(process.pid))
        source.flush()
        wait_until_idle(process.pid, source.fileno())
        seen.append(sample(process.pid))
        if stop:
            process.send_signal(signal.SIGTERM)
        else:
            source.close()
        reader.join()
    return rows, seen[0], seen[1]


def report(what: str, lines: int, early: Sample, late: Sample) -> None:
    seconds, spent = late.seconds - early.seconds, late.computed - early.computed
    counted = 0.9 * lines
    print(
        f"{what}: {lines:,} lines, {counted / seconds:,.0f} a second, "
        f"{1000 * seconds / counted:.3f} ms each ({1000 * spent / counted:.3f} ms of processor "
        f"time); memory {early.resident:.0f} MiB after a tenth, {late.resident:.0f} MiB at the end",
        flush=True,
    )


def fitted(data: str, folder: str) -> str:
    model = f"{folder}/model"
    fit = [*RECIPES, "fit", "lstm-anomaly", "--data", data, "--out", model]
    subprocess.run(fit, check=True, capture_output=True)
    return model


def asking(model: str, state: str) -> list[str]:
    return [*RECIPES, "predict", model, "-", "--format", "csv", "--set", f"state={state}"]


def metrics(count: int, folder: str) -> None:
    model = fitted(demonstration.METRICS, folder)
    rows, early, late = stream(asking(model, f"{folder}/state"), records(count), count)
    report("metrics", count, early, late)
    print(f"{len(rows) - 1:,} answers, {sum(is_anomaly(rows)):,} of them alarms")


def logs(count: int, folder: str) -> None:
    model, half = fitted(demonstration.NAME, folder), count // 2
    whole, *seen = stream(asking(model, f"{folder}/whole"), log_lines(0, count), count)
    report("logs, in one go", count, *seen)
    command = asking(model, f"{folder}/halves")
    begun, *seen = stream(command, log_lines(0, half), half, stop=True)
    report("logs, until SIGTERM", half, *seen)
    ended, *seen = stream(command, log_lines(half, count), count - half)
    report("logs, started again", count - half, *seen)
    same = "the same" if whole == begun + ended[1:] else "OTHERS"
    print(f"{len(whole) - 1:,} answers, {sum(is_anomaly(whole)):,} of them anomalies; "
          f"stopped and started again: {same}")  # fmt: skip


def is_anomaly(rows: list[bytes]) -> list[bool]:
    column = rows[0].rstrip().split(b",").index(b"anomaly")
    return [row.split(b",")[column] == b"1" for row in rows[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["metrics", "logs"])
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (metrics if asked.kind == "metrics" else logs)(asked.count, folder)


if __name__ == "__main__":
    main()
