"""One connection of a stream: the loop brings pieces of its body, a thread judges their lines."""

import asyncio
import io
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from keras_recipes.data import lines
from keras_recipes.recipe import Options, Row
from keras_recipes.report import tables
from keras_recipes.serve import refusals
from keras_recipes.serve.models import Served

WAITING = 4
"""The most pieces of a body that wait to be judged, and of an answer that wait to be sent."""

LONGEST_TEXT = 1 << 16
"""The most bytes of rows that are collected before they are sent."""


class Connection:
    """The lines of one connection, and the rows about them.

    Args:
        served: The model.
        values: The values of all options.
        counted: Called with the number of rows that are sent, and of anomalies among them.
    """

    def __init__(
        self, served: Served, values: Options, counted: Callable[[int, int], None]
    ) -> None:
        self._served, self._values, self._counted = served, values, counted
        self._loop = asyncio.get_running_loop()
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(WAITING)
        self._texts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._unsent = threading.Semaphore(WAITING)
        self._ended, self._whole = False, True

    async def put(self, piece: bytes) -> None:
        """Add a piece of the body; this waits while the thread has enough to do."""
        await self._room.acquire()
        if not self._ended:
            self._pieces.put(piece)

    def end(self, *, whole: bool) -> None:
        """End the lines. What has no line end counts only if the body is whole."""
        if not self._ended:
            self._ended, self._whole = True, whole
            self._pieces.put(None)

    async def texts(self) -> AsyncIterator[bytes]:
        """Yield rows as text; the first text, which may be empty, says that all is well.

        Raises:
            InputError: The stream cannot be judged, which is known before the first text.
        """
        begun = False
        while (text := await self._texts.get()) is not None:
            if isinstance(text, Exception):
                if not begun:
                    raise text
                text = refusals.content(refusals.of(text).message)
            begun = True
            yield text
            self._unsent.release()

    def judge(self) -> None:
        """Judge the lines in this thread until they end."""
        try:
            answers, card = self._served.streams, self._served.card
            assert answers is not None
            assert card is not None
            rows = _Rows(self._send, self._counted)
            follow = answers.follow(card, self._blocks(rows.flush), self._values)
            for row in follow(self._served.found.open()).rows:
                rows.add(row)
            rows.flush()
            self._say(None)
        except Exception as error:  # the loop tells the client, whatever it is
            self._say(error)
            self._say(None)

    def _blocks(self, flush: Callable[[], None]) -> Iterator[list[bytes]]:
        splitter = lines.Splitter()
        while True:
            flush()
            try:
                piece = self._pieces.get(timeout=lines.TICK)
            except queue.Empty:
                yield []
                continue
            if piece is None:
                break
            self._loop.call_soon_threadsafe(self._room.release)
            yield splitter.lines(piece)
        yield splitter.last() if self._whole else []

    def _send(self, text: bytes) -> None:
        # The loop releases it when the text is sent; who reads slowly is judged slowly. Lines that
        # ended early are judged without waiting, so that the state is kept whoever reads.
        while self._whole and not self._unsent.acquire(timeout=lines.TICK):
            pass
        self._say(text)

    def _say(self, what: Any) -> None:
        self._loop.call_soon_threadsafe(self._texts.put_nowait, what)


class _Rows:
    """Rows that are sent together, when there is nothing more to judge or enough to send."""

    def __init__(self, send: Callable[[bytes], None], counted: Callable[[int, int], None]) -> None:
        self._send, self._counted = send, counted
        self._text, self._rows, self._alarms, self._begun = io.StringIO(), 0, 0, False

    def add(self, row: Row) -> None:
        tables.FORMS["jsonl"](iter([row]), self._text)
        self._rows += 1
        self._alarms += bool(row.get("anomaly"))
        if self._text.tell() > LONGEST_TEXT:
            self.flush()

    def flush(self) -> None:
        if self._rows or not self._begun:
            self._begun = True
            self._counted(self._rows, self._alarms)
            self._send(self._text.getvalue().encode())
            self._text, self._rows, self._alarms = io.StringIO(), 0, 0
