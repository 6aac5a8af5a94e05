"""Recipes as text: a list of all, or a page about one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_recipes.recipe import Recipe, Row
from keras_recipes.report import tables
from keras_recipes.report.metrics import in_words


def listing(recipes: Sequence[Recipe], known: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of all recipes, and a table of their reported and measured results.

    Args:
        recipes: The recipes.
        known: The facts about each, from `commands.list.entry`.
    """
    entries = list(zip(recipes, known, strict=True))
    said = [
        {
            "recipe": recipe.name,
            "what it is": entry["summary"],
            "parameters": f"{entry['parameters']:,}",
            "data": entry["data"]
            if entry["data_here"]
            else f"{entry['data']} (not on this machine yet)",
        }
        for recipe, entry in entries
    ]
    compared = [row for recipe, entry in entries for row in _compared(recipe, entry)]
    return "\n\n".join(
        [
            tables.text(said, numbers=("parameters",)),
            tables.text(compared, numbers=("reported", "measured")),
        ]
    )


def _compared(recipe: Recipe, known: Mapping[str, Any]) -> Iterator[Row]:
    """Yield reported next to measured results or, if their data differs, in separate rows."""
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


def page(recipe: Recipe, known: Mapping[str, Any]) -> str:
    """Return the page of a recipe: article, layers, options, presets, metrics, deviations.

    Args:
        recipe: The recipe.
        known: The facts about it, from `commands.show.description`.
    """
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
    blocks.append("Metrics:\n" + tables.text(metrics))
    deviations = [tables.paragraph(text, "- ") for text in recipe.source.deviations]
    blocks.append("\n".join(["Deviations from the article:", *deviations]))
    return "\n\n".join(blocks)


def _options(several: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table of options for each part of a recipe and the commands that take them."""
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
    """Return a value as it is typed after `--set KEY=`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0")
