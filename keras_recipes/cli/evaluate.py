"""`recipes evaluate`: measure a model on its test data, or on data given."""

from typing import Any

import click

from keras_recipes.cli import completion, parameters
from keras_recipes.cli.output import print_json, print_metrics, say_origin


@click.command()
@parameters.MODEL
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="A file, folder or quoted glob to measure on, instead of the test part of what the model "
    "was fitted on. May be given several times.",
)
@click.option(
    "--labels", metavar="F", shell_complete=completion.files, help="Short for --set labels=F."
)
@parameters.WEIGHTS
@parameters.assignments("false_alarm_rate=0.001")
@parameters.JSON
def evaluate(
    model: str,
    data: tuple[str, ...],
    weights: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
    **shorthands: Any,
) -> None:
    """Measure a model on its test data, or on data given.

    A model that is no recipe's is measured on an .npz file with arrays x and y. `recipes show NAME`
    lists the options that --set takes here, and says what each metric means.

    \b
    Example:
      recipes evaluate xor
      recipes evaluate saved_models/and --data and.csv
      recipes evaluate old.json --weights old.h5 --data x-and-y.npz
    """
    from keras_recipes import catalog
    from keras_recipes.commands.evaluate import measure
    from keras_recipes.commands.raw import METRICS
    from keras_recipes.report.metrics import beside_reported, detailed
    from keras_recipes.saved.load import find

    found = find(model, weights)
    say_origin(found)
    given = parameters.given_to(found, assignments, shorthands, "evaluate")
    measured = measure(found, data or None, given)
    if found.card is None:
        if as_json:
            said = {"recipe": None, "data": measured.data, "metrics": measured.metrics}
            print_json({**said, "model": model})
        else:
            click.echo(beside_reported(measured.metrics, METRICS, measured.data, {}))
        return
    recipe = catalog.get(found.card.recipe)
    extra = {"model": model, **measured.details}
    print_metrics(recipe, measured.metrics, measured.data, as_json, extra)
    if measured.details and not as_json:
        click.echo("\n" + detailed(measured.details, recipe.metrics))
