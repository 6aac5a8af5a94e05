"""The memory and the processor time that a model from elsewhere may use.

Sizes are counted before memory is used, but no list of what uses memory is complete. So a second
process (`watcher`) watches this one, and ends it with exit status 3 when it exceeds its budget. The
budget is what a single step may use: to read a block of the input, to open the model, or to compute
a batch. A stream may therefore run for days.

Nothing is watched unless `hold` is called, which only the command line does: the process that is
ended should not be the program of somebody who calls this package.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keras_recipes.errors import NoMemoryError, RecipeError
from keras_recipes.untrusted import files, limits

MEMORY_PER_PARAMETER = 32
"""Bytes for each parameter that is allowed: about one gigabyte with the ordinary limit."""

MEMORY_PER_BYTE = 10
"""Bytes for each byte of the model and of the input files."""

SECONDS = 10.0
"""Seconds of processor time with the ordinary limit."""

MODEL_RATE, INPUT_RATE = 1e6, 50e3
"""Bytes per second of processor time at which an honest model is opened, and an input read."""

WALL, WALL_PER_SECOND = 60.0, 10.0
"""Seconds of wall time for a part of the work that waits for nobody, and for each other second."""

LEAST = 500e6
"""Bytes of memory a process must be allowed; with fewer, OpenBLAS may wait for ever for more."""

PAUSE = 0.1
"""The shortest time in seconds between two reports of progress."""

_WATCHER = Path(__file__).with_name("watcher.py")


@dataclass(frozen=True)
class Budget:
    """What a step may use.

    Attributes:
        memory: Bytes of resident memory beyond what the backend needs.
        seconds: Seconds of processor time, of all threads together.
        wall: Seconds of wall time, of what waits for nobody; see `without_waiting`.
    """

    memory: float
    seconds: float
    wall: float


def of_files(model: Iterable[Path], inputs: Iterable[Path]) -> Budget:
    """Return the budget for a model and its inputs.

    Args:
        model: The files and folders of the model.
        inputs: The files and folders to read.
    """
    mine, theirs = sum(map(files.size, model)), sum(map(files.size, inputs))
    allowed = max(limits.current().parameters, limits.ORDINARY)
    seconds = SECONDS * allowed / limits.ORDINARY + mine / MODEL_RATE + theirs / INPUT_RATE
    return Budget(
        memory=MEMORY_PER_PARAMETER * allowed + MEMORY_PER_BYTE * (mine + theirs),
        seconds=seconds,
        wall=WALL + WALL_PER_SECOND * seconds,
    )


def hold(budget: Budget, name: str) -> None:
    """Hold this process to a budget from now on; it ends with exit status 3 if it exceeds it.

    On Windows, this does nothing.

    Args:
        budget: What a step may use.
        name: The model's name in the message.

    Raises:
        NoMemoryError: This process may not have enough memory.
        RecipeError: The process that watches cannot be started.
    """
    global _events
    if os.name == "nt" or _events is not None:
        return
    _check_memory()
    _exit_by_signal()
    refusals = {
        "memory": f"error: {name}: refused, it needs more than {budget.memory / 1e9:.1f} GB of "
        f"memory; {limits.advice()}",
        "seconds": f"error: {name}: refused, a step of it takes more than {budget.seconds:.0f} "
        f"seconds of processor time; {limits.advice()}",
        "wall": f"error: {name}: stopped, a step of it takes more than {budget.wall:.0f} seconds; "
        f"check the disk and the device, or {limits.advice()}",
    }
    arguments = [json.dumps(_import_path()), str(os.getpid()), json.dumps(vars(budget))]
    watcher = subprocess.Popen(
        # Nothing is imported from the working directory or from paths in the environment.
        [sys.executable, "-I", "-S", str(_WATCHER), *arguments, json.dumps(refusals)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    with watcher.stdout:
        if watcher.stdout.readline() != b"watching\n":
            raise RecipeError(
                f"{name}: the process that limits its memory and time does not start; install this "
                "package again"
            )
    _watchers.append(watcher)  # its pipe stays open as long as this process lives
    _events = watcher.stdin.fileno()
    os.set_blocking(_events, False)


def progress() -> None:
    """Say that a step is done: the budget counts anew."""
    global _told
    if _events is None:
        return
    now = time.monotonic()
    if now - _told >= PAUSE:
        _told = now
        _tell(b".")


@contextmanager
def without_waiting() -> Iterator[None]:
    """Work in the block that waits for nobody: not for input that comes, nor for a reader.

    Its wall time counts, so that a read or a device that hangs ends.
    """
    global _depth
    if _events is None:
        yield
        return
    _depth += 1
    if _depth == 1:
        _tell(b"s")
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _tell(b"e")


@contextmanager
def importing() -> Iterator[None]:
    """Import a backend in the block, which no budget counts."""
    _tell(b"i")
    try:
        yield
    finally:
        _tell(b"b")


_events: int | None = None
"""The pipe to the watcher; None if this process is not watched."""

_depth = 0
_told = 0.0
_watchers: list["subprocess.Popen[bytes]"] = []


def _tell(event: bytes) -> None:
    if _events is not None:
        # A pipe that is full has reports enough.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(_events, event)


def _check_memory() -> None:
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < LEAST:
        raise NoMemoryError(
            f"not enough memory: expected at least {LEAST / 1e6:.0f} MB for this process, received "
            f"{allowed / 1e6:.0f} MB; raise its limit (ulimit -v)"
        )


def _exit_by_signal() -> None:
    """Make SIGQUIT, whose number is 3, exit with status 3, whatever the process computes."""
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGQUIT, ctypes.cast(libc._exit, ctypes.c_void_p))


def _import_path() -> list[str]:
    """Return where psutil is installed, without importing it."""
    spec = importlib.util.find_spec("psutil")
    return [str(Path(spec.origin).parents[1])] if spec and spec.origin else []
