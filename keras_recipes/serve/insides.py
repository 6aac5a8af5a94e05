"""What the page draws of the nets that read digits: `/page/models/MODEL`, and `/page/seen`."""

import asyncio
import base64
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from keras_recipes.commands.predict import answer
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Opened
from keras_recipes.models.receptive_fields import receptive_fields
from keras_recipes.recipe import Rows
from keras_recipes.serve import contents
from keras_recipes.serve.limits import Bodies, Limits
from keras_recipes.serve.models import Models, Served
from keras_recipes.serve.protocol import JSON
from keras_recipes.serve.refusals import Refusal

DRAWN = ("Conv2D", "AveragePooling2D", "MaxPooling2D", "Dense")
"""The kinds of layers that are drawn; the others only give numbers another form."""


class Insides:
    """The addresses that the page asks about digits.

    Args:
        models: The models of the server.
        bodies: Reads the bodies of requests.
        limits: The limits of the server.
    """

    def __init__(self, models: Models, bodies: Bodies, limits: Limits) -> None:
        self._models, self._bodies, self._limits = models, bodies, limits
        # One thread, because the interpreter that keeps all outputs serves one at a time.
        self._thread = ThreadPoolExecutor(1, "insides")

    async def models(self, request: Request) -> Response:
        """Name the models that the page can draw."""
        return await self._answered(lambda: {"models": list(self._drawn)})

    async def described(self, request: Request) -> Response:
        """Describe a net's layers, and the weights of a layer that sees all pixels."""
        served = self._models.named(request.path_params["model"])
        return await self._answered(lambda: self._described(served))

    async def seen(self, request: Request) -> Response:
        """Answer a picture with each net's answer and the outputs of its layers."""
        async with self._limits.in_time():
            picture = await self._bodies.read(request.scope, request.receive)
        contents.check_picture("drawing", io.BytesIO(picture), self._limits.pixels)
        return await self._answered(lambda: _seen(self._drawn.values(), picture))

    def close(self) -> None:
        """End the thread when it is done."""
        self._thread.shutdown()

    @cached_property
    def _drawn(self) -> dict[str, Served]:
        return {name: one for name, one in self._models.by_name.items() if _is_drawn(one)}

    def _described(self, served: Served) -> dict[str, Any]:
        if served.name not in self._drawn:
            raise Refusal(422, f"expected a net that classifies pictures, received {served.name}")
        return _described(served)

    async def _answered(self, work: Callable[[], dict[str, Any]]) -> Response:
        """Answer with what the thread finds; there a net may also be read for the first time."""
        async with self._limits.in_time():
            found = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        return Response(msgspec.json.encode(found), media_type=JSON)


def _is_drawn(served: Served) -> bool:
    """Return whether a model is a saved net that classifies pictures, layer after layer."""
    opened, labels = served.found.open(), _labels(served)
    if not served.sees or labels is None or not isinstance(opened, Opened) or opened.pair is None:
        return False
    try:
        return bool(opened.net.layers)
    except ValueError:
        return False


def _labels(served: Served) -> list[str] | None:
    """Return the labels of the classes; None if the model has none, such as an autoencoder."""
    return served.card.learned.get("labels") if served.card else None


def _opened(served: Served) -> Opened:
    opened = served.found.open()
    assert isinstance(opened, Opened)
    return opened


def _described(served: Served) -> dict[str, Any]:
    opened = _opened(served)
    layers, _ = (
        opened.net.layers,
        opened.layer_outputs,
    )  # made now, so that the first stroke is fast
    found: dict[str, Any] = {
        "labels": _labels(served),
        "layers": [{"name": layer.settings["name"], "kind": layer.kind} for layer in layers],
    }
    drawn = [layer for layer in layers if layer.kind in DRAWN]
    found["fields"] = _fields(opened, [layer.settings["name"] for layer in drawn])
    kernel = opened.net.arrays.get("layers/dense/vars/0")
    if drawn[0].kind == "Dense" and kernel is not None and len(kernel) == 28 * 28:
        found["weights"] = {"layer": drawn[0].settings["name"], **_packed(kernel.T)}
    return found


def _fields(opened: Opened, names: Iterable[str]) -> dict[str, Any]:
    """Return which rows and columns of the picture the units of each layer see, where known."""
    height, width = opened.runtime.input_shape[:2]
    assert height is not None
    assert width is not None
    try:
        found = receptive_fields(opened.net.layers, height, width)
    except ValueError:
        return {}
    return {name: {"rows": found[name].rows, "columns": found[name].columns} for name in names}


def _seen(nets: Iterable[Served], picture: bytes) -> dict[str, Any]:
    from keras_recipes.digits import pictures

    try:
        seen = pictures.seen_in("drawing", io.BytesIO(picture))
    except InputError as error:
        raise Refusal(422, str(error)) from None
    return {
        "image": _packed(seen.image),
        "several": seen.several,
        "models": {served.name: _seen_by(served, seen.image[None]) for served in nets},
    }


def _seen_by(served: Served, image: np.ndarray) -> dict[str, Any]:
    answered, opened = answer(served.found, image, {}), _opened(served)
    assert isinstance(answered, Rows)
    (row,) = answered.rows
    found = opened.layer_outputs.of(image) if opened.layer_outputs else {}
    drawn = [layer.settings["name"] for layer in opened.net.layers if layer.kind in DRAWN]
    layers = [{"name": name, **_packed(found[name])} for name in drawn if name in found]
    return {
        "prediction": str(row["prediction"]),
        "probability": row["probability"],
        "layers": layers,
    }


def _packed(values: np.ndarray) -> dict[str, Any]:
    """Return values as bytes from 0 to 255, with the least and the largest value."""
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255 / (high - low) if high > low else 0)
    content = base64.b64encode(np.round(scaled).astype("uint8").tobytes()).decode()
    return {"shape": list(values.shape), "low": low, "high": high, "values": content}
