"""Micro-batches: what arrives while a model computes is computed together, right after it.

A model has one thread, because an interpreter of LiteRT cannot be used by several. Nothing waits
for a batch to fill: a single request on an idle server is computed at once.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from keras_recipes.models.runtime import Runtime

SIZES = (1, 2, 4, 8, 16, 32, 64)
"""The sizes of batches; a smaller one is filled up.

LiteRT lays out its memory anew for each new size, which takes LeNet-5 as long as four digits.
"""

Outcome = np.ndarray | Exception


@dataclass(frozen=True, eq=False)
class _Job:
    x: np.ndarray
    asked_by: "asyncio.Future[np.ndarray] | Future[np.ndarray]"


class Batcher:
    """Computes the outputs of one model in its own thread; it is a `Runtime` for other threads.

    Args:
        runtime: The runtime, which only this thread uses from now on.
        name: The model's name, for the thread.
        counted: A function that takes the number of inputs of each batch.
    """

    def __init__(self, runtime: Runtime, name: str, counted: Callable[[int], None]) -> None:
        self._runtime, self._counted = runtime, counted
        self.name, self.input_shape = runtime.name, runtime.input_shape
        self._jobs: deque[_Job] = deque()
        # To wake a thread costs as much as LeNet-5 takes for a digit. So only an idle one is woken.
        self._idle, self._open, self._wake = False, True, SimpleQueue[None]()
        self._thread = threading.Thread(target=self._work, name=f"model {name}", daemon=True)
        self._thread.start()

    async def answer(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs for a batch, in the server's loop."""
        future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self._add(_Job(x, future))
        return await future

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Compute the outputs for a batch, in another thread than the loop's; see `Runtime`."""
        future: Future[np.ndarray] = Future()
        self._add(_Job(x, future))
        return future.result()

    @property
    def waiting(self) -> int:
        """The number of jobs that wait."""
        return len(self._jobs)

    def close(self) -> None:
        """End the thread when all jobs are done."""
        self._open = False
        self._wake.put(None)
        self._thread.join()

    def _add(self, job: _Job) -> None:
        self._jobs.append(job)
        if self._idle:
            self._idle = False
            self._wake.put(None)

    def _work(self) -> None:
        while True:
            while self._jobs:
                together = self._next()
                self._deliver(together, self._outcomes(together))
            if not self._open:
                return
            self._idle = True
            # A job that came just before this has woken nobody.
            if not self._jobs:
                self._wake.get()
            self._idle = False

    def _next(self) -> list[_Job]:
        """Return the first job and those to compute together with it."""
        together = [self._jobs.popleft()]
        rows = len(together[0].x)
        while self._jobs:
            x = self._jobs[0].x
            if rows + len(x) > SIZES[-1] or not _alike(x, together[0].x):
                break
            together.append(self._jobs.popleft())
            rows += len(x)
        return together

    def _outcomes(self, jobs: list[_Job]) -> list[Outcome]:
        x = jobs[0].x if len(jobs) == 1 else np.concatenate([job.x for job in jobs])
        self._counted(len(x))
        try:
            outputs = self._runtime.outputs(_filled(x))[: len(x)]
        except Exception as error:
            # One input may be at fault, which should not spoil the answers to the others.
            return [error] if len(jobs) == 1 else [self._outcomes([job])[0] for job in jobs]
        ends = np.cumsum([len(job.x) for job in jobs]).tolist()
        return [outputs[end - len(job.x) : end] for job, end in zip(jobs, ends, strict=True)]

    @staticmethod
    def _deliver(jobs: list[_Job], outcomes: list[Outcome]) -> None:
        pairs = list(zip(jobs, outcomes, strict=True))
        in_loop = []
        for job, outcome in pairs:
            if isinstance(job.asked_by, Future):
                _settle(job.asked_by, outcome)
            else:
                in_loop.append((job.asked_by, outcome))
        if in_loop:
            loop = in_loop[0][0].get_loop()
            loop.call_soon_threadsafe(_settle_all, in_loop)


def _alike(x: np.ndarray, other: np.ndarray) -> bool:
    return x.shape[1:] == other.shape[1:] and x.dtype == other.dtype


def _filled(x: np.ndarray) -> np.ndarray:
    """Return a batch of one of the usual sizes; what is added is computed and thrown away."""
    size = next((size for size in SIZES if size >= len(x)), len(x))
    return x if size == len(x) else np.concatenate([x, x[-1:].repeat(size - len(x), axis=0)])


def _settle_all(pairs: "list[tuple[asyncio.Future[np.ndarray], Outcome]]") -> None:
    for future, outcome in pairs:
        if not future.done():  # nobody waits for it any more
            _settle(future, outcome)


def _settle(future: "asyncio.Future[np.ndarray] | Future[np.ndarray]", outcome: Outcome) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
