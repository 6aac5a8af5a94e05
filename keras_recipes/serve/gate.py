"""The gate that every request passes: token, number of requests, access log, errors as JSON."""

import hmac
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from keras_recipes.serve import page, refusals
from keras_recipes.serve.access_log import AccessLog
from keras_recipes.serve.limits import Limits, Message, Receive, Scope, Send, busy
from keras_recipes.serve.measures import Measures
from keras_recipes.serve.refusals import GoneError, Refusal

OPEN = ("/v2/health/live", "/v2/health/ready", *page.OPEN)
"""What answers without a token: who looks whether a server lives has none, and the page asks for
it. Its files are the same on every server.
"""

CLIENT_GONE = 499
"""The status in the log of a request whose client went away, as nginx has it."""


class Gate:
    """The outermost layer of the program.

    Args:
        app: The layer that answers.
        limits: The limits of the server.
        measures: The counters of the server.
        log: The access log.
        token: What a request has to carry; None lets everyone in.
        origins: The web pages, by scheme and host, that may ask; "*" is all.
        models: The names of the models.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        measures: Measures,
        log: AccessLog,
        token: str | None,
        origins: tuple[str, ...],
        models: Collection[str],
    ) -> None:
        self._app, self._limits, self._measures, self._log = app, limits, measures, log
        self._token = f"Bearer {token}".encode() if token else None
        self._origins, self._models = origins, models
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, error = time.perf_counter(), 0, ""

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        scope["app"] = self  # so that the router raises its own errors
        self._requests += 1
        self._measures.begun()
        try:
            self._check(scope)
            await self._app(scope, receive, sending)
        except GoneError:
            status = CLIENT_GONE
        except Exception as raised:
            refusal = _of_router(raised) if isinstance(raised, HTTPException) else None
            refusal = refusal or refusals.of(raised)
            error = refusal.message
            if not status:
                await _refuse(refusal, sending)
        finally:
            self._requests -= 1
            self._note(scope, status or CLIENT_GONE, time.perf_counter() - begun, error)

    def _check(self, scope: Scope) -> None:
        if self._requests > self._limits.requests:
            raise busy(f"{self._limits.requests:,} requests are being answered")
        if self._token and scope["path"] not in OPEN and not self._may(scope):
            raise Refusal(
                401,
                "expected the header Authorization: Bearer TOKEN with this server's token",
                **{"WWW-Authenticate": "Bearer"},
            )
        if scope["method"] in ("POST", "DELETE"):
            self._check_origin(scope)

    def _may(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(given, self._token or b"")

    def _check_origin(self, scope: Scope) -> None:
        """Refuse what a web page from elsewhere sends: a browser asks it without being asked."""
        for name, value in scope["headers"]:
            if name == b"origin":
                origin, host = value.decode("latin-1"), Headers(scope=scope).get("host")
                allowed = "*" in self._origins or origin in self._origins
                if not allowed and urlsplit(origin).netloc != host:
                    raise Refusal(
                        403,
                        f"expected a page of this server, received a request of {origin}; start "
                        "the server with --allow-origin for it",
                    )

    def _note(self, scope: Scope, status: int, seconds: float, error: str) -> None:
        route = scope.get("route")
        path = scope["path"]
        template = route.path if route is not None else "none"
        model = scope.get("path_params", {}).get("model", "")
        known = model if model in self._models else ""
        self._measures.answered(template, known, status, seconds)
        client = scope.get("client") or ("",)
        self._log.write(client[0], scope["method"], path, status, seconds, error)


def _of_router(error: HTTPException) -> Refusal:
    advice = {
        404: "no such address; /openapi.json lists all",
        405: "expected another method; /openapi.json lists all",
    }
    message = advice.get(error.status_code, error.detail)
    return Refusal(error.status_code, message, **dict(error.headers or {}))


async def _refuse(refusal: Refusal, send: Send) -> None:
    content = refusals.content(refusal.message)
    headers = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        **refusal.headers,
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})
