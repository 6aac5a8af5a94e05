"""Printing: results go to stdout, messages to stderr."""

import contextlib
import json
import logging
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from keras_recipes.errors import SUBSTITUTION

if TYPE_CHECKING:
    from keras_recipes.recipe import Recipe
    from keras_recipes.saved.load import Found

log = logging.getLogger(__name__)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_metrics(
    recipe: "Recipe",
    metrics: Mapping[str, Any],
    data: str,
    as_json: bool,
    details: Mapping[str, Any],
) -> None:
    """Print the metrics next to the article's, or as JSON together with the details."""
    from keras_recipes.report.metrics import beside_reported

    reported = recipe.source.reported_on(data)
    if as_json:
        result = {"recipe": recipe.name, "data": data, "metrics": metrics, "reported": reported}
        print_json({**result, **details})
        return
    click.echo(beside_reported(metrics, recipe.metrics, data, reported))


def say_versions() -> None:
    """Log the versions of this package and of Python, for `--verbose`."""
    if log.isEnabledFor(logging.DEBUG):
        import platform
        from importlib.metadata import version

        log.debug(
            "keras_recipes %s, Python %s", version("keras_recipes"), platform.python_version()
        )


def say_origin(model: "Found") -> None:
    """Log where a model was found and how it was made, for `--verbose`."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    card = model.card
    if card is None:
        log.debug("model: %s, without a card", model.place)
        return
    log.debug("model: %s, %s fitted on %s", model.place, card.recipe, card.data["name"])
    log.debug("made by: %s", ", ".join(f"{name} {v}" for name, v in card.versions.items()))


def talks() -> bool:
    """Return whether anything but errors is printed."""
    return log.isEnabledFor(logging.INFO)


def _level_in_words(record: logging.LogRecord) -> str:
    return "warning" if record.levelno == SUBSTITUTION else record.levelname.lower()


class _Stderr(logging.Handler):
    """Prints log messages to stderr; warnings and errors with their level in front."""

    def emit(self, record: logging.LogRecord) -> None:
        from keras_recipes.report import progress

        level = "" if record.levelno <= logging.INFO else f"{_level_in_words(record)}: "
        # If nobody reads stderr, the work goes on.
        with contextlib.suppress(OSError), progress.out_of_the_way():
            print(f"{level}{one_line(record.getMessage())}", file=sys.stderr)


def log_to_stderr(asked: Collection[str]) -> None:
    """Send log messages to stderr, fewer with the switch "quiet" and more with "verbose"."""
    level = SUBSTITUTION if "quiet" in asked else logging.INFO
    logger = logging.getLogger("keras_recipes")
    logger.handlers = [_Stderr()]
    logger.setLevel(logging.DEBUG if "verbose" in asked else level)
    logger.propagate = False


def one_line(message: str) -> str:
    """Return the message with its control characters escaped; they may come from a file."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
