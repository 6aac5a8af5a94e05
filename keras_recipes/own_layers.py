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
    """A custom layer that takes no arguments of its own."""

    def get_config(self) -> dict[str, Any]:
        """Return name, dtype and whether the layer is trained.

        Keras' default sometimes has more entries and sometimes fewer.
        """
        return dict(super().get_config())
