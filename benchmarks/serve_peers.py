"""What somebody would write without this package: FastAPI with onnxruntime, or with Keras.

`benchmarks.serve` starts both, with the path of the model in the environment variable MODEL:

    MODEL=lenet5.onnx uvicorn --factory benchmarks.serve_peers:onnxruntime_app
"""

import os
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel


class Digits(BaseModel):
    """Images of 28 x 28 numbers from 0 to 255, each as one list."""

    images: list[list[int]]


class Probabilities(BaseModel):
    """Ten probabilities for each image."""

    outputs: list[list[float]]


def images(asked: Digits, dtype: str) -> np.ndarray:
    return np.array(asked.images, dtype).reshape(-1, 28, 28, 1)


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
