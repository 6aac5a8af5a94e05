"""What classifiers share: one-hot targets and probabilities, both of shape (N, classes)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_recipes.errors import CorruptModelError, printable
from keras_recipes.recipe import Batch, Dataset, Details, Fitted, Metric, Row, Share

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

LONGEST_LABEL = 255
"""Characters; a folder's name has no more."""

COLUMNS = ("file", "prediction", "probability", "second", "second_probability")


def labels_of(learned: Mapping[str, Any], classes: int) -> list[Any]:
    """The classes' labels, which may come from a file that somebody else made.

    Raises:
        CorruptModelError: They are not one printable text or number for each class.
    """
    labels = learned.get("labels")
    if not isinstance(labels, list) or len(labels) != classes:
        raise CorruptModelError(
            f"its card: expected {classes} labels, one for each output; restore it, or fit again"
        )
    for label in labels:
        text = isinstance(label, str) and label.isprintable() and len(label) <= LONGEST_LABEL
        if not (text or isinstance(label, int)):
            raise CorruptModelError(
                f"its card: {printable(repr(label))} is no label; restore it, or fit again"
            )
    return labels


METRICS = {
    "accuracy": Metric("Share of the images that get the right class.", "share"),
    "loss": Metric("Mean cross-entropy in nats; 0 is a perfect answer."),
    "precision": Metric("Share of the images said to be of a class that are of it.", "share"),
    "recall": Metric("Share of the images of a class that are found.", "share"),
    "f1": Metric("Harmonic mean of precision and recall.", "share"),
    "examples": Metric("Number of images of a class.", "count"),
    "confusion": Metric("How often images of a class (rows) get each class (columns).", "count"),
}


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Accuracy, and mean cross-entropy in nats."""
    import numpy as np

    right = targets.argmax(axis=1) == outputs.argmax(axis=1)
    of_the_right = np.sum(targets * outputs, axis=1)
    return {
        "accuracy": float(np.mean(right)),
        "loss": float(-np.mean(np.log(np.maximum(of_the_right, 1e-7)))),
    }


def interpret(
    batch: Batch,
    outputs: "np.ndarray",
    learned: Mapping[str, Any],
    *,
    unsure_below: Share = 0.0,
    all_probabilities: bool = False,
) -> Iterator[Row]:
    """Rows `file,prediction,probability,second,second_probability`.

    Args:
        batch: What was asked about.
        outputs: Probabilities.
        learned: With the classes' `labels`.
        unsure_below: Probability under which "unsure" is predicted instead of a class.
        all_probabilities: Adds a column `p_LABEL` for each class.

    Raises:
        CorruptModelError: There is not a label for each output.
    """
    labels = labels_of(learned, outputs.shape[-1])
    if outputs.ndim != 2 or len(labels) < 2:
        raise CorruptModelError(
            f"its card: expected probabilities of several classes, received outputs of shape "
            f"{outputs.shape[1:]}; restore it, or fit again"
        )
    for name, probabilities in zip(batch.names, outputs, strict=True):
        first, second = probabilities.argsort()[::-1][:2]
        sure = probabilities[first] >= unsure_below
        row = {
            "file": name,
            "prediction": labels[first] if sure else "unsure",
            "probability": float(probabilities[first]),
            "second": labels[second],
            "second_probability": float(probabilities[second]),
        }
        if all_probabilities:
            values = zip(labels, probabilities.tolist(), strict=True)
            row.update({f"p_{label}": value for label, value in values})
        yield row


def details(targets: "np.ndarray", outputs: "np.ndarray", learned: Mapping[str, Any]) -> Details:
    """Precision, recall and F1 of every class, and the confusion matrix, by scikit-learn."""
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


def figures(fitted: Fitted, data: Dataset) -> "Iterator[tuple[str, Figure]]":
    """Loss and accuracy over the epochs, the confusion matrix, and the worst mistakes."""
    from keras_recipes import plotting

    labels, test = data.learned["labels"], data.test
    if fitted.history:
        yield "loss", plotting.curve(fitted.history, "loss", "cross-entropy")
        yield "accuracy", plotting.curve(fitted.history, "accuracy", "share", log=False)
    outputs = fitted.runtime.outputs(test.x)
    table = details(test.y, outputs, data.learned)["confusion"]
    yield "confusion", plotting.confusion(table, data.name)
    yield "mistakes", plotting.worst_mistakes(test, outputs, labels)
