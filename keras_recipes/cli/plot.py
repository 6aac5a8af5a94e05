"""`recipes plot`: draw the pictures that belong to a model's recipe."""

import click

from keras_recipes.cli import completion, parameters


@click.command()
@parameters.MODEL
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="Data to draw instead of what the model was fitted on.",
)
@click.option(
    "--output",
    metavar="DIR",
    shell_complete=completion.files,
    help="Folder for the pictures [plots/ and MODEL's name].",
)
def plot(model: str, data: tuple[str, ...], output: str | None) -> None:
    """Draw the pictures that belong to a model's recipe.

    \b
    Example:
      recipes plot xor
    """
    from keras_recipes.commands import plot as drawing

    for path in drawing.plot(model, output, data=data or None):
        click.echo(path)
