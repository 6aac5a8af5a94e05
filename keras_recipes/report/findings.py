"""What `recipes doctor` found, as people read it."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_recipes.report import tables


def findings(found: Sequence[Mapping[str, Any]]) -> str:
    """What `doctor` found for people; the last line says whether all is well."""
    rows = [{name: row[name] for name in ("what", "found", "fix")} for row in found]
    broken = [row["what"] for row in found if row["broken"]]
    verdict = "all is well: what a fit needs is here"
    if broken:
        verdict = f"not well: a fit needs {', '.join(broken)}; see the column fix"
    return f"{tables.text(rows)}\n\n{tables.paragraph(verdict)}"
