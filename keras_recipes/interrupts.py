"""Being asked to stop, by Ctrl-C or SIGTERM, where work ends only when nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def heard(ask: Callable[[int, Any], None]) -> Iterator[None]:
    """In the block, SIGINT and SIGTERM call `ask` with their number instead of ending the program.

    Only the main thread hears signals; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
