"""Bombs in data: tables, logs, regular expressions of a card, and states that are resumed.

A record that cannot be read is passed over, so an answer is right in tables and logs.
"""

import gzip
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks import bomb
from benchmarks.bomb import LARGE, Arguments, Bomb
from keras_recipes.data import demonstration

LINES = 600
MEGABYTE = 1_000_000


@cache
def model(kind: str) -> Path:
    """Fit a small model of logs or of metrics; it counts as one from elsewhere."""
    place, data = bomb.kept / kind, bomb.kept / f"{kind}.txt"
    data.write_bytes(honest(kind))
    fit = ["fit", "lstm-anomaly", "--data", str(data), "--epochs", "1", "--out", str(place)]
    command = [sys.executable, "-m", "keras_recipes", *fit, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    card = place / "card.json"
    card.write_text(card.read_text().replace('"recipe"', ' "recipe"', 1))
    return place


def honest(kind: str) -> bytes:
    """Return a log or a table of metrics."""
    if kind == "logs":
        return b"\n".join(demonstration.normal()[:LINES]) + b"\n"
    minutes = np.arange(LINES)
    times = np.datetime_as_string(np.datetime64("2026-01-05T00:00") + minutes)
    values = 400 + 300 * np.sin(minutes / 144 * np.pi)
    rows = [f"{when},{value:.1f}\n" for when, value in zip(times, values.tolist(), strict=True)]
    return ("time,requests\n" + "".join(rows)).encode()


def asked(folder: Path, kind: str, name: str, content: Callable[[], bytes]) -> Arguments:
    """Write an input of a model."""
    (folder / name).write_bytes(content())
    return [str(model(kind)), name]


def of_tables() -> Iterator[Bomb]:
    """Return the bombs of tables of numbers."""
    head, later = b"time,requests\n2026-01-05T00:00,5\n", b"\n2026-01-05T00:05,5\n"
    tables: dict[str, tuple[str, Callable[[], bytes]]] = {
        "a line of 99 MB": ("t.csv", lambda: head + b"1," * 49_500_000 + later),
        "a quote that is never closed": (
            "t.csv",
            lambda: head + b'2026-01-05T00:01,"' + b"5\n" * 20_000_000,
        ),
        "quotes, 30 MB": ("t.csv", lambda: head + b'"' * 30_000_000 + later),
        "two million columns": (
            "t.csv",
            lambda: b"time," + b",".join(b"c%d" % n for n in range(2_000_000)) + b"\n",
        ),
        "one column's name a million times": ("t.csv", lambda: b"time" + b",c" * MEGABYTE + b"\n"),
        "a column's name of 50 MB": ("t.csv", lambda: b"time," + b"c" * 50_000_000 + later),
        "a number of ten million digits": (
            "t.csv",
            lambda: head + b"2026-01-05T00:01," + b"9" * 10_000_000 + later,
        ),
        "a time of ten million digits": ("t.csv", lambda: head + b"9" * 10_000_000 + b",5" + later),
        "eight thousand years between records": (
            "t.csv",
            lambda: head + b"9999-12-31T23:59,5\n9999-12-31T23:58,5\n0001-01-01T00:00,5\n",
        ),
        "1 GB of zeros in a .gz": ("t.csv.gz", lambda: gzip.compress(bytes(LARGE), 9)),
        "0.5 GB of line ends in a .gz": (
            "t.csv.gz",
            lambda: gzip.compress(head + b"\n" * (LARGE // 2), 9),
        ),
        "0.5 GB of one line in a .gz": (
            "t.csv.gz",
            lambda: gzip.compress(head + b"5" * (LARGE // 2), 9),
        ),
        "an object of 45,000 long names": (
            "t.jsonl",
            lambda: (
                b'{"time": 1767571200, "requests": 5}\n{"%s": {%s}}\n'
                % (b"k" * 500_000, b",".join(b'"%x": 1' % n for n in range(45_000)))
            ),
        ),
        "a JSON line 400,000 deep": (
            "t.jsonl",
            lambda: b'{"time": 1767571200, "requests": 5}\n' + b'{"a":' * 400_000 + later,
        ),
        "40 MB of a JSON text": (
            "t.jsonl",
            lambda: b'{"time": 1767571200, "requests": "' + b"\\u0041" * 7_000_000 + b'"}\n',
        ),
    }
    for name, (file, content) in tables.items():
        made = partial(asked, kind="metrics", name=file, content=content)
        yield Bomb("tables", name, made, answered=True)


def of_logs() -> Iterator[Bomb]:
    """Return the bombs of logs."""

    def line(text: bytes, second: int = 0) -> bytes:
        return b"2026-01-05 08:00:%02d.000 INFO shop.Basket: %s\n" % (second % 60, text)

    def many(text: str, count: int) -> Callable[[], bytes]:
        return lambda: b"".join(line((text % n).encode(), n) for n in range(count))

    after = line(b"order-100000 item 28519 added")
    logs: dict[str, tuple[str, Callable[[], bytes]]] = {
        "keys of a megabyte": (
            "a.log",
            lambda: b"".join(
                line(b"order-%d%s created by customer 1" % (n, b"a" * 900_000)) for n in range(150)
            ),
        ),
        "digits of a megabyte": (
            "a.log",
            lambda: b"".join(line(b"order-%s item 1 added" % (b"7" * 900_000)) for _ in range(99)),
        ),
        "a line of 99 MB": ("a.log", lambda: line(b"x" * 99_000_000) + after),
        "a line of 30 million words": ("a.log", lambda: line(b"x " * 30_000_000) + after),
        "NULs, 99 MB": ("a.log", lambda: bytes(99_000_000) + b"\n" + after),
        "carriage returns, 30 MB": ("a.log", lambda: b"\r" * 30_000_000 + b"\n" + after),
        "60,000 templates": (
            "a.log",
            lambda: b"".join(
                line(b"order-1 %s happened" % _word(n).encode(), n) for n in range(60_000)
            ),
        ),
        "60,000 sessions": ("a.log", many("order-%d created by customer 1", 60_000)),
        "times that go back and forth": (
            "a.log",
            lambda: b"".join(
                b"%04d-01-01 00:00:00.000 INFO shop.Basket: order-1 created by customer 1\n"
                % (1 + 4999 * (n % 2))
                for n in range(20_000)
            ),
        ),
        "0.5 GB of one line in a .gz": (
            "a.log.gz",
            lambda: gzip.compress(after + b"a" * (LARGE // 2), 9),
        ),
        "1 GB of NULs in a .gz": ("a.log.gz", lambda: gzip.compress(bytes(LARGE), 9)),
        "a .gz in a .gz": (
            "a.log.gz",
            lambda: gzip.compress(gzip.compress(bytes(LARGE), 9), 9),
        ),
    }
    for name, (file, content) in logs.items():
        made = partial(asked, kind="logs", name=file, content=content)
        yield Bomb("logs", name, made, answered=True)


def _word(number: int) -> str:
    """Return a word of letters for a number."""
    letters = ""
    while number or not letters:
        number, rest = divmod(number, 26)
        letters += chr(97 + rest)
    return letters * 3


EXPRESSIONS = {
    "(a+)+$": "a" * 60 + "b",
    "(a|a)*b": "a" * 60,
    "(.*)*x$": "a" * 60 + "y",
    "(a*)*(b*)*c": "ab" * 40,
    "^(([a-z])+.)+[A-Z]([a-z])+$": "a" * 60,
    "(?:a?){40}a{40}": "a" * 40 + "b" * 9,
    "(.*?,){40}P": "1," * 60,
    r"(\w+\s?)+:$": "word " * 40,
}
"""Regular expressions that take very long, and the text for which they do."""


def of_expressions() -> Iterator[Bomb]:
    """Return the bombs of a card whose sessions are found by a regular expression."""

    def with_rule(folder: Path, key: str, text: str) -> Arguments:
        shutil.copytree(model("logs"), folder / "m")
        path = folder / "m" / "card.json"
        card = json.loads(path.read_text())
        rule = {"by": "regex", "key": key, "window": 0.0, "idle": 0.0}
        card["learned"]["layout"]["sessions"] = rule
        path.write_text(json.dumps(card))
        line = f"2026-01-05 08:00:24.352 INFO shop.Basket: {text}\n"
        (folder / "a.log").write_text(line * 50)
        return ["./m", "a.log"]

    for key, text in EXPRESSIONS.items():
        made = partial(with_rule, key=key, text=text)
        yield Bomb("regular expressions", key, made, answered=True)
    for key in ("(?:(?:a{1,900}){1,900}){1,900}", "(" * 90 + "a" + ")" * 90, "a{0,4294967294}"):
        yield Bomb(
            "regular expressions",
            f"{key[:30]}, which is large",
            partial(with_rule, key=key, text="a" * 60),
            answered=True,
        )


def of_checkpoints() -> Iterator[Bomb]:
    """Return the bombs of a fit that is resumed, and of a stream's state."""

    def resumed(folder: Path, members: Callable[[], dict[str, bytes]]) -> Arguments:
        _archive(folder / ".c.checkpoint.npz", members())
        return ["fit", "xor", "--resume", "--out", "c"]

    def state(folder: Path, members: Callable[[], dict[str, bytes]]) -> Arguments:
        _archive(folder / "state", members())
        return [str(model("logs")), "-", "--set", "state=state"]

    files: dict[str, Callable[[], dict[str, bytes]]] = {
        "1.1 GB of zeros": lambda: {
            f"variable_{n}.npy": _array(np.zeros(5_500_000, "float32")) for n in range(50)
        },
        "a header of 9 GB": lambda: {"variable_0.npy": _header((LARGE, 9))},
        "60,000 arrays": lambda: {
            f"variable_{n}.npy": _array(np.zeros(1, "float32")) for n in range(60_000)
        },
        "plain values of 0.2 GB": lambda: {
            "meta.npy": _array(np.full(200_000_000, 32, "uint8")),
        },
        "plain values 200,000 deep": lambda: {
            "meta.npy": _array(np.frombuffer(b"[" * 200_000, "uint8")),
        },
        "a history of 30 million epochs": lambda: {
            "history_loss.npy": _array(np.zeros(30_000_000, "float64")),
        },
    }
    meta = json.dumps({"made_of": {}, "restarts": 0, "seconds": 1.0}).encode()
    plain = {"meta.npy": _array(np.frombuffer(meta, "uint8"))}
    for name, members in files.items():

        def whole(members: Callable[[], dict[str, bytes]] = members) -> dict[str, bytes]:
            return {**plain, **members()}

        yield Bomb("checkpoints", name, partial(resumed, members=whole))
        yield Bomb("states of streams", name, partial(state, members=whole), answered=True)


def _array(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _header(shape: tuple[int, ...]) -> bytes:
    """Return an array that has a shape and no values."""
    empty = _array(np.zeros((), "float32"))
    text = f"{shape}, }}".encode()
    found = re.search(rb"\(\), }\s*\n", empty)
    assert found
    return empty[: found.start()] + text.ljust(found.end() - found.start() - 1) + b"\n"


def _archive(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in members.items():
            file.writestr(name, content)
