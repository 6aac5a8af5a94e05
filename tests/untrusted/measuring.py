"""Run a command, and measure the memory and the time that it takes, its children included."""

import contextlib
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PAUSE = 0.02


@dataclass(frozen=True)
class Measured:
    """What a command did.

    Attributes:
        status: The exit status.
        stderr: What it printed to stderr.
        seconds: Processor time, of the process and of those that it waited for.
        peak: The most bytes of resident memory of all its processes together.
    """

    status: int
    stderr: str
    seconds: float
    peak: int

    @property
    def last(self) -> str:
        """The last line of stderr."""
        return (self.stderr.splitlines() or [""])[-1]


def measured(command: Sequence[str], folder: Path = Path(), timeout: float = 120) -> Measured:
    """Run a command in a folder; it is killed after `timeout` seconds."""
    begin, before, peak = time.monotonic(), _used(), 0
    with tempfile.TemporaryFile("w+") as stderr:
        with subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        ) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                peak = max(peak, _memory(watched))
                if time.monotonic() - begin > timeout:
                    process.kill()
                time.sleep(PAUSE)
        stderr.seek(0)
        return Measured(process.returncode, stderr.read(), _used() - before, peak)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
    return total
