"""What a program that watches a stream remembers, kept in a file over its end.

The state is written every minute, when the stream ends, and when the program is asked to stop;
that waits until nothing is half done.
"""

import io
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import atomic, interrupts
from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    StoppedError,
    UnsafeModelError,
)
from keras_recipes.untrusted import arrays, limits

if TYPE_CHECKING:
    import numpy as np

KEEP_SECONDS = 60.0
"""The state is written this often."""

log = logging.getLogger(__name__)


def check(file: str) -> None:
    """Refuses a file for a state before any work.

    Raises:
        InputError: Its folder is not there, or it cannot be written.
        CorruptModelError: What is there is no state.
        UnsafeModelError: It holds Python objects, or more than the limits.
    """
    path = Path(file)
    if not path.resolve().parent.is_dir():
        raise InputError(f"state: {path.parent} is no folder; make it, or name another file")
    atomic.prepare_file(path.resolve())
    if path.exists():
        _read(path)


def _read(path: Path) -> "Mapping[str, np.ndarray]":
    try:
        return arrays.read_named(path, limits.current().array_bytes)
    except (UnsafeModelError, InputError):
        raise
    except Exception as error:  # whatever NumPy says of what was never kept so
        raise CorruptModelError(f"{path}: damaged; remove it to begin anew") from error


class Keeper:
    """A file with arrays by name.

    Args:
        file: Where they are kept; None for nowhere.
        what: Says in words what is kept.
        state: Gives the arrays.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(
        self,
        file: str | None,
        what: Callable[[], str],
        state: "Callable[[], Mapping[str, np.ndarray]]",
    ) -> None:
        self.path = Path(file) if file else None
        self._what, self._state = what, state
        self._kept, self._stopped = time.monotonic(), 0
        if self.path:
            atomic.prepare_file(self.path.resolve())

    def restore(self, take: "Callable[[Mapping[str, np.ndarray]], None]") -> None:
        """Gives what was kept, if anything was, to `take`.

        Raises:
            CorruptModelError: The file is damaged, or `take` did not want what is in it.
            UnsafeModelError: It holds Python objects, or more than the limits.
        """
        if self.path is None or not self.path.exists():
            return
        try:
            take(arrays.read_named(self.path, limits.current().array_bytes))
        except UnsafeModelError:
            raise
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except Exception as error:  # whatever JSON and NumPy say of what was never kept so
            raise CorruptModelError(f"{self.path}: damaged; remove it to begin anew") from error
        log.info("%s: %s", self.path, self._what())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Where there is a file, being asked to stop waits for the next `look`."""

        def ask(number: int, frame: Any) -> None:
            self._stopped = number

        with interrupts.handled(ask) if self.path else nullcontext():
            yield

    def look(self) -> None:
        """To be called again and again, when nothing is half done: writes what is due.

        Raises:
            StoppedError: The program was asked to stop, and the state is kept.
        """
        if self.path and time.monotonic() - self._kept >= KEEP_SECONDS:
            self._kept = time.monotonic()
            try:
                self.keep()
            except RecipeError as error:
                log.warning("%s", error)
        if self._stopped:
            try:
                self.keep()
            except RecipeError as error:
                raise StoppedError(f"stopped; {error}", self._stopped) from None
            raise StoppedError(f"stopped; {self._what()} in {self.path}", self._stopped)

    def keep(self) -> None:
        """Writes the state now.

        Raises:
            RecipeError: It cannot be written.
        """
        import numpy as np

        if self.path is None:
            return
        file = io.BytesIO()
        np.savez(file, **self._state())  # type: ignore[arg-type]
        try:
            atomic.file(self.path, file.getvalue())
        except RecipeError as error:
            raise RecipeError(f"{self.path}: the state is not kept: {error}") from None
