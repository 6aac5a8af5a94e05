"""The shared parts of recipes that classify points of the plane; targets are 0 or 1.

Points are float32 of shape (N, 2), targets are float32 of shape (N, 1), and a net's outputs are
probabilities of shape (N, 1).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from keras_recipes.answers.per_input import PerInput
from keras_recipes.data import files, numbers
from keras_recipes.data.dataset import Batch, Dataset, Examples
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Guess, Learned, Metric, Row

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure


def answers(
    read: Callable[..., Dataset],
    pictures: "Callable[[Fitted, Dataset], Iterator[tuple[str, Figure]]]",
) -> PerInput:
    """Return the answers of a recipe for points.

    Args:
        read: The recipe's function that reads data.
        pictures: The recipe's function that draws pictures.
    """
    return PerInput(
        columns=("input", "probability", "class"),
        read=read,
        from_arrays=from_arrays,
        inputs=inputs,
        as_batch=as_batch,
        interpret=interpret,
        figures=pictures,
    )


def of_table(name: str, table: Sequence[Sequence[float]]) -> Dataset:
    """Return rows `x1,x2,target` as a data set.

    Args:
        name: The name of the data set.
        table: The rows.
    """
    import numpy as np

    rows = np.array(table, "float32")
    return _dataset(name, rows[:, :2], rows[:, 2:])


def of_files(data: Sequence[str]) -> Dataset:
    """Read rows `x1,x2,target` from CSV files (try AND or OR).

    Raises:
        InputError: A row is malformed, or a target is neither 0 nor 1.
    """
    import numpy as np

    rows = [values for _, values in numbers.rows(data, width=3, example="0,1,1")]
    if not rows:
        raise InputError(f"{', '.join(data)}: expected rows x1,x2,target, received none")
    table = np.array(rows)
    return _dataset(files.in_words(data), as_batch(table[:, :2]).x, table[:, 2:].astype("float32"))


def from_arrays(x: Any, y: Any) -> Dataset:
    """Return points of shape (N, 2) and targets of shape (N,) or (N, 1) as a data set.

    Raises:
        InputError: The shapes do not fit, or a target is neither 0 nor 1.
    """
    points = as_batch(x).x
    targets = numbers.array(y, "targets 0 or 1").astype("float32")
    if targets.shape not in ((len(points),), (len(points), 1)):
        raise InputError(
            f"expected a target for each point, received {len(points)} points "
            f"and targets of shape {targets.shape}"
        )
    return _dataset("arrays from Python", points, targets.reshape(-1, 1))


METRICS = {
    "accuracy": Metric("Share of the points that get the right class.", "share"),
    "loss": Metric("Mean binary cross-entropy in nats; 0 is a perfect answer."),
    "largest_error": Metric("Largest distance between an output and its target."),
}


def measure(targets: "np.ndarray", outputs: "np.ndarray") -> dict[str, float]:
    """Return accuracy at 0.5, mean binary cross-entropy in nats, and largest |target - output|."""
    import numpy as np

    wrong = np.abs(targets - outputs)
    return {
        "accuracy": float(np.mean((outputs >= 0.5) == (targets >= 0.5))),
        "loss": float(0 - np.mean(np.log(np.maximum(1 - wrong, 1e-7)))),  # 0, not -0
        "largest_error": float(wrong.max()),
    }


def guess(data: Dataset) -> Guess:
    """Return the accuracy of a guess: the commonest target for every point."""
    commonest = float(data.train.y.mean() >= 0.5)
    right = float((data.test.y == commonest).mean())
    return Guess("accuracy", right, "always answering the commonest target", best=1.0)


def one_line_separates(examples: Examples) -> bool:
    """Whether some line has all points with target 1 on one side and the others on the other.

    Such a line exists where a linear program has a solution: sign * (w x + b) >= 1 for each point.
    """
    import numpy as np
    from scipy.optimize import linprog

    signs = 1 - 2 * examples.y
    weighted = signs * np.column_stack([examples.x, np.ones(len(examples))])
    found = linprog(np.zeros(3), weighted, -np.ones(len(examples)), bounds=(None, None))
    return bool(found.status == 0)


def inputs(texts: Sequence[str]) -> Iterator[Batch]:
    """Yield points given as `0,1`, in CSV files, or on standard input, a few thousand at a time.

    Raises:
        InputError: There are no points, or one is malformed.
    """
    import numpy as np

    rows, some = numbers.rows(texts, width=2, example="0,1"), False
    while points := [values for _, values in islice(rows, 4096)]:
        some = True
        yield as_batch(np.array(points))
    if not some:
        raise InputError(f"{', '.join(texts)}: expected points x1,x2, received none")


def as_batch(points: Any) -> Batch:
    """Return an array, list or DataFrame of shape (N, 2), or a single point, as a batch.

    Raises:
        InputError: The values have another shape, or are not finite numbers.
    """
    import numpy as np

    given = numbers.array(points, "points of shape (N, 2)")
    with np.errstate(over="ignore"):
        x = (given[None] if given.shape == (2,) else given).astype("float32")
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        raise InputError(f"expected points of shape (N, 2), received shape {x.shape}")
    if not np.isfinite(x).all():
        raise InputError("expected finite numbers, received NaN or infinity")
    return Batch([",".join(np.format_float_positional(v, trim="-") for v in row) for row in x], x)


def interpret(batch: Batch, outputs: "np.ndarray", learned: Learned) -> Iterator[Row]:
    """Yield rows `input,probability,class`; the class is 1 from a probability of 0.5 on."""
    if outputs.shape[1:] != (1,):
        raise CorruptModelError(
            f"its card: expected one probability per point, received outputs of shape "
            f"{outputs.shape[1:]}; restore it, or fit again"
        )
    for name, probability in zip(batch.names, outputs[:, 0].tolist(), strict=True):
        yield {"input": name, "probability": probability, "class": int(probability >= 0.5)}


def _dataset(name: str, points: "np.ndarray", targets: "np.ndarray") -> Dataset:
    import numpy as np

    others = targets[~np.isin(targets, (0, 1))]
    if others.size:
        raise InputError(f"{name}: expected targets 0 or 1, received {others[0]:g}")
    examples = Examples(points, targets)
    return Dataset(
        name=name,
        train=examples,
        test=examples,
        note="trained and measured on the same points, because there are no others",
    )
