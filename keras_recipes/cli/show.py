"""`recipes show`: a recipe's article, net, options, presets and deviations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from keras_recipes import catalog
from keras_recipes.cli import parameters
from keras_recipes.cli.output import print_json
from keras_recipes.commands.show import description
from keras_recipes.recipe import Recipe, Row
from keras_recipes.report import tables
from keras_recipes.report.metrics import in_words


@click.command()
@parameters.NAME
@parameters.JSON
def show(name: str, as_json: bool) -> None:
    """A recipe's article, layers, options, presets and deviations.

    \b
    Example:
      recipes show xor
    """
    recipe = catalog.get(name)
    if as_json:
        print_json(description(recipe))
    else:
        click.echo(text(recipe))


def text(recipe: Recipe) -> str:
    """A recipe for people: article, net, options by what they are about, presets and so on."""
    known = description(recipe)
    reported = ", ".join(
        f"{name} {in_words(known['reported'], name, recipe.metrics)}" for name in known["reported"]
    )
    layers = [{**layer, "parameters": f"{layer['parameters']:,}"} for layer in known["layers"]]
    blocks = [
        tables.paragraph(f"{recipe.name}: {recipe.summary}"),
        "\n".join(
            [
                tables.paragraph(f"article: {known['article']}"),
                tables.paragraph(
                    f"reports: {reported} on {recipe.source.data}"
                    if reported
                    else "reports: nothing"
                ),
                tables.paragraph(f"data: {known['data']}"),
            ]
        ),
        tables.text(layers, numbers=("parameters",)) + f"\n{recipe.parameters:,} parameters",
        *_options(known["options"]),
    ]
    if recipe.presets:
        sets = [{"preset": name, "sets": _assigned(v)} for name, v in recipe.presets.items()]
        blocks.append("Presets (--preset of fit):\n" + tables.text(sets))
    metrics = [{"metric": name, "meaning": m.meaning} for name, m in recipe.metrics.items()]
    blocks.append("What is measured:\n" + tables.text(metrics))
    deviations = [tables.paragraph(text, "- ") for text in recipe.source.deviations]
    blocks.append("\n".join(["Deviations from the article:", *deviations]))
    return "\n\n".join(blocks)


def _options(several: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A table for each part of the work and the commands that take its options."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for option in several:
        row = {
            "option": option["option"],
            "default": _assignable(option["default"]),
            "meaning": f"{option['meaning']} Expected: {option['expected']}.".removesuffix(
                " Expected: a text or none."
            ),
        }
        groups.setdefault((option["part"], _spoken(option["commands"])), []).append(row)
    for (part, commands), rows in groups.items():
        yield f"Options of the {part} (--set of {commands}):\n{tables.text(rows)}"


def _spoken(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _assigned(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_assignable(value)}" for name, value in values.items())


def _assignable(value: Any) -> str:
    """A value as it is typed behind `--set KEY=`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0")
