"""Figures, drawn with Matplotlib and returned, never shown."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import publish
from keras_recipes.history import History, spoken
from keras_recipes.recipe import Examples, Row
from keras_recipes.runtime import KerasRuntime

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

ZERO, ONE = "#0072b2", "#d55e00"  # blue and vermilion, told apart by colour-blind eyes too
INCHES = (5.2, 4.0)
LONGEST_SESSION = 60
"""A session is drawn up to so many events."""


def save(figure: "Figure", path: Path) -> Path:
    """Writes a figure as PNG, replacing what is there in one step.

    Raises:
        RecipeError: The file cannot be written.
    """
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    publish.file(path, content.getvalue())
    return path


def check_folder(folder: Path) -> None:
    """Refuses a folder for pictures before any work.

    Raises:
        InputError: It cannot be made or written to.
    """
    publish.prepare(folder.resolve() / "any.png")


def curve(history: History, metric: str, unit: str, *, log: bool = True) -> "Figure":
    """One metric over the epochs, on training and, where there is any, validation data."""
    figure, axes = _figure()
    axes.plot(history.epochs, history.values[metric], color=ZERO, label="training")
    if f"val_{metric}" in history.values:
        axes.plot(history.epochs, history.values[f"val_{metric}"], color=ONE, label="validation")
        axes.legend()
    axes.set(yscale="log" if log else "linear", xlabel="epoch", ylabel=f"{metric} ({unit})")
    axes.set_title(f"{metric.capitalize()} over {spoken(history.epochs[-1])}")
    axes.grid(alpha=0.3)
    return figure


def watched(rows: Sequence[Row], title: str) -> "Figure":
    """A series with what was expected of it and what was flagged, over its scores.

    An alarm is shaded for as long as it goes on: to the last record in a row whose score, halved
    after the alarm, is still half of what makes an alarm.

    Args:
        rows: From `novelty.rows`, of one column, at least one.
        title: What the series is called.
    """
    import numpy as np

    figure = _empty((10, 5))
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    x = np.arange(len(rows))
    value, low, high, score = (
        np.array([np.nan if row[key] is None else row[key] for row in rows])
        for key in ("value", "expected_low", "expected_high", "score")
    )
    top.fill_between(x, low, high, color=ZERO, alpha=0.2, linewidth=0, label="expected")
    top.plot(x, value, color=ZERO, linewidth=0.8, label="value")
    bottom.plot(x, score, color=ZERO, linewidth=0.8)
    bottom.axhline(0.5, color=ONE, linestyle="--", linewidth=0.8)
    for number, start in enumerate(np.flatnonzero(score >= 0.5).tolist()):
        quiet = np.flatnonzero(score[start + 1 :] < 0.25)
        end = start + (int(quiet[0]) if len(quiet) else len(rows) - start - 1)
        for axes in (top, bottom):
            label = "flagged" if axes is top and not number else None
            axes.axvspan(start - 0.5, end + 0.5, color=ONE, alpha=0.4, label=label)
    ticks = np.unique(np.linspace(0, len(rows) - 1, 6).astype(int))
    bottom.set_xticks(ticks, [str(rows[tick]["timestamp"])[:16] for tick in ticks])
    bottom.set(ylim=(0, 1), ylabel="score")
    top.set_title(title)
    top.legend(loc="upper left", ncols=3)
    return figure


def confusion(table: list[Row], data: str) -> "Figure":
    """What was said of each class, in counts; right answers are on the diagonal.

    Args:
        table: A row for each true class: `true`, then the count of each answer by label.
        data: What it was measured on.
    """
    import numpy as np

    labels = [str(row["true"]) for row in table]
    counts = np.array([[row[label] for label in labels] for row in table])
    figure, axes = _figure()
    axes.imshow(np.log1p(counts), cmap="Blues")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title(f"Answers on {data}'s test part")
    if len(labels) <= 12:
        dark = np.log1p(counts.max()) * 0.6
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if np.log1p(count) > dark else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
    return figure


def worst_mistakes(test: Examples, outputs: "np.ndarray", labels: Sequence[str]) -> "Figure":
    """The images whose true class was given the least probability, with truth and answer."""
    given = (test.y * outputs).sum(axis=1)
    figure = _empty((6.6, 5.2))
    panels = figure.subplots(4, 6)
    for axes, row in zip(panels.flat, given.argsort(), strict=False):
        axes.imshow(test.x[row].squeeze(), cmap="gray_r")
        truth, answer = labels[test.y[row].argmax()], labels[outputs[row].argmax()]
        axes.set_title(f"{truth}, said {answer}", fontsize=9)
        axes.axis("off")
    figure.suptitle("The worst mistakes")
    return figure


def filters(model: "keras.Model", layer: str) -> "Figure":
    """The kernels of a convolution over one map; blue is negative, vermilion positive."""
    import numpy as np

    kernels = np.asarray(model.get_layer(layer).kernel)[:, :, 0, :]
    largest = abs(kernels).max()
    figure = _empty((1.2 * kernels.shape[-1], 1.9))
    panels = figure.subplots(1, kernels.shape[-1], squeeze=False)[0]
    for number, axes in enumerate(panels):
        axes.imshow(kernels[:, :, number], cmap=_diverging(), vmin=-largest, vmax=largest)
        axes.set_title(f"{number + 1}", fontsize=9)
        axes.axis("off")
    figure.suptitle(f"The filters of {layer}")
    return figure


def activations(model: "keras.Model", image: "np.ndarray", layers: Sequence[str]) -> "Figure":
    """What each of the layers makes of one image: a row of maps for each, a strip for a vector.

    Args:
        model: Sequential or functional.
        image: Shape (28, 28) or (28, 28, 1).
        layers: Names, in the order in which they are drawn.
    """
    import keras

    seen = keras.Model(model.inputs, [model.get_layer(name).output for name in layers])
    inputs = image.reshape(1, *model.input_shape[1:])
    outputs = [keras.ops.convert_to_numpy(output)[0] for output in seen([inputs], training=False)]
    figure = _empty((8.0, 0.9 * len(layers) + 1.2))
    rows: Any = figure.subfigures(len(layers) + 1, 1)
    _maps(rows[0], "input", image.reshape(*image.shape[:2], 1))
    for row, name, output in zip(rows[1:], layers, outputs, strict=True):
        _maps(row, name, output)
    return figure


def _maps(row: Any, name: str, output: "np.ndarray") -> None:
    import numpy as np

    vector = output.size == max(output.shape)
    maps = [np.reshape(output, (1, -1))] if vector else list(np.moveaxis(output, -1, 0))
    columns = 1 if vector else max(len(maps), 6)
    panels = row.subplots(1, columns, squeeze=False)[0]
    panels[0].set_ylabel(name, rotation=0, labelpad=30, va="center")
    for number, axes in enumerate(panels):
        if number < len(maps):
            axes.imshow(maps[number], cmap="gray_r", aspect="auto" if vector else "equal")
            axes.set(xticks=range(output.size) if output.size <= 12 else [], yticks=[])
            axes.spines[:].set_color("lightgray")
        else:
            axes.axis("off")


def scores(values: "np.ndarray", data: str) -> "Figure":
    """Scores of sessions in their order, those from 0.5 on marked as anomalies.

    Args:
        values: From 0 to 1, of shape (N,).
        data: What they are of.
    """
    import numpy as np

    figure, axes = _figure()
    strange = values >= 0.5
    numbers = np.arange(1, len(values) + 1)
    axes.scatter(numbers[~strange], values[~strange], s=6, color=ZERO, label="normal")
    axes.scatter(numbers[strange], values[strange], s=14, color=ONE, label="anomaly")
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--", label="threshold")
    axes.set(xlabel="session", ylabel="score", ylim=(-0.03, 1.03))
    axes.set_title(f"{strange.sum():,} of {len(values):,} sessions of {data}", wrap=True)
    axes.legend(fontsize="small")
    return figure


def surprises(events: list[str], nats: "np.ndarray", session: str) -> "Figure":
    """How unexpected each event of a session was.

    Args:
        events: In words.
        nats: -log p of each, of the same length.
        session: Its name.
    """
    shown = [f"{text[:57]}..." if len(text) > 60 else text for text in events[:LONGEST_SESSION]]
    figure = _empty((8.0, 1.0 + 0.22 * len(shown)))
    axes = figure.subplots()
    places = range(len(shown))
    colours = [ONE if value == nats.max() else ZERO for value in nats[: len(shown)]]
    axes.barh(places, nats[: len(shown)], color=colours)
    axes.set_yticks(places, shown, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel="surprise, -log p (nats)")
    axes.set_title(f"{session}, event by event")
    axes.grid(axis="x", alpha=0.3)
    return figure


def decision_surface(model: "keras.Model", points: Examples) -> "Figure":
    """What a net with two inputs and one probability says all over the plane around the points."""
    import numpy as np

    figure, axes = _figure()
    low, high = points.x.min(axis=0) - 0.5, points.x.max(axis=0) + 0.5
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
    surface = KerasRuntime(model).outputs(grid).reshape(len(up), len(across))
    _shade(figure, axes, across, up, surface)
    _scatter(axes, points.x, points, list(points.x))
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.set_title("What the net answers")
    return figure


def hidden_layer(
    model: "keras.Model", first_weights: "tuple[np.ndarray, ...]", points: Examples
) -> "Figure":
    """Where the first layer puts the points, before and after training.

    Two hidden units are drawn as they are. For more, the horizontal axis is the direction that the
    output layer reads and the vertical one the first principal component of all the rest: the two
    largest components alone can hide that the classes are separated, or show it where it is not so.
    The shade is what the output layer answers there: after training one line separates the classes.
    """
    figure = _empty((9.2, 4.0))
    panels = figure.subplots(1, 2)
    for axes, title, weights in zip(
        panels,
        ("before training", "after training"),
        (first_weights, model.get_weights()),
        strict=True,
    ):
        _hidden_panel(figure, axes, model, weights, points)
        axes.set_title(f"The hidden layer's view {title}")
    return figure


def _hidden_panel(
    figure: "Figure", axes: "Axes", model: "keras.Model", weights: Any, points: Examples
) -> None:
    import keras
    import numpy as np

    twin = keras.models.clone_model(model)
    twin.set_weights(weights)
    first, last = twin.layers[0], twin.layers[-1]
    hidden = np.asarray(first(points.x))
    plane = _Plane(hidden, np.asarray(last.kernel)[:, 0])
    where = plane.flat(hidden)
    margin = 0.25 * np.ptp(where, axis=0).max() + 1e-3
    low, high = where.min(axis=0) - margin, where.max(axis=0) + margin
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    answers = np.asarray(last(plane.lifted(grid).astype("float32")))
    _shade(figure, axes, across, up, answers.reshape(len(up), len(across)))
    _scatter(axes, where, points, list(points.x))
    axes.set(xlabel=plane.labels[0], ylabel=plane.labels[1])


class _Plane:
    """Two coordinates for points of any dimension, in which what is read of them is exact."""

    def __init__(self, points: "np.ndarray", read: "np.ndarray") -> None:
        import numpy as np

        if points.shape[1] == 2:
            self.origin, self.axes = np.zeros(2), np.eye(2)
            self.labels = ("hidden unit 1", "hidden unit 2")
            return
        self.origin = points.mean(axis=0)
        across = read / np.linalg.norm(read)
        rest = points - self.origin
        rest = rest - np.outer(rest @ across, across)
        up = np.linalg.svd(rest, full_matrices=False)[2][0]
        self.axes = np.stack([across, up])
        self.labels = ("direction that the output reads", "first principal component of the rest")

    def flat(self, points: "np.ndarray") -> "np.ndarray":
        return (points - self.origin) @ self.axes.T

    def lifted(self, coordinates: "np.ndarray") -> "np.ndarray":
        return self.origin + coordinates @ self.axes


def _shade(figure: "Figure", axes: "Axes", across: Any, up: Any, answers: Any) -> None:
    mesh = axes.pcolormesh(
        across, up, answers, cmap=_diverging(), vmin=0, vmax=1, alpha=0.55, rasterized=True
    )
    figure.colorbar(mesh, ax=axes, label="probability of class 1", fraction=0.05)
    if answers.min() < 0.5 < answers.max():
        axes.contour(across, up, answers, levels=[0.5], colors="black", linewidths=1)


def _scatter(axes: "Axes", where: Any, points: Examples, names: list[Any]) -> None:
    for value, colour, marker in ((0, ZERO, "o"), (1, ONE, "s")):
        chosen = points.y[:, 0] == value
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
            axes.annotate(text, (x, y), (0, 9), textcoords="offset points", ha="center")
    axes.legend(loc="upper center", ncols=2, fontsize="small", framealpha=0.9)


def _labels(where: Any, names: list[Any]) -> dict[tuple[float, float], str]:
    """A text for each place, naming all the points that practically lie there."""
    near = 0.05 * (where.max(axis=0) - where.min(axis=0)).max()
    texts: dict[tuple[float, float], str] = {}
    for (x, y), (a, b) in zip(where.tolist(), names, strict=True):
        place = next((p for p in texts if max(abs(p[0] - x), abs(p[1] - y)) < near), (x, y))
        texts[place] = f"{texts.get(place, '')} ({a:g}, {b:g})".strip()
    return texts


def _diverging() -> "LinearSegmentedColormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("diverging", [ZERO, "white", ONE])


def _figure() -> "tuple[Figure, Axes]":
    figure = _empty(INCHES)
    return figure, figure.subplots()


def _empty(inches: tuple[float, float]) -> "Figure":
    # Not by pyplot, which would keep every figure and want a window system's word.
    from matplotlib.figure import Figure

    return Figure(figsize=inches, layout="constrained")
