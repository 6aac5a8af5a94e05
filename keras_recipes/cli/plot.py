"""`recipes plot`: draw pictures of a model, such as its loss curve and its mistakes."""

import click

from keras_recipes.cli import completion, elsewhere, parameters


@click.command()
@parameters.MODEL
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="The data to draw. The default is the model's training data. May be given several times.",
)
@click.option(
    "--output",
    metavar="DIR",
    shell_complete=completion.files,
    help="The folder for the pictures. The default is plots/ and the model's name.",
)
def plot(model: str, data: tuple[str, ...], output: str | None) -> None:
    """Draw pictures of a model.

    Each recipe has its own pictures, for example the loss curve, or the mistakes on the test data.
    They are written as PNG files.

    \b
    Example:
      recipes plot xor
    """
    from keras_recipes.commands import plot as drawing
    from keras_recipes.saved.load import find

    elsewhere.hold(find(model), data)
    for path in drawing.plot(model, output, data=data or None):
        click.echo(path)
