"""`recipes show`: a recipe's article, net, options, presets and deviations."""

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json


@click.command()
@parameters.NAME
@parameters.JSON
def show(name: str, as_json: bool) -> None:
    """A recipe's article, layers, options, presets and deviations.

    \b
    Example:
      recipes show xor
    """
    from keras_recipes import catalog
    from keras_recipes.commands.show import description
    from keras_recipes.report.recipes import page

    recipe = catalog.get(name)
    known = description(recipe)
    if as_json:
        print_json(known)
    else:
        click.echo(page(recipe, known))
