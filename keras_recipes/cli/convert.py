"""`recipes convert`: write a model of Keras 1 or 2 as today's pair."""

import logging

import click

from keras_recipes.cli import completion

log = logging.getLogger(__name__)


@click.command()
@click.argument("old", metavar="OLD.json|OLD.h5", shell_complete=completion.files)
@click.argument("weights", metavar="[OLD.h5]", required=False, shell_complete=completion.files)
@click.option(
    "--output",
    metavar="DIR",
    required=True,
    shell_complete=completion.files,
    help="The folder for today's pair.",
)
def convert(old: str, weights: str | None, output: str) -> None:
    """Write a model of Keras 1 or 2 as today's pair.

    It computes the same outputs.

    \b
    Example:
      recipes convert old.json old.h5 --output new
      recipes convert whole-model.h5 --output new
    """
    from keras_recipes.commands import convert as conversion

    done = conversion.convert(old, weights, output)
    for name, was, now in done.changes:
        log.info("%s: %s is now %s", name, was, now)
    log.info("saved by Keras %s%s; read back", done.keras_version, done.backend and " on Theano")
    click.echo(output)
