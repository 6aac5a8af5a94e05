"""Draw the net of each recipe into docs/pictures/NAME/net.png.

    python docs/scripts/draw_nets.py [NAME]...

The names, shapes and parameter counts come from the layers that the recipe declares, which
`recipes show NAME` prints too.
"""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from keras_recipes import catalog
from keras_recipes.recipe import LayerSummary, Recipe
from keras_recipes.report import plots

PICTURES = Path(__file__).parent.parent / "pictures"

INPUT, LAYER, EDGE, TEXT = "#56606b", plots.ZERO, "#9aa5b1", "#1a1a1a"
LARGE, SMALL = 12, 10.5
"""Sizes in points: a phone shows the picture at about the size of 360 points."""

ARROW: dict[str, Any] = {
    "arrowstyle": "-|>",
    "color": INPUT,
    "mutation_scale": 10,
    "shrinkA": 0,
    "shrinkB": 0,
}

SHIFT, MOST_MAPS = 0.022, 16
"""How far a map is above the one in front of it, and how many maps of a layer are drawn."""

LONGEST_ROW = 120
"""Numbers of the row that fills the width, if no row is longer."""

MOST_DENSE = 2
"""The most dense layers that are drawn by their units, side by side."""

MOST_UNITS = 16
"""A layer with more units is drawn by the first and the last of them."""

IN_WORDS = {
    "CategoryEncoding": "one-hot encoding",
    "Conv2D": "convolution",
    "Dense": "dense",
    "Embedding": "embedding",
    "Flatten": "one row of numbers",
    "InputLayer": "input",
    "LSTM": "LSTM",
    "MaxPooling2D": "max pooling",
    "Rescaling": "scaling",
    "Reshape": "one number per step",
    "ZeroPadding2D": "zero padding",
}


def units_and_edges(recipe: Recipe, inputs: int) -> Figure:
    """Return a drawing with a circle per unit and a line per weight, from left to right.

    Args:
        recipe: Its dense layers are drawn.
        inputs: The number of inputs.
    """
    dense = [layer for layer in recipe.layers if layer.kind == "Dense"]
    captions = [f"input\n{inputs:,} numbers\n", *map(_dense_caption, dense)]
    sizes = [inputs, *(layer.output_shape[-1] or 0 for layer in dense)]
    columns = [_heights(size) for size in sizes]
    reach = min(max(map(max, columns)), 0.55)
    bottom, top = -reach - 0.3, reach + 0.42
    figure = Figure(figsize=(5.4, 5.2 / 1.82 * (top - bottom)), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(bottom, top))
    axes.axis("off")
    for x, (left, right) in enumerate(itertools.pairwise(columns)):
        for low in left:
            for high in right:
                axes.plot([x, x + 1], [low, high], color=EDGE, linewidth=0.6, zorder=1)
    for x, (heights, size, caption) in enumerate(zip(columns, sizes, captions, strict=True)):
        colour = INPUT if x == 0 else plots.ONE if x == len(sizes) - 1 else LAYER
        axes.scatter([x] * len(heights), heights, s=150, color=colour, zorder=2, edgecolor="white")
        if len(heights) < size:
            dots = [-0.02, 0.0, 0.02]
            axes.scatter([x] * 3, dots, s=9, color=colour, zorder=2)
        axes.text(x, top - 0.07, caption, ha="center", va="top", fontsize=LARGE, color=TEXT)
    total = f"{recipe.parameters:,} parameters: a weight per line, a bias per unit"
    axes.text((len(sizes) - 1) / 2, bottom + 0.07, total, ha="center", fontsize=SMALL, color=TEXT)
    return figure


def _dense_caption(layer: LayerSummary) -> str:
    units = layer.output_shape[-1]
    plural = "unit" if units == 1 else "units"
    return f"{layer.name}\n{units} {plural}\n{layer.parameters:,} parameters"


def _heights(size: int) -> list[float]:
    """Return where the circles of a column are, with a gap if not all are drawn."""
    shown = min(size, MOST_UNITS)
    step = min(0.3, 1.1 / max(shown - 1, 1))
    heights = [step * (place - (shown - 1) / 2) for place in range(shown)]
    gap = 0.0 if shown == size else 0.04
    return [height + gap if height > 0 else height - gap for height in heights]


def maps_and_rows(recipe: Recipe) -> Figure:
    """Return a drawing of what each layer puts out, from top to bottom.

    Args:
        recipe: The layers put out maps of numbers, or a row of numbers.
    """
    rows: list[tuple[tuple[int, ...], str, tuple[str, str]]] = [
        ((28, 28, 1), INPUT, ("input", "28 × 28 × 1 numbers"))
    ]
    for layer in recipe.layers:
        shape = tuple(size or 1 for size in layer.output_shape[1:])
        shape = (*shape, 1) if len(shape) == 2 else shape  # one map
        rows.append((shape, _colour(layer, recipe), _layer_caption(layer)))
    heights = [max(0.56, 0.32 + _height(shape)) for shape, *_ in rows]
    figure = Figure(figsize=(5.6, sum(heights) + 0.75), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0.1, 5.7), ylim=(-sum(heights) - 0.7, 0.05), aspect="equal")
    axes.axis("off")
    middles = [-sum(heights[:row]) - height / 2 for row, height in enumerate(heights)]
    halves = [_height(shape) / 2 for shape, *_ in rows]
    longest = max([LONGEST_ROW, *(shape[-1] for shape, *_ in rows if _is_row(shape))])
    for (shape, colour, caption), middle in zip(rows, middles, strict=True):
        _stack(axes, 1.15, middle, shape, colour, longest)
        _caption(axes, 2.35, middle, *caption)
    for row in range(len(rows) - 1):
        begin, end = middles[row] - halves[row] - 0.05, middles[row + 1] + halves[row + 1] + 0.03
        axes.add_patch(FancyArrowPatch((1.15, begin), (1.15, end), **ARROW))
    _total(axes, 0.2, -sum(heights) - 0.2, f"{recipe.parameters:,} parameters")
    return figure


