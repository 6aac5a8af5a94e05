"""`recipes check`: compare a recipe's backpropagation with nudged weights."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json

if TYPE_CHECKING:
    from keras_recipes.commands.check import Checked
    from keras_recipes.train.gradient_check import Compared


@click.command()
@parameters.NAME
@parameters.data("to take examples from, instead of the recipe's own data.")
@parameters.PRESET
@parameters.assignments("seed=7")
@parameters.shorthand("seed", int, "The seed of the weights, the examples and the sample.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    default=10,
    help="The number of weights of each array that are nudged. The default is 10.",
)
@parameters.JSON
def check(
    name: str,
    data: tuple[str, ...],
    preset: str | None,
    assignments: tuple[str, ...],
    sample: int,
    as_json: bool,
    **shorthands: Any,
) -> None:
    """Compare backpropagation with nudged weights, layer by layer.

    A few weights of each array of an untrained net are nudged up and down, in double precision. The
    change of the loss, divided by the nudge, has to be the gradient. Weights at which the loss
    bends, as with ReLU or max pooling, are skipped and counted. Dropout and random changes of the
    inputs are off. The exit status is 1 if a relative difference is 1e-6 or more.

    \b
    Example:
      recipes check xor
      recipes check char-rnn --set cell=gru
    """
    from keras_recipes import catalog, options
    from keras_recipes.errors import RecipeError

    recipe = catalog.get(name)
    options.check_preset(recipe, preset)
    given = parameters.given(recipe, assignments, shorthands, "fit")
    from keras_recipes.commands import check as checking
    from keras_recipes.report import tables

    checked = checking.check(recipe.name, data or None, preset=preset, sample=sample, **given)
    if as_json:
        print_json(_for_programs(recipe.name, checked))
    else:
        click.echo(tables.text([_row(array) for array in checked.arrays]))
        click.echo(f"\nlargest relative difference: {checked.largest_difference:.2g}")
    if not checked.reached:
        raise RecipeError(f"{recipe.name}: {checked.failure}")


def _row(array: "Compared") -> dict[str, Any]:
    return {
        "layer": array.layer,
        "weights": array.weights,
        "shape": " x ".join(map(str, array.shape)) or "1",
        "checked": array.checked,
        "skipped": array.skipped,
        "largest difference": float(f"{array.largest_difference:.2g}"),
    }


def _for_programs(name: str, checked: "Checked") -> dict[str, Any]:
    """Return the result as JSON values; what could not be compared is null."""
    arrays = [asdict(array) for array in checked.arrays]
    for array in arrays:
        array["largest_difference"] = _finite(array["largest_difference"])
    return {
        "recipe": name,
        "data": checked.data,
        "examples": checked.examples,
        "largest_difference": _finite(checked.largest_difference),
        "goal": checked.goal,
        "reached": checked.reached,
        "arrays": arrays,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
