"""A file that keeps the state of a stream, so that the next run continues from it.

The state is written every minute, when the stream ends, when the program is stopped, and when an
error ends it. A stop waits until the present lines are processed.
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
"""Seconds between two writes of the state."""

State = tuple[Mapping[str, Any], Mapping[str, np.ndarray]]
"""JSON values, and arrays by name."""

log = logging.getLogger(__name__)


def check(file: str) -> None:
    """Check the file of a state before any work.

    Raises:
        InputError: Its folder does not exist, or it cannot be written.
        CorruptModelError: The existing file is not a state.
        UnsafeModelError: The existing file holds Python objects, or exceeds the limits.
    """
    path = Path(file)
    _check_writable(path)
    if path.exists():
        _read(path)


def _check_writable(path: Path) -> None:
    if not path.resolve().parent.is_dir():
        raise InputError(f"state: {path.parent} is not a folder; create it, or name another file")
    atomic.prepare_file(path)


def _read(path: Path) -> State:
    try:
        plain, arrays = state_archive.unpacked(path, limits.current().array_bytes)
        return dict(json.loads(plain)), arrays
    except (UnsafeModelError, InputError):
        raise
    except Exception as error:  # NumPy and JSON raise many for a damaged file
        raise _damaged(path) from error


def _damaged(path: Path) -> CorruptModelError:
    return CorruptModelError(f"{path}: the state is damaged; remove the file to start anew")


class StateFile:
    """A file that keeps the state of a stream.

    Args:
        file: The file; None keeps no state.
        describe: Returns what is kept, in words.
        state: Returns the state.

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
        """Pass the kept state to `take`, if there is one.

        Raises:
            InputError: `take` refused the state.
            CorruptModelError: The file is damaged.
            UnsafeModelError: The file holds Python objects, or exceeds the limits.
        """
        if self.path is None or not self.path.exists():
            return
        kept = _read(self.path)
        try:
            take(*kept)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except Exception as error:  # Python and NumPy raise many for a damaged state
            raise _damaged(self.path) from error
        log.info("%s: %s", self.path, self._describe())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let a stop wait for the next `boundary`, and keep the state if an error ends the block.

        A generator that is closed, because nobody reads its rows any more, ends by an error too.
        """

        def ask(number: int, frame: Any) -> None:
            self._signal = number

        with interrupts.handled(ask) if self.path else nullcontext():
            try:
                yield
            except StoppedError:
                raise  # `boundary` kept it
            except BaseException:
                if self.path:
                    self._try_to_write()
                raise

    def boundary(self) -> None:
        """Write the state if it is due; call this only between complete steps.

        Raises:
            StoppedError: The program was stopped, and the state was kept if it could be written.
        """
        if self.path and time.monotonic() - self._written >= KEEP_SECONDS:
            self._written = time.monotonic()
            self._try_to_write()
        if self._signal:
            try:
                self.write()
            except RecipeError as error:
                raise StoppedError(f"stopped; {error}", self._signal) from None
            raise StoppedError(f"stopped; {self._describe()} in {self.path}", self._signal)

    def _try_to_write(self) -> None:
        try:
            self.write()
        except RecipeError as error:
            log.warning("%s", error)

    def write(self) -> None:
        """Write the state now if there is a file.

        Raises:
            RecipeError: The file cannot be written.
        """
        if self.path is None:
            return
        try:
            plain, arrays = self._state()
            content = state_archive.packed(json.dumps(plain).encode(), arrays)
            atomic.file(self.path, content)
        except (RecipeError, OSError, MemoryError) as error:
            reason = str(error) or type(error).__name__
            raise RecipeError(f"{self.path}: the state was not kept: {reason}") from None
