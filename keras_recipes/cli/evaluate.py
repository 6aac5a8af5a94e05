"""`recipes evaluate`: measure a model on its test data, or on data of your own."""

from typing import Any

import click

from keras_recipes.cli import completion, elsewhere, parameters
from keras_recipes.cli.output import print_json, print_metrics, say_origin


@click.command()
@parameters.MODEL
@parameters.data("to measure on. The default is the test part of the model's training data.")
@click.option(
    "--labels",
    metavar="F",
    shell_complete=completion.files,
    help="A file that says which sessions or records are anomalies. Short for --set labels=F.",
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
    """Measure a model on its test data, or on data of your own.

    `recipes show NAME` lists the options that --set takes here, and explains each metric. A model
    without a card (it was not made by a recipe) needs an .npz file with the arrays x and y.

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
    elsewhere.hold(found, data)
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
