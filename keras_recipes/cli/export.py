"""`recipes export`: write a model in another format, read it back and compare."""

import logging

import click

from keras_recipes.cli import completion, parameters

log = logging.getLogger(__name__)


@click.command()
@parameters.MODEL
@click.option(
    "--format",
    "form",
    required=True,
    metavar="F",
    shell_complete=completion.formats,
    help="The format: json-h5, keras, saved-model, onnx or litert.",
)
@parameters.WEIGHTS
@click.option(
    "--output",
    metavar="P",
    shell_complete=completion.files,
    help="The file or folder to write [named after MODEL, here].",
)
def export(model: str, form: str, weights: str | None, output: str | None) -> None:
    """Write a model in another format, read it back and compare.

    It is read back by what will run it. Both compute the recipe's test inputs; where their outputs
    differ, nothing is written.

    \b
    Example:
      recipes export xor --format keras
      recipes export xor --format json-h5 --output xor-for-a-friend
      recipes export lenet5 --format onnx
      recipes predict lenet5.onnx digit.png
    """
    from keras_recipes import backend
    from keras_recipes.commands import export as exporting

    # Written for any machine, and compared on this one's CPU.
    backend.choose("cpu")

    exported = exporting.export(model, form, output, weights=weights)
    log.info(
        "read back by %s; largest difference of the outputs for %s inputs: %.2g (at most %g)",
        exported.runtime,
        f"{exported.inputs:,}",
        exported.largest_difference,
        exported.tolerance,
    )
    click.echo(exported.path)
