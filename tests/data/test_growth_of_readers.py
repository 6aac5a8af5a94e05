"""Readers take time and memory in proportion to what they read, however the file is made."""

import contextlib
import gc
import gzip
import io
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keras_recipes.data import labels, lines, numbers, record_kind, time_series
from keras_recipes.data.logs import documents, layout, recognition
from keras_recipes.data.logs.parser import Parser
from keras_recipes.digits import archives
from keras_recipes.errors import RecipeError

SIZES = (1 << 17, 1 << 19)
"""The second file is four times as large; a quadratic reader takes sixteen times as long."""

LONGEST = 8.0
NOISE = 0.5
"""Seconds of processor time that the second file may take beyond `LONGEST` times the first."""


def filled(head: bytes, piece: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: head + piece * ((size - len(head)) // len(piece)) + tail


ROW = b"2026-01-05T08:00:00Z,1.5,2.5\n"
CSV = {
    "good rows": filled(b"timestamp,a,b\n", ROW),
    "quotation marks": filled(b"timestamp,a,b\n" + ROW, b'"'),
    "cells that begin with one": filled(b"timestamp,a,b\n" + ROW, b'"x,'),
    "a cell without end": filled(b"timestamp,a,b\n" + ROW + b'"', b"x\n"),
    "one row of commas": filled(b"timestamp,a,b\n" + ROW, b","),
    "a header of commas": filled(b"timestamp", b",", b"\n" + ROW),
    "names of columns": lambda size: b",".join(b"c%d" % n for n in range(size // 8)) + b"\n1\n",
    "blank lines": filled(b"timestamp,a,b\n" + ROW, b"\n"),
    "carriage returns": filled(b"timestamp,a,b\n" + ROW, b"\r"),
    "one line": filled(b"timestamp,a,b\n" + ROW, b"1"),
    "blanks": filled(b"timestamp a b\n", b" "),
}
OBJECT = b'{"time": "2026-01-05T08:00:00Z", "a": 1}\n'
JSON_LINES = {
    "good objects": filled(b"", OBJECT),
    "brackets": filled(OBJECT, b"["),
    "braces": filled(OBJECT, b'{"a":'),
    "strings without end": filled(OBJECT, b'"'),
    "backslashes": filled(OBJECT + b'{"a": "', b"\\"),
    "digits": filled(OBJECT + b'{"a": ', b"9"),
    "many names": lambda size: (
        OBJECT + b"{" + b",".join(b'"%x":1' % n for n in range(size // 12)) + b"}\n"
    ),
    "a list of objects": filled(b"[", b'{"time": 1700000000, "a": 1},', b"{}]"),
}
LOG = {
    "good lines": filled(b"", b"2026-01-05T08:00:00Z INFO order-17 start\n"),
    "one line": filled(b"", b"x"),
    "digits": filled(b"", b"1"),
    "dates": filled(b"", b"2026-01-05T08:00:00Z "),
    "brackets": filled(b"", b"["),
    "pairs": filled(b"", b"a=1 "),
    "pairs without end": filled(b"", b'a="'),
    "addresses": filled(b"", b"1.2.3.4:"),
    "letters of numbers": filled(b"", b"abcdef0123456789-"),
    "blanks": filled(b"", b" "),
    "escapes": filled(b"", b"\x1b["),
}


def read_table(path: Path) -> None:
    record_kind.recognise([str(path)])
    for _ in time_series.read(str(path)).records:
        pass


def read_log(path: Path) -> None:
    some = [line for block in documents.blocks(path) for line in block]
    found = recognition.recognise(some, window="1m") if some else layout.LogLayout("text")
    Parser(found).parse(some)


def read_points(path: Path) -> None:
    for _ in numbers.rows([str(path)], width=2, example="0,1"):
        pass


def read_labels(path: Path) -> None:
    labels.read(str(path))


READERS: dict[str, tuple[Callable[[Path], None], str, dict[str, Callable[[int], bytes]]]] = {
    "CSV": (read_table, "x.csv", CSV),
    "points": (read_points, "x.csv", CSV),
    "labels": (read_labels, "x.csv", CSV),
    "JSON lines": (read_table, "x.jsonl", JSON_LINES),
    "objects of a log": (read_log, "x.jsonl", JSON_LINES),
    "a log": (read_log, "x.log", LOG),
}


def seconds(read: Callable[[Path], None], path: Path) -> float:
    """Return the processor time of a reader, which may refuse the file.

    What other tests left in memory is not searched for garbage meanwhile, and other threads, such
    as those of a backend, do not count.
    """
    gc.collect()
    gc.disable()
    begin = time.thread_time()
    try:
        with contextlib.suppress(RecipeError):
            read(path)
        return time.thread_time() - begin
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("reader", "content"), [(r, c) for r, (_, _, contents) in READERS.items() for c in contents]
)
def test_four_times_the_size_takes_about_four_times_as_long(
    reader: str, content: str, empty_folder: Path
) -> None:
    read, name, contents = READERS[reader]
    taken = []
    for size in SIZES:
        Path(name).write_bytes(contents[content](size))
        taken.append(seconds(read, Path(name)))
    assert taken[1] < LONGEST * taken[0] + NOISE, taken


def names_only(write: Callable[[int], bytes], name: str) -> None:
    taken = []
    for count in (1_000, 4_000):
        Path(name).write_bytes(write(count))
        taken.append(seconds(lambda path: archives.tree(path), Path(name)))
    assert taken[1] < LONGEST * taken[0] + NOISE, taken


def zipped(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number % 10}/{'a/' * 20}{number}.png", b"")
    return file.getvalue()


def tarred(count: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(count):
            archive.addfile(tarfile.TarInfo(f"{number % 10}/{'a/' * 20}{number}.png"))
    return gzip.compress(file.getvalue())


def test_archives_of_many_pictures_are_read_in_proportion(empty_folder: Path) -> None:
    names_only(zipped, "x.zip")
    names_only(tarred, "x.tar.gz")


def drips(size: int, piece: int) -> Iterator[bytes]:
    """Yield a line without end in small pieces, as a pipe gives it."""
    for _ in range(size // piece):
        yield b"x" * piece


def test_a_line_without_end_takes_the_memory_of_one_record() -> None:
    """One record has at most a megabyte; the rest of its line is dropped as it comes."""
    taken, used = [], []
    for size in (1 << 24, 1 << 26):
        tracemalloc.start()
        begin = time.process_time()
        found = [line for block in lines.of_pieces(drips(size, 1 << 16)) for line in block]
        taken.append(time.process_time() - begin)
        used.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert [len(line) for line in found] == [lines.LONGEST]
    assert taken[1] < LONGEST * taken[0] + NOISE
    assert max(used) < 8 * lines.LONGEST


def test_a_compressed_line_without_end_is_read_in_pieces(empty_folder: Path) -> None:
    Path("x.log.gz").write_bytes(gzip.compress(b"x" * (1 << 26)))
    tracemalloc.start()
    found = [line for block in lines.blocks(Path("x.log.gz")) for line in block]
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(line) for line in found] == [lines.LONGEST]
    assert used < 8 * lines.LONGEST
