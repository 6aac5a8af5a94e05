"""Common parts of the custom Keras layers.

A saved model names the module of each layer, so that name must never change. It is
`keras_recipes.layers` for all of them, wherever the class is written.
"""

from typing import Any, TypeVar

import keras

LayerClass = TypeVar("LayerClass", bound=type)


def registered(layer: LayerClass) -> LayerClass:
    """Register a layer class so that Keras finds it when it opens a saved model."""
    layer.__module__ = "keras_recipes.layers"
    found: LayerClass = keras.saving.register_keras_serializable(package="keras_recipes")(layer)
    return found


class PlainLayer(keras.layers.Layer):
    """A custom layer that takes no arguments of its own.

    Attributes:
        without_gradient: Why backpropagation through the layer is not its gradient, in words that
            complete "received NAME, ..."; empty if it is the gradient.
    """

    without_gradient = ""

    @property
    def image_dtype(self) -> str:
        """The dtype in which the layer computes with images: float64 in a float64 net.

        Otherwise it is float32, because coordinates of pixels need more digits than half precision
        has.
        """
        return str(keras.backend.result_type(self.compute_dtype, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return name, dtype and whether the layer is trained.

        Keras' default sometimes has more entries and sometimes fewer.
        """
        return dict(super().get_config())
