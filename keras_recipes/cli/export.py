"""`recipes export`: write a model in another format, read it back and compare the outputs."""

import logging

import click

from keras_recipes.cli import completion, elsewhere, parameters

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
    help="The file or folder to write. The default is the model's name, in the current folder.",
)
def export(model: str, form: str, weights: str | None, output: str | None) -> None:
    """Write a model in another format.

    The format's own runtime, for example onnxruntime, reads the export back and computes the
    outputs for the recipe's test data. If they differ from the model's outputs, nothing is written.

    \b
    Example:
      recipes export xor --format keras
      recipes export xor --format json-h5 --output xor-for-a-friend
      recipes export lenet5 --format onnx
      recipes predict lenet5.onnx digit.png
    """
    from keras_recipes import backend
    from keras_recipes.commands import export as exporting
    from keras_recipes.saved.load import find

    # An export is for any machine, so it is compared on the CPU.
    backend.choose("cpu")

    elsewhere.hold(find(model, weights))
    exported = exporting.export(model, form, output, weights=weights)
    log.info(
        "read back by %s; largest difference of the outputs for %s inputs: %.2g (at most %g)",
        exported.runtime,
        f"{exported.inputs:,}",
        exported.largest_difference,
        exported.tolerance,
    )
    click.echo(exported.path)
