"""A time limit for a search with an untrusted regular expression, which could run for ever."""

import atexit
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keras_recipes.errors import RecipeError

WALL = 4.0
"""Seconds of wall time for each second of processor time of a search in another process."""

_CHILD = Path(__file__).with_name("search_child.py")


@contextmanager
def at_most(seconds: float, refusal: RecipeError) -> Iterator[None]:
    """Raise `refusal` in the block if it computes for longer than `seconds`.

    Python's regular expressions hold the interpreter's lock, but check for signals. Therefore only
    a signal can stop them, and only the main thread receives signals. In other threads and on
    Windows, `rehearse` each search.

    Args:
        seconds: Processor time of this process.
        refusal: The error to raise.
    """
    if not _stoppable():
        yield
        return

    def over(number: int, frame: Any) -> None:
        raise refusal

    before = signal.signal(signal.SIGVTALRM, over)
    left, _ = signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, left)
        signal.signal(signal.SIGVTALRM, before)


def rehearse(
    pattern: "re.Pattern[bytes]",
    lines: Sequence[bytes],
    seconds: float,
    refusal: Callable[[], RecipeError],
) -> None:
    """Search lines in another process first if no signal can stop a search in this thread.

    Args:
        pattern: The regular expression.
        lines: The lines, which are searched one by one.
        seconds: Processor time of the other process.
        refusal: Returns the error to raise if it takes longer.
    """
    if _stoppable():
        return
    with _lock:
        if not _searcher().search(pattern, lines, seconds):
            raise refusal()


class _Searcher:
    """The process that searches; it is started again after a search that took too long."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            # Nothing is imported from the working directory or from paths in the environment.
            [sys.executable, "-I", "-S", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def usable(self) -> bool:
        """Return whether this process started the other one, which is running."""
        return self.owner == os.getpid() and self.process.poll() is None

    def search(self, pattern: "re.Pattern[bytes]", lines: Sequence[bytes], seconds: float) -> bool:
        """Return whether the search ended in time."""
        asked = {
            "seconds": seconds,
            "pattern": pattern.pattern.decode("latin-1"),
            "sizes": [len(line) for line in lines],
        }
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        alarm = threading.Timer(WALL * seconds, self.process.kill)
        alarm.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(json.dumps(asked).encode() + b"\n" + b"".join(lines))
                stdin.flush()
            ended = stdout.read(1) == b"."
        finally:
            alarm.cancel()
        if not ended:
            self.end()
        return ended

    def end(self) -> None:
        if self.owner == os.getpid():
            self.process.kill()
            with self.process, contextlib.suppress(BrokenPipeError):
                pass


_running: _Searcher | None = None
_lock = threading.Lock()


def _searcher() -> _Searcher:
    global _running
    if _running is None or not _running.usable():
        _running = _Searcher()
        atexit.register(_running.end)
    return _running


def _stoppable() -> bool:
    in_main_thread = threading.current_thread() is threading.main_thread()
    return hasattr(signal, "setitimer") and in_main_thread
