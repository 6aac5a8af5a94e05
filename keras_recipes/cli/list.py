"""`recipes list`: every recipe, what was reported, and what it reached here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from keras_recipes import catalog
from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json
from keras_recipes.commands.list import entry
from keras_recipes.recipe import Recipe, Row
from keras_recipes.report import tables
from keras_recipes.report.metrics import in_words


@click.command("list")
@parameters.JSON
def list_(as_json: bool) -> None:
    """Every recipe, and what it reached here.

    \b
    Example:
      recipes list
    """
    known = [catalog.get(name) for name in catalog.names()]
    if as_json:
        print_json([entry(recipe) for recipe in known])
    else:
        click.echo(listing(known))


def listing(recipes: Sequence[Recipe]) -> str:
    """Every recipe for people: what it is; what was reported, and what it reached here."""
    entries = [(recipe, entry(recipe)) for recipe in recipes]
    said = [
        {
            "recipe": recipe.name,
            "what it is": known["summary"],
            "parameters": f"{known['parameters']:,}",
            "data": known["data"] if known["data_here"] else f"{known['data']} (not here yet)",
        }
        for recipe, known in entries
    ]
    compared = [row for recipe, known in entries for row in _compared(recipe, known)]
    return "\n\n".join(
        [
            tables.text(said, numbers=("parameters",)),
            tables.text(compared, numbers=("reported", "measured")),
        ]
    )


def _compared(recipe: Recipe, known: Mapping[str, Any]) -> Iterator[Row]:
    """Reported beside measured where both are of the same data; else one below the other."""
    reported, measured, data = known["reported"], known["measured"], known["measured_on"]
    telling = [name for name in recipe.metrics if name in measured][:1]
    names = list(reported) or telling or [""]

    def lines(reported: Mapping[str, Any], measured: Mapping[str, Any], data: str) -> Iterator[Row]:
        for name in names:
            yield {
                "recipe": recipe.name,
                "metric": name,
                "reported": in_words(reported, name, recipe.metrics),
                "measured": in_words(measured, name, recipe.metrics),
                "on": data,
            }

    if not measured:
        yield from lines(reported, dict.fromkeys(names, "not yet"), recipe.source.data)
    elif reported and data != recipe.source.data:
        yield from lines(reported, {}, recipe.source.data)
        yield from lines({}, measured, data)
    else:
        yield from lines(reported, measured, data)
