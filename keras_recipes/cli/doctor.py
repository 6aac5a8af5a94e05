"""`recipes doctor`: what a fit needs, each with its fix."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json
from keras_recipes.report import tables


@click.command()
@parameters.JSON
def doctor(as_json: bool) -> None:
    """Look for what a fit needs, each with its fix.

    That is versions, devices, data and extras.

    \b
    Example:
      recipes doctor
    """
    from keras_recipes.commands.doctor import examine

    found = [asdict(finding) for finding in examine()]
    if as_json:
        print_json(found)
    else:
        click.echo(findings(found))
    if any(finding["broken"] for finding in found):
        raise SystemExit(1)


def findings(found: Sequence[Mapping[str, Any]]) -> str:
    """What `doctor` found for people; the last line says whether all is well."""
    rows = [{name: row[name] for name in ("what", "found", "fix")} for row in found]
    broken = [row["what"] for row in found if row["broken"]]
    verdict = "all is well: what a fit needs is here"
    if broken:
        verdict = f"not well: a fit needs {', '.join(broken)}; see the column fix"
    return f"{tables.text(rows)}\n\n{tables.paragraph(verdict)}"
