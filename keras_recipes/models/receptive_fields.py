"""Which part of a picture each unit of a net sees, computed from the net as data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_recipes.models.net import Layer

Span = tuple[int, int]
"""The first and the last row or column that is seen."""

_Axis = list[Span | None]
"""For each position of an axis what is seen from there; None is padding, which sees nothing."""

SLIDING = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "AveragePooling2D", "MaxPooling2D")
SAME = (
    *(
        "Activation",
        "ActivityRegularization",
        "BatchNormalization",
        "Dropout",
        "ELU",
        "GaussianNoise",
    ),
    *("LayerNormalization", "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "Softmax"),
)
WHOLE = ("Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D")


@dataclass(frozen=True)
class Fields:
    """What the units of a layer see.

    Attributes:
        rows: For each row of the layer's maps the rows of the picture; one for units in a row.
        columns: The same for columns.
    """

    rows: Sequence[Span | None]
    columns: Sequence[Span | None]


def receptive_fields(layers: Iterable[Layer], height: int, width: int) -> dict[str, Fields]:
    """Return what the units of each layer see, by the layer's name.

    Args:
        layers: The layers in order.
        height: The height of the picture.
        width: Its width.

    Raises:
        ValueError: A layer is of a kind whose units may see anything.
    """
    axes: tuple[_Axis, _Axis] = [(i, i) for i in range(height)], [(i, i) for i in range(width)]
    found = {}
    for layer in layers:
        axes = _through(layer, axes)
        found[layer.settings["name"]] = Fields(*axes)
    return found


def _through(layer: Layer, axes: tuple[_Axis, _Axis]) -> tuple[_Axis, _Axis]:
    kind, settings = layer.kind, layer.settings
    rows, columns = axes
    if kind in SAME:
        return axes
    if kind in WHOLE or (kind == "Reshape" and len(settings["target_shape"]) == 1):
        return [_union(rows)], [_union(columns)]
    if kind == "Dense":  # it mixes the last axis only, which is that of the maps or of the units
        return axes
    if kind == "Reshape" and list(settings["target_shape"][:2]) == [len(rows), len(columns)]:
        return axes
    if kind == "ZeroPadding2D":
        return _padded(rows, settings["padding"][0]), _padded(columns, settings["padding"][1])
    if kind in SLIDING and settings.get("data_format", "channels_last") == "channels_last":
        return _slid(rows, layer, 0), _slid(columns, layer, 1)
    raise ValueError(f"{settings['name']}: it is unknown what the units of a {kind} see")


def _slid(axis: _Axis, layer: Layer, number: int) -> _Axis:
    settings = layer.settings
    size = (settings.get("kernel_size") or settings["pool_size"])[number]
    strides = settings.get("strides") or settings["pool_size"]
    stride, apart = strides[number], settings.get("dilation_rate", (1, 1))[number]
    reach, before = (size - 1) * apart + 1, 0
    count = (len(axis) - reach) // stride + 1
    if settings["padding"] == "same":
        count = math.ceil(len(axis) / stride)
        before = max(0, (count - 1) * stride + reach - len(axis)) // 2
    places = ([k * stride - before + j * apart for j in range(size)] for k in range(count))
    return [_union([axis[i] for i in some if 0 <= i < len(axis)]) for some in places]


def _padded(axis: _Axis, sides: Sequence[int]) -> _Axis:
    before, after = sides
    nothing: _Axis = [None]
    return [*nothing * before, *axis, *nothing * after]


def _union(axis: _Axis) -> Span | None:
    seen = [span for span in axis if span is not None]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None
