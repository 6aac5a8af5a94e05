"""Shared code of the classifiers: labels, metrics, answers and pictures.

Targets are one-hot. Targets and outputs (probabilities) have shape (N, classes).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Interval

from keras_recipes.answers.per_input import PerInput
from keras_recipes.bounds import Share
from keras_recipes.data.dataset import Batch, Dataset, Examples
from keras_recipes.digits import calibration
from keras_recipes.digits import data as digits
from keras_recipes.digits.class_names import counted, matched
from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Details, Guess, Metric, Row

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

CROSS_ENTROPY = "categorical crossentropy"
"""The loss that `measure` computes, by Keras' name."""

Preprocessing = Literal["mean", "scale", "pca", "whitening"]
"""What a layer does with the images, by numbers that are computed from the training images."""

Components = Annotated[int, Interval(ge=1, le=784)]
"""A number of principal components: at most one for each pixel."""

PREPROCESSED = 8
"""The number of images that are drawn before and after preprocessing."""

PLACE = ("index", "left", "top", "width", "height")
"""The columns that tell which of several characters of a picture a row is about."""

COLUMNS = ("file", "prediction", "probability", "second", "second_probability")


def labels_of(learned: Mapping[str, Any], classes: int) -> list[Any]:
    """Return the labels of the classes from a card, which may be a file from elsewhere.

    Raises:
        CorruptModelError: There is not one printable text or number for each class.
    """
    labels = learned.get("labels")
    if not isinstance(labels, list) or len(labels) != classes:
        raise CorruptModelError(
            f"its card: expected {classes} labels, one for each output; restore the card, or fit "
            "again"
        )
    for label in labels:
        if not (isinstance(label, int) or digits.is_label(label)):
            raise CorruptModelError(
                f"its card: expected a label, received {printable(repr(label))}; restore the card, "
                "or fit again"
            )
    return labels


