"""The limits of a server: how much a request may send, how long it may take, how many at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from keras_recipes.serve.refusals import GoneError, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MEGA = 1_000_000

BODIES_AT_ONCE = 16
"""How many of the largest bodies may be in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a server.

    Attributes:
        body: The most bytes of a request's body; a stream has no such limit.
        pixels: The most pixels of a picture.
        seconds: The longest time of a request; a stream has no such limit.
        requests: The most requests at once.
        streams: The most streams at once, of all models together.
        fits: Whether the page fits models.
        rows: The most lines or records of a file on the page.
        job_seconds: The longest time of a job of the page.
        job_memory: The most bytes of memory of a job of the page.
    """

    body: int = 32 * MEGA
    pixels: int = 50 * MEGA
    seconds: float = 30.0
    requests: int = 256
    streams: int = 32
    fits: bool = True
    rows: int = 100_000
    job_seconds: float = 600.0
    job_memory: int = 3_000 * MEGA

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """End the block when a request has taken its time.

        Raises:
            Refusal: It has.
        """
        try:
            async with asyncio.timeout(self.seconds):
                yield
        except TimeoutError:
            raise busy(f"no answer in {self.seconds:g} seconds; send less") from None


class Bodies:
    """Reads the bodies of requests, and counts how much of them is in memory.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.body
        self._left = limits.body * BODIES_AT_ONCE

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body of a request.

        Raises:
            Refusal: The body is too large, or the server holds too many of them.
            GoneError: The client went away.
        """
        self._check_declared(scope)
        message = await receive()
        first: bytes = message.get("body", b"")
        if not message.get("more_body", False) and message["type"] == "http.request":
            self._check(len(first))
            return first
        return await self._rest(first, message, receive)

    async def _rest(self, first: bytes, message: Message, receive: Receive) -> bytes:
        pieces, size, held = [first], len(first), 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise GoneError
                self._check(size)
                held, self._left = size, self._left - (size - held)
                if self._left < 0:
                    raise busy("the bodies of other requests fill the memory for them")
                if not message.get("more_body", False):
                    return b"".join(pieces)
                message = await receive()
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
        finally:
            self._left += held

    def counted(self, scope: Scope, receive: Receive) -> Receive:
        """Return a function that receives a body in pieces, and refuses one that is too large."""
        self._check_declared(scope)
        size = 0

        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            size += len(message.get("body", b""))
            self._check(size)
            return message

        return receive_counted

    def _check_declared(self, scope: Scope) -> None:
        headers = scope["headers"]
        for name, value in headers:
            if name == b"content-length" and value.isdigit():
                self._check(int(value))
            elif name == b"content-encoding" and value.lower() != b"identity":
                raise Refusal(
                    415,
                    "expected a body without Content-Encoding, received "
                    f"{value.decode('latin-1')}; send it as it is",
                )

    def _check(self, size: int) -> None:
        if size > self._most:
            raise Refusal(
                413,
                f"expected a body of at most {self._most:,} bytes, received more; send less",
            )


def busy(reason: str) -> Refusal:
    """Return the refusal of a server that has too much to do."""
    return Refusal(503, f"busy: {reason}; try again in a second", **{"Retry-After": "1"})
