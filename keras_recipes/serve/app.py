"""The program that answers requests: its addresses, and what they share."""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from keras_recipes.serve import examples, page, schema, xor_net
from keras_recipes.serve.access_log import AccessLog
from keras_recipes.serve.gate import Gate
from keras_recipes.serve.insides import Insides
from keras_recipes.serve.jobs import Jobs
from keras_recipes.serve.limits import Bodies, Limits
from keras_recipes.serve.measures import CONTENT_TYPE, Measures
from keras_recipes.serve.models import Models
from keras_recipes.serve.predictions import Predictions
from keras_recipes.serve.protocol import JSON, Protocol
from keras_recipes.serve.streams import Streams


@dataclass(frozen=True)
class App:
    """The program, and the parts of it that the server ends.

    Attributes:
        answers: The ASGI program.
        models: The models.
        streams: The streams.
        predictions: The predictions.
        log: The access log.
        insides: What the page draws of digits.
        jobs: What the page fits and judges.
    """

    answers: ASGIApp
    models: Models
    streams: Streams
    predictions: Predictions
    log: AccessLog
    insides: Insides
    jobs: Jobs


def made(
    models: Iterable[str],
    *,
    limits: Limits,
    token: str | None = None,
    origins: tuple[str, ...] = (),
    states: Path | None = None,
) -> App:
    """Return the program for some models.

    Args:
        models: The MODEL arguments; without any, the models that come with this package.
        limits: The limits.
        token: What each request has to carry; None lets everyone in.
        origins: The web pages, by scheme and host, that may ask.
        states: Folder for the states of streams; None keeps none.

    Raises:
        InputError: There is no such model, or two have one name.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    measures, log, bodies = Measures(), AccessLog(), Bodies(limits)
    served = Models(models, measures.batch)
    for name in served.by_name:
        measures.watch(name)
    protocol = Protocol(served, bodies, limits)
    predictions = Predictions(served, bodies, limits, measures)
    streams = Streams(served, limits, measures, states)
    insides = Insides(served, bodies, limits)
    jobs = Jobs(served, bodies, limits)
    document, index = schema.document(served), _index(served)
    app: ASGIApp = Router(
        [
            *_of_protocol(protocol),
            Route("/predict/{model}/streams/{stream}", streams, methods=["POST"]),
            Route("/predict/{model}", predictions.answer, methods=["POST"]),
            Route("/metrics", _page(measures.page, CONTENT_TYPE)),
            Route("/openapi.json", _page(lambda: document, JSON)),
            Route("/index.json", _page(lambda: index, JSON)),
            Route("/page/models", insides.models),
            Route("/page/models/{model}", insides.described),
            Route("/page/xor", xor_net.described),
            Route("/page/seen", insides.seen, methods=["POST"]),
            *jobs.routes(),
            *examples.routes(),
            *page.routes(),
        ],
        redirect_slashes=False,
    )
    app = Gate(
        app,
        limits=limits,
        measures=measures,
        log=log,
        token=token,
        origins=origins,
        models=served.by_name,
    )
    if origins:
        # A browser asks first whether it may ask, and has no token for that.
        app = CORSMiddleware(
            app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"]
        )
    return App(app, served, streams, predictions, log, insides, jobs)


def _of_protocol(protocol: Protocol) -> list[Route]:
    model = "/v2/models/{model}"
    versioned = f"{model}/versions/{{version}}"
    return [
        Route(f"{model}/infer", protocol, methods=["POST"]),
        Route(f"{versioned}/infer", protocol, methods=["POST"]),
        Route("/v2/health/live", protocol.healthy),
        Route("/v2/health/ready", protocol.healthy),
        Route("/v2", protocol.server),
        *(Route(f"{one}/ready", protocol.ready) for one in (model, versioned)),
        *(Route(one, protocol.model) for one in (model, versioned)),
    ]


def _page(content: Callable[[], bytes], kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return Response(content(), media_type=kind)

    return answer


def _index(models: Models) -> bytes:
    """Return what is where, for who opens the server's address."""
    index = {
        "name": "keras_recipes",
        "version": version("keras_recipes"),
        "models": list(models.by_name),
        "predict": [f"/predict/{name}" for name in models.by_name],
        "infer": [f"/v2/models/{name}/infer" for name, one in models.by_name.items() if one.takes],
        "openapi": "/openapi.json",
        "metrics": "/metrics",
    }
    return json.dumps(index, indent=2).encode() + b"\n"
