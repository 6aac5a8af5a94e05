"""What the Keras layers of our own have in common.

A saved model names a layer's module, and that name has to last: it is `keras_recipes.layers` for
all of them, wherever the class is written.
"""

from typing import Any, TypeVar

import keras

LayerClass = TypeVar("LayerClass", bound=type)


def registered(layer: LayerClass) -> LayerClass:
    """The class as Keras finds it again when it opens a saved model."""
    layer.__module__ = "keras_recipes.layers"
    found: LayerClass = keras.saving.register_keras_serializable(package="keras_recipes")(layer)
    return found


class PlainLayer(keras.layers.Layer):
    """A layer without arguments of its own."""

    def get_config(self) -> dict[str, Any]:
        """Name, type and whether it is trained: Keras' default has more, or less, at times."""
        return dict(super().get_config())
