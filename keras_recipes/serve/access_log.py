"""The access log: one line of JSON for each request, on standard error."""

import asyncio
import contextlib
import os
import sys
import time
from datetime import UTC, datetime

import msgspec

EVERY = 0.1
"""Seconds between two writes; a write for each request would cost as much as its net."""

LONGEST = 200
"""The most characters of an address."""


class Line(msgspec.Struct, omit_defaults=True):
    """A request in the log; what the query said and what was sent is not in it."""

    time: str
    client: str
    method: str
    path: str
    status: int
    ms: float
    error: str = ""


class AccessLog:
    """Collects lines, and writes them every tenth of a second."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._second, self._written = 0, ""

    def write(
        self, client: str, method: str, path: str, status: int, seconds: float, error: str
    ) -> None:
        """Add a line."""
        if not self._lines:
            asyncio.get_running_loop().call_later(EVERY, self.flush)
        now = self._now()
        self._lines.append(
            self._encode(
                Line(now, client, method, path[:LONGEST], status, round(1e3 * seconds, 3), error)
            )
        )

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._written = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._written}.{int(1000 * (now - second)):03}Z"

    def flush(self) -> None:
        """Write what was collected."""
        text = b"".join(line + b"\n" for line in self._lines)
        self._lines.clear()
        # If nobody reads the log, the work goes on.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
            while text:
                text = text[os.write(sys.stderr.fileno(), text) :]
