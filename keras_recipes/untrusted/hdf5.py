"""Read HDF5 files as plain arrays and attributes, in a separate process (`hdf5_child`)."""

import atexit
import contextlib
import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from keras_recipes.errors import CorruptModelError, UnsafeModelError, printable
from keras_recipes.untrusted import limits

SIGNATURE = b"\x89HDF\r\n\x1a\n"
GIT_LFS = b"version https://git-lfs"
ZIP = b"PK\x03\x04"
MOST_OBJECTS = 100_000
TIMEOUT = 60.0
"""Seconds of wall time; used where the child's own alarm does not work."""

_DTYPES = {f"{k}{n}" for k in "iuf" for n in (1, 2, 4, 8)} | {"b1"}


@dataclass(frozen=True)
class Tree:
    """The content of an HDF5 file; no reference out of the file is followed.

    Attributes:
        arrays: Arrays by path without a leading slash, such as `layers/dense/vars/0`; bfloat16 as
            uint16.
        attributes: Attributes of each group and array: texts, numbers, and lists of them. The path
            of the root is `""`.
        bfloat16: Paths of the arrays that hold bfloat16.
    """

    arrays: dict[str, np.ndarray]
    attributes: dict[str, dict[str, Any]]
    bfloat16: frozenset[str] = frozenset()


def read(content: bytes, where: str, *, skip: Collection[str] = ()) -> Tree:
    """Read an HDF5 file: Keras' weights of any version, or a whole model.

    Plain hard links are followed, each object once. Other links, virtual data sets, data in other
    files, filters other than deflate, shuffle and checksums, arrays that are not numbers, and
    arrays that are not stored in full are refused. Values are not checked: see
    `weights.check_values`.

    Args:
        content: The bytes of the file.
        where: The name of the file, for the messages.
        skip: Groups at the root to leave out.

    Raises:
        CorruptModelError: The content is damaged, or not HDF5.
        MemoryError: This process may not use enough memory to read it.
        UnsafeModelError: It holds one of the things above, or arrays beyond the limits.
    """
    _check_signature(content, where)
    settings = {
        "size": len(content),
        "most_bytes": limits.current().array_bytes,
        "most_objects": MOST_OBJECTS,
        "skip": sorted(skip),
    }
    with _lock:
        reader = _reader()
        alarm = threading.Timer(TIMEOUT, reader.process.kill)
        alarm.start()
        answer = reader.ask(settings, content)
        try:
            return _understood(answer, where)
        finally:
            alarm.cancel()
            if answer.status is None:
                reader.end()  # it still has output that nobody will read


