"""Rows of anomalies only, and a message if there is none."""

import logging
from collections.abc import Iterable, Iterator

from keras_recipes.recipe import Row

log = logging.getLogger(__name__)


def anomalies(rows: Iterable[Row], of: str) -> Iterator[Row]:
    """Yield the rows that are anomalies; if there is none, log that.

    Args:
        rows: Rows with the key `anomaly`.
        of: What the rows are about, such as "sessions".
    """
    seen = found = 0
    for row in rows:
        seen += 1
        if row["anomaly"]:
            found += 1
            yield row
    if not found:
        say_none(seen, of)


def say_none(count: int, of: str) -> None:
    """Log that there was no anomaly, so that nobody mistakes empty output for empty input."""
    log.info("no anomalies among %s %s", f"{count:,}", of)
