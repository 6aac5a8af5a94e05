"""Convert layers that TensorFlow 1 computed differently from TensorFlow 2, in Keras 2's terms.

TensorFlow 1 enlarged images bilinearly from the upper left corner. Enlarged s times, row s q + r is
(s - r) / s times row q plus r / s times the next row. If there is no next row, it is row q alone.
"""

from keras_recipes.legacy.tree import Layer, chain, refused


def meant(keras_version: str, theano: bool) -> bool:
    """Return whether standalone Keras on TensorFlow saved a model, not the one in TensorFlow 2."""
    return keras_version.startswith(("2.2.", "2.3.")) and "tf" not in keras_version and not theano


def upgrade(layer: Layer) -> Layer:
    """Return a tree that computes with TensorFlow 2 what it computed with TensorFlow 1.

    Args:
        layer: A layer in terms of Keras 2, with its arrays.

    Raises:
        InputError: A layer cannot be expressed.
    """
    layer.layers = [upgrade(inner) for inner in layer.layers]
    if layer.kind != "UpSampling2D" or layer.config.get("interpolation") != "bilinear":
        return layer
    new = _enlarged(layer)
    new.calls = layer.calls
    return new


def _enlarged(layer: Layer) -> Layer:
    """Repeat each row, and then average every row with the next one."""
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
