"""`recipes doctor`: check versions, devices, data and extras, each with its fix."""

from dataclasses import asdict

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json


@click.command()
@parameters.JSON
def doctor(as_json: bool) -> None:
    """Check this machine: versions, devices, data and extras.

    The column fix says what to do about each thing that is missing. The exit status is 1 if a fit
    cannot run.

    \b
    Example:
      recipes doctor
    """
    from keras_recipes.commands.doctor import examine
    from keras_recipes.report.findings import findings

    found = [asdict(finding) for finding in examine()]
    if as_json:
        print_json(found)
    else:
        click.echo(findings(found))
    if any(finding["broken"] for finding in found):
        raise SystemExit(1)
