"""The speed and the memory of `recipes predict lstm-anomaly -` on a stream of lines.

    python benchmarks/streams.py metrics 1000000
    python benchmarks/streams.py logs 10000000
    python benchmarks/streams.py logs 300000 --before CHECKOUT --rounds 3

It fits the recipe on synthetic data, so no data is needed. Then it sends this number of similar
lines to the command, whose state is kept in a file. It measures the memory after a tenth of the
lines and at the end. The metrics have a daily rhythm and a record per minute, and the detector goes
on learning. The logs have orders, of which one in thirty goes wrong, and new order numbers every
day. The logs are sent twice: once without a stop, and once with a stop by SIGTERM after half of the
lines and a new start. Both must give the same answers.

With `--before`, another checkout answers the same lines, in turns with this one. The ratios are of
processor time per line, which depends little on other work of the machine.
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

ROOT = Path(__file__).resolve().parent.parent
PIECE = 10_000
RECIPES = [sys.executable, "-m", "keras_recipes"]


def records(count: int) -> Iterator[bytes]:
    """Yield a table with this number of records, in pieces."""
    random = np.random.default_rng(0)
    yield b"timestamp,requests\n"
    for first in range(0, count, PIECE):
        rows = np.arange(first, min(first + PIECE, count))
        values = 400 + 300 * np.sin(rows / 1440 * 2 * np.pi) + random.normal(0, 20, len(rows))
        times = np.datetime64("2024-01-15T00:00:00") + rows.astype("timedelta64[m]")
        lines = zip(np.datetime_as_string(times), values.round(1).tolist(), strict=True)
        yield "".join(f"{when},{value}\n" for when, value in lines).encode()


def log_lines(first: int, last: int) -> Iterator[bytes]:
    """Yield the lines from `first` up to `last` of an endless log, a piece for each day."""
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
    """Return the processor time in seconds, which depends little on other work of the machine."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Return the memory in MiB, on Linux."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


@dataclass
class Sample:
    """Measurements of a process: the time, its processor time and its memory."""

    seconds: float
    computed: float
    resident: float


def sample(process: int) -> Sample:
    return Sample(time.perf_counter(), computed(process), resident(process))


def wait_until_idle(process: int, pipe: int) -> None:
    """Wait until the process has read and processed all that was written."""
    spent = -1.0
    while unread(pipe) or computed(process) != spent:
        spent = computed(process)
        time.sleep(2)


def unread(pipe: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def stream(
    command: list[str],
    pieces: Iterable[bytes],
    lines: int,
    *,
    stop: bool = False,
    checkout: Path | None = None,
) -> tuple[list[bytes], Sample, Sample]:
    """Send lines to a command; return its answers and samples after a tenth and at the end."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)} if checkout else None,
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
        f"{what}: {lines:,} lines, {counted / seconds:,.0f} per second, "
        f"{1000 * seconds / counted:.3f} ms per line ({1000 * spent / counted:.3f} ms of processor "
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
    report("logs, without a stop", count, *seen)
    command = asking(model, f"{folder}/halves")
    begun, *seen = stream(command, log_lines(0, half), half, stop=True)
    report("logs, until SIGTERM", half, *seen)
    ended, *seen = stream(command, log_lines(half, count), count - half)
    report("logs, started again", count - half, *seen)
    same = "the same answers" if whole == begun + ended[1:] else "DIFFERENT answers"
    print(f"{len(whole) - 1:,} answers, {sum(is_anomaly(whole)):,} of them anomalies; "
          f"stopped and started again: {same}")  # fmt: skip


def compare(kind: str, count: int, folder: str, before: Path, rounds: int) -> None:
    """Send the same lines to another checkout and to this one, in turns."""
    model = fitted(demonstration.METRICS if kind == "metrics" else demonstration.NAME, folder)
    ratios, answers = [], dict[str, set[bytes]]()
    for number in range(rounds):
        spent = {}
        for name, checkout in (("before", before), ("after", ROOT)):
            pieces = records(count) if kind == "metrics" else log_lines(0, count)
            command = asking(model, f"{folder}/{name}-{number}")
            rows, early, late = stream(command, pieces, count, checkout=checkout)
            report(f"{kind}, {name}", count, early, late)
            spent[name], answers[name] = late.computed - early.computed, set(rows)
        ratios.append(spent["after"] / spent["before"])
    same = len(answers["before"] & answers["after"]) / len(answers["before"])
    print(f"processor time per line, after / before: {', '.join(f'{r:.3f}' for r in ratios)}; "
          f"mean {np.mean(ratios):.3f}, spread {np.ptp(ratios):.3f}; {same:.2%} of the answers "
          "are the same")  # fmt: skip


def is_anomaly(rows: list[bytes]) -> list[bool]:
    column = rows[0].rstrip().split(b",").index(b"anomaly")
    return [row.split(b",")[column] == b"1" for row in rows[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["metrics", "logs"])
    parser.add_argument("count", type=int)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.before:
            compare(asked.kind, asked.count, folder, asked.before.resolve(), asked.rounds)
            return
        (metrics if asked.kind == "metrics" else logs)(asked.count, folder)


if __name__ == "__main__":
    main()
