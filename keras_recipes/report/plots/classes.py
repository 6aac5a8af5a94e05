"""Pictures of answers about classes: which are confused, and the worst mistakes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm
from matplotlib.figure import Figure

from keras_recipes.data.dataset import Examples
from keras_recipes.report import lettering
from keras_recipes.report.plots import canvas

WORST = 24
"""The most mistakes that are drawn."""


def confusion(counts: np.ndarray, labels: Sequence[object], data: str) -> Figure:
    """Draw a confusion matrix. Right answers are on the diagonal.

    Args:
        counts: Number of images of each true class (row) by answer (column), shape
            (classes, classes).
        labels: The label of each class.
        data: The name of the data.
    """
    texts, style = lettering.drawable(labels, canvas.LONGEST_LABEL)
    longest = max(lettering.columns(text) for text in texts)
    many = len(labels) > canvas.COUNTED
    side = min(3.6 + 0.14 * len(labels), 12) if many else max(0.4 * len(labels), 2.6)
    margin = 0.07 * (longest if longest > 3 else 1)
    figure, axes = canvas.figure((side + margin + 1.8, side + margin + 0.8))
    norm = _counts_norm()
    norm.autoscale(np.array([0, max(counts.max(), 1)]))
    image = axes.imshow(counts, cmap="Blues", norm=norm)
    bar = figure.colorbar(image, ax=axes, label="images", fraction=0.05)
    most = max(int(counts.max()), 1)
    ticks = [0, *(10**power for power in range(8) if 2 * 10**power <= most), most]
    bar.set_ticks(ticks, labels=[f"{tick:,}" for tick in ticks], minor=False)
    bar.ax.tick_params(labelsize=canvas.SMALL)
    bar.minorticks_off()
    _name_classes(axes, texts, style, upright=many or longest > 3)
    axes.set(xlabel="answer", ylabel="truth")
    where, style = lettering.drawable([data], 40)
    right = f"{np.trace(counts):,} of {counts.sum():,} right"
    canvas.title(figure, f"Answers on {where[0]}'s test part:", right, like=style)
    if not many:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if norm(count) > 0.6 else "black"
            axes.text(
                column,
                row,
                f"{count}",
                ha="center",
                va="center",
                color=colour,
                fontsize=canvas.SMALL,
            )
    return figure


def _counts_norm() -> FuncNorm:
    """Return a logarithmic scale of shades, on which one mistake differs from none."""
    return FuncNorm((np.log1p, np.expm1))


def _name_classes(axes: Axes, texts: Sequence[str], style: dict[str, Any], upright: bool) -> None:
    """Label the axes with as many classes as there is room for."""
    places = range(0, len(texts), -(-len(texts) // 90))
    shown = [texts[place] for place in places]
    size = 10 if len(texts) <= canvas.COUNTED else 7
    axes.set_xticks(places, shown, rotation=90 if upright else 0, fontsize=size, **style)
    axes.set_yticks(places, shown, fontsize=size, **style)


def mistakes(test: Examples, outputs: np.ndarray, labels: Sequence[object]) -> Figure:
    """Draw images that get a wrong answer; the least probability of the true class comes first."""
    truths, answers = test.y.argmax(axis=1), outputs.argmax(axis=1)
    wrong = np.flatnonzero(truths != answers)
    given = (test.y * outputs).sum(axis=1)[wrong]
    shown = wrong[given.argsort(kind="stable")][:WORST]
    columns = min(6, len(shown))
    long = max(lettering.columns(str(label)) for label in labels) > 3
    height = 1.35 if long else 1.15
    rows = -(-len(shown) // 6)
    figure = canvas.empty((max(1.15 * columns, canvas.INCHES[0]), max(height * rows, 0.5) + 0.6))
    if not len(shown):
        canvas.title(figure, f"No mistakes on {canvas.counted(len(test), 'test image')}")
        return figure
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, row in zip(panels.flat, shown, strict=False):
        axes.imshow(test.x[row].squeeze(), cmap="gray_r", vmin=0)
        (truth, answer), style = lettering.drawable((labels[truths[row]], labels[answers[row]]), 9)
        between = ",\n" if long else ", "
        axes.set_title(f"{truth}{between}answer {answer}", fontsize=canvas.SMALL, **style)
    many = f"{canvas.counted(len(wrong), 'mistake')} on {canvas.counted(len(test), 'test image')}"
    part = "" if len(shown) == len(wrong) else f"The {len(shown)} worst of "
    canvas.title(figure, f"{part}{many}")
    return figure
