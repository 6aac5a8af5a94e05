"""Asking a model: a recipe's answers for people, or a bare pair's raw outputs."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import catalog, options
from keras_recipes.card import Card
from keras_recipes.data import numbers
from keras_recipes.errors import InputError
from keras_recipes.recipe import Batch, Fitted, Row

if TYPE_CHECKING:
    import keras
    import numpy as np


ASKING = ("inputs", "interpret", "answer")
"""The functions of a recipe that have a part in a prediction."""

PIECE = 1_000
"""Inputs that the model is given at once."""


def predict(fitted: Fitted, x: Any, **given: Any) -> list[Row]:
    """What the model says about each input.

    Args:
        fitted: From `fit` or `load`.
        x: Inputs as an array, a list or a DataFrame, as the recipe's net takes them.
        **given: Options of the recipe's interpretation.

    Returns:
        A dict for each input, of plain Python values, with the keys that `recipes predict` has as
        columns; for a model that is no recipe's `row, output_0, output_1, ...`.

    Raises:
        InputError: Inputs of the wrong shape, or that are not finite numbers.
    """
    import numpy as np

    if fitted.card is None:
        return list(rows(fitted, [_raw_batch(fitted.model, np.asarray(x), 0, "input")], {}))
    recipe, values = catalog.get(fitted.card.recipe), settings(fitted.card, given)
    if recipe.answer:
        return list(options.call(recipe, "answer", fitted, x, options=values))
    assert recipe.as_batch is not None
    return list(rows(fitted, [recipe.as_batch(x)], values))


def rows(fitted: Fitted, batches: Iterable[Batch], given: Mapping[str, Any]) -> Iterator[Row]:
    """Predictions for batches as they come."""
    for batch in batches:
        answers = outputs(fitted.model, batch.x)
        if fitted.card:
            recipe, known = catalog.get(fitted.card.recipe), (batch, answers, fitted.card.learned)
            yield from options.call(recipe, "interpret", *known, options=given)
        else:
            yield from _raw_rows(batch, answers)


def settings(card: Card, given: Mapping[str, Any]) -> dict[str, Any]:
    """The card's options for asking the model, and over them what is given.

    Raises:
        InputError: Something given is no option for that.
    """
    return {**card.options, **options.check(catalog.get(card.recipe), given, ASKING)}


def begun(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the first of them already read, so that its mistakes come out now."""
    return itertools.chain(list(itertools.islice(batches, 1)), batches)


def outputs(model: "keras.Model", x: "np.ndarray") -> "np.ndarray":
    """The model's outputs for a batch, shape (N, ...)."""
    import keras
    import numpy as np

    # In pieces, so that memory stays bounded; called and not `predict`ed, since a function traced
    # anew for every model and shape costs more than it saves here, and TensorFlow complains.
    pieces = [x[start : start + PIECE] for start in range(0, len(x), PIECE)]
    answers = [model(piece, training=False) for piece in pieces]
    return np.concatenate([keras.ops.convert_to_numpy(answer) for answer in answers])


def raw_batches(model: "keras.Model", inputs: Sequence[str]) -> Iterator[Batch]:
    """Arrays for a model that is no recipe's: `.npy`, `.npz`, or rows of numbers.

    Raises:
        InputError: An input cannot be read or is not what the model takes.
    """
    import numpy as np

    first = 0
    for text in inputs:
        if Path(text).suffix in (".npy", ".npz"):
            x = _array(Path(text))
        else:
            width = _input_shape(model)[-1] or 1
            example = ",".join(["0"] * min(width, 3))
            x = np.array([row for _, row in numbers.rows([text], width=width, example=example)])
        yield _raw_batch(model, x, first, text)
        first += len(x)


def _array(path: Path) -> "np.ndarray":
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        if path.suffix == ".npy":
            return np.asarray(loaded)
        if len(loaded.files) != 1 and "x" not in loaded.files:
            raise InputError(
                f"{path}: expected one array, or one called x, received {loaded.files}"
            )
        return np.asarray(loaded["x" if "x" in loaded.files else loaded.files[0]])
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # NumPy, zip and zlib each have their own
        raise InputError(f"{path}: no NumPy array that can be read: {error}") from None


def _raw_batch(model: "keras.Model", x: "np.ndarray", first: int, source: str) -> Batch:
    import numpy as np

    expected = _input_shape(model)
    if not len(x):
        raise InputError(f"{source}: expected inputs, received none")
    if x.ndim != len(expected) + 1 or any(
        want not in (None, got) for want, got in zip(expected, x.shape[1:], strict=True)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in ("N", *expected))
        raise InputError(f"{source}: expected an array of shape ({wanted}), received {x.shape}")
    if x.dtype.kind not in "biuf" or not np.isfinite(x).all():
        raise InputError(
            f"{source}: expected finite numbers, received {x.dtype} or NaN or infinity"
        )
    return Batch([str(first + i) for i in range(len(x))], x)


def _input_shape(model: "keras.Model") -> tuple[int | None, ...]:
    """The shape of one input, without the batch axis."""
    if not isinstance(model.input_shape, tuple) or not isinstance(model.output_shape, tuple):
        raise InputError("expected a model with one input and one output, this one has more")
    if len(model.input_shape) < 2:
        raise InputError(f"expected a model of arrays, this one takes {model.input_shape}")
    return model.input_shape[1:]


def _raw_rows(batch: Batch, answers: "np.ndarray") -> Iterator[Row]:
    for name, answer in zip(batch.names, answers.reshape(len(answers), -1).tolist(), strict=True):
        yield {"row": int(name), **{f"output_{i}": value for i, value in enumerate(answer)}}
