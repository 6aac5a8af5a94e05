"""The results of `recipes doctor` as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_recipes.report import tables


def findings(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as a table; the last line says whether a fit can run."""
    rows = [{name: row[name] for name in ("what", "found", "fix")} for row in found]
    broken = [row["what"] for row in found if row["broken"]]
    verdict = "all is well: everything that a fit needs is here"
    if broken:
        verdict = f"a fit cannot run: fix {', '.join(broken)}; the column fix says how"
    return f"{tables.text(rows)}\n\n{tables.paragraph(verdict)}"
