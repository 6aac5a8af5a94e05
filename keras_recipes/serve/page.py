"""The page at `/`, whose files come with the package and need no network."""

from collections.abc import Awaitable, Callable
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FILES = (
    *("index.html", "page.css", "page.js", "server.js", "words.js", "icon.svg"),
    *("net.js", "learning.js", "xor.js", "anomalies.js", "charts.js"),
)

_HEADERS = {
    # The page loads nothing from elsewhere, and no other page may show it in a frame.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


OPEN = ("/", *(f"/page/{name}" for name in FILES[1:]))
"""The files answer without a token, because a browser cannot send one before it has the page."""


def routes() -> list[Route]:
    """Return the addresses of the page's files."""
    return [Route("/", _file("index.html")), *(Route(f"/page/{n}", _file(n)) for n in FILES[1:])]


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = resources.files("keras_recipes.serve").joinpath("assets", name).read_bytes()
    kind = f"{KINDS[name.rpartition('.')[2]]}; charset=utf-8"

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind, headers=_HEADERS)

    return answer
