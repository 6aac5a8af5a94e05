"""Hold a process to a budget of memory and processor time; started by `budget`, never imported.

Arguments: the folders to import from, as JSON; the watched process; the budget, as JSON ("memory"
in bytes, "seconds" of processor time, seconds of "wall" time); and the refusals for each, as JSON.

Standard input holds one byte for each event in the watched process:

    i   it imports its backend, which takes memory and time that no file decides
    b   the backend is imported; from here on the budget counts
    .   it made progress: it read a part of its input, or answered
    s   it begins work that waits for nobody, whose wall time counts
    e   it ended such work

The budget is what may be used beyond the last event: memory beyond what was used at `b` (or at the
beginning), and time since the last event. Standard input ends with the watched process.

A process that exceeds its budget is ended by the signal SIGQUIT, for which `budget` has set the C
function `_exit` as the handler. It runs whatever the process computes, and the signal's number, 3,
becomes the exit status.
"""

import json
import os
import select
import signal
import sys
import time
from typing import Any

# The interpreter was started without folders to import packages from.
sys.path[:0] = json.loads(sys.argv[1])

import psutil  # noqa: E402

SHORTEST, LONGEST = 0.02, 0.5
"""Seconds between two looks: while the process computes, and while it waits."""

PATIENCE = 5.0
"""Seconds until a process that does not end is killed."""


class Use:
    """What a process uses, and what it used when its budget began to count."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.importing = self.working = False
        self.memory, self.seconds = self.now()
        self.begin = time.monotonic()

    def now(self) -> tuple[int, float]:
        """Return the resident memory in bytes and the processor time in seconds."""
        with self.process.oneshot():
            times = self.process.cpu_times()
            return self.process.memory_info().rss, times.user + times.system

    def hear(self, events: bytes) -> None:
        """Take note of events."""
        memory, self.seconds = self.now()
        self.begin = time.monotonic()
        for event in events:
            if event == ord("i"):
                self.importing = True
            elif event == ord("b"):
                self.importing, self.memory = False, memory
            elif event in b"se":
                self.working = event == ord("s")

    def waits(self, seconds: float) -> bool:
        """Return whether work that should wait for nobody takes longer than this."""
        if not self.working or self.importing or time.monotonic() - self.begin <= seconds:
            return False
        if self.process.status() == psutil.STATUS_STOPPED:  # by Ctrl-Z
            self.begin = time.monotonic()
            return False
        return True


def watch(process: Any, budget: dict[str, float]) -> str | None:
    """Watch a process until it ends or exceeds its budget; return what it exceeds."""
    use, pause, last = Use(process), SHORTEST, 0.0
    while True:
        if select.select([sys.stdin], [], [], pause)[0]:
            events = os.read(sys.stdin.fileno(), 4096)
            if not events:
                return None
            use.hear(events)
        memory, seconds = use.now()
        pause = SHORTEST if seconds > last else min(2 * pause, LONGEST)
        last = seconds
        if not use.importing and memory - use.memory > budget["memory"]:
            return "memory"
        if not use.importing and seconds - use.seconds > budget["seconds"]:
            return "seconds"
        if use.waits(budget["wall"]):
            return "wall"


def end(process: Any, message: str) -> None:
    """Print a message and end a process with status 3."""
    begin_of_line = "\n" * sys.stderr.isatty()  # there may be a progress bar
    sys.stderr.write(f"{begin_of_line}{message}\n")
    sys.stderr.flush()
    process.send_signal(signal.SIGQUIT)
    begin = time.monotonic()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() - begin > PATIENCE:
            process.kill()
        time.sleep(SHORTEST)


def main() -> None:
    """Watch the process of the arguments."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # it ends with the process that it watches
    try:
        process = psutil.Process(int(sys.argv[2]))
        sys.stdout.write("watching\n")
        sys.stdout.flush()
        if exceeded := watch(process, json.loads(sys.argv[3])):
            end(process, json.loads(sys.argv[4])[exceeded])
    except psutil.NoSuchProcess:
        pass


if __name__ == "__main__":
    main()
