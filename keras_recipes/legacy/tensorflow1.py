"""What TensorFlow 1 computed differently, expressed for TensorFlow 2; Keras 2's terms.

It enlarged pictures bilinearly from their upper left corners on: row s q + r, enlarged s times, is
made of (s - r) / s of row q and r / s of the next, and where there is no next, of row q alone.
"""

from keras_recipes.legacy.tree import Layer, chain, refused


def meant(keras_version: str, theano: bool) -> bool:
    """Whether Keras itself, and not the one in TensorFlow 2, saved a model on TensorFlow."""
    return keras_version.startswith(("2.2.", "2.3.")) and "tf" not in keras_version and not theano


def upgrade(layer: Layer) -> Layer:
    """A tree that computes with TensorFlow 2 what it computed with TensorFlow 1.

    Args:
        layer: In terms of Keras 2, with its arrays.

    Raises:
        InputError: A layer that cannot be expressed.
    """
    layer.layers = [upgrade(inner) for inner in layer.layers]
    if layer.kind != "UpSampling2D" or layer.config.get("interpolation") != "bilinear":
        return layer
    new = _enlarged(layer)
    new.calls = layer.calls
    return new


def _enlarged(layer: Layer) -> Layer:
    """Each row doubled, and then the mean of every row and the next."""
    size = layer.config["size"]
    size = list(size) if isinstance(size, list | tuple) else [size, size]
    if any(n not in (1, 2) for n in size):
        raise refused(
            layer,
            f"bilinear by {size}, which TensorFlow 1 did from another corner",
            "save it with interpolation='nearest', or with sizes of 2",
        )
    form = layer.config.get("data_format")
    mean = {"pool_size": size, "strides": [1, 1], "padding": "same", "data_format": form}
    nearest = Layer("UpSampling2D", f"{layer.name}_nearest", dict(layer.config))
    nearest.config["interpolation"] = "nearest"
    return chain(layer.name, [nearest, Layer("AveragePooling2D", f"{layer.name}_mean", mean)])
