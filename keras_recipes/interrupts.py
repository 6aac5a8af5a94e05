"""Being asked to stop, by Ctrl-C or SIGTERM, where work ends only when nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """In the block, SIGINT and SIGTERM call the handler instead of ending the program.

    Only the main thread gets signals; in others nothing changes.

    Args:
        handler: As for `signal.signal`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, handler) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
