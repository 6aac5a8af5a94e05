"""Asking a model: a recipe's answers for people, or a bare pair's raw outputs."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import catalog, options
from keras_recipes.card import Card
from keras_recipes.data import numbers
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.recipe import Batch, Fitted, Row

if TYPE_CHECKING:
    import keras
    import numpy as np


ASKING = ("inputs", "interpret")
"""The functions of a recipe that have a part in a prediction."""

PIECE = 1_000
"""Inputs that the model is given at once, at most."""

ARRAYS = (".npy", ".npz")


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
    recipe = catalog.get(fitted.card.recipe)
    return list(rows(fitted, [recipe.as_batch(x)], settings(fitted.card, given)))


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
        CorruptModelError: Something in the card is none.
    """
    recipe = catalog.get(card.recipe)
    mine = {name: card.options[name] for name in options.of(recipe, ASKING) if name in card.options}
    try:
        options.check(recipe, mine, ASKING)
    except InputError as error:
        raise CorruptModelError(f"its card: {error}; restore it, or fit again") from None
    return {**card.options, **options.check(recipe, given, ASKING)}


def begun(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the first of them already read, so that its mistakes come out now."""
    return itertools.chain(list(itertools.islice(batches, 1)), batches)


def outputs(model: "keras.Model", x: "np.ndarray") -> "np.ndarray":
    """The model's outputs for a batch, shape (N, ...).

    Raises:
        UnsafeModelError: For inputs of this shape the model needs more memory than the limits.
    """
    import keras
    import numpy as np

    from keras_recipes.safety import sizes

    rows = sizes.rows_at_once(model, x.shape, PIECE)
    # In pieces, so that memory stays bounded; called and not `predict`ed, since a function traced
    # anew for every model and shape costs more than it saves here, and TensorFlow complains.
    pieces = [x[start : start + rows] for start in range(0, len(x), rows)]
    answers = [model(piece, training=False) for piece in pieces]
    return np.concatenate([keras.ops.convert_to_numpy(answer) for answer in answers])


def raw_arrays(inputs: Sequence[str]) -> "dict[str, np.ndarray]":
    """The inputs that are `.npy` or `.npz` files, read before a model is opened for them.

    Raises:
        InputError: One cannot be read.
        UnsafeModelError: One holds Python objects, or is too large.
    """
    from keras_recipes.safety import arrays

    found = {text: arrays.read(Path(text)) for text in inputs if Path(text).suffix in ARRAYS}
    for text, x in found.items():
        _check_numbers(x, text)
    return found


def raw_batches(
    model: "keras.Model", inputs: Sequence[str], arrays: "Mapping[str, np.ndarray]"
) -> Iterator[Batch]:
    """Arrays for a model that is no recipe's: from `raw_arrays`, or rows of numbers.

    Raises:
        InputError: An input cannot be read or is not what the model takes.
    """
    import numpy as np

    first = 0
    for text in inputs:
        if text in arrays:
            x = arrays[text]
        else:
            width = _input_shape(model)[-1] or 1
            example = ",".join(["0"] * min(width, 3))
            x = np.array([row for _, row in numbers.rows([text], width=width, example=example)])
        yield _raw_batch(model, x, first, text)
        first += len(x)


def _raw_batch(model: "keras.Model", x: "np.ndarray", first: int, source: str) -> Batch:
    expected = _input_shape(model)
    if not len(x):
        raise InputError(f"{source}: expected inputs, received none")
    if x.ndim != len(expected) + 1 or any(
        want not in (None, got) for want, got in zip(expected, x.shape[1:], strict=True)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in ("N", *expected))
        raise InputError(
            f"{source}: expected an array of shape ({wanted}), received {x.shape}; reshape it"
        )
    _check_numbers(x, source)
    return Batch([str(first + i) for i in range(len(x))], x)


def _check_numbers(x: "np.ndarray", source: str) -> None:
    import numpy as np

    largest = np.finfo("float32").max  # what most models compute with
    if x.dtype.kind not in "biuf" or not (abs(x) <= largest).all():
        raise InputError(
            f"{source}: expected finite numbers, received {x.dtype} or NaN or infinity; mend it"
        )


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
