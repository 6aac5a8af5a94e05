"""Models without a card: their raw outputs, and how far these are from targets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes.commands import raw_named
from keras_recipes.data import files, numbers
from keras_recipes.data.dataset import Batch, Examples
from keras_recipes.errors import InputError, described
from keras_recipes.models import named
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.models.runtime import Runtime
from keras_recipes.recipe import Answer, Metric, Row, Rows
from keras_recipes.untrusted import arrays
from keras_recipes.untrusted.files import begins

ARRAYS = (".npy", ".npz")
_OTHER_KINDS = {
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x89PNG": "a picture (PNG)",
    b"GIF8": "a picture (GIF)",
    b"BM": "a picture (BMP)",
    b"II*\x00": "a picture (TIFF)",
    b"MM\x00*": "a picture (TIFF)",
    b"RIFF": "a picture or a sound (RIFF)",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an archive or a spreadsheet (ZIP)",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"PAR1": "a table in Parquet",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "an array whose name does not end in .npy",
}
"""What files of other kinds begin with."""


def ask(asked: Any) -> Callable[[Askable], Answer]:
    """Return a function that takes the open model and returns its answer.

    Args:
        asked: An array; a dict of arrays by the name of the input; or texts with numbers or with
            paths of `.npy`, `.npz` and CSV files.

    Raises:
        InputError: An input cannot be read.
        UnsafeModelError: A file contains Python objects, or is too large.
    """
    texts = files.as_texts(asked)
    if texts is None:
        texts, found = ["input"], {"input": _from_python(asked)}
    else:
        found = _arrays(texts)

    def answer(model: Askable) -> Answer:
        if isinstance(model, Fitted) and named.has_several_ends(model.model):
            return Rows(_named_rows(named.NamedModel(model.model), texts, found))
        runtime = model.runtime
        one = {text: arrays.chosen(named, text) for text, named in found.items()}
        batches = _batches(runtime, texts, one)
        return Rows(row for batch in batches for row in _rows(batch, runtime.outputs(batch.x)))

    return answer


def _from_python(asked: Any) -> dict[str, np.ndarray]:
    """Return arrays by the name of the input; an array without a name has the name x."""
    expected = "an array of inputs for the model"
    if not isinstance(asked, dict):
        return {"x": numbers.array(asked, expected)}
    return {str(name): numbers.array(value, expected) for name, value in asked.items()}


def _named_rows(
    model: named.NamedModel, inputs: Sequence[str], found: Mapping[str, raw_named.Arrays]
) -> Iterator[Row]:
    first = 0
    for text in inputs:
        given = found.get(text, {})
        yield from raw_named.rows(model, given, first, text)
        first += len(next(iter(given.values())))


def _arrays(inputs: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    """Read the inputs that are `.npy` or `.npz` files, before the model is opened.

    Raises:
        InputError: A file cannot be read, or does not exist.
        UnsafeModelError: A file contains Python objects, or is too large.
    """
    found = {
        text: arrays.read_by_name(Path(text)) for text in inputs if Path(text).suffix in ARRAYS
    }
    numbers.check_there([text for text in inputs if text not in found], example="0,0")
    for text, by_name in found.items():
        for x in by_name.values():
            _check_numbers(x, text)
    return found


def _batches(
    runtime: Runtime, inputs: Sequence[str], found: Mapping[str, np.ndarray]
) -> Iterator[Batch]:
    """Yield the inputs for a model without a card: arrays from `_arrays`, or rows of numbers.

    Raises:
        InputError: An input cannot be read, or has another shape than the model takes.
    """
    first = 0
    for text in inputs:
        if text in found:
            x = found[text]
        else:
            _check_readable(text, runtime)
            width = runtime.input_shape[-1] or 1
            example = ",".join(["0"] * min(width, 3))
            x = np.array([row for _, row in numbers.rows([text], width=width, example=example)])
        yield _batch(runtime, x, first, text)
        first += len(x)


def _check_readable(text: str, runtime: Runtime) -> None:
    """Refuse a file that is no table of numbers, such as a picture, and say what the model takes.

    Raises:
        InputError: The file is of another kind.
    """
    path = Path(text)
    for signature, kind in _OTHER_KINDS.items():
        if path.is_file() and begins(path, signature):
            raise InputError(
                f"{text}: {kind}, but no recipe made this model, so it takes numbers only: an "
                f"array of shape {_wanted(runtime)} as .npy or .npz, or CSV; "
                "prepare the numbers as for its training and save them with np.save"
            )


def _wanted(runtime: Runtime) -> str:
    sizes = ", ".join("any" if n is None else str(n) for n in ("N", *runtime.input_shape))
    return f"({sizes})"


def _batch(runtime: Runtime, x: np.ndarray, first: int, source: str) -> Batch:
    expected = runtime.input_shape
    if not len(x):
        raise InputError(f"{source}: expected inputs, received none")
    if x.ndim != len(expected) + 1 or any(
        want not in (None, got) for want, got in zip(expected, x.shape[1:], strict=True)
    ):
        raise InputError(
            f"{source}: expected an array of shape {_wanted(runtime)}, received {x.shape}; "
            "reshape it"
        )
    _check_numbers(x, source)
    return Batch([str(first + i) for i in range(len(x))], x)


def _check_numbers(x: np.ndarray, source: str) -> None:
    largest = np.finfo("float32").max  # most models compute in float32
    if x.dtype.kind not in "biuf":
        raise InputError(f"{source}: expected finite numbers, received {x.dtype}; convert it")
    if not (abs(x) <= largest).all():
        raise InputError(
            f"{source}: expected finite numbers, received NaN, infinity or a number too large for "
            "float32; remove it"
        )


def _rows(batch: Batch, answers: np.ndarray) -> Iterator[Row]:
    for name, answer in zip(batch.names, answers.reshape(len(answers), -1).tolist(), strict=True):
        yield {"row": int(name), **{f"output_{i}": value for i, value in enumerate(answer)}}


METRICS = {
    "accuracy": Metric("Share of the inputs that get the right class.", "share"),
    "mean_squared_error": Metric("Mean of the squared difference between output and target."),
    "mean_absolute_error": Metric("Mean of the absolute difference between output and target."),
    "largest_error": Metric("Largest absolute difference between an output and its target."),
}


def examples(data: Any) -> tuple[Examples, str]:
    """Read inputs and targets to measure on, and return them with the name of the data.

    Args:
        data: The path of an `.npz` file with the arrays x and y, or a pair `(x, y)` of arrays. `y`
            holds the expected outputs, or the class of each input as a whole number.

    Raises:
        InputError: There is no such file, or it holds something else.
        UnsafeModelError: The file contains Python objects, or is larger than the limits.
    """
    texts = files.as_texts(data)
    if texts is None:
        x, y = (numbers.array(part, "a pair (x, y) of arrays") for part in _pair(data))
        name = "arrays from Python"
    else:
        name = _only(texts)
        x, y = arrays.read_pair(Path(name))
    if len(x) != len(y) or not len(x):
        raise InputError(f"{name}: expected as many x as y, received {len(x)} and {len(y)}")
    return Examples(x, y), name


def _pair(data: Any) -> Sequence[Any]:
    if not isinstance(data, Sequence) or len(data) != 2:
        raise InputError(
            f"expected data to measure a model without a card on, received {described(data)}; give "
            "--data, one .npz file with the arrays x and y, or a pair (x, y) from Python"
        )
    return data


def _only(texts: Sequence[str]) -> str:
    if len(texts) != 1:
        raise InputError(f"expected one .npz file with arrays x and y, received {len(texts)} paths")
    if not texts[0].endswith(".npz"):
        raise InputError(f"{texts[0]}: expected an .npz file with arrays x and y; save one")
    return texts[0]


def measure(model: Askable, data: Examples) -> dict[str, float]:
    """Measure how far a model's outputs are from the targets.

    Args:
        model: A model without a card, from `open_model`.
        data: Inputs and targets, from `examples`.

    Returns:
        `accuracy` if the targets are classes, as whole numbers or one-hot. `mean_squared_error`,
        `mean_absolute_error` and `largest_error` if the targets have the shape of the outputs.

    Raises:
        InputError: The targets have another shape than the outputs.
    """
    answers = model.runtime.outputs(data.x)
    classes = _classes(data.y, answers.shape)
    found = {}
    if classes is not None:
        found["accuracy"] = float((answers.argmax(axis=-1) == classes).mean())
    if data.y.shape == answers.shape:
        errors = np.abs(answers - data.y)
        found["mean_squared_error"] = float((errors**2).mean())
        found["mean_absolute_error"] = float(errors.mean())
        found["largest_error"] = float(errors.max())
    if not found:
        raise InputError(f"y: expected shape {answers.shape}, or classes, received {data.y.shape}")
    return found


def _classes(y: np.ndarray, outputs: tuple[int, ...]) -> np.ndarray | None:
    """Return the class of each input if the targets are classes, else None."""
    if len(outputs) != 2 or outputs[1] < 2:
        return None
    if y.dtype.kind in "iu" and y.size == len(y):
        return y.reshape(-1)
    if y.shape == outputs and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        return np.asarray(y.argmax(axis=1))
    return None
