"""`recipes convert`: convert a model of Keras 1 or 2 to Keras 3."""

import logging

import click

from keras_recipes.cli import completion, elsewhere

log = logging.getLogger(__name__)


@click.command()
@click.argument("old", metavar="OLD.json|OLD.h5", shell_complete=completion.files)
@click.argument("weights", metavar="[OLD.h5]", required=False, shell_complete=completion.files)
@click.option(
    "--output",
    metavar="DIR",
    required=True,
    shell_complete=completion.files,
    help="The folder to write: model.json and model.weights.h5 for Keras 3.",
)
def convert(old: str, weights: str | None, output: str) -> None:
    """Convert a model of Keras 1 or 2 to Keras 3.

    OLD.json holds the architecture of the old model, OLD.h5 its weights or the whole model. The new
    model computes the same outputs.

    \b
    Example:
      recipes convert old.json old.h5 --output new
      recipes convert whole-model.h5 --output new
    """
    from keras_recipes.commands import convert as conversion

    elsewhere.hold_files(old, [old, weights])
    done = conversion.convert(old, weights, output)
    for name, was, now in done.changes:
        log.info("%s: %s is now %s", name, was, now)
    log.info(
        "the old model was saved by Keras %s%s; the new one was read back and compared",
        done.keras_version,
        done.backend and " on Theano",
    )
    click.echo(output)
