"""`recipes list`: list every recipe with its reported and its measured results."""

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json


@click.command("list")
@parameters.JSON
def list_(as_json: bool) -> None:
    """List every recipe with its reported and its measured results.

    Results are measured when you fit a recipe.

    \b
    Example:
      recipes list
    """
    from keras_recipes import catalog
    from keras_recipes.commands.list import entry
    from keras_recipes.report.recipes import listing

    recipes = [catalog.get(name) for name in catalog.names()]
    known = [entry(recipe) for recipe in recipes]
    if as_json:
        print_json(known)
    else:
        click.echo(listing(recipes, known))