METRICS = {
    "accuracy": Metric("Share of the images that get the right class.", "share"),
    "loss": Metric("Mean cross-entropy in nats; 0 is a perfect answer."),
    "precision": Metric("Share of the images predicted as a class that are of it.", "share"),
    "recall": Metric("Share of the images of a class that are predicted as it.", "share"),
    "f1": Metric("Harmonic mean of precision and recall.", "share"),
    "examples": Metric("Number of images of a class.", "count"),
    "confusion": Metric("Images of each class (rows) by predicted class (columns).", "count"),
}


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Return the accuracy and the mean cross-entropy in nats."""
    import numpy as np

    right = targets.argmax(axis=1) == outputs.argmax(axis=1)
    of_the_right = np.sum(targets * outputs, axis=1)
    return {
        "accuracy": float(np.mean(right)),
        "loss": float(-np.mean(np.log(np.maximum(of_the_right, 1e-7)))),
    }


def guess(data: Dataset) -> Guess:
    """Return the accuracy of always answering the commonest class of the training part."""
    commonest = data.train.y.sum(axis=0).argmax()
    right = float((data.test.y.argmax(axis=1) == commonest).mean())
    return Guess("accuracy", right, "always answering the commonest class", best=1.0)


def outputs_kept(learned: Mapping[str, Any], data: Dataset) -> tuple[int | None, ...] | None:
    """Return for each class of the data the model's output for it, or None for a new class.

    Returns:
        None if the model has the same classes in the same order.

    Raises:
        CorruptModelError: The card has no labels.
    """
    now, known = list(map(str, data.learned["labels"])), learned.get("labels")
    before = list(map(str, labels_of(learned, len(known) if isinstance(known, list) else 0)))
    if before == now:
        return None
    new = [label for label in now if label not in before]
    log.info(
        "%s: has %s, the model has %s: %s",
        data.name,
        counted(now),
        counted(before),
        f"the outputs for {counted(new)} start from random weights" if new else "some are left out",
    )
    return tuple(before.index(label) if label in before else None for label in now)


def match_classes(learned: Mapping[str, Any], data: Dataset) -> Dataset:
    """Return data with the model's classes: its own are matched by name, and some may be missing.

    Raises:
        InputError: A class of the data is none of the model's.
        CorruptModelError: The card has no labels.
    """
    import numpy as np

    now, known = list(map(str, data.learned["labels"])), learned.get("labels")
    labels = labels_of(learned, len(known) if isinstance(known, list) else 0)
    if list(map(str, labels)) == now:
        return data
    parts = [part for part in (data.train, data.test, data.validation) if part is not None]
    present = np.flatnonzero(np.any([part.y.any(axis=0) for part in parts], axis=0))
    places = matched(data.name, [now[i] for i in present], list(map(str, labels)))

    def moved(part: Examples) -> Examples:
        targets = np.zeros((len(part), len(labels)), "float32")
        targets[:, places] = part.y[:, present]
        return Examples(part.x, targets)

    return replace(
        data,
        train=moved(data.train),
        test=moved(data.test),
        validation=moved(data.validation) if data.validation else None,
        learned={**data.learned, "labels": labels},
    )


def interpret(
    batch: Batch,
    outputs: "np.ndarray",
    learned: Mapping[str, Any],
    *,
    unsure_below: Share = 0.35,
    all_probabilities: bool = False,
) -> Iterator[Row]:
    """Yield rows with the keys `file,prediction,probability,second,second_probability`.

    Of a picture with several characters, there is a row for each, with `PLACE` after `file`.

    Args:
        batch: The names of the images, and the images.
        outputs: Probabilities of shape (N, classes).
        learned: What the card knows of the data; it holds the classes' `labels`, and may hold how
            the outputs are calibrated.
        unsure_below: Least probability of the predicted class; if it is lower, the prediction is
            "unsure". 0 turns this off.
        all_probabilities: Adds a column `p_LABEL` with the probability of each class.

    Raises:
        CorruptModelError: The card does not have a label for each output.
    """
    labels = labels_of(learned, outputs.shape[-1])
    if outputs.ndim != 2 or len(labels) < 2:
        raise CorruptModelError(
            f"its card: expected probabilities of several classes, received outputs of shape "
            f"{outputs.shape[1:]}; restore it, or fit again"
        )
    if known := calibration.of_card(learned):
        outputs = calibration.calibrated(outputs, known, batch.x)
    crowded, places = _of_pictures(batch)
    said = []
    for name, probabilities, others, place in zip(
        batch.names, outputs, crowded, places, strict=True
    ):
        first, second = probabilities.argsort()[::-1][:2]
        sure = probabilities[first] >= unsure_below and not others
        said.append(str(labels[first]) if sure else "?")
        row = {
            "file": name,
            **place,
            "prediction": labels[first] if sure else "unsure",
            "probability": float(probabilities[first]),
            "second": labels[second],
            "second_probability": float(probabilities[second]),
        }
        if all_probabilities:
            values = zip(labels, probabilities.tolist(), strict=True)
            row.update({f"p_{label}": value for label, value in values})
        yield row
    if isinstance(batch, digits.Pictures) and batch.characters:
        for name, text in digits.as_text(batch, said):
            log.info("%s: %s", printable(name), printable(text, 2_000))


def _of_pictures(batch: Batch) -> tuple[Sequence[bool], Sequence[dict[str, int]]]:
    """Return for each image whether its picture holds more, and its place in the picture."""
    count = len(batch.names)
    if not isinstance(batch, digits.Pictures):
        return [False] * count, [{}] * count
    for name, others in zip(batch.names, batch.crowded, strict=True):
        if others:
            log.warning(
                "%s: more than one character is seen, so the answer is unsure; --set several=true "
                "reads each of them",
                printable(name),
            )
    if not batch.characters:
        return batch.crowded, [{}] * count
    places: list[dict[str, int]] = []
    before = ""
    for name, one in zip(batch.names, batch.characters, strict=True):
        index = places[-1]["index"] + 1 if name == before else 1
        place = (index, one.left, one.top, one.width, one.height)
        places.append(dict(zip(PLACE, place, strict=True)))
        before = name
    return batch.crowded, places


def details(targets: "np.ndarray", outputs: "np.ndarray", learned: Mapping[str, Any]) -> Details:
    """Return precision, recall and F1 of each class, and the confusion matrix."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = labels_of(learned, outputs.shape[-1])
    classes = range(len(labels))
    true, said = targets.argmax(axis=1), outputs.argmax(axis=1)
    scores = precision_recall_fscore_support(true, said, labels=classes, zero_division=0)
    names = ("precision", "recall", "f1", "examples")
    per_class = [
        {"class": label, **dict(zip(names, values, strict=True))}
        for label, *values in zip(labels, *(column.tolist() for column in scores), strict=True)
    ]
    matrix = confusion_matrix(true, said, labels=classes).tolist()
    confusion = [
        {"true": label, **dict(zip(labels, counts, strict=True))}
        for label, counts in zip(labels, matrix, strict=True)
    ]
    return {"classes": per_class, "confusion": confusion}


