"""What is the same in a worker for every job: its data, its threads, its errors."""

import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keras_recipes.errors import RecipeError, first_line, printable
from keras_recipes.fleet import selection, storage
from keras_recipes.fleet.jobs import Job
from keras_recipes.fleet.running import Outcome


def outcome_of(work: Callable[[Path], Any], folder: str) -> Outcome:
    """Do a job, and return what became of it.

    Args:
        work: Does the job with a folder of its own, and returns what it made, or None if that was
            there before.
        folder: The working folder of the program that ordered the job; relative paths begin there.
    """
    begun = time.perf_counter()
    content, error = None, None
    with _warnings() as notes, tempfile.TemporaryDirectory() as scratch:
        try:
            if Path(folder).is_dir():
                os.chdir(folder)
            content = work(Path(scratch))
        except RecipeError as failure:
            error = str(failure)
        except Exception as failure:
            error = f"unexpected {type(failure).__name__}: {printable(first_line(failure), 200)}"
    seconds = time.perf_counter() - begun
    return Outcome(content, error, tuple(notes), f"{platform.node()}:{os.getpid()}", seconds)


def local(job: Job, scratch: Path) -> list[str]:
    """Return the paths of a job's data here: copied if it has an address, selected by value."""
    if job.where is None:
        return [str(storage.fetched(path, scratch)) for path in job.paths]
    found = []
    for number, path in enumerate(job.paths):
        inner = scratch / str(number)
        inner.mkdir()
        source = storage.fetched(path, inner)
        target = inner / f"selected-{source.name.removesuffix('.gz')}"
        selection.write(source, *job.where, target)
        found.append(str(target))
    return found


def limit_threads(cpus: int) -> None:
    """Let TensorFlow use as many threads as the job has processors; call this before it starts.

    Each worker would take all cores otherwise, and they would wait for each other.

    Args:
        cpus: The processors of the job.
    """
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(cpus))


def forget_earlier_jobs() -> None:
    """Let Keras number its layers and optimizers from the beginning, as in a new process.

    The numbers are part of the names in a saved model.
    """
    import keras

    keras.backend.clear_session()


class _Collected(logging.Handler):
    def __init__(self, notes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        self.notes.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect the package's warnings in the block, which its user could not see."""
    notes: list[str] = []
    logger, collector = logging.getLogger("keras_recipes"), _Collected(notes)
    logger.addHandler(collector)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield notes
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate
