"""What somebody would write without this package: onnxruntime on uvicorn, or FastAPI.

`benchmarks.serve` starts them, with the path of the model in the environment variable MODEL:

    MODEL=lenet5.onnx uvicorn --factory benchmarks.serve_peers:onnxruntime_app
"""

import json
import os
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from keras_recipes.serve.limits import Receive, Scope, Send


class Digits(BaseModel):
    """Images of 28 x 28 numbers from 0 to 255, each as one list."""

    images: list[list[int]]


class Probabilities(BaseModel):
    """Ten probabilities for each image."""

    outputs: list[list[float]]


def images(asked: Digits, dtype: str) -> np.ndarray:
    return np.array(asked.images, dtype).reshape(-1, 28, 28, 1)


def bare_app() -> Any:
    """Return a program that checks nothing, and knows one address and one model."""
    import onnxruntime

    session = onnxruntime.InferenceSession(os.environ["MODEL"])
    name = session.get_inputs()[0].name

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        x = np.array(json.loads(body)["images"], "float32").reshape(-1, 28, 28, 1)
        answer = json.dumps({"outputs": session.run(None, {name: x})[0].tolist()}).encode()
        length = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": answer})

    return app


def onnxruntime_app() -> FastAPI:
    import onnxruntime

    session = onnxruntime.InferenceSession(os.environ["MODEL"])
    name = session.get_inputs()[0].name
    app = FastAPI()

    @app.post("/infer")
    def infer(asked: Digits) -> Probabilities:
        outputs: Any = session.run(None, {name: images(asked, "float32")})[0]
        return Probabilities(outputs=outputs.tolist())

    return app


def keras_app() -> FastAPI:
    import keras

    model = keras.models.load_model(os.environ["MODEL"])
    app = FastAPI()

    @app.post("/infer")
    def infer(asked: Digits) -> Probabilities:
        outputs = model.predict(images(asked, "uint8"), verbose=0)
        return Probabilities(outputs=outputs.tolist())

    return app
