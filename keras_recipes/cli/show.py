"""`recipes show`: show a recipe's article, layers, options, presets and metrics."""

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json


@click.command()
@parameters.NAME
@parameters.JSON
def show(name: str, as_json: bool) -> None:
    """Show a recipe: its article, layers and options.

    It also lists the presets, the metrics, and where the recipe differs from the article.

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
