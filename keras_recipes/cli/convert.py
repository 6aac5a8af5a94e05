"""`recipes convert`: convert a model of Keras 1 or 2 to Keras 3."""

import logging
from typing import TYPE_CHECKING

import click

from keras_recipes.cli import completion, elsewhere
from keras_recipes.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_recipes.commands.convert_folder import Outcome
    from keras_recipes.legacy.convert import Converted

TOLERANCE = 1e-5
"""The largest difference that is no warning."""

log = logging.getLogger(__name__)


@click.command()
@click.argument("old", metavar="OLD", shell_complete=completion.files)
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

    OLD is a JSON file with the architecture, whose weights are in OLD.h5; or a whole model in an
    .h5 or .keras file; or a folder of such models, each of which gets a folder in DIR. The new
    model computes the same outputs.

    \b
    Example:
      recipes convert old.json old.h5 --output new
      recipes convert whole-model.h5 --output new
      recipes convert old-models --output new-models
    """
    from keras_recipes.commands import convert as conversion
    from keras_recipes.commands import convert_folder

    elsewhere.hold_files(old, [old, weights])
    if weights is None and convert_folder.is_folder_of_models(old):
        _all(convert_folder.convert_folder(old, output))
        return
    _tell(conversion.convert(old, weights, output))
    click.echo(output)


def _all(outcomes: "Iterable[Outcome]") -> None:
    """Print each new folder; fail at the end if some models could not be converted."""
    count, failed = 0, 0
    for count, outcome in enumerate(outcomes, 1):  # noqa: B007
        if outcome.converted:
            log.info("%s:", outcome.old)
            _tell(outcome.converted)
            click.echo(outcome.new)
        else:
            failed += 1
            log.error("%s", outcome.error)
    if failed:
        raise RecipeError(f"{failed:,} of {count:,} models were not converted; see above")


def _tell(done: "Converted") -> None:
    """Say what was converted, and how near the new model is to the old one."""
    for name, was, now in done.changes:
        log.info("%s: %s is now %s", name, was, now)
    log.info(
        "the old model was saved by Keras %s%s; the new one was read back and compared",
        done.keras_version,
        done.backend and " on Theano",
    )
    if (measured := done.compare()) is not None:
        largest, by = measured
        level = logging.INFO if largest <= TOLERANCE else logging.WARNING
        log.log(
            level,
            "largest difference from what %s computes for random inputs: %.1g, relative to "
            "max(1, |output|)",
            by,
            largest,
        )
