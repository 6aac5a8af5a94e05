"""`/page/examples/NAME`: a log and a series for who has none; their first half is normal."""

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keras_recipes.data import demonstration, demonstration_series
from keras_recipes.serve.contents import CSV, TEXT

ORDERS = 300
"""The orders of each half of the log: few, so that a fit takes seconds."""

EVERY = 2
"""Of the series, every n-th record is in the example."""


def routes() -> list[Route]:
    """Return the addresses of the examples."""
    return [
        Route(f"/page/examples/{name}", _sent(made, kind)) for name, (made, kind) in MADE.items()
    ]


def _sent(made: Callable[[], bytes], kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return Response(made(), media_type=f"{kind}; charset=utf-8")

    return answer


def _log() -> bytes:
    halves = (demonstration.normal(), 100_000), (demonstration.broken(), 200_000)
    order = re.compile(rb" order-(\d+) ")
    some = [
        line
        for lines, first in halves
        for line in lines
        if (found := order.search(line)) and int(found[1]) < first + ORDERS
    ]
    return b"\n".join(some) + b"\n"


def _series() -> bytes:
    records = [*demonstration_series.normal().records, *demonstration_series.broken().records]
    rows = [f"{record.timestamp},{record.values[0]}\n" for record in records[::EVERY]]
    return ("timestamp,requests\n" + "".join(rows)).encode()


MADE = {"shop.log": (_log, TEXT), "requests.csv": (_series, CSV)}
"""What makes each example, and its kind."""