def _height(shape: tuple[int, ...]) -> float:
    """Return how high the drawing of an output is."""
    if _is_row(shape):
        return 0.16
    return 0.55 * shape[0] / 32 + SHIFT * (min(shape[2], MOST_MAPS) - 1)


def _is_row(shape: tuple[int, ...]) -> bool:
    return len(shape) == 1 or shape[0] == 1


def _stack(
    axes: Axes, x: float, y: float, shape: tuple[int, ...], colour: str, longest: int
) -> None:
    """Draw an output around a point: a bar, or its maps one behind the other."""
    if _is_row(shape):
        width = 0.15 + 1.65 * shape[-1] / longest
        axes.add_patch(Rectangle((x - width / 2, y - 0.08), width, 0.16, facecolor=colour))
        return
    side, maps = 0.55 * shape[0] / 32, min(shape[2], MOST_MAPS)
    across = min(0.11, (1.9 - side) / max(maps - 1, 1))
    left, bottom = x - (side + across * (maps - 1)) / 2, y - _height(shape) / 2
    for behind in reversed(range(maps)):
        place = (left + across * behind, bottom + SHIFT * behind)
        axes.add_patch(Rectangle(place, side, side, facecolor=colour, edgecolor="white", lw=0.9))


def _colour(layer: LayerSummary, recipe: Recipe) -> str:
    if layer is recipe.layers[-1]:
        return plots.ONE
    return LAYER if layer.parameters else INPUT


def _total(axes: Axes, x: float, y: float, text: str) -> None:
    axes.text(x, y, text, fontsize=LARGE, color=TEXT, va="center", weight="bold")
    axes.text(x, y - 0.28, "Grey: no parameters.", fontsize=SMALL, color=TEXT, va="center")


def steps_in_time(recipe: Recipe) -> Figure:
    """Return a drawing of the layers at three steps in time, from the bottom to the top.

    Args:
        recipe: Its layers take and give a row of numbers per step.
    """
    layers, times = recipe.layers, ("before", "now", "after")
    figure = Figure(figsize=(5.7, 0.8 * len(layers) + 1.1), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.1, 5.6), ylim=(-1.3, 0.8 * len(layers) - 0.2), aspect="equal")
    axes.axis("off")
    for row, layer in enumerate(layers):
        y, last = 0.8 * row, row == len(layers) - 1
        recurrent = layer.kind == "LSTM"
        colour = _colour(layer, recipe)
        for column in range(len(times)):
            x = 0.95 * column
            place = (x, y - 0.2)
            axes.add_patch(Rectangle(place, 0.55, 0.4, facecolor=colour, edgecolor="white"))
            if not last:
                up = ((x + 0.27, y + 0.2), (x + 0.27, y + 0.6))
                axes.add_patch(FancyArrowPatch(*up, **ARROW))
            if recurrent and column:
                axes.add_patch(FancyArrowPatch((x - 0.4, y), (x, y), **ARROW))
        _caption(axes, 2.75, y, *_layer_caption(layer))
    for column, time in enumerate(times):
        axes.text(0.95 * column + 0.27, -0.45, time, ha="center", fontsize=SMALL, color=TEXT)
    total = f"{recipe.parameters:,} parameters, the same at each step"
    _total(axes, 0, -0.85, total)
    return figure


def _caption(axes: Axes, x: float, y: float, name: str, details: str) -> None:
    axes.text(x, y + 0.02, name, fontsize=LARGE, color=TEXT, va="bottom", weight="bold")
    axes.text(x, y - 0.02, details, fontsize=SMALL, color=TEXT, va="top")


def _layer_caption(layer: LayerSummary) -> tuple[str, str]:
    """Return two lines: name and kind, then the shape and the parameters."""
    sizes = [size for size in layer.output_shape if size is not None]
    numbers = " × ".join(map(str, sizes)) if sizes else "1"
    numbers += " number" if numbers == "1" else " numbers"
    parameters = f", {layer.parameters:,} parameters" if layer.parameters else ""
    word = IN_WORDS[layer.kind]
    name = layer.name if layer.name == word else f"{layer.name}: {word}"
    return name, f"{numbers}{parameters}"


def draw(name: str) -> Figure:
    """Return the drawing of a recipe's net."""
    recipe = catalog.get(name)
    kinds = {layer.kind for layer in recipe.layers}
    dense = sum(layer.kind == "Dense" for layer in recipe.layers)
    if "Conv2D" in kinds or dense > MOST_DENSE:
        return maps_and_rows(recipe)
    if "LSTM" in kinds:
        return steps_in_time(recipe)
    return units_and_edges(recipe, inputs=_inputs(recipe))


def _inputs(recipe: Recipe) -> int:
    """Return the number of inputs of the first dense layer, from its parameters."""
    first = next(layer for layer in recipe.layers if layer.kind == "Dense")
    return first.parameters // (first.output_shape[-1] or 1) - 1


def main(names: Sequence[str]) -> None:
    """Draw these recipes, or all."""
    for name in names or catalog.names():
        path = plots.save(draw(name), PICTURES / name / "net.png")
        # Few colours make the file a quarter of the size.
        few = Image.open(path).convert("RGB").quantize(64, Image.Quantize.MAXCOVERAGE)
        few.save(path, optimize=True)
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
