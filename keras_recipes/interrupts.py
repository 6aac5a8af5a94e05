"""Handle Ctrl-C, SIGTERM and SIGHUP so that work stops only when nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Call `handler` for SIGINT, SIGTERM and SIGHUP in the block instead of ending the program.

    Only the main thread receives signals. In other threads this does nothing. A SIGHUP that the
    caller ignores, as nohup does, stays ignored.

    Args:
        handler: A handler as `signal.signal` takes it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
