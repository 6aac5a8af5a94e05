"""`recipes predict`: ask a model about values, files, or standard input."""

import contextlib
import logging
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keras_recipes.cli import completion, elsewhere, parameters
from keras_recipes.cli.output import say_origin, talks

if TYPE_CHECKING:
    from keras_recipes.recipe import Row

STDOUT = "/dev/stdout"
"""What scripts give as a default. Where it is a file, it must not be replaced."""

ANOMALY = 10
"""The exit status of `--fail-on-anomaly` if there was an anomaly."""

log = logging.getLogger(__name__)


@click.command()
@parameters.MODEL
@click.argument("inputs", metavar="[INPUT]...", nargs=-1, shell_complete=completion.files)
@parameters.WEIGHTS
@parameters.assignments("unsure_below=0.5")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "raw-csv", "jsonl"]),
    help="A table for people, CSV, or one JSON object per line (jsonl). In csv, a text that a "
    "spreadsheet would compute has an apostrophe in front; in raw-csv it is as it is. The default "
    "follows from the name of --output; without --output it is table.",
)
@click.option(
    "--output",
    metavar="F",
    shell_complete=completion.files,
    help="The file to write, instead of stdout. A name that ends in .csv gives CSV, .jsonl or "
    ".ndjson gives JSON lines.",
)
@click.option(
    "--fail-on-anomaly",
    is_flag=True,
    help=f"Exit with status {ANOMALY} if there was an anomaly, for scripts and cron.",
)
@click.pass_context
def predict(
    context: click.Context,
    model: str,
    inputs: tuple[str, ...],
    weights: str | None,
    assignments: tuple[str, ...],
    form: str | None,
    output: str | None,
    fail_on_anomaly: bool,
) -> None:
    """Ask a model about values, files, or standard input (-).

    INPUT depends on the recipe: values for xor, pictures or folders of pictures for digits, files
    with logs or tables for lstm-anomaly. Values that begin with a minus sign come after --.
    `recipes show NAME` lists the options that --set takes here.

    \b
    Example:
      recipes predict xor 0,1 1,1
      recipes predict xor points.csv --output answers.csv
      recipes predict xor - --format jsonl < points.csv
      recipes predict xor -- -1,0.5
    """
    from keras_recipes.commands.predict import answer
    from keras_recipes.recipe import Prose, Words
    from keras_recipes.report import progress, tables
    from keras_recipes.saved.load import find

    output = None if output == STDOUT else output
    if output is not None:
        tables.check_output(output, inputs)
    asked = Words(inputs)
    asked.check()
    found = find(model, weights)
    elsewhere.hold(found, inputs)
    say_origin(found)
    given = parameters.given_to(found, assignments, {}, "predict")
    if output is not None:
        files = [found.place, weights, *given.values()]
        tables.check_output(output, [str(file) for file in files if isinstance(file, str | Path)])
    answered = answer(found, asked, given)
    if fail_on_anomaly and (
        isinstance(answered, Prose) or "anomaly" not in (answered.columns or ())
    ):
        raise click.UsageError(
            f"--fail-on-anomaly: expected a model that finds anomalies, received {model}; leave it "
            "out"
        )
    if isinstance(answered, Prose):
        if form is not None:
            raise click.UsageError(
                f"expected a model that answers with rows, received {model}, which writes text; "
                "leave --format out"
            )
        tables.write_text(_in_steps(answered.pieces), output)
        return
    # No progress bar if the rows appear in the same terminal.
    drawn = talks() and sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    rows = answered.rows if answered.live else progress.counted(answered.rows, "predicting", drawn)
    anomalies: list[Row] = []
    # If the rows cannot be written any more, a stream keeps its state before the error is told.
    with contextlib.closing(_timed(_kept(rows, anomalies) if fail_on_anomaly else rows)) as timed:
        tables.write(
            timed,
            form or tables.form_of(output),
            output,
            columns=answered.columns or (),
            live=answered.live,
        )
    if anomalies:
        context.exit(ANOMALY)


def _in_steps(pieces: "Iterable[str]") -> "Iterator[str]":
    """Yield the same pieces of text; each is a step for the budget."""
    from keras_recipes.untrusted import budget

    for piece in pieces:
        yield piece
        budget.progress()


def _kept(rows: "Iterable[Row]", anomalies: "list[Row]") -> "Iterator[Row]":
    """Yield the same rows; keep the first anomaly in a list."""
    for row in rows:
        if row["anomaly"] and not anomalies:
            anomalies.append(row)
        yield row


def _timed(rows: "Iterable[Row]") -> "Generator[Row]":
    """Yield the same rows; log at the end how many there were and how long they took."""
    from keras_recipes.untrusted import budget

    count, begun = 0, time.perf_counter()
    for count, row in enumerate(rows, 1):  # noqa: B007
        yield row
        budget.progress()
    log.debug("rows: %s in %.1f s", f"{count:,}", time.perf_counter() - begun)
