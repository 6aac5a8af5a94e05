"""Metrics as people read them, beside what an article reports."""

from collections.abc import Mapping
from typing import Any

from keras_recipes.recipe import Details, Metric
from keras_recipes.report import tables


def beside_reported(
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
            **({"article": in_words(reported, name, meanings)} if reported else {}),
            "measured": in_words(metrics, name, meanings),
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
            {key: in_words(row, key, meanings) if key in meanings else row[key] for key in row}
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


def in_words(values: Mapping[str, Any], name: str, meanings: Mapping[str, Metric]) -> str:
    """A metric as people read it: four digits; a share in per cent, a count with commas."""
    if name not in values:
        return ""
    value, kind = values[name], meanings[name].kind if name in meanings else "number"
    if not isinstance(value, int | float):
        return tables.cell(value)
    if isinstance(value, int) or kind == "count":
        return f"{value:,.0f}"
    return f"{100 * value:.4g} %" if kind == "share" else f"{value:.4g}"
