"""Starting and stopping the server."""

import errno
import gc
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any

import uvicorn

from keras_recipes import backend
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.serve.app import App
from keras_recipes.serve.models import described
from keras_recipes.serve.together import Together

TOKEN = "RECIPES_SERVE_TOKEN"
"""The environment variable that may hold the token."""

SHORTEST_TOKEN = 16
GRACE = 30
"""Seconds that requests have to end when the server stops."""

BACKLOG = 2048

log = logging.getLogger(__name__)


def token(file: str | None) -> str | None:
    """Return the token that requests have to carry; None if none was given.

    Args:
        file: The file that holds it; without one the environment variable counts.

    Raises:
        InputError: The file cannot be read, or the token is too short or has other characters.
    """
    given = os.environ.get(TOKEN)
    where = TOKEN
    if file is not None:
        where = f"--token-file: {file}"
        try:
            given = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise InputError(f"{where}: cannot be read: {reason}") from None
    if given is None:
        return None
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable():
        raise InputError(
            f"{where}: expected a token of at least {SHORTEST_TOKEN} ASCII characters, received "
            "another; make one with `openssl rand -hex 32`"
        )
    return given


def bound(host: str, port: int) -> socket.socket:
    """Return a socket on which the server listens.

    Raises:
        InputError: The host has no address here.
        RecipeError: The port is in use, or only root may use it.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind)
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host: {host}: {getattr(error, 'strerror', error)}") from None
    try:
        if os.name != "nt":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise RecipeError(f"port {port} is in use; name another with --port") from None
        raise RecipeError(f"{host}, port {port}: {error.strerror}; name another") from None
    return found


def is_open(listening: socket.socket) -> bool:
    """Return whether others than this machine reach a socket."""
    host = listening.getsockname()[0]
    return not (host.startswith("127.") or host == "::1")


def address(listening: socket.socket) -> str:
    """Return the address of a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: App, listening: socket.socket) -> int:
    """Answer requests until a signal stops the server; return the signal's number.

    What is being answered is answered to the end, and the states of streams are kept.
    """
    backend.share_output()
    config = uvicorn.Config(
        app.answers,
        http=Together,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    logger = logging.getLogger("uvicorn")
    logger.handlers = logging.getLogger("keras_recipes").handlers
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    log.info("%s answers with %s", address(listening), described(app.models.by_name))
    # What was imported stays, so it is not searched for garbage again and again.
    gc.freeze()
    server = _Server(config, app)
    server.run([listening])
    app.predictions.close()
    app.insides.close()
    app.jobs.close()
    app.models.close()
    return server.stopped_by


class _Server(uvicorn.Server):
    """Uvicorn's server, which also ends streams, and does not end by the signal that stops it."""

    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._app = app
        self.stopped_by = int(signal.SIGTERM)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop; a second Ctrl-C does not wait for anything."""
        super().handle_exit(sig, frame)
        self.stopped_by = sig
        self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then wait for all answers."""
        self._app.streams.end()
        await super().shutdown(sockets)
        self._app.log.flush()
