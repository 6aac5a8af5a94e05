"""`recipes fit`: train a recipe's net, measure it and save it."""

import logging
from pathlib import Path
from typing import Any, Literal

import click

from keras_recipes.cli import completion, parameters
from keras_recipes.cli.output import print_metrics, talks

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
@click.option("--resume", is_flag=True, help="Continue a fit that was stopped.")
@click.option("--fresh", is_flag=True, help="Discard a fit that was stopped, and start again.")
@parameters.JSON
def fit(
    name: str,
    data: tuple[str, ...],
    preset: str | None,
    assignments: tuple[str, ...],
    device: Literal["auto", "cpu", "gpu"],
    out: str | None,
    start: str | None,
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
    """
    from keras_recipes import catalog

    recipe = catalog.get(name)
    from keras_recipes import options

    options.check_preset(recipe, preset)
    given = parameters.given(recipe, assignments, shorthands, "fit")
    from keras_recipes import backend
    from keras_recipes.cli.next_steps import next_steps
    from keras_recipes.commands import fit as fitting
    from keras_recipes.saved import locate

    # Nothing else computes in this process, so the number of threads per operation may be limited.
    backend.choose(device, side_by_side=recipe.side_by_side)
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
        show_progress=None if talks() else False,
        **given,
    )
    card = fitted.card
    assert card is not None
    details = {"model": str(folder), "options": card.options, "training": card.training}
    print_metrics(recipe, card.metrics, card.data["name"], as_json, details)
    for line in next_steps(recipe, card, folder) if not as_json else ():
        log.info(line)
