"""What the commands say of recipes, metrics and this machine: values for programs, text for people.

No text is wider than the terminal, or than 80 columns where there is none.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_recipes import catalog, options
from keras_recipes.errors import RecipeError
from keras_recipes.models.card import Card
from keras_recipes.recipe import Details, Metric, Recipe, Row
from keras_recipes.report import tables
from keras_recipes.saved import locate


def entry(recipe: Recipe) -> dict[str, Any]:
    """What `list` says of a recipe; `measured` is empty until it is fitted here."""
    try:
        card = locate.card_of(recipe.name)
    except RecipeError:
        card = None
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "parameters": recipe.parameters,
        "data": recipe.data,
        "data_here": recipe.data_here(),
        "reported": dict(recipe.source.reported),
        "measured": card.metrics if card else {},
        "measured_on": card.data["name"] if card else None,
    }


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
                "reported": _value(reported, name, recipe.metrics),
                "measured": _value(measured, name, recipe.metrics),
                "on": data,
            }

    if not measured:
        yield from lines(reported, dict.fromkeys(names, "not yet"), recipe.source.data)
    elif reported and data != recipe.source.data:
        yield from lines(reported, {}, recipe.source.data)
        yield from lines({}, measured, data)
    else:
        yield from lines(reported, measured, data)


def description(recipe: Recipe) -> dict[str, Any]:
    """What `show` says of a recipe."""
    said, commands = options.descriptions(recipe), options.taken_by(recipe)
    parts = options.parts(recipe)
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "article": recipe.source.article,
        "reported": dict(recipe.source.reported),
        "data": recipe.data,
        "layers": [
            {
                "layer": layer.name,
                "type": layer.kind,
                "output shape": str(layer.output_shape),
                "parameters": layer.parameters,
            }
            for layer in recipe.layers
        ],
        "parameters": recipe.parameters,
        "options": [
            {
                "option": option.name,
                "default": option.default,
                "expected": option.expected,
                "commands": commands[option.name],
                "part": parts[option.name],
                "meaning": said[option.name],
            }
            for option in options.of(recipe).values()
        ],
        "presets": {name: dict(values) for name, values in recipe.presets.items()},
        "metrics": {name: metric.meaning for name, metric in recipe.metrics.items()},
        "deviations": list(recipe.source.deviations),
    }


def shown(recipe: Recipe) -> str:
    """A recipe for people: article, net, options by what they are about, presets and so on."""
    known = description(recipe)
    reported = ", ".join(
        f"{name} {_value(known['reported'], name, recipe.metrics)}" for name in known["reported"]
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
                " Expected: a text."
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
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


def measured(
    metrics: Mapping[str, Any],
    meanings: Mapping[str, Metric],
    data: str,
    reported: Mapping[str, Any],
) -> str:
    """Metrics for people: the article's beside ours where they are of the same data.

    Args:
        metrics: As they were measured.
        meanings: What each means; the order is theirs.
        data: What they were measured on.
        reported: By the article, on that.
    """
    ordered = [name for name in meanings if name in metrics]
    ordered += [name for name in metrics if name not in meanings]
    rows = [
        {
            "metric": name,
            **({"article": _value(reported, name, meanings)} if reported else {}),
            "measured": _value(metrics, name, meanings),
            "meaning": meanings[name].meaning if name in meanings else "",
        }
        for name in ordered
    ]
    table = tables.text(rows, numbers=("article", "measured"))
    return f"{tables.paragraph(f'measured on {data}')}\n\n{table}"


def detailed(details: Details, meanings: Mapping[str, Metric]) -> str:
    """Further tables for people, each under its name."""
    written = {
        name: [
            {key: _value(row, key, meanings) if key in meanings else row[key] for key in row}
            for row in rows
        ]
        for name, rows in details.items()
        if rows
    }
    titles = {name: f"{name}: {m.meaning}" for name, m in meanings.items()}
    return "\n\n".join(
        f"{tables.paragraph(titles.get(name, f'{name}:'))}\n{tables.text(rows, numbers=meanings)}"
        for name, rows in written.items()
    )


def findings(found: Sequence[Mapping[str, Any]]) -> str:
    """What `doctor` found for people; the last line says whether all is well."""
    rows = [{name: row[name] for name in ("what", "found", "fix")} for row in found]
    broken = [row["what"] for row in found if row["broken"]]
    verdict = "all is well: what a fit needs is here"
    if broken:
        verdict = f"not well: a fit needs {', '.join(broken)}; see the column fix"
    return f"{tables.text(rows)}\n\n{tables.paragraph(verdict)}"


def next_steps(recipe: Recipe, card: Card, folder: Path) -> list[str]:
    """What may be typed after a fit, to the letter; a word in capitals stands for a file."""
    model, paths = str(folder), card.data["paths"]
    if folder == locate.default_folder(recipe.name):
        model = recipe.name
    elif catalog.canonical(model) or model.startswith("-"):
        model = f"./{model}"
    model, example = shlex.quote(model), recipe.example(paths or [])
    capitals = any(letter.isupper() for letter in example)
    return [
        f"what to try next{' (in capitals: a file of yours)' * capitals}:",
        f"  recipes predict {model} {example}",
        # What came from a pipe or from Python cannot be read again.
        *([f"  recipes plot {model}"] if paths is not None else []),
        f"  recipes show {recipe.name}",
    ]


def _value(values: Mapping[str, Any], name: str, meanings: Mapping[str, Metric]) -> str:
    """A metric as people read it: four digits; a share in per cent, a count with commas."""
    if name not in values:
        return ""
    value, kind = values[name], meanings[name].kind if name in meanings else "number"
    if not isinstance(value, int | float):
        return tables.cell(value)
    if isinstance(value, int) or kind == "count":
        return f"{value:,.0f}"
    return f"{100 * value:.4g} %" if kind == "share" else f"{value:.4g}"
