"""HDF5 files as plain arrays and attributes, read by a process of their own (`hdf5_child`)."""

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
from typing import IO, TYPE_CHECKING, Any

from keras_recipes.errors import CorruptModelError, UnsafeModelError, printable
from keras_recipes.safety import limits

if TYPE_CHECKING:
    import numpy as np

SIGNATURE = b"\x89HDF\r\n\x1a\n"
GIT_LFS = b"version https://git-lfs"
ZIP = b"PK\x03\x04"
MOST_OBJECTS = 100_000
PATIENCE = 60.0
"""Seconds of wall time, where the child's own alarm does not work; it has far less processor time."""

_DTYPES = {f"{k}{n}" for k in "iuf" for n in (1, 2, 4, 8)} | {"b1"}


@dataclass(frozen=True)
class Tree:
    """What an HDF5 file holds, nothing of it followed anywhere else.

    Attributes:
        arrays: By path without a leading slash, such as `layers/dense/vars/0`; bfloat16 as uint16.
        attributes: Of each group and array, `""` being the root: texts, numbers, lists of them.
        bfloat16: Paths of the arrays that hold bfloat16.
    """

    arrays: "dict[str, np.ndarray]"
    attributes: dict[str, dict[str, Any]]
    bfloat16: frozenset[str] = frozenset()


def read(content: bytes, where: str, *, skip: Collection[str] = ()) -> Tree:
    """Reads an HDF5 file: Keras' weights of any age, or a whole model.

    Plain hard links are followed, each object once. Refused are other links, virtual data sets,
    data in other files, filters other than deflate, shuffle and checksums, arrays that are no
    numbers or are not stored in full. Values are not looked at: see `weights.check_finite`.

    Args:
        content: The bytes of the file.
        where: Its name, for the messages.
        skip: Groups at the root that are left out.

    Raises:
        CorruptModelError: It is damaged, or no HDF5 file.
        UnsafeModelError: It holds one of the things above, or arrays beyond the limits.
    """
    _check_signature(content, where)
    settings = {
        "path": _import_path(),
        "most_bytes": limits.current().array_bytes,
        "most_objects": MOST_OBJECTS,
        "skip": sorted(skip),
    }
    child = Path(__file__).with_name("hdf5_child.py")
    process = subprocess.Popen(
        # Neither the working directory nor anything from the environment is imported from.
        [sys.executable, "-I", "-S", str(child), json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"},
    )
    alarm = threading.Timer(PATIENCE, process.kill)
    alarm.start()
    try:
        with process:
            return _ask(process, content, where)
    finally:
        alarm.cancel()
        process.kill()


def _check_signature(content: bytes, where: str) -> None:
    if content.startswith(SIGNATURE):
        return
    hint = "no HDF5 file; get it again"
    if not content:
        hint = "it is empty; get it again"
    elif content.startswith(GIT_LFS):
        hint = "only a pointer of Git LFS; run `git lfs pull` where it comes from"
    elif content.startswith(ZIP):
        hint = "a zip archive; if it is a .keras file, name it as MODEL, without --weights"
    raise CorruptModelError(f"{where}: damaged, {hint}")


def _import_path() -> list[str]:
    """Where NumPy and h5py lie, found without importing them."""
    folders = []
    for name in ("h5py", "numpy"):
        spec = importlib.util.find_spec(name)
        for location in (spec.submodule_search_locations if spec else None) or []:
            folders.append(str(Path(location).parent))
    return list(dict.fromkeys(folders))


def _ask(process: "subprocess.Popen[bytes]", content: bytes, where: str) -> Tree:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(content)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    line = process.stdout.readline(1 << 28)
    if not line.endswith(b"\n"):
        raise CorruptModelError(f"{where}: {_end(process)}; get it again")
    answer = json.loads(line)
    if "refused" in answer:
        reason = printable(answer["refused"], 200)
        raise UnsafeModelError(f"{where}: refused, {reason}; ask whoever made it for another")
    if "error" in answer:
        raise CorruptModelError(
            f"{where}: damaged, no HDF5 file that can be read ({printable(answer['error'], 120)}); "
            "get it again"
        )
    return _received(answer, process.stdout, where)


def _received(answer: dict[str, Any], stream: IO[bytes], where: str) -> Tree:
    import numpy as np

    arrays, left = {}, limits.current().array_bytes
    for path, kind, shape in answer["arrays"]:
        dtype = np.dtype("u2" if kind == "bfloat16" else _known(kind))
        left -= (size := math.prod(shape) * dtype.itemsize)
        data = bytearray(size) if left >= 0 else b""
        if stream.read(1) != b"\0" or _fill(stream, data) != size:
            raise CorruptModelError(
                f"{where}: damaged, {printable(path)!r} cannot be read; get it again"
            )
        arrays[path] = np.frombuffer(data, dtype).reshape(shape)
    return Tree(
        arrays=arrays,
        attributes={path: values or {} for path, values in answer["objects"].items()},
        bfloat16=frozenset(path for path, kind, _ in answer["arrays"] if kind == "bfloat16"),
    )


def _known(kind: str) -> str:
    if kind.lstrip("<|") not in _DTYPES:
        raise CorruptModelError(f"expected numbers, received {printable(kind)}")
    return kind


def _fill(stream: IO[bytes], data: bytearray | bytes) -> int:
    """Reads as many bytes as `data` has; how many came."""
    view, filled = memoryview(data), 0
    while filled < len(view):
        piece = stream.read(min(len(view) - filled, 1 << 24))
        if not piece:
            break
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    return filled


def _end(process: "subprocess.Popen[bytes]") -> str:
    """Why the child said nothing."""
    process.wait()
    alarms = {getattr(signal, name, None) for name in ("SIGPROF", "SIGKILL")}
    if -process.returncode in {int(number) for number in alarms if number}:
        return "damaged so that reading it does not end"
    return f"damaged so that the HDF5 library fails (status {process.returncode})"
