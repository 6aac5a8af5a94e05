"""A time limit for searching by somebody else's regular expression, which could take for ever."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_recipes.errors import RecipeError


@contextmanager
def at_most(seconds: float, refusal: RecipeError) -> Iterator[None]:
    """Raises `refusal` in the block when it has computed for longer.

    Python's regular expressions hold the interpreter's lock, and look at signals now and then: so
    only a signal ends them, which only the main thread gets. In other threads, and on Windows,
    there is no end.

    Args:
        seconds: Processor time of this process.
        refusal: What is raised.
    """
    if not hasattr(signal, "setitimer") or not _in_main_thread():
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


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
