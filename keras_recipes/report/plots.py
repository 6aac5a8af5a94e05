"""Figures, drawn with Matplotlib. The functions return a figure and do not show it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from keras_recipes import atomic
from keras_recipes.data.dataset import Examples
from keras_recipes.models.history import History, epochs_in_words
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Row
from keras_recipes.report import lettering

if TYPE_CHECKING:
    import keras

ZERO, ONE = "#0072b2", "#d55e00"  # blue and vermilion, which colour-blind people can tell apart
INCHES = (5.2, 4.2)
TITLE, SMALL = 12, 8
"""Font sizes in points; labels of axes have Matplotlib's 10 points."""

A_LINE = 10
"""The number of characters of a title per inch."""

LONGEST_LABEL = 24
"""The most columns, as in a terminal, of a class's label."""

LONGEST_SESSION = 60
"""The most events of a session that are drawn."""

INVISIBLE = 1e-3
"""A difference between answers that no shade shows: a line drawn there would be rounding."""

WORST = 24
"""The most mistakes that are drawn."""

COLUMNS_OF_IMAGES = 10
"""The most images that are drawn with their reconstructions."""

MOST_CODES = 3_000
"""The most codes that are drawn as points."""

COMPONENTS = 24
"""The most principal components that are drawn."""

COUNTED = 12
"""The most classes for which each cell has room for its number, and each class for its label."""


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


def curve(history: History, metric: str, unit: str, *, log: bool = True, note: str = "") -> Figure:
    """Draw one metric over the epochs, on the training and the validation data.

    Args:
        history: The history of the fit.
        metric: The metric's name in the history.
        unit: The metric's unit.
        log: Whether to use a logarithmic axis if the values differ more than fivefold.
        note: A note about differences between the two curves besides the data.
    """
    figure, axes = _figure()
    drawn = []
    for name, colour, label in ((metric, ZERO, "training"), (f"val_{metric}", ONE, "validation")):
        if name in history.values:
            known = np.isfinite(history.values[name])
            values = history.values[name][known]
            marker = "o" if len(values) <= 20 else ""
            axes.plot(history.epochs[known], values, color=colour, label=label, marker=marker)
            drawn.append(values)
    axes.set(xlabel="epoch", ylabel=f"{metric} ({unit})")
    _whole_numbers(axes)
    if log and _fivefold(np.concatenate(drawn)):
        _log_scale(axes, np.concatenate(drawn))
    _title(figure, f"{metric.capitalize()} over {epochs_in_words(int(history.epochs[-1]))}")
    notes, style = lettering.drawable(note.splitlines(), 180)
    shown = "\n".join(lettering.lines(line, 60) for line in notes)
    axes.set_title(shown, fontsize=SMALL, **style)
    axes.grid(alpha=0.3)
    _legend(figure, axes)
    return figure


def _fivefold(values: np.ndarray) -> bool:
    return bool(len(values) and 0 < 5 * values.min() < values.max())


