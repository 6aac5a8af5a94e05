"""Pictures of nets with two inputs: the answers in the plane, the line as it moves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from keras_recipes.data.dataset import Examples
from keras_recipes.models.history import epochs_in_words
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.report.plots import canvas

if TYPE_CHECKING:
    import keras

INVISIBLE = 1e-3
"""A difference between answers that no shade shows: a line drawn there would be rounding."""


def decision_surface(model: "keras.Model", points: Examples) -> Figure:
    """Draw the answers of a net with two inputs and one probability around the points."""
    figure, axes = canvas.figure()
    low, high = _around(points.x)
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
    surface = KerasRuntime(model).outputs(grid).reshape(len(up), len(across))
    _shade(figure, axes, across, up, surface)
    _scatter(axes, points.x, points, list(points.x))
    axes.set(xlabel="first input", ylabel="second input")
    canvas.title(figure, "What the net answers")
    canvas.legend(figure, axes)
    return figure


def moving_line(weights: Mapping[int, Sequence[np.ndarray]], points: Examples) -> Figure:
    """Draw where one neuron's sum is zero, after several numbers of epochs: the line it draws.

    The shade says on which side of the last line the neuron answers 0 and 1. If all weights are
    almost zero, the sum is almost zero everywhere: the picture then says that there is no line.

    Args:
        weights: Number of epochs to kernel of shape (2, 1) and bias of shape (1,), in order.
        points: The points that the neuron learns.
    """
    figure, axes = canvas.figure()
    low, high = _around(points.x)
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    last = max(weights)
    for shade, (epochs, (kernel, bias)) in zip(
        np.linspace(0.15, 1, len(weights)), weights.items(), strict=True
    ):
        when = epochs_in_words(epochs) if epochs else "before training"
        sums = kernel[0, 0] * across + kernel[1, 0] * up[:, None] + bias[0]
        if np.abs(sums).max() < INVISIBLE:
            axes.set_title(
                f"{when}: the sum is almost 0 everywhere, no line", fontsize=canvas.SMALL
            )
            continue
        if epochs == last:
            sides = [-np.inf, 0, np.inf]
            axes.contourf(
                across,
                up,
                sums,
                levels=sides,
                colors=[canvas.ZERO, canvas.ONE],
                alpha=0.25,
                zorder=0,
            )
        if kernel.any():
            foot = -bias[0] * kernel[:, 0] / (kernel**2).sum()
            axes.axline(
                tuple(foot),
                tuple(foot + kernel[::-1, 0] * (-1, 1)),
                color=colormaps["viridis_r"](shade) if epochs != last else "black",
                linewidth=2.5 if epochs == last else 1.3,
                label=when,
            )
    _scatter(axes, points.x, points, list(points.x))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set(xlabel="first input", ylabel="second input")
    canvas.title(figure, "The neuron's line as it learns")
    canvas.legend(figure, axes)
    return figure


def hidden_layer(
    model: "keras.Model", first_weights: tuple[np.ndarray, ...], points: Examples
) -> Figure:
    """Draw the outputs of the hidden layer for the points, before and after training.

    Two hidden units are the two axes. For more units, the horizontal axis is the direction that the
    output layer reads, and the vertical axis is the first principal component of what remains. The
    first two principal components are not used, because they can hide that the classes are
    separated, or show a separation that does not exist. The shade is the output layer's answer:
    after training, one line separates the classes.
    """
    figure = canvas.empty((9.2, 4.2))
    panels = figure.subplots(1, 2)
    for axes, title, weights in zip(
        panels,
        ("before training", "after training"),
        (first_weights, model.get_weights()),
        strict=True,
    ):
        _hidden_panel(figure, axes, model, weights, points)
        axes.set_title(title, fontsize=canvas.TITLE)
    canvas.title(figure, "Where the hidden layer puts the points")
    canvas.legend(figure, panels[0])
    return figure


def _hidden_panel(
    figure: Figure, axes: Axes, model: "keras.Model", weights: Any, points: Examples
) -> None:
    import keras

    twin = keras.models.clone_model(model)
    twin.set_weights(weights)
    first, last = twin.layers[0], twin.layers[-1]
    hidden = np.asarray(first(points.x))
    plane = _Plane(hidden, np.asarray(last.kernel)[:, 0])
    where = plane.flat(hidden)
    margin = max(0.25 * np.ptp(where, axis=0).max(), 0.02)
    low, high = where.min(axis=0) - margin, where.max(axis=0) + margin
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    answers = np.asarray(last(plane.lifted(grid).astype("float32")))
    _shade(figure, axes, across, up, answers.reshape(len(up), len(across)))
    _scatter(axes, where, points, list(points.x))
    axes.set(xlabel=plane.labels[0], ylabel=plane.labels[1])


class _Plane:
    """Two coordinates for points of any dimension; what the output layer reads stays exact."""

    def __init__(self, points: np.ndarray, read: np.ndarray) -> None:
        if points.shape[1] <= 2:
            self.origin, self.axes = np.zeros(points.shape[1]), np.eye(2, points.shape[1])
            self.labels = ("hidden unit 1", "hidden unit 2" if points.shape[1] == 2 else "nothing")
            return
        self.origin = points.mean(axis=0)
        across = read / np.linalg.norm(read)
        others = points - self.origin
        others = others - np.outer(others @ across, across)
        up = np.linalg.svd(others, full_matrices=False)[2][0]
        self.axes = np.stack([across, up])
        self.labels = ("direction that the output reads", "principal component of what remains")

    def flat(self, points: np.ndarray) -> np.ndarray:
        return (points - self.origin) @ self.axes.T

    def lifted(self, coordinates: np.ndarray) -> np.ndarray:
        return self.origin + coordinates @ self.axes


def _shade(figure: Figure, axes: Axes, across: Any, up: Any, answers: Any) -> None:
    mesh = axes.pcolormesh(
        across, up, answers, cmap=canvas.diverging(), vmin=0, vmax=1, alpha=0.55, rasterized=True
    )
    figure.colorbar(mesh, ax=axes, label="probability of class 1", fraction=0.05)
    if answers.min() < 0.5 < answers.max() and np.ptp(answers) > INVISIBLE:
        axes.contour(across, up, answers, levels=[0.5], colors="black", linewidths=1)


def _scatter(axes: Axes, where: Any, points: Examples, names: list[Any]) -> None:
    for value, colour, marker in ((0, canvas.ZERO, "o"), (1, canvas.ONE, "s")):
        chosen = points.y[:, 0] == value
        if not chosen.any():
            continue
        axes.scatter(
            where[chosen, 0],
            where[chosen, 1],
            c=colour,
            marker=marker,
            s=90,
            edgecolors="black",
            label=f"target {value}",
            zorder=3,
        )
    if len(where) <= 12:
        for (x, y), text in _labels(where, names).items():
            axes.annotate(
                text,
                (x, y),
                (0, 9),
                textcoords="offset points",
                ha="center",
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )


def _labels(where: Any, names: list[Any]) -> dict[tuple[float, float], str]:
    """Return a text for each place that names all points there, or very near."""
    near = 0.05 * (where.max(axis=0) - where.min(axis=0)).max()
    texts: dict[tuple[float, float], str] = {}
    for (x, y), (a, b) in zip(where.tolist(), names, strict=True):
        place = next((p for p in texts if max(abs(p[0] - x), abs(p[1] - y)) < near), (x, y))
        texts[place] = f"{texts.get(place, '')} ({a:g}, {b:g})".strip()
    return texts


def _around(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower left and the upper right corner of what is drawn around points."""
    reach = 0.5 * np.ptp(points, axis=0)
    reach[reach == 0] = 0.5
    return points.min(axis=0) - reach, points.max(axis=0) + reach
