"""Anomalies alone; and where there is none, among how many sessions or records."""

import logging
from collections.abc import Iterable, Iterator

from keras_recipes.recipe import Row

log = logging.getLogger(__name__)


def anomalies(rows: Iterable[Row], of: str, *, at_once: int = 1) -> Iterator[Row]:
    """Those of the rows that are anomalies.

    Args:
        rows: With the key `anomaly`.
        of: What they are about, such as "sessions".
        at_once: So many rows are about one of these.
    """
    seen = found = 0
    for row in rows:
        seen += 1
        if row["anomaly"]:
            found += 1
            yield row
    if not found:
        say_none(seen // at_once, of)


def say_none(count: int, of: str) -> None:
    """Says that there was no anomaly, which is not the same as nothing to look at."""
    log.info("no anomalies among %s %s", f"{count:,}", of)
