"""Handle Ctrl-C and SIGTERM so that work stops only when nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Call `handler` for SIGINT and SIGTERM in the block instead of ending the program.

    Only the main thread receives signals. In other threads this does nothing.

    Args:
        handler: A handler as `signal.signal` takes it.
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
