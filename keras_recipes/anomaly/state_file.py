"""What a program that watches a stream remembers, kept in a file over its end.

The state is written every minute, when the stream ends, and when the program is asked to stop;
that waits until nothing is half done.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes import atomic, interrupts, state_archive
from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    StoppedError,
    UnsafeModelError,
)
from keras_recipes.untrusted import limits

KEEP_SECONDS = 60.0
"""The state is written this often."""

State = tuple[Mapping[str, Any], Mapping[str, np.ndarray]]
"""JSON values, and arrays by name."""

log = logging.getLogger(__name__)


def check(file: str) -> None:
    """Refuses a file for a state before any work.

    Raises:
        InputError: Its folder is not there, or it cannot be written.
        CorruptModelError: What is there is no state.
        UnsafeModelError: It holds Python objects, or more than the limits.
    """
    path = Path(file)
    _check_writable(path)
    if path.exists():
        _read(path)


def _check_writable(path: Path) -> None:
    if not path.resolve().parent.is_dir():
        raise InputError(f"state: {path.parent} is no folder; make it, or name another file")
    atomic.prepare_file(path.resolve())


def _read(path: Path) -> State:
    try:
        plain, arrays = state_archive.unpacked(path, limits.current().array_bytes)
        return dict(json.loads(plain)), arrays
    except (UnsafeModelError, InputError):
        raise
    except Exception as error:  # whatever NumPy and JSON say of what was never kept so
        raise _damaged(path) from error


def _damaged(path: Path) -> CorruptModelError:
    return CorruptModelError(f"{path}: damaged; remove it to begin anew")


class StateFile:
    """A file that keeps the state of a stream.

    Args:
        file: Where; None for nowhere.
        describe: Says in words what is kept.
        state: Gives it.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(
        self, file: str | None, describe: Callable[[], str], state: Callable[[], State]
    ) -> None:
        self.path = Path(file) if file else None
        self._describe, self._state = describe, state
        self._written, self._signal = time.monotonic(), 0
        if self.path:
            _check_writable(self.path)

    def restore(self, take: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], None]) -> None:
        """Gives what was kept, if anything was, to `take`.

        Raises:
            CorruptModelError: The file is damaged, or `take` did not want what is in it.
            UnsafeModelError: It holds Python objects, or more than the limits.
        """
        if self.path is None or not self.path.exists():
            return
        kept = _read(self.path)
        try:
            take(*kept)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except Exception as error:  # whatever Python and NumPy say of what was never kept so
            raise _damaged(self.path) from error
        log.info("%s: %s", self.path, self._describe())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Where there is a file, being asked to stop waits for the next `boundary`."""

        def ask(number: int, frame: Any) -> None:
            self._signal = number

        with interrupts.handled(ask) if self.path else nullcontext():
            yield

    def boundary(self) -> None:
        """Called again and again, when nothing is half done: writes what is due.

        Raises:
            StoppedError: The program was asked to stop, and the state is kept.
        """
        if self.path and time.monotonic() - self._written >= KEEP_SECONDS:
            self._written = time.monotonic()
            try:
                self.write()
            except RecipeError as error:
                log.warning("%s", error)
        if self._signal:
            try:
                self.write()
            except RecipeError as error:
                raise StoppedError(f"stopped; {error}", self._signal) from None
            raise StoppedError(f"stopped; {self._describe()} in {self.path}", self._signal)

    def write(self) -> None:
        """Writes the state now, where there is a file.

        Raises:
            RecipeError: It cannot be written.
        """
        if self.path is None:
            return
        plain, arrays = self._state()
        content = state_archive.packed(json.dumps(plain).encode(), arrays)
        try:
            atomic.file(self.path, content)
        except RecipeError as error:
            raise RecipeError(f"{self.path}: the state is not kept: {error}") from None
