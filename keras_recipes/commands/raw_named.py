"""Asking a model without a card that has several inputs or outputs: with arrays by name."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Row

if TYPE_CHECKING:
    from keras_recipes.models.named import NamedModel

Arrays = Mapping[str, np.ndarray]


def rows(model: "NamedModel", given: Arrays, first: int, source: str) -> Iterator[Row]:
    """Yield a row for each example, with the columns NAME_0, NAME_1, ... of each output.

    Args:
        model: The model to ask.
        given: Arrays by the name of the input. If the model has one input, any name will do.
        first: The number of the first row.
        source: Where the arrays come from, for messages.

    Raises:
        InputError: An array is missing, or has another shape than its input.
        UnsafeModelError: The model needs more memory than the limits for such inputs.
    """
    x = _checked(model, given, source)
    answers = model.compute(x)
    count = len(next(iter(x.values())))
    flat = {name: answer.reshape(count, -1).tolist() for name, answer in answers.items()}
    for i in range(count):
        yield {
            "row": first + i,
            **{f"{name}_{k}": value for name in flat for k, value in enumerate(flat[name][i])},
        }


def _checked(model: "NamedModel", given: Arrays, source: str) -> dict[str, np.ndarray]:
    if len(model.inputs) == 1 and len(given) == 1:
        given = dict(zip(model.inputs, given.values(), strict=True))
    missing = [name for name in model.inputs if name not in given]
    fits = not missing and all(_fits(given[name], shape) for name, shape in model.inputs.items())
    lengths = {len(given[name]) for name in model.inputs if not missing and given[name].ndim}
    if not fits or len(lengths) != 1 or lengths == {0}:
        wanted = ", ".join(f"{name} {_shape(shape)}" for name, shape in model.inputs.items())
        there = ", ".join(
            f"{name} {_shape(x.shape[1:], *x.shape[:1])}" for name, x in given.items()
        )
        example = ", ".join(f"{name}=..." for name in model.inputs)
        raise InputError(
            f"{source}: expected arrays by name, one for each input: {printable(wanted, 400)}; "
            f"received {printable(there, 400) or 'none'}; save them with "
            f"np.savez('inputs.npz', {printable(example, 400)})"
        )
    return {name: given[name] for name in model.inputs}


def _fits(x: np.ndarray, shape: tuple[int | None, ...]) -> bool:
    return x.ndim == len(shape) + 1 and all(
        want in (None, got) for want, got in zip(shape, x.shape[1:], strict=True)
    )


def _shape(shape: tuple[int | None, ...], length: int | str = "N") -> str:
    parts = [str(length), *("any" if size is None else str(size) for size in shape)]
    return f"({', '.join(parts)})"
