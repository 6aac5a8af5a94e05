"""Pictures of what nets that see images compute: weights, activations, codes, reconstructions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_recipes.report import lettering
from keras_recipes.report.plots import canvas

if TYPE_CHECKING:
    import keras

COLUMNS_OF_IMAGES = 10
"""The most images that are drawn with their reconstructions."""

MOST_CODES = 3_000
"""The most codes that are drawn as points."""

COMPONENTS = 24
"""The most principal components that are drawn."""


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
    title = f"The {part}{canvas.counted(count, 'principal component')}"
    return _kernels(axes[:, :shown].reshape(28, 28, -1), range(1, shown + 1), title)


def preprocessed(images: np.ndarray, changed: np.ndarray, how: str) -> Figure:
    """Draw images above, and below each of them the image that preprocessing makes of it.

    Blue is negative, vermilion positive, on one scale; the most extreme 0.5 % are cut off.

    Args:
        images: Images of shape (N, 28, 28), white on black.
        changed: The preprocessed images, shape (N, 784).
        how: The kind of preprocessing, in words.
    """
    figure = canvas.empty((1.1 * len(images) + 1.2, 3.1))
    panels = figure.subplots(2, len(images), squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    largest = float(np.percentile(abs(changed), 99.5)) or 1.0
    for column, (before, after) in enumerate(zip(images, changed, strict=True)):
        panels[0, column].imshow(before, cmap="gray_r", vmin=0)
        drawn = panels[1, column].imshow(
            after.reshape(28, 28), cmap=canvas.diverging(), vmin=-largest, vmax=largest
        )
    figure.colorbar(drawn, ax=panels.ravel().tolist(), label="value", fraction=0.03)
    canvas.title(figure, "Test images, and what the net receives:", how)
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
    figure = canvas.empty((max(0.75 * len(shown) + 0.6, canvas.INCHES[0]), 3.1))
    panels = figure.subplots(3, len(shown), squeeze=False)
    names = [str(labels[row]) if labels else f"{row + 1}" for row in shown]
    texts, style = lettering.drawable(names, 9)
    differences = outputs - images
    for column, row in enumerate(shown):
        for axes, grey in zip(panels[:2, column], (images, outputs), strict=True):
            axes.imshow(grey[row].reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        difference = differences[row].reshape(28, 28)
        panels[2, column].imshow(difference, cmap=canvas.diverging(), vmin=-1, vmax=1)
        panels[0, column].set_title(texts[column], fontsize=canvas.SMALL, **style)
        panels[2, column].set_xlabel(f"{np.mean(difference**2):.4f}", fontsize=canvas.SMALL)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, name in zip(panels[:, 0], ("image", "answer", "difference"), strict=True):
        axes.set_ylabel(name, fontsize=canvas.SMALL)
    canvas.title(figure, "Test images and their reconstructions")
    figure.supxlabel(
        "blue: too little ink, vermilion: too much; below: reconstruction error",
        fontsize=canvas.SMALL,
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
    figure, axes = canvas.figure((6.0, 5.4))
    names = np.asarray(labels, str) if labels else np.full(len(codes), "")
    drawn = np.arange(len(codes))[:MOST_CODES]
    for number, name in enumerate(np.unique(names)):
        chosen = drawn[names[drawn] == name]
        colour = f"C{number % 10}" if labels else canvas.ZERO
        axes.scatter(where[chosen, 0], where[chosen, 1], s=6, color=colour, alpha=0.6, linewidth=0)
        if labels:
            (text,), style = lettering.drawable([name], canvas.LONGEST_LABEL)
            x, y = np.median(where[names == name], axis=0).tolist()
            # Classes may have nearly the same median: a pale box does not hide the one below.
            box = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": colour, "alpha": 0.6}
            axes.text(x, y, text, ha="center", va="center", bbox=box, **style)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    canvas.title(figure, "Codes of test images", f"(these two axes: {kept:.0%} of the variance)")
    return figure


def error_histogram(errors: np.ndarray, usual: float, data: str) -> Figure:
    """Draw how often each reconstruction error occurs.

    Args:
        errors: The reconstruction error of each image, shape (N,).
        usual: The error that 99 % of the images do not exceed.
        data: The name of the data.
    """
    figure, axes = canvas.figure()
    axes.hist(errors, bins=min(60, max(5, len(errors) // 10)), color=canvas.ZERO)
    label = f"99 % of the images: at most {usual:.3g}"
    axes.axvline(usual, color=canvas.ONE, linestyle="--", label=label)
    axes.set(xlabel="reconstruction error (mean squared difference per pixel)", ylabel="images")
    axes.set_xlim(left=0)
    (where,), style = lettering.drawable([data], 40)
    canvas.title(figure, "Reconstruction errors of", f"{where}'s test part", like=style)
    canvas.legend(figure, axes)
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
    figure = canvas.empty((max(1.1 * columns + 1.2, canvas.INCHES[0]), 1.35 * rows + 0.8))
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    texts, style = lettering.drawable([str(name) for name in names], canvas.LONGEST_LABEL)
    for number, axes in zip(range(count), panels.flat, strict=False):
        image = axes.imshow(
            kernels[:, :, number], cmap=canvas.diverging(), vmin=-largest, vmax=largest
        )
        axes.set_title(texts[number], fontsize=canvas.SMALL, **style)
    beyond, shown = "both" if darkest < 1 else "neither", panels.ravel().tolist()
    figure.colorbar(image, ax=shown, label="weight", fraction=0.03, extend=beyond)
    canvas.title(figure, title)
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
    figure = canvas.empty((8.0, sum(heights) + 1.4))
    rows: Any = figure.subfigures(len(found), 1, height_ratios=[*heights[:-1], 0.95])
    for row, name, output in zip(rows, ("input", *layers, "answer"), found, strict=True):
        _maps(row, name, output)
    (axes,) = rows[-1].axes
    axes.set_xlabel("class")
    _name_answers(axes, labels, found[-1])
    answer = labels[found[-1].argmax()]
    (right, said), style = lettering.drawable((truth, answer), canvas.LONGEST_LABEL)
    canvas.title(
        figure, f"A test image of class {right}", f"on its way to the answer {said}", like=style
    )
    figure.supxlabel(
        "white is the smallest value of a row, black the largest; the numbers on the left say both",
        fontsize=canvas.SMALL,
    )
    return figure


def _is_vector(output: np.ndarray) -> bool:
    return bool(output.size == max(output.shape))


def _maps(row: Any, name: str, output: np.ndarray) -> None:
    vector = _is_vector(output)
    maps = [np.reshape(output, (1, -1))] if vector else list(np.moveaxis(output, -1, 0))
    panels = row.subplots(1, 1 if vector else max(len(maps), 6), squeeze=False)[0]
    shape = canvas.counted(output.size, "value") if vector else " x ".join(map(str, output.shape))
    low, high = float(output.min()), float(output.max())
    text = f"{name}\n{shape}\n{low:.3g} to {high:.3g}"
    panels[0].set_ylabel(
        text, rotation=0, labelpad=44, ha="center", va="center", fontsize=canvas.SMALL
    )
    for number, axes in enumerate(panels):
        if number < len(maps):
            aspect = "auto" if vector else "equal"
            axes.imshow(maps[number], cmap="gray_r", aspect=aspect, vmin=low, vmax=high)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("lightgray")
        else:
            axes.axis("off")


def _name_answers(axes: Axes, labels: Sequence[object], answer: np.ndarray) -> None:
    few = len(labels) <= canvas.COUNTED
    places = range(len(labels)) if few else [int(answer.argmax())]
    texts, style = lettering.drawable(
        [labels[place] for place in places], min(80 // len(places), canvas.LONGEST_LABEL)
    )
    axes.set_xticks(places, texts, fontsize=canvas.SMALL, **style)
