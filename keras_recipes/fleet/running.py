"""Jobs on a cluster: what is ready is published at once, and a lost worker's job is done again."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_recipes import interrupts
from keras_recipes.errors import RecipeError, StoppedError, first_line, printable
from keras_recipes.report import progress

RETRIES = 3
"""How often a job is done again whose worker or node was lost."""

TICK = 0.5
"""Seconds after which a signal, and a node that came or went, are noticed at the latest."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a worker sends back.

    Attributes:
        content: What was made; None if it was there before, or if the job failed.
        error: Why the job failed, on one line; None if it did not.
        notes: The warnings of the job.
        worker: The process that did it.
        seconds: How long it took.
    """

    content: Any = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    worker: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """What became of all jobs.

    Attributes:
        done: The names of the jobs that were done.
        earlier: The names of the jobs whose result was there before.
        failed: The error of each job that failed, by the job's name.
        seconds: How long all took together.
    """

    done: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """The number of jobs that came to an end."""
        return len(self.done) + len(self.earlier) + len(self.failed)


def run(
    work: Callable[[Any], Outcome],
    orders: Sequence[tuple[str, Any]],
    publish: Callable[[str, Any], None],
    *,
    cpus: int = 1,
    title: str = "fleet",
    show_progress: bool | None = None,
) -> Report:
    """Do jobs on the cluster, as many at a time as it has processors for.

    Args:
        work: A function of this package that does one job in a worker.
        orders: The name of each job, and what `work` is called with.
        publish: Gets the name and the content of each job that was done, here, one at a time.
        cpus: The processors that a job needs.
        title: The name of the work in the progress bar.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.

    Raises:
        StoppedError: The process was asked to stop. What was done is published.
    """
    import ray

    # What a job refuses is its outcome, so that only lost workers are tried again.
    remote = ray.remote(num_cpus=cpus, max_retries=RETRIES)(work)
    queue, begun = _Queue(remote.remote, deque(orders), publish, cpus), time.perf_counter()
    log.debug("%s: %d jobs on %d places", title, len(orders), queue.places)
    with progress.bar(title, len(orders), show_progress) as update, interrupts.handled(queue.ask):
        try:
            while queue.goes_on():
                queue.fill()
                queue.collect(TICK)
                update(queue.report.count, queue.in_words, len(orders))
                if queue.signal is not None:
                    queue.collect(0)
                    raise StoppedError(queue.stopped(len(orders)), queue.signal)
        finally:
            for reference in queue.running:
                ray.cancel(reference, force=True)
    queue.report.seconds = time.perf_counter() - begun
    return queue.report


@dataclass
class _Queue:
    """The jobs that wait, those that run, and the report of those that came to an end."""

    start: Callable[[Any], Any]
    waiting: deque[tuple[str, Any]]
    publish: Callable[[str, Any], None]
    cpus: int
    running: dict[Any, str] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
    signal: int | None = None

    def ask(self, number: int, frame: Any) -> None:
        """Handle a signal: end at the next tick. An exception would confuse Ray's own code."""
        self.signal = number

    def goes_on(self) -> bool:
        return bool(self.waiting or self.running)

    @property
    def in_words(self) -> str:
        failed, running, left = len(self.report.failed), len(self.running), len(self.waiting)
        return f"{failed} failed, {running} running, {left} left"

    def stopped(self, count: int) -> str:
        done = len(self.report.done) + len(self.report.earlier)
        return f"stopped: {done} of {count} are done; the same command does the rest"

    @property
    def places(self) -> int:
        """How many jobs the cluster can do at the same time, now."""
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 0)) // self.cpus)

    def fill(self) -> None:
        """Start as many jobs as there are places for; nodes come and go."""
        places = self.places
        while self.waiting and len(self.running) < places:
            name, order = self.waiting.popleft()
            self.running[self.start(order)] = name

    def collect(self, seconds: float) -> None:
        """Settle the jobs that ended; wait for one at most this long."""
        import ray

        if not self.running:
            return
        ready, _ = ray.wait(list(self.running), timeout=seconds)
        more, _ = ray.wait(list(self.running), num_returns=len(self.running), timeout=0)
        for reference in dict.fromkeys([*ready, *more]):
            name = self.running.pop(reference)
            _settle(self.report, name, _result(reference), self.publish)


def _result(reference: Any) -> Outcome:
    import ray

    try:
        found: Outcome = ray.get(reference)
    except ray.exceptions.RayError as error:
        reason = printable(first_line(error), 200)
        return Outcome(error=f"its worker was lost {RETRIES + 1} times or does not start: {reason}")
    return found


def _settle(
    report: Report, name: str, outcome: Outcome, publish: Callable[[str, Any], None]
) -> None:
    """Enter the outcome of a job in the report, and publish what it made."""
    for note in outcome.notes:
        log.warning("%s: %s", name, note)
    error = outcome.error
    if error is None and outcome.content is not None:
        try:
            publish(name, outcome.content)
        except RecipeError as failure:
            error = str(failure)
    if error is not None:
        report.failed[name] = error
    elif outcome.content is None:
        report.earlier.append(name)
    else:
        report.done.append(name)
        log.debug("%s: done in %.1f s by process %s", name, outcome.seconds, outcome.worker)
