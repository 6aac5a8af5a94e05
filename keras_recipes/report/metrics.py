"""Metrics as a table, next to what an article reports."""

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
    """Return a table of metrics, next to the article's if these are of the same data.

    Args:
        metrics: The measured values by name.
        meanings: What each metric means; the rows have this order.
        data: The name of the data.
        reported: The article's values on this data by name; empty if there are none.
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
    """Return the detailed tables, each under its name."""
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
    """Return a metric as text: four digits; a share in percent, a count with commas."""
    if name not in values:
        return ""
    value, kind = values[name], meanings[name].kind if name in meanings else "number"
    if not isinstance(value, int | float):
        return tables.cell(value)
    if isinstance(value, int) or kind == "count":
        return f"{value:,.0f}"
    return f"{100 * value:.4g} %" if kind == "share" else f"{value:.4g}"
