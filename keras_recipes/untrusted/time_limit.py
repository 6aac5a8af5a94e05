"""A time limit for a search with an untrusted regular expression, which could run for ever."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_recipes.errors import RecipeError


@contextmanager
def at_most(seconds: float, refusal: RecipeError) -> Iterator[None]:
    """Raise `refusal` in the block if it computes for longer than `seconds`.

    Python's regular expressions hold the interpreter's lock, but check for signals. Therefore only
    a signal can stop them, and only the main thread receives signals. There is no limit in other
    threads or on Windows.

    Args:
        seconds: Processor time of this process.
        refusal: The error to raise.
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
