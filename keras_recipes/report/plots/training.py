"""Pictures of a training: values over the epochs."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from keras_recipes.models.history import History, epochs_in_words
from keras_recipes.report import lettering
from keras_recipes.report.plots import canvas


def curve(history: History, metric: str, unit: str, *, log: bool = True, note: str = "") -> Figure:
    """Draw one metric over the epochs, on the training and the validation data.

    Args:
        history: The history of the fit.
        metric: The metric's name in the history.
        unit: The metric's unit.
        log: Whether to use a logarithmic axis if the values differ more than fivefold.
        note: A note about differences between the two curves besides the data.
    """
    figure, axes = canvas.figure()
    drawn = []
    for name, colour, label in (
        (metric, canvas.ZERO, "training"),
        (f"val_{metric}", canvas.ONE, "validation"),
    ):
        if name in history.values:
            known = np.isfinite(history.values[name])
            values = history.values[name][known]
            marker = "o" if len(values) <= 20 else ""
            axes.plot(history.epochs[known], values, color=colour, label=label, marker=marker)
            drawn.append(values)
    axes.set(xlabel="epoch", ylabel=f"{metric} ({unit})")
    canvas.whole_numbers(axes)
    if log and _fivefold(np.concatenate(drawn)):
        _log_scale(axes, np.concatenate(drawn))
    canvas.title(figure, f"{metric.capitalize()} over {epochs_in_words(int(history.epochs[-1]))}")
    notes, style = lettering.drawable(note.splitlines(), 180)
    shown = "\n".join(lettering.lines(line, 60) for line in notes)
    axes.set_title(shown, fontsize=canvas.SMALL, **style)
    axes.grid(alpha=0.3)
    canvas.legend(figure, axes)
    return figure


def _fivefold(values: np.ndarray) -> bool:
    return bool(len(values) and 0 < 5 * values.min() < values.max())


def _log_scale(axes: Axes, values: np.ndarray) -> None:
    axes.set_yscale("log")
    if values.max() < 1000 * values.min():
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
