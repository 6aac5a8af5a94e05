"""A day's stream in ten minutes, with bad lines of every kind: python -m benchmarks.soak.

    python -m benchmarks.soak --minutes 3 --kind metrics

A day of metrics, a record each second, and as many lines of a log are sent to `recipes predict
lstm-anomaly -`, evenly over the minutes. After each thousand good lines comes one of every kind of
junk that the tests know. Every good record has to be answered once, and every session of good lines
has to have a row. The memory is printed ten times on the way.

It fits the recipe on synthetic data, so no data is needed.
"""

import argparse
import csv
import io
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from benchmarks.streams import ROOT, log_lines, records, resident
from keras_recipes.data import demonstration
from tests.anomaly import junk

DAY = 86_400
EVERY = 1_000
"""The number of good lines between two of junk, of each kind."""

RECIPES = [sys.executable, "-m", "keras_recipes"]
SESSION = re.compile(rb"order-\d+")


def fitted(data: str, folder: str) -> str:
    model = f"{folder}/model"
    fit = [*RECIPES, "fit", "lstm-anomaly", "--data", data, "--out", model, "--epochs", "3"]
    subprocess.run(fit, check=True, capture_output=True, cwd=ROOT)
    return model


def metrics() -> Iterator[bytes]:
    """Yield a header and a day of records."""
    pieces = records(DAY)
    yield next(pieces)
    for piece in pieces:
        yield from piece.splitlines(keepends=True)


def logs() -> Iterator[bytes]:
    for piece in log_lines(0, DAY):
        yield from piece.splitlines(keepends=True)


def spoiled(good: Iterable[bytes], kinds: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the lines with one of each kind of junk after each thousand, and how much it is."""
    some = b"".join(line + b"\n" for line in kinds)
    for number, line in enumerate(good, 1):
        yield line, 0
        if number % EVERY == 0:
            yield some, some.count(b"\n")


def sent(
    command: list[str], lines: Iterable[tuple[bytes, int]], minutes: float, expect: int
) -> tuple[list[bytes], list[float], int, str]:
    """Send lines evenly; return the answers, the memory in MiB, the bad lines and the messages."""
    rows: list[bytes] = []
    said: list[bytes] = []
    memory: list[float] = []
    bad = number = 0
    begin = time.monotonic()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT) as process:
        assert process.stdin and process.stdout and process.stderr
        source, answers, messages = process.stdin, process.stdout, process.stderr
        readers = [
            threading.Thread(target=rows.extend, args=(answers,), daemon=True),
            threading.Thread(target=said.extend, args=(messages,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        for line, junk_lines in lines:
            source.write(line)
            bad += junk_lines
            number += not junk_lines
            if number % 100 == 0:
                source.flush()
                ahead = number / expect * 60 * minutes - (time.monotonic() - begin)
                time.sleep(max(0.0, ahead))
            if not junk_lines and number % (expect // 10) == 0:
                memory.append(resident(process.pid))
        source.close()
        for reader in readers:
            reader.join()
    assert process.returncode == 0, b"".join(said)
    return rows, memory, bad, b"".join(said).decode()


def soak(kind: str, minutes: float) -> bool:
    """Print what came of a day's stream; return whether all good lines were answered."""
    good = list(metrics() if kind == "metrics" else logs())
    kinds = [*junk.ROWS.values()] if kind == "metrics" else [*junk.LINES.values()]
    with tempfile.TemporaryDirectory() as folder:
        model = fitted(demonstration.METRICS if kind == "metrics" else demonstration.NAME, folder)
        command = [*RECIPES, "predict", model, "-", "--format", "csv"]
        begin = time.monotonic()
        rows, memory, bad, said = sent(command, spoiled(good, kinds), minutes, len(good))
        took = time.monotonic() - begin
    answers = Counter(
        row[0] for row in list(csv.reader(io.StringIO(b"".join(rows).decode())))[1:] if row
    )
    if kind == "metrics":
        wanted = [line.split(b",")[0].decode() for line in good[1:]]
        missing = sum(answers[name] != 1 for name in wanted)
    else:
        keys = {key.decode() for line in good if (found := SESSION.findall(line)) for key in found}
        wanted = sorted(keys)
        missing = sum(not answers[name] for name in wanted)
    what = "records" if kind == "metrics" else "sessions"
    print(
        f"{kind}: {len(good):,} good lines and {bad:,} bad ones of {len(kinds)} kinds in "
        f"{took:,.0f} s; {len(wanted):,} {what}, {missing:,} without an answer; "
        f"{len(said.splitlines()):,} lines of messages; memory in MiB after each tenth: "
        f"{', '.join(f'{m:.0f}' for m in memory)}",
        flush=True,
    )
    return not missing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kind", choices=["metrics", "logs"], action="append")
    asked = parser.parse_args()
    answered = [soak(kind, asked.minutes) for kind in asked.kind or ["metrics", "logs"]]
    sys.exit(not all(answered))


if __name__ == "__main__":
    main()