class _Reader:
    """The process that reads; it forks for each file, so that it starts only once."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            # Nothing is imported from the working directory or from paths in the environment.
            [sys.executable, "-I", "-S", str(_CHILD), json.dumps(_import_path())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"},
        )

    def usable(self) -> bool:
        """Return whether this process started the reader and the reader is running."""
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, settings: dict[str, Any], content: bytes) -> "_Answer":
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(settings).encode() + b"\n")
            stdin.write(content)
            stdin.flush()
        return _Answer(stdout)

    def end(self) -> None:
        if self.owner == os.getpid():
            self.process.kill()
            with self.process:
                pass


class _Answer:
    """The reader's answer, joined from its pieces; `status` is set when it has ended."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        self.status: int | None = None

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes; none at the end."""
        if not self._rest and self.status is None:
            self._next()
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def line(self) -> bytes:
        """Read up to the end of the first line, or to the end."""
        pieces: list[bytes] = []
        while not (pieces and b"\n" in pieces[-1]) and (piece := self.read(1 << 20)):
            pieces.append(piece)
        line, end, self._rest = b"".join(pieces).partition(b"\n")
        return line + end

    def finish(self) -> None:
        """Read to the end."""
        while self.read(1 << 20):
            pass

    def _next(self) -> None:
        head = self._stream.read(4)
        size = int.from_bytes(head, "little")
        self._rest = self._stream.read(size) if len(head) == 4 else b""
        if not size:
            tail = self._stream.read(4)
            ended = len(head) == len(tail) == 4
            self.status = int.from_bytes(tail, "little", signed=True) if ended else _KILLED


def _reader() -> _Reader:
    global _running
    if _running is None or not _running.usable():
        _running = _Reader()
        atexit.register(_running.end)
    return _running


def _check_signature(content: bytes, where: str) -> None:
    if content.startswith(SIGNATURE):
        return
    hint = "not an HDF5 file; get it again"
    if not content:
        hint = "it is empty; get it again"
    elif content.startswith(GIT_LFS):
        hint = "it is only a pointer of Git LFS; run `git lfs pull` in its repository"
    elif content.startswith(ZIP):
        hint = "it is a ZIP archive; if it is a .keras file, name it as MODEL, without --weights"
    raise CorruptModelError(f"{where}: damaged, {hint}")


def _import_path() -> list[str]:
    """Return where NumPy and h5py are installed, without importing them."""
    folders = []
    for name in ("h5py", "numpy"):
        spec = importlib.util.find_spec(name)
        for location in (spec.submodule_search_locations if spec else None) or []:
            folders.append(str(Path(location).parent))
    return list(dict.fromkeys(folders))


def _understood(answer: _Answer, where: str) -> Tree:
    line = answer.line()
    if not line.endswith(b"\n"):
        raise CorruptModelError(f"{where}: damaged: {_end(answer)}; get it again")
    said = json.loads(line)
    if "arrays" in said:
        tree = _received(said, answer, where)
        answer.finish()
        return tree
    answer.finish()
    if "no_memory" in said:
        raise MemoryError(f"{where} cannot be read")
    if "refused" in said:
        reason = printable(said["refused"], 200)
        raise UnsafeModelError(f"{where}: refused, {reason}; ask its author for another file")
    if "too_large" in said:
        reason = printable(said["too_large"], 200)
        raise UnsafeModelError(f"{where}: refused, {reason}; {limits.advice()}")
    raise CorruptModelError(
        f"{where}: damaged, not a readable HDF5 file ({printable(said['error'], 120)}); "
        "get it again"
    )


def _received(said: dict[str, Any], answer: _Answer, where: str) -> Tree:
    arrays, left = {}, limits.current().array_bytes
    for path, kind, shape in said["arrays"]:
        dtype = np.dtype("u2" if kind == "bfloat16" else _known(kind))
        left -= (size := math.prod(shape) * dtype.itemsize)
        data = bytearray(size) if left >= 0 else b""
        if answer.read(1) != b"\0" or _fill(answer, data) != size:
            raise CorruptModelError(
                f"{where}: damaged, {printable(path)!r} cannot be read; get it again"
            )
        arrays[path] = np.frombuffer(data, dtype).reshape(shape)
    return Tree(
        arrays=arrays,
        attributes={path: values or {} for path, values in said["objects"].items()},
        bfloat16=frozenset(path for path, kind, _ in said["arrays"] if kind == "bfloat16"),
    )


def _known(kind: str) -> str:
    if kind.lstrip("<|") not in _DTYPES:
        raise CorruptModelError(f"expected numbers, received {printable(kind)}")
    return kind


def _fill(answer: _Answer, data: bytearray | bytes) -> int:
    """Fill `data` with bytes that are read, and return how many there were."""
    view, filled = memoryview(data), 0
    while filled < len(view):
        piece = answer.read(len(view) - filled)
        if not piece:
            break
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    return filled


def _end(answer: _Answer) -> str:
    """Return why there was no answer."""
    answer.finish()
    alarms = [getattr(signal, name, None) for name in ("SIGPROF", "SIGKILL")]
    if answer.status in [-number for number in alarms if number]:
        return "reading it did not end"
    return f"the HDF5 library failed (status {answer.status})"


_CHILD = Path(__file__).with_name("hdf5_child.py")
_KILLED = -9
_lock = threading.Lock()
_running: _Reader | None = None
