"""Asking a model: a recipe's answers for people, or a bare pair's raw outputs."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import catalog, options
from keras_recipes.data import files, numbers
from keras_recipes.data.dataset import Batch
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models import runtime as runtimes
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Askable
from keras_recipes.models.runtime import Runtime
from keras_recipes.recipe import Row
from keras_recipes.saved import open as opening
from keras_recipes.saved.open import Model

if TYPE_CHECKING:
    import numpy as np

ARRAYS = (".npy", ".npz")


def predict(model: Model, x: Any, **given: Any) -> list[Row]:
    """What the model says about each input.

    Args:
        model: From `fit`, `load` or `open_model`; a recipe's name, or a saved model's path.
        x: Inputs as the recipe's net takes them: an array, nested lists or a DataFrame, of shape
            (N, 2) for xor and (N, 28, 28) for digits, whose single image may be (28, 28). Or as on
            the command line, a text, a path, or a list of them: values such as "0,1", files,
            folders, globs. For lstm-anomaly also the lines of a log, or numbers of shape
            (N, columns). A model that is no recipe's takes arrays, .npy, .npz and CSV files.
        **given: Options of the recipe's interpretation, such as `unsure_below=0.9`.

    Returns:
        A dict for each input, of plain Python values, with the keys that `recipes predict` has as
        columns; for a model that is no recipe's `row, output_0, output_1, ...`.

    Raises:
        InputError: There is no such model, file or option, or inputs have the wrong type or shape
            or are not finite numbers.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """
    card, texts = opening.card_of(model), files.as_texts(x)
    if card is None:
        return _raw_answers(model, x, texts, given)
    recipe, values = catalog.get(card.recipe), settings(card, given)
    if recipe.answer:
        # A list of texts may be the lines of a log.
        paths = texts if texts and isinstance(x, str | Path) else []
        check_asked(card, paths, given, values)
        fitted = opening.open_model(model).in_keras
        return list(options.call(recipe, "answer", fitted, x, options=values))
    assert recipe.as_batch is not None
    # Read before Keras is started for the model, so that mistakes come out at once.
    if texts is None:
        batches = iter([recipe.as_batch(x)])
    else:
        batches = begun(options.call(recipe, "inputs", texts, options=values))
    return list(rows(opening.open_model(model), batches, values))


def _raw_answers(
    model: Model, x: Any, texts: list[str] | None, given: Mapping[str, Any]
) -> list[Row]:
    if given:
        raise InputError(f"{min(given)}: a model without a card has no options; leave it out")
    if texts is None:
        array = numbers.array(x, "an array of what the model takes")
        runtime = (opened := opening.open_model(model)).runtime
        return list(rows(opened, [_raw_batch(runtime, array, 0, "input")], {}))
    arrays = raw_arrays(texts)
    opened = opening.open_model(model)
    return list(rows(opened, raw_batches(opened.runtime, texts, arrays), {}))


def rows(model: Askable, batches: Iterable[Batch], given: Mapping[str, Any]) -> Iterator[Row]:
    """Predictions for batches as they come."""
    runtime = model.runtime
    for batch in batches:
        if model.card:
            runtimes.check_fits(runtime, batch.x, model.card.recipe)
        answers = runtime.outputs(batch.x)
        if model.card:
            recipe, known = catalog.get(model.card.recipe), (batch, answers, model.card.learned)
            yield from options.call(recipe, "interpret", *known, options=given)
        else:
            yield from _raw_rows(batch, answers)


def settings(
    card: Card, given: Mapping[str, Any], owners: Sequence[str] = options.PREDICTING
) -> dict[str, Any]:
    """The card's options for asking the model, and over them what is given.

    Free texts are not taken from a card, which may be anybody's: they name files.

    Args:
        card: The model's.
        given: By the user.
        owners: The functions of the recipe that are to be called.

    Raises:
        InputError: Something given is no option for that.
        CorruptModelError: The card has a value that the option cannot have.
    """
    recipe = catalog.get(card.recipe)
    known = options.of(recipe, owners).values()
    mine = [option for option in known if option.stays]
    try:
        kept = {o.name: o.check(card.options[o.name]) for o in mine if o.name in card.options}
    except InputError as error:
        raise CorruptModelError(f"the model's card is damaged: {error}") from None
    # A card of an older version may lack options that there are today.
    defaults = {option.name: option.default for option in known}
    return {**defaults, **kept, **options.check(recipe, given, owners)}


def check_asked(
    card: Card, inputs: Sequence[str], given: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Refuses, before a model is opened, what a recipe that answers itself could not answer.

    Args:
        card: The model's.
        inputs: Paths, or "-".
        given: Options that the user gave.
        values: These and the card's, from `settings`.

    Raises:
        InputError: An option that has no effect, or nothing to read.
        CorruptModelError: The card is damaged.
    """
    recipe = catalog.get(card.recipe)
    if recipe.check_answer:
        recipe.check_answer(card.learned, inputs, given, values)


def begun(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the first of them already read, so that its mistakes come out now."""
    return itertools.chain(list(itertools.islice(batches, 1)), batches)


def raw_arrays(inputs: Sequence[str]) -> "dict[str, np.ndarray]":
    """The inputs that are `.npy` or `.npz` files, read before a model is opened for them.

    Raises:
        InputError: One cannot be read, or another one is not there.
        UnsafeModelError: One holds Python objects, or is too large.
    """
    from keras_recipes.untrusted import arrays

    found = {text: arrays.read(Path(text)) for text in inputs if Path(text).suffix in ARRAYS}
    numbers.check_there([text for text in inputs if text not in found], example="0,0")
    for text, x in found.items():
        _check_numbers(x, text)
    return found


def raw_batches(
    runtime: Runtime, inputs: Sequence[str], arrays: "Mapping[str, np.ndarray]"
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
            width = runtime.input_shape[-1] or 1
            example = ",".join(["0"] * min(width, 3))
            x = np.array([row for _, row in numbers.rows([text], width=width, example=example)])
        yield _raw_batch(runtime, x, first, text)
        first += len(x)


def _raw_batch(runtime: Runtime, x: "np.ndarray", first: int, source: str) -> Batch:
    expected = runtime.input_shape
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
    if x.dtype.kind not in "biuf":
        raise InputError(f"{source}: expected finite numbers, received {x.dtype}; convert it")
    if not (abs(x) <= largest).all():
        raise InputError(
            f"{source}: expected finite numbers, received NaN, infinity or more than a float holds"
        )


def _raw_rows(batch: Batch, answers: "np.ndarray") -> Iterator[Row]:
    for name, answer in zip(batch.names, answers.reshape(len(answers), -1).tolist(), strict=True):
        yield {"row": int(name), **{f"output_{i}": value for i, value in enumerate(answer)}}