def _log_scale(axes: Axes, values: np.ndarray) -> None:
    axes.set_yscale("log")
    if values.max() < 1000 * values.min():
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _whole_numbers(axes: Axes) -> None:
    """Put only whole numbers on the horizontal axis, even if there is only one."""
    low, high = axes.get_xlim()
    if high - low < 1:
        axes.set_xlim(low - 0.5, high + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def watched(rows: Sequence[Row], column: str, data: str) -> Figure:
    """Draw a series with its expected range and its alarms, and the scores below it.

    The shade of an alarm ends before the first record whose score is below 0.25. (After an alarm
    the scores are halved, and 0.5 raises an alarm.)

    Args:
        rows: At least one row about a series of one column, from `novelty.rows`.
        column: The name of the column.
        data: The name of the data.
    """
    figure = _empty((8.4, 4.4))
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    x = np.arange(len(rows))
    value, low, high, score = (
        np.array([np.nan if row[key] is None else row[key] for row in rows])
        for key in ("value", "expected_low", "expected_high", "score")
    )
    marker = "." if len(rows) == 1 else ""
    top.fill_between(x, low, high, color=ZERO, alpha=0.2, linewidth=0, label="expected")
    top.plot(x, value, color=ZERO, linewidth=0.8, label="value", marker=marker)
    bottom.plot(x, score, color=ZERO, linewidth=0.8, marker=marker)
    bottom.axhline(0.5, color=ONE, linestyle="--", linewidth=0.8, label="threshold")
    starts, end = np.flatnonzero(score >= 0.5).tolist(), -1
    for number, start in enumerate(starts):
        if start <= end:
            continue
        quiet = np.flatnonzero(score[start + 1 :] < 0.25)
        end = start + (int(quiet[0]) if len(quiet) else len(rows) - start - 1)
        for axes in (top, bottom):
            label = "flagged" if axes is top and not number else None
            axes.axvspan(start - 0.5, end + 0.5, color=ONE, alpha=0.4, label=label)
    _name_records(bottom, [str(row["timestamp"]) for row in rows])
    bottom.set(ylim=(0, 1), ylabel="score")
    top.ticklabel_format(axis="y", scilimits=(-4, 7), useOffset=False)
    least, most = top.get_ylim()
    if most - least < 1e-6 * max(abs(least), abs(most)):
        top.set_ylim(least - 0.05 * abs(least), most + 0.05 * abs(most))
    (name, where), style = lettering.drawable((column, data), 60)
    top.set_ylabel(lettering.brief(name, 24), **style)
    flagged = f"{len(starts):,} anomal{'y' if len(starts) == 1 else 'ies'}"
    records = _counted(len(rows), "record")
    _title(figure, f"{name} in {where}:", f"{flagged} among {records}", like=style)
    _legend(figure, top, bottom)
    return figure


def _name_records(axes: Axes, timestamps: Sequence[str]) -> None:
    """Label some records with their times, without seconds if the times still differ."""
    room = 5 if len(timestamps[0]) <= 20 else 3
    ticks = np.unique(np.linspace(0, len(timestamps) - 1, room).astype(int)).tolist()
    texts = [timestamps[tick] for tick in ticks]
    shorter = [text[:16] for text in texts]
    if len(set(shorter)) == len(texts) and all(text[16:17] in ("", ":") for text in texts):
        texts = shorter
    texts, style = lettering.drawable(texts, 28)
    axes.set_xticks(ticks, texts, fontsize=SMALL, **style)
    numbered = all(text.isdecimal() and len(text) < 10 for text in timestamps)
    axes.set_xlabel("record" if numbered else "time")


def confusion(counts: np.ndarray, labels: Sequence[object], data: str) -> Figure:
    """Draw a confusion matrix. Right answers are on the diagonal.

    Args:
        counts: Number of images of each true class (row) by answer (column), shape
            (classes, classes).
        labels: The label of each class.
        data: The name of the data.
    """
    texts, style = lettering.drawable(labels, LONGEST_LABEL)
    longest = max(lettering.columns(text) for text in texts)
    many = len(labels) > COUNTED
    side = min(3.6 + 0.14 * len(labels), 12) if many else max(0.4 * len(labels), 2.6)
    margin = 0.07 * (longest if longest > 3 else 1)
    figure, axes = _figure((side + margin + 1.8, side + margin + 0.8))
    norm = _counts_norm()
    norm.autoscale(np.array([0, max(counts.max(), 1)]))
    image = axes.imshow(counts, cmap="Blues", norm=norm)
    bar = figure.colorbar(image, ax=axes, label="images", fraction=0.05)
    most = max(int(counts.max()), 1)
    ticks = [0, *(10**power for power in range(8) if 2 * 10**power <= most), most]
    bar.set_ticks(ticks, labels=[f"{tick:,}" for tick in ticks], minor=False)
    bar.ax.tick_params(labelsize=SMALL)
    bar.minorticks_off()
    _name_classes(axes, texts, style, upright=many or longest > 3)
    axes.set(xlabel="answer", ylabel="truth")
    where, style = lettering.drawable([data], 40)
    right = f"{np.trace(counts):,} of {counts.sum():,} right"
    _title(figure, f"Answers on {where[0]}'s test part:", right, like=style)
    if not many:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if norm(count) > 0.6 else "black"
            axes.text(
                column, row, f"{count}", ha="center", va="center", color=colour, fontsize=SMALL
            )
    return figure


def _counts_norm() -> FuncNorm:
    """Return a logarithmic scale of shades, on which one mistake differs from none."""
    return FuncNorm((np.log1p, np.expm1))


def _name_classes(axes: Axes, texts: Sequence[str], style: dict[str, Any], upright: bool) -> None:
    """Label the axes with as many classes as there is room for."""
    places = range(0, len(texts), -(-len(texts) // 90))
    shown = [texts[place] for place in places]
    size = 10 if len(texts) <= COUNTED else 7
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
    figure = _empty((max(1.15 * columns, INCHES[0]), max(height * rows, 0.5) + 0.6))
    if not len(shown):
        _title(figure, f"No mistakes on {_counted(len(test), 'test image')}")
        return figure
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, row in zip(panels.flat, shown, strict=False):
        axes.imshow(test.x[row].squeeze(), cmap="gray_r", vmin=0)
        (truth, answer), style = lettering.drawable((labels[truths[row]], labels[answers[row]]), 9)
        between = ",\n" if long else ", "
        axes.set_title(f"{truth}{between}answer {answer}", fontsize=SMALL, **style)
    many = f"{_counted(len(wrong), 'mistake')} on {_counted(len(test), 'test image')}"
    part = "" if len(shown) == len(wrong) else f"The {len(shown)} worst of "
    _title(figure, f"{part}{many}")
    return figure


def filters(model: "keras.Model", layer: str) -> Figure:
    """Draw the kernels of a convolution over one map; blue is negative, vermilion positive."""
    kernels = np.asarray(model.get_layer(layer).kernel)[:, :, 0, :]
    height, width, count = kernels.shape
    kinds = "filter" if count == 1 else f"{count} filters"
    title = f"The {kinds} of {layer}, {height} x {width} weights each"
    return _kernels(kernels, range(1, count + 1), title)


def weight_images(kernel: np.ndarray, labels: Sequence[object], pixels: str = "pixels") -> Figure:
    """Draw the weights that each class gives to the pixels of a 28 x 28 image, as an image.

    Blue is negative, vermilion positive. The largest weights, which belong to pixels at the edge
    that are hardly ever lit, all have the darkest shade, so that the others can be seen.

    Args:
        kernel: The weights, shape (784, classes).
        labels: The label of each class.
        pixels: What has these weights, in words.
    """
    title = f"The weights that each class gives to the {pixels}"
    return _kernels(kernel.reshape(28, 28, -1), labels, title, darkest=0.95)


def components(axes: np.ndarray) -> Figure:
    """Draw the strongest principal components as images; blue is negative, vermilion positive.

    Args:
        axes: The components, the strongest first, shape (784, count).
    """
    count = axes.shape[1]
    shown = min(count, COMPONENTS)
    part = "" if shown == count else f"first {shown} of the "
    title = f"The {part}{_counted(count, 'principal component')}"
    return _kernels(axes[:, :shown].reshape(28, 28, -1), range(1, shown + 1), title)


def preprocessed(images: np.ndarray, changed: np.ndarray, how: str) -> Figure:
    """Draw images above, and below each of them the image that preprocessing makes of it.

    Blue is negative, vermilion positive, on one scale; the most extreme 0.5 % are cut off.

    Args:
        images: Images of shape (N, 28, 28), white on black.
        changed: The preprocessed images, shape (N, 784).
        how: The kind of preprocessing, in words.
    """
    figure = _empty((1.1 * len(images) + 1.2, 3.1))
    panels = figure.subplots(2, len(images), squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    largest = float(np.percentile(abs(changed), 99.5)) or 1.0
    for column, (before, after) in enumerate(zip(images, changed, strict=True)):
        panels[0, column].imshow(before, cmap="gray_r", vmin=0)
        drawn = panels[1, column].imshow(
            after.reshape(28, 28), cmap=_diverging(), vmin=-largest, vmax=largest
        )
    figure.colorbar(drawn, ax=panels.ravel().tolist(), label="value", fraction=0.03)
    _title(figure, "Test images, and what the net receives:", how)
    return figure


def reconstructions(images: np.ndarray, outputs: np.ndarray, labels: Sequence[object]) -> Figure:
    """Draw images, their reconstructions below them, and the difference below these.

    Args:
        images: Pixels from 0 to 1, shape (N, 784).
        outputs: Their reconstructions, of the same shape.
        labels: The label of each image; empty if there are none. The first image of each label is
            drawn, or else the first images.
    """
    shown = list(range(len(images)))[:COLUMNS_OF_IMAGES]
    if labels:
        _, firsts = np.unique(np.asarray(labels, str), return_index=True)
        shown = firsts.tolist()[:COLUMNS_OF_IMAGES]
    figure = _empty((max(0.75 * len(shown) + 0.6, INCHES[0]), 3.1))
    panels = figure.subplots(3, len(shown), squeeze=False)
    names = [str(labels[row]) if labels else f"{row + 1}" for row in shown]
    texts, style = lettering.drawable(names, 9)
    differences = outputs - images
    for column, row in enumerate(shown):
        for axes, grey in zip(panels[:2, column], (images, outputs), strict=True):
            axes.imshow(grey[row].reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        difference = differences[row].reshape(28, 28)
        panels[2, column].imshow(difference, cmap=_diverging(), vmin=-1, vmax=1)
        panels[0, column].set_title(texts[column], fontsize=SMALL, **style)
        panels[2, column].set_xlabel(f"{np.mean(difference**2):.4f}", fontsize=SMALL)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, name in zip(panels[:, 0], ("image", "answer", "difference"), strict=True):
        axes.set_ylabel(name, fontsize=SMALL)
    _title(figure, "Test images and their reconstructions")
    figure.supxlabel(
        "blue: too little ink, vermilion: too much; below: reconstruction error", fontsize=SMALL
    )
    return figure


def in_two_dimensions(codes: np.ndarray, labels: Sequence[object]) -> Figure:
    """Draw codes on their first two principal components, with each label at its class's median.

    Args:
        codes: Shape (N, units), with at least two rows.
        labels: The label of each code; empty if there are none.
    """
    centred = codes - codes.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    # A code of one number has one component only; the other coordinate is 0.
    where = np.pad(centred @ directions[:2].T, ((0, 0), (0, max(0, 2 - len(directions)))))
    kept = (sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-12)
    figure, axes = _figure((6.0, 5.4))
    names = np.asarray(labels, str) if labels else np.full(len(codes), "")
    drawn = np.arange(len(codes))[:MOST_CODES]
    for number, name in enumerate(np.unique(names)):
        chosen = drawn[names[drawn] == name]
        colour = f"C{number % 10}" if labels else ZERO
        axes.scatter(where[chosen, 0], where[chosen, 1], s=6, color=colour, alpha=0.6, linewidth=0)
        if labels:
            (text,), style = lettering.drawable([name], LONGEST_LABEL)
            x, y = np.median(where[names == name], axis=0).tolist()
            # Classes may have nearly the same median: a pale box does not hide the one below.
            box = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": colour, "alpha": 0.6}
            axes.text(x, y, text, ha="center", va="center", bbox=box, **style)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    _title(figure, "Codes of test images", f"(these two axes: {kept:.0%} of the variance)")
    return figure


def error_histogram(errors: np.ndarray, usual: float, data: str) -> Figure:
    """Draw how often each reconstruction error occurs.

    Args:
        errors: The reconstruction error of each image, shape (N,).
        usual: The error that 99 % of the images do not exceed.
        data: The name of the data.
    """
    figure, axes = _figure()
    axes.hist(errors, bins=min(60, max(5, len(errors) // 10)), color=ZERO)
    label = f"99 % of the images: at most {usual:.3g}"
    axes.axvline(usual, color=ONE, linestyle="--", label=label)
    axes.set(xlabel="reconstruction error (mean squared difference per pixel)", ylabel="images")
    axes.set_xlim(left=0)
    (where,), style = lettering.drawable([data], 40)
    _title(figure, "Reconstruction errors of", f"{where}'s test part", like=style)
    _legend(figure, axes)
    return figure


def _kernels(
    kernels: np.ndarray, names: Sequence[object], title: str, *, darkest: float = 1
) -> Figure:
    """Draw arrays of weights in shades of one scale.

    Args:
        kernels: The weights, shape (height, width, count).
        names: The name of each array.
        title: The title of the picture.
        darkest: The share of the weights that are smaller than those with the darkest shade.
    """
    largest = np.quantile(abs(kernels), darkest) or 1
    count = kernels.shape[-1]
    columns = min(count, 8) if count != 10 else 5
    rows = -(-count // columns)
    figure = _empty((max(1.1 * columns + 1.2, INCHES[0]), 1.35 * rows + 0.8))
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    texts, style = lettering.drawable([str(name) for name in names], LONGEST_LABEL)
    for number, axes in zip(range(count), panels.flat, strict=False):
        image = axes.imshow(kernels[:, :, number], cmap=_diverging(), vmin=-largest, vmax=largest)
        axes.set_title(texts[number], fontsize=SMALL, **style)
    beyond, shown = "both" if darkest < 1 else "neither", panels.ravel().tolist()
    figure.colorbar(image, ax=shown, label="weight", fraction=0.03, extend=beyond)
    _title(figure, title)
    return figure


def activations(
    model: "keras.Model",
    image: np.ndarray,
    layers: Sequence[str],
    labels: Sequence[object],
    truth: object,
) -> Figure:
    """Draw the outputs of layers for one image: a row of maps for each, a strip for a vector.

    Args:
        model: A sequential or functional model; its output is drawn last.
        image: An image of shape (28, 28) or (28, 28, 1).
        layers: The names of the layers, in the order in which they are drawn.
        labels: The label of each class.
        truth: The label of the image.
    """
    import keras

    outputs = [*(model.get_layer(name).output for name in layers), model.outputs[0]]
    seen = keras.Model(model.inputs, outputs)
    inputs = image.reshape(1, *model.input_shape[1:])
    found = [keras.ops.convert_to_numpy(output)[0] for output in seen([inputs], training=False)]
    found = [image.reshape(*image.shape[:2], 1), *found]
    heights = [0.55 if _is_vector(output) else 1.0 for output in found]
    figure = _empty((8.0, sum(heights) + 1.4))
    rows: Any = figure.subfigures(len(found), 1, height_ratios=[*heights[:-1], 0.95])
    for row, name, output in zip(rows, ("input", *layers, "answer"), found, strict=True):
        _maps(row, name, output)
    (axes,) = rows[-1].axes
    axes.set_xlabel("class")
    _name_answers(axes, labels, found[-1])
    answer = labels[found[-1].argmax()]
    (right, said), style = lettering.drawable((truth, answer), LONGEST_LABEL)
    _title(figure, f"A test image of class {right}", f"on its way to the answer {said}", like=style)
    figure.supxlabel(
        "white is the smallest value of a row, black the largest; the numbers on the left say both",
        fontsize=SMALL,
    )
    return figure


def _is_vector(output: np.ndarray) -> bool:
    return bool(output.size == max(output.shape))


def _maps(row: Any, name: str, output: np.ndarray) -> None:
    vector = _is_vector(output)
    maps = [np.reshape(output, (1, -1))] if vector else list(np.moveaxis(output, -1, 0))
    panels = row.subplots(1, 1 if vector else max(len(maps), 6), squeeze=False)[0]
    shape = _counted(output.size, "value") if vector else " x ".join(map(str, output.shape))
    low, high = float(output.min()), float(output.max())
    text = f"{name}\n{shape}\n{low:.3g} to {high:.3g}"
    panels[0].set_ylabel(text, rotation=0, labelpad=44, ha="center", va="center", fontsize=SMALL)
    for number, axes in enumerate(panels):
        if number < len(maps):
            aspect = "auto" if vector else "equal"
            axes.imshow(maps[number], cmap="gray_r", aspect=aspect, vmin=low, vmax=high)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("lightgray")
        else:
            axes.axis("off")


def _name_answers(axes: Axes, labels: Sequence[object], answer: np.ndarray) -> None:
    few = len(labels) <= COUNTED
    places = range(len(labels)) if few else [int(answer.argmax())]
    texts, style = lettering.drawable(
        [labels[place] for place in places], min(80 // len(places), LONGEST_LABEL)
    )
    axes.set_xticks(places, texts, fontsize=SMALL, **style)


def scores(values: np.ndarray, data: str) -> Figure:
    """Draw the scores of sessions in their order; scores of at least 0.5 are anomalies.

    Args:
        values: Scores from 0 to 1, shape (N,).
        data: The name of the data.
    """
    figure, axes = _figure()
    strange = values >= 0.5
    numbers = np.arange(1, len(values) + 1)
    for chosen, size, colour, marker, label in (
        (~strange, 6, ZERO, "o", "normal"),
        (strange, 14, ONE, "^", "anomaly"),
    ):
        if chosen.any():
            axes.scatter(
                numbers[chosen], values[chosen], s=size, color=colour, marker=marker, label=label
            )
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--", label="threshold")
    axes.set(xlabel="session, in the order of the log", ylabel="score", ylim=(-0.03, 1.03))
    _whole_numbers(axes)
    (where,), style = lettering.drawable([data], 60)
    found = f"{strange.sum():,} anomal{'y' if strange.sum() == 1 else 'ies'}"
    _title(figure, f"{found} among {_counted(len(values), 'session')}", f"of {where}", like=style)
    _legend(figure, axes)
    return figure


def surprises(
    events: Sequence[str], nats: np.ndarray, session: str, note: str = "", *, noun: str = "event"
) -> Figure:
    """Draw the surprise of each event of a session or, if it is long, around the largest one.

    Args:
        events: The text of each event.
        nats: The surprise (-log p) of each event in nats, shape (events,).
        session: The name of the session.
        note: A note about the session, below the picture.
        noun: What an event is called.
    """
    strangest = int(nats.argmax())
    first = max(0, min(strangest - LONGEST_SESSION // 2, len(events) - LONGEST_SESSION))
    last = min(first + LONGEST_SESSION, len(events))
    texts, style = lettering.drawable(events[first:last], 60)
    texts = [f"{text}  {number}" for number, text in enumerate(texts, first + 1)]
    figure = _empty((8.0, 1.8 + 0.22 * len(texts)))
    axes = figure.subplots()
    places = np.arange(first, last) + 1
    colours = np.where(nats[first:last] == nats[strangest], ONE, ZERO)
    axes.barh(places, nats[first:last], color=colours)
    axes.set_yticks(places, texts, fontsize=SMALL, **style)
    axes.set(xlabel="surprise, -log p (nats)", ylim=(last + 0.6, first + 0.4))
    axes.set_xlim(0, max(1.05 * float(nats[strangest]), 0.1))
    axes.set_ylabel(f"{noun}, the least expected in vermilion" if len(texts) > 8 else noun)
    (name, *said), style = lettering.drawable((session, *note.splitlines()), 90)
    part = f"{noun} by {noun}"
    if len(texts) < len(events):
        part = f"{noun}s {first + 1:,} to {last:,} of {len(events):,}"
    _title(figure, f"{name},", part, like=style)
    figure.supxlabel("\n".join(said), fontsize=SMALL, **style)
    axes.grid(axis="x", alpha=0.3)
    return figure


def decision_surface(model: "keras.Model", points: Examples) -> Figure:
    """Draw the answers of a net with two inputs and one probability around the points."""
    figure, axes = _figure()
    low, high = _around(points.x)
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
    surface = KerasRuntime(model).outputs(grid).reshape(len(up), len(across))
    _shade(figure, axes, across, up, surface)
    _scatter(axes, points.x, points, list(points.x))
    axes.set(xlabel="first input", ylabel="second input")
    _title(figure, "What the net answers")
    _legend(figure, axes)
    return figure


def moving_line(weights: Mapping[int, Sequence[np.ndarray]], points: Examples) -> Figure:
    """Draw where one neuron's sum is zero, after several numbers of epochs: the line it draws.

    The shade says on which side of the last line the neuron answers 0 and 1. If all weights are
    almost zero, the sum is almost zero everywhere: the picture then says that there is no line.

    Args:
        weights: Number of epochs to kernel of shape (2, 1) and bias of shape (1,), in order.
        points: The points that the neuron learns.
    """
    figure, axes = _figure()
    low, high = _around(points.x)
    across, up = np.linspace(low[0], high[0], 161), np.linspace(low[1], high[1], 161)
    last = max(weights)
    for shade, (epochs, (kernel, bias)) in zip(
        np.linspace(0.15, 1, len(weights)), weights.items(), strict=True
    ):
        when = epochs_in_words(epochs) if epochs else "before training"
        sums = kernel[0, 0] * across + kernel[1, 0] * up[:, None] + bias[0]
        if np.abs(sums).max() < INVISIBLE:
            axes.set_title(f"{when}: the sum is almost 0 everywhere, no line", fontsize=SMALL)
            continue
        if epochs == last:
            sides = [-np.inf, 0, np.inf]
            axes.contourf(across, up, sums, levels=sides, colors=[ZERO, ONE], alpha=0.25, zorder=0)
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
    _title(figure, "The neuron's line as it learns")
    _legend(figure, axes)
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
    figure = _empty((9.2, 4.2))
    panels = figure.subplots(1, 2)
    for axes, title, weights in zip(
        panels,
        ("before training", "after training"),
        (first_weights, model.get_weights()),
        strict=True,
    ):
        _hidden_panel(figure, axes, model, weights, points)
        axes.set_title(title, fontsize=TITLE)
    _title(figure, "Where the hidden layer puts the points")
    _legend(figure, panels[0])
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
        across, up, answers, cmap=_diverging(), vmin=0, vmax=1, alpha=0.55, rasterized=True
    )
    figure.colorbar(mesh, ax=axes, label="probability of class 1", fraction=0.05)
    if answers.min() < 0.5 < answers.max() and np.ptp(answers) > INVISIBLE:
        axes.contour(across, up, answers, levels=[0.5], colors="black", linewidths=1)


def _scatter(axes: Axes, where: Any, points: Examples, names: list[Any]) -> None:
    for value, colour, marker in ((0, ZERO, "o"), (1, ONE, "s")):
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


def _diverging() -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("diverging", [ZERO, "white", ONE])


def _title(figure: Figure, *parts: str, like: dict[str, Any] | None = None) -> None:
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


def _legend(figure: Figure, *axes: Axes) -> None:
    """Draw one legend for all the axes, below them, so that it hides nothing."""
    handles, labels = [], []
    for one in axes:
        found = one.get_legend_handles_labels()
        handles += found[0]
        labels += found[1]
    figure.legend(
        handles, labels, loc="outside lower center", ncols=4, fontsize=SMALL, frameon=False
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _figure(inches: tuple[float, float] = INCHES) -> tuple[Figure, Axes]:
    figure = _empty(inches)
    return figure, figure.subplots()


def _empty(inches: tuple[float, float]) -> Figure:
    # pyplot would keep every figure in memory, and look for a display.
    return Figure(figsize=inches, layout="constrained")
