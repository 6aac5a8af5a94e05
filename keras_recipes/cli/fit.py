"""`recipes fit`: train a recipe's net, measure it and save it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from keras_recipes.cli import completion, parameters
from keras_recipes.cli.output import print_metrics, talks

if TYPE_CHECKING:
    from keras_recipes.recipe import Recipe

log = logging.getLogger(__name__)


@click.command()
@parameters.NAME
@parameters.data("to learn from, instead of the recipe's own data.")
@parameters.PRESET
@parameters.assignments("seed=7")
@parameters.shorthand("epochs", int, "The number of passes over the training data.")
@parameters.shorthand("batch_size", int, "The number of examples per update.")
@parameters.shorthand("learning_rate", float, "The step size of the optimizer.")
@parameters.shorthand("seed", int, "The seed of all random choices.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    help="The device to train on. auto, the default, uses a GPU if Keras finds one.",
)
@click.option(
    "--deterministic",
    is_flag=True,
    help="Give the same model on any number of CPU cores. This may take longer.",
)
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=completion.files,
    help="The folder to save the model in. The default is saved_models/NAME. A model that is "
    "already there is replaced.",
)
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    shell_complete=completion.models,
    help="Start from the weights and options of this fitted model.",
)
@click.option(
    "--repeat",
    "repeated",
    metavar="MODEL",
    shell_complete=completion.models,
    help="Repeat the fit of this model, with the options, seed and data on its card, and compare "
    "the two. The new model is saved only with --out.",
)
@click.option(
    "--tensorboard",
    metavar="DIR",
    shell_complete=completion.files,
    help="Write event files into this folder, from which TensorBoard draws curves while the fit "
    "runs.",
)
@click.option("--resume", is_flag=True, help="Continue a fit that was stopped.")
@click.option("--fresh", is_flag=True, help="Discard a fit that was stopped, and start again.")
@parameters.JSON
def fit(
    name: str,
    data: tuple[str, ...],
    preset: str | None,
    assignments: tuple[str, ...],
    device: Literal["auto", "cpu", "gpu"],
    deterministic: bool,
    out: str | None,
    start: str | None,
    repeated: str | None,
    tensorboard: str | None,
    resume: bool,
    fresh: bool,
    as_json: bool,
    **shorthands: Any,
) -> None:
    """Train a recipe's net, measure it and save it.

    `recipes show NAME` lists the presets, and the options that --set takes. Ctrl-C stops a fit
    between two epochs; --resume continues it.

    \b
    Example:
      recipes fit xor
      recipes fit xor --preset three-regressions --seed 7
      recipes fit xor --data and.csv --out saved_models/and
      recipes fit xor --repeat saved_models/xor
    """
    from keras_recipes import catalog

    recipe = catalog.get(name)
    if repeated is not None:
        flags = {"preset": preset, "set": assignments, "from": start, "resume": resume}
        flags |= {"fresh": fresh, "deterministic": deterministic}
        _check_alone({**flags, **shorthands})
        _repeat(recipe, repeated, data, out, device, tensorboard, as_json)
        return
    from keras_recipes import options

    options.check_preset(recipe, preset)
    given = parameters.given(recipe, assignments, shorthands, "fit")
    from keras_recipes import backend
    from keras_recipes.cli.next_steps import next_steps
    from keras_recipes.commands import fit as fitting
    from keras_recipes.saved import locate

    # Nothing else computes in this process, so the number of threads per operation may be limited.
    backend.choose(device, side_by_side=recipe.side_by_side, deterministic=deterministic)
    folder = locate.default_folder(recipe.name) if out is None else Path(out)
    fitted = fitting.fit(
        recipe.name,
        data or None,
        preset=preset,
        start=start,
        out=folder,
        resume=resume,
        fresh=fresh,
        device=device,
        deterministic=deterministic,
        tensorboard=tensorboard,
        show_progress=None if talks() else False,
        **given,
    )
    card = fitted.card
    assert card is not None
    details = {"model": str(folder), "options": card.options, "training": card.training}
    print_metrics(recipe, card.metrics, card.data["name"], as_json, details)
    for line in next_steps(recipe, card, folder) if not as_json else ():
        log.info(line)


def _check_alone(others: Mapping[str, Any]) -> None:
    """Refuse options beside --repeat, whose model has all of them.

    Raises:
        UsageError: One was given.
    """
    for name, value in others.items():
        if value or (value == 0 and value is not False):  # a seed may be 0
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option}: a repeated fit has the options of its model; leave it out, or fit "
                "without --repeat"
            )


def _repeat(
    recipe: "Recipe",
    model: str,
    data: tuple[str, ...],
    out: str | None,
    device: Literal["auto", "cpu", "gpu"],
    tensorboard: str | None,
    as_json: bool,
) -> None:
    from keras_recipes import backend
    from keras_recipes.commands.repeat import repeat

    backend.choose(device, side_by_side=recipe.side_by_side)
    found = repeat(
        model,
        data or None,
        recipe=recipe.name,
        out=out,
        device=device,
        tensorboard=tensorboard,
        show_progress=None if talks() else False,
    )
    card = found.fitted.card
    assert card is not None
    details = {
        "repeated": model,
        "equal": found.equal,
        "largest_difference": found.largest_difference,
        "differences": list(found.differences),
        "earlier_metrics": {name: before for name, (before, _) in found.metrics.items()},
        "model": out,
        "options": card.options,
        "training": card.training,
    }
    print_metrics(recipe, card.metrics, card.data["name"], as_json, details)