def answers(pictures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]") -> PerInput:
    """Return the functions with which a recipe for digits reads data and answers.

    Args:
        pictures: The function that draws the recipe's pictures.
    """
    return PerInput(
        columns=COLUMNS,
        read=digits.load,
        held_out=digits.held_out,
        from_arrays=digits.from_arrays,
        inputs=digits.characters,
        as_batch=digits.as_batch,
        interpret=interpret,
        figures=pictures,
        details=details,
        kept=outputs_kept,
        match=match_classes,
        unseen=digits.unseen,
        is_unseen=digits.is_unseen,
    )


def warping(strength: float, seed: int) -> "Callable[[], keras.Layer] | None":
    """Return a function that makes a `RandomWarp` layer, or None for strength 0."""
    if not strength:
        return None

    def make() -> "keras.Layer":
        from keras_recipes.digits.augmentation import RandomWarp

        return RandomWarp(strength, seed)

    return make


def adapt(model: "keras.Model", images: "np.ndarray") -> None:
    """Compute the statistics of a net's preprocessing layer from the training images.

    A net without such a layer stays as it is.

    Args:
        model: The net; only the weights of its preprocessing layer change.
        images: The training images, as the net receives them.
    """
    from keras_recipes.digits import preprocessing

    preprocessing.adapt(model, images)


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """Draw loss and accuracy over the epochs, the confusion matrix, and the worst mistakes.

    A net with a preprocessing layer also gets pictures of what the layer does.
    """
    from sklearn.metrics import confusion_matrix

    from keras_recipes.report import plots

    labels, test = labels_of(data.learned, data.test.y.shape[-1]), data.test
    if history := fitted.history:
        validated = "val_loss" in history.values
        note, unit = _of_the_loss(fitted, validated), "cross-entropy, nats"
        if _loss(fitted) != CROSS_ENTROPY:
            unit = "see the title" if validated else _loss(fitted)
        yield "loss", plots.curve(history, "loss", unit, note=note)
        note = _while_training(_disturbances(fitted), validated)
        yield "accuracy", plots.curve(history, "accuracy", "share", log=False, note=note)
    outputs = fitted.runtime.outputs(test.x)
    true, said = test.y.argmax(axis=1), outputs.argmax(axis=1)
    counts = confusion_matrix(true, said, labels=range(len(labels)))
    yield "confusion", plots.confusion(counts, labels, data.name)
    yield "mistakes", plots.mistakes(test, outputs, labels)
    if _options(fitted).get("preprocessing") and _options(fitted).get("features") != "hog":
        yield from _preprocessed(fitted, test.x[:PREPROCESSED])


def _preprocessed(fitted: Fitted, images: "np.ndarray") -> "Iterator[tuple[str, Figure]]":
    """Draw images before and after preprocessing, and the principal components if there are any."""
    import numpy as np

    from keras_recipes.digits import preprocessing
    from keras_recipes.report import plots

    layer = preprocessing.layer_of(fitted.model)
    if layer is None:  # the card of a file from elsewhere need not be true
        return
    seen = preprocessing.received(fitted.model, layer, images)
    changed = preprocessing.outputs(layer, seen)
    yield (
        "preprocessed",
        plots.preprocessed(
            seen.reshape(-1, 28, 28),
            layer.in_image(changed.T).T,
            f"preprocessing={_options(fitted)['preprocessing']}",
        ),
    )
    if isinstance(layer, preprocessing.PrincipalComponents):
        yield "components", plots.components(np.asarray(layer.axes))


def _options(fitted: Fitted) -> Mapping[str, Any]:
    return fitted.card.options if fitted.card else {}


def _loss(fitted: Fitted) -> str:
    """Return the name of the loss function in words."""
    return str(_options(fitted).get("loss", "categorical_crossentropy")).replace("_", " ")


def _disturbances(fitted: Fitted) -> list[str]:
    """Return in words what makes the training images harder than the validation images."""
    given = _options(fitted)
    dropout = given.get("dropout")
    return ["warped images"] * bool(given.get("warp")) + [f"dropout {dropout}"] * bool(dropout)


def _of_the_loss(fitted: Fitted, validated: bool) -> str:
    smoothing = _options(fitted).get("label_smoothing")
    harder = [f"label smoothing {smoothing}"] * bool(smoothing) + _disturbances(fitted)
    note = _while_training(harder, validated)
    if _loss(fitted) == CROSS_ENTROPY or not validated:
        return note
    return f"training: {_loss(fitted)}; validation: cross-entropy\n{note}".strip()


def _while_training(harder: list[str], validated: bool) -> str:
    if not harder:
        return ""
    return f"training with {', '.join(harder)}{'; validation without' * validated}"
