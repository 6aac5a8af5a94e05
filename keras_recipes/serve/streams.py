"""`POST /predict/MODEL/streams/ID`: lines judged as they arrive, over one connection or many.

The body is a stream of log lines or records, and the answer is a stream of rows, each as soon as it
is certain. This needs no other protocol than HTTP: `curl -T -` follows a log, and a shipper of logs
posts one batch after the other. With a folder for states, each connection with the same ID goes on
where the last one ended, as `recipes predict MODEL - --set state=F` does.
"""

import asyncio
import contextlib
import re
import threading
from pathlib import Path

from starlette.datastructures import QueryParams

from keras_recipes import atomic, options
from keras_recipes.errors import InputError
from keras_recipes.serve import queries
from keras_recipes.serve.connection import Connection
from keras_recipes.serve.limits import Limits, Receive, Scope, Send, busy
from keras_recipes.serve.measures import Measures
from keras_recipes.serve.models import Models, Served
from keras_recipes.serve.refusals import GoneError, Refusal

ROWS = "application/x-ndjson"

MOST_KEPT = 10_000
"""The most states of a model in the folder; a client that makes up IDs would fill the disk."""

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def prepared(folder: str) -> Path:
    """Return the folder for states; it is made if it does not exist.

    Raises:
        InputError: It cannot be made or written.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--state: {folder}: {error.strerror}; name another folder") from None
    atomic.prepare_file(path / "new.state")
    return path.resolve()


class Streams:
    """The address that judges streams.

    Args:
        models: The models of the server.
        limits: The limits of the server.
        measures: The counters of the server.
        folder: Folder for the states of streams; None keeps none.
    """

    def __init__(
        self, models: Models, limits: Limits, measures: Measures, folder: Path | None
    ) -> None:
        self._models, self._limits, self._measures = models, limits, measures
        self._folder = folder
        self._open: dict[tuple[str, str], Connection] = {}
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge the lines of a body as they arrive."""
        served = self._models.named(scope["path_params"]["model"])
        key = served.name, scope["path_params"]["stream"]
        connection = self._connection(served, key[1], QueryParams(scope["query_string"]))
        if key in self._open:
            raise Refusal(409, f"{key[1]}: this stream is open already; use another ID, or wait")
        self._open[key] = connection
        self._measures.streams(served.name, 1)
        try:
            await _answer(connection, receive, send)
        except InputError as error:
            raise Refusal(422, self._without_folder(str(error), served)) from None
        finally:
            self._measures.streams(served.name, -1)
            del self._open[key]

    def end(self) -> None:
        """End all streams: the lines so far are judged, and their states are kept."""
        self._ending = True
        for connection in self._open.values():
            connection.end(whole=False)

    def _connection(self, served: Served, stream: str, query: QueryParams) -> Connection:
        """Return a new connection; what is wrong with the request is refused."""
        if served.streams is None or served.card is None or served.recipe is None:
            raise Refusal(404, f"{served.name}: judges no streams; ask POST /predict/{served.name}")
        if not _ID.fullmatch(stream):
            raise Refusal(
                422, "expected an ID of at most 64 letters, digits, -, _ and ., received another"
            )
        if self._ending:
            raise busy("the server stops")
        if len(self._open) >= self._limits.streams:
            raise busy(f"{self._limits.streams:,} streams are open")
        given = queries.given(served, query)
        served.streams.check_live(served.card, given)
        if self._folder:
            given["state"] = str(self._state(served, stream))
        values = options.of_model(served.recipe, served.card, "predict", given)
        return Connection(
            served, values, lambda rows, alarms: self._measures.rows(served.name, rows, alarms)
        )

    def _state(self, served: Served, stream: str) -> Path:
        assert self._folder is not None
        folder = self._folder / served.name
        folder.mkdir(exist_ok=True)
        path = folder / f"{stream}.state"
        if not path.exists() and sum(1 for _ in folder.iterdir()) >= MOST_KEPT:
            raise Refusal(429, f"expected at most {MOST_KEPT:,} streams, received another ID")
        return path

    def _without_folder(self, message: str, served: Served) -> str:
        return message.replace(f"{self._folder}/{served.name}/", "")


async def _answer(connection: Connection, receive: Receive, send: Send) -> None:
    reading = asyncio.create_task(_read(connection, receive))
    await asyncio.sleep(0)  # who waits for 100 Continue gets it before the answer begins
    thread = threading.Thread(target=connection.judge, name="stream", daemon=True)
    thread.start()
    begun = False
    try:
        async for text in connection.texts():
            if not begun:
                headers = [(b"content-type", ROWS.encode()), (b"x-accel-buffering", b"no")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                begun = True
            if text:
                await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        connection.end(whole=False)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            gone = await reading
            if gone:
                raise GoneError


async def _read(connection: Connection, receive: Receive) -> bool:
    """Pass the body on as it arrives; return whether the client went away."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            connection.end(whole=False)
            return True
        if piece := message.get("body", b""):
            await connection.put(piece)
        if not message.get("more_body", False):
            connection.end(whole=True)
            return False
