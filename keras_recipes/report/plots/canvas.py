"""The look that all pictures share, and the files in which they are kept."""

import io
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_recipes import atomic
from keras_recipes.report import lettering

ZERO, ONE = "#0072b2", "#d55e00"  # blue and vermilion, which colour-blind people can tell apart

INCHES = (5.2, 4.2)

TITLE, SMALL = 12, 8
"""Font sizes in points; labels of axes have Matplotlib's 10 points."""

A_LINE = 10
"""The number of characters of a title per inch."""

COUNTED = 12
"""The most classes for which each cell has room for its number, and each class for its label."""

LONGEST_LABEL = 24
"""The most columns, as in a terminal, of a class's label."""


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as a PNG file. An existing file is replaced in one step.

    Raises:
        RecipeError: The file cannot be written.
    """
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150, pil_kwargs={"optimize": True})
    atomic.file(path, content.getvalue())
    return path


def check_folder(folder: Path) -> None:
    """Refuse a folder for pictures before any work is done.

    Raises:
        InputError: The folder cannot be created or written to.
    """
    atomic.prepare(folder.resolve() / "any.png")


def diverging() -> LinearSegmentedColormap:
    """Return the shades from negative, blue, over zero, white, to positive, vermilion."""
    return LinearSegmentedColormap.from_list("diverging", [ZERO, "white", ONE])


def title(figure: Figure, *parts: str, like: dict[str, Any] | None = None) -> None:
    """Set the title of a figure, in as many lines as it needs.

    Args:
        figure: The figure.
        parts: Parts of the title. If they do not fit on one line, each begins a new line.
        like: Matplotlib's text properties, from `lettering.drawable`.
    """
    width = int(A_LINE * (figure.get_figwidth() - 0.4))
    text = " ".join(parts)
    if lettering.columns(text) > width:
        text = "\n".join(lettering.lines(part, width) for part in parts)
    figure.suptitle(text, fontsize=TITLE, **(like or {}))


def legend(figure: Figure, *axes: Axes) -> None:
    """Draw one legend for all the axes, below them, so that it hides nothing."""
    handles, labels = [], []
    for one in axes:
        found = one.get_legend_handles_labels()
        handles += found[0]
        labels += found[1]
    figure.legend(
        handles, labels, loc="outside lower center", ncols=4, fontsize=SMALL, frameon=False
    )


def counted(number: int, what: str) -> str:
    """Return a number with its noun, such as `1 image` or `2 images`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def figure(inches: tuple[float, float] = INCHES) -> tuple[Figure, Axes]:
    """Return a new figure with one pair of axes."""
    drawn = empty(inches)
    return drawn, drawn.subplots()


def empty(inches: tuple[float, float]) -> Figure:
    """Return a new figure without axes."""
    # pyplot would keep every figure in memory, and look for a display.
    return Figure(figsize=inches, layout="constrained")


def whole_numbers(axes: Axes) -> None:
    """Put only whole numbers on the horizontal axis, even if there is only one."""
    low, high = axes.get_xlim()
    if high - low < 1:
        axes.set_xlim(low - 0.5, high + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
