"""The command line: checks what was typed, calls one function, prints. The only user of Click."""

import contextlib
import errno
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from keras_recipes import catalog, options
from keras_recipes.cli import completion
from keras_recipes.errors import InputError, RecipeError, printable
from keras_recipes.models.card import Card
from keras_recipes.recipe import Recipe, Row

LONGEST_MESSAGE = 500
"""Characters of what Click says, which repeats what was typed however long it is."""

EXIT_SIGPIPE = 128 + 13
WRONG_PATH = {errno.ENAMETOOLONG, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""Errors of the operating system that are about the path that was given: exit status 2."""

ANYWHERE = {
    "--debug": "debug",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
}
"""Switches that work before and behind the command's name."""

log = logging.getLogger(__name__)


class Commands(click.Group):
    """Click's group, with one-line errors and this package's exit codes."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Runs a command; every way out of it ends here."""
        arguments = _apart(sys.argv[1:] if args is None else args)
        asked = {
            ANYWHERE[word] for word in arguments[: _options_end(arguments)] if word in ANYWHERE
        }
        debug = "debug" in asked
        _log_to_stderr(asked)
        extra["standalone_mode"] = False
        try:
            _say_versions()
            if {"quiet", "verbose"} <= asked:
                raise click.UsageError("--quiet and --verbose exclude each other; leave one out.")
            code = super().main(arguments, *rest, **extra)
        except click.Abort:
            code = 128 + signal.SIGINT
        except Exception as error:
            if debug:
                import traceback

                traceback.print_exc()
            code = _explain(error)
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Leaves out what works anywhere: commands need not know of it."""
        end = _options_end(args)
        known = [word for word in args[:end] if word not in ANYWHERE]
        return super().make_context(info_name, known + args[end:], parent, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Runs a command whose reader may go away, as `| head -1` does."""
        try:
            result = super().invoke(context)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_stdout()
            return EXIT_SIGPIPE
        except OSError:
            _discard_stdout()
            raise
        return result


def main() -> None:
    """The console script."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")
    if "_RECIPES_COMPLETE" in os.environ:
        completion.register()
    commands(prog_name="recipes")


def _apart(arguments: Sequence[str]) -> list[str]:
    """Short switches that were typed together, as in `-qv`, one by one."""
    end, apart = _options_end(arguments), []
    for word in arguments[:end]:
        together = re.fullmatch(r"-[qv]{2,}", word)
        apart += [f"-{letter}" for letter in word[1:]] if together else [word]
    return [*apart, *arguments[end:]]


def _options_end(arguments: Sequence[str]) -> int:
    return arguments.index("--") if "--" in arguments else len(arguments)


def _discard_stdout() -> None:
    """Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_NAME = click.argument("name", metavar="NAME", shell_complete=completion.names)
_MODEL = click.argument("model", metavar="MODEL", shell_complete=completion.models)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_WEIGHTS = click.option(
    "--weights",
    metavar="F",
    shell_complete=completion.files,
    help="The weights of a MODEL that is a .json file.",
)


def _set(example: str) -> Callable[[Any], Any]:
    return click.option(
        "--set",
        "assignments",
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.assignments,
        help=f"Set an option of the recipe, for example --set {example}; `recipes show NAME` "
        "lists them. May be given several times.",
    )


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
    To let Bash complete names and options (other shells: docs/completion.md):
      eval "$(_RECIPES_COMPLETE=bash_source recipes)"
    """,
)
@click.version_option(package_name="keras_recipes", prog_name="recipes")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors (works anywhere).")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Say more: what is read, where the model is, how each epoch goes (works anywhere).",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error (works anywhere).")
def commands(quiet: bool, verbose: bool, debug: bool) -> None:
    """Classic neural nets from popular articles: fit, evaluate, ask, draw and export them.

    MODEL is a recipe's name (looked up in ./saved_models, then among the models that come with
    this package), a saved model's folder, or a file. Results go to stdout, everything else to
    stderr. Exit status: 0 success, 1 failure, 2 bad usage or input, 3 unsafe model, 4 corrupt
    model, 130 and 143 when interrupted.

    \b
    Example:
      recipes fit xor
      recipes predict xor 0,1 1,1
    """


@commands.command("list")
@_JSON
def list_(as_json: bool) -> None:
    """Every recipe, and what it reached here.

    \b
    Example:
      recipes list
    """
    from keras_recipes.report import text as report

    known = [catalog.get(name) for name in catalog.names()]
    if as_json:
        _print_json([report.entry(recipe) for recipe in known])
    else:
        click.echo(report.listing(known))


@commands.command()
@_NAME
@_JSON
def show(name: str, as_json: bool) -> None:
    """A recipe's article, layers, options, presets and deviations.

    \b
    Example:
      recipes show xor
    """
    from keras_recipes.report import text as report

    recipe = catalog.get(name)
    if as_json:
        _print_json(report.description(recipe))
    else:
        click.echo(report.shown(recipe))


@commands.command()
@_NAME
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="A file, folder or quoted glob of your own to learn from instead of the recipe's data. "
    "May be given several times.",
)
@click.option(
    "--preset",
    metavar="P",
    shell_complete=completion.presets,
    help="A named set of options; `recipes show NAME` lists them.",
)
@_set("seed=7")
@click.option("--epochs", type=int, metavar="N", help="Short for --set epochs=N.")
@click.option("--batch-size", type=int, metavar="N", help="Short for --set batch_size=N.")
@click.option("--learning-rate", type=float, metavar="F", help="Short for --set learning_rate=F.")
@click.option("--seed", type=int, metavar="N", help="Short for --set seed=N.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    help="What computes; auto takes a GPU where Keras sees one.",
)
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=completion.files,
    help="The model's own folder [saved_models/NAME].",
)
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    shell_complete=completion.models,
    help="Go on training this fitted model.",
)
@click.option("--resume", is_flag=True, help="Go on with a fit that was stopped.")
@click.option("--fresh", is_flag=True, help="Drop a fit that was stopped, and begin anew.")
@_JSON
def fit(
    name: str,
    data: tuple[str, ...],
    preset: str | None,
    assignments: tuple[str, ...],
    device: str,
    out: str | None,
    start: str | None,
    resume: bool,
    fresh: bool,
    as_json: bool,
    **shorthands: Any,
) -> None:
    """Train a recipe, measure it and save it.

    `recipes show NAME` lists the options that --set takes, and the presets.

    \b
    Example:
      recipes fit xor
      recipes fit xor --preset three-regressions --seed 7
      recipes fit xor --data and.csv --out saved_models/and
    """
    recipe = catalog.get(name)
    given = _given(recipe, assignments, shorthands, options.FITTING)
    from keras_recipes import backend
    from keras_recipes.commands import fit as fitting
    from keras_recipes.report import text as report
    from keras_recipes.saved import load, locate, save
    from keras_recipes.train.checkpoint import Checkpoint

    folder = locate.default_folder(recipe.name) if out is None else locate.target(out)
    # What can be refused is refused before Keras is imported and before data is read.
    locate.check_own(folder)
    before = None if start is None else fitting.start_card(start)
    fitting.settled(recipe, preset, given, before)
    save.check_target(folder.resolve())
    checkpoint = Checkpoint(folder.resolve(), resume=resume, fresh=fresh)
    checkpoint.check()
    backend.choose(device, side_by_side=recipe.side_by_side)
    task = fitting.prepare(recipe.name, data, preset=preset, given=given, start=before)
    checkpoint.check_settings(task.made_of())
    begun = None if start is None else load.load(start)
    backend.start(device)
    log.info("fitting %s on %s; %s", recipe.name, task.data.name, backend.describe())
    with checkpoint.watching():
        card = fitting.carry_out(
            task,
            folder,
            start=begun,
            checkpoint=checkpoint,
            show_progress=None if _talks() else False,
        ).card
    assert card is not None
    log.info("%s, saved as %s", card.course, folder)
    details = {"model": str(folder), "options": card.options, "training": card.training}
    _print_metrics(recipe, card.metrics, card.data["name"], as_json, details)
    for line in report.next_steps(recipe, card, folder) if not as_json else ():
        log.info(line)


@commands.command()
@_MODEL
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="A file, folder or quoted glob to measure on, instead of the test part of what the model "
    "was fitted on. May be given several times.",
)
@click.option(
    "--labels", metavar="F", shell_complete=completion.files, help="Short for --set labels=F."
)
@_WEIGHTS
@_set("false_alarm_rate=0.001")
@_JSON
def evaluate(
    model: str,
    data: tuple[str, ...],
    weights: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
    **shorthands: Any,
) -> None:
    """Measure a model on its test data, or on data given.

    A model that is no recipe's is measured on an .npz file with arrays x and y. `recipes show NAME`
    lists the options that --set takes here, and says what each metric means.

    \b
    Example:
      recipes evaluate xor
      recipes evaluate saved_models/and --data and.csv
      recipes evaluate old.json --weights old.h5 --data x-and-y.npz
    """
    from keras_recipes.commands import evaluate as evaluation
    from keras_recipes.data import files
    from keras_recipes.report import text as report
    from keras_recipes.saved import open as opening

    card = opening.card_of(model, weights)
    _say_origin(model, weights, card)
    if card is None:
        _check_bare(model, [*assignments, *(f"{n}={v}" for n, v in shorthands.items() if v)])
        _evaluate_bare(model, weights, data, as_json)
        return
    recipe = catalog.get(card.recipe)
    given = _given(recipe, assignments, shorthands, options.evaluating(recipe))
    if recipe.assess:
        name = files.in_words(data) if data else card.data["name"]
        opened = partial(opening.open_model, model, weights)
        measured = evaluation.assess(card, opened, data or None, given)
    else:
        dataset = evaluation.data_for(card, data or None, given)
        name = dataset.name
        measured = evaluation.measure(opening.open_model(model, weights), dataset)
    extra = {"model": model, **measured.details}
    _print_metrics(recipe, measured.metrics, name, as_json, extra)
    if measured.details and not as_json:
        click.echo("\n" + report.detailed(measured.details, recipe.metrics))


def _check_bare(model: str, assignments: Sequence[str]) -> None:
    if assignments:
        raise InputError(
            f"--set {assignments[0]}: {model} has no card and so no options; leave it out"
        )


def _evaluate_bare(model: str, weights: str | None, data: Sequence[str], as_json: bool) -> None:
    from keras_recipes.commands import raw
    from keras_recipes.report import text as report
    from keras_recipes.saved import open as opening

    if len(data) != 1:
        raise InputError(f"{model}: is no recipe's, so give --data: one .npz file with x and y")
    measured = raw.examples(data[0])
    metrics = raw.measure(opening.open_model(model, weights), measured)
    if as_json:
        _print_json({"recipe": None, "data": data[0], "metrics": metrics, "model": model})
        return
    click.echo(report.measured(metrics, raw.METRICS, data[0], {}))


@commands.command()
@_MODEL
@click.argument("inputs", metavar="[INPUT]...", nargs=-1, shell_complete=completion.files)
@_WEIGHTS
@_set("unsure_below=0.5")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "jsonl"]),
    help="How rows are written: a table for people, CSV, or a JSON object a line. [by the ending "
    "of --output, else table]",
)
@click.option(
    "--output",
    metavar="F",
    shell_complete=completion.files,
    help="Write to a file instead of stdout: CSV if it ends in .csv, JSON lines if in .jsonl or "
    ".ndjson.",
)
def predict(
    model: str,
    inputs: tuple[str, ...],
    weights: str | None,
    assignments: tuple[str, ...],
    form: str | None,
    output: str | None,
) -> None:
    """Ask a model about values, files, or - for standard input.

    Values that begin with a minus sign go behind --. `recipes show NAME` lists the options that
    --set takes here.

    \b
    Example:
      recipes predict xor 0,1 1,1
      recipes predict xor points.csv --output answers.csv
      recipes predict xor - --format jsonl < points.csv
      recipes predict xor -- -1,0.5
    """
    from keras_recipes.commands import predict as prediction
    from keras_recipes.report import progress, tables
    from keras_recipes.saved import open as opening

    if not inputs:
        raise InputError("nothing to predict: give values, files, or - for standard input")
    if "" in inputs:
        raise InputError("expected values, files, or -, received an empty text")
    if output is not None:
        tables.check_output(output, inputs)
    form = form or tables.form_of(output)
    card = opening.card_of(model, weights)
    _say_origin(model, weights, card)
    given, batches, arrays, recipe = {}, None, {}, None
    if card is None:
        _check_bare(model, assignments)
        arrays = prediction.raw_arrays(inputs)
    else:
        recipe = catalog.get(card.recipe)
        typed = options.parse(recipe, assignments, options.PREDICTING)
        given = prediction.settings(card, typed)
        prediction.check_asked(card, inputs, typed, given)
        if recipe.inputs:
            batches = prediction.begun(options.call(recipe, "inputs", inputs, options=given))
    opened = opening.open_model(model, weights)
    if recipe and opened.card and recipe.answer:
        asked = opened.in_keras, [Path(text) for text in inputs]
        answers = options.call(recipe, "answer", *asked, options=given)
        columns = recipe.columns_of(opened.card.learned) if recipe.columns_of else recipe.columns
        tables.write(_timed(answers), form, output, columns=columns, live="-" in inputs)
        return
    if batches is None:
        batches = prediction.raw_batches(opened.runtime, inputs, arrays)
    # Not where rows appear in the same terminal.
    shown = _talks() and sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    counted = progress.counted(batches, "predicting", shown)
    tables.write(_timed(prediction.rows(opened, counted, given)), form, output)


@commands.command()
@_MODEL
@click.option(
    "--format",
    "form",
    required=True,
    metavar="F",
    shell_complete=completion.formats,
    help="The format: json-h5, keras, saved-model, onnx or litert.",
)
@_WEIGHTS
@click.option(
    "--output",
    metavar="P",
    shell_complete=completion.files,
    help="The file or folder to write [named after MODEL, here].",
)
def export(model: str, form: str, weights: str | None, output: str | None) -> None:
    """Write a model in another format, read it back and compare.

    It is read back by what will run it. Both compute the recipe's test inputs; where their outputs
    differ, nothing is written.

    \b
    Example:
      recipes export xor --format keras
      recipes export xor --format json-h5 --output xor-for-a-friend
      recipes export lenet5 --format onnx
      recipes predict lenet5.onnx digit.png
    """
    from keras_recipes import backend
    from keras_recipes.commands import export as exporting
    from keras_recipes.saved import load, locate

    place = locate.locate(model, weights)
    path = exporting.default_path(place, form) if output is None else locate.target(output)
    exporting.check(form, path)
    # Written for any machine, and compared on this one's CPU.
    backend.choose("cpu")
    exported = exporting.export(load.load(model, weights), form, path)
    log.info(
        "read back by %s; largest difference of the outputs for %s inputs: %.2g (at most %g)",
        exported.runtime,
        f"{exported.inputs:,}",
        exported.largest_difference,
        exported.tolerance,
    )
    click.echo(exported.path)


@commands.command()
@click.argument("old", metavar="OLD.json|OLD.h5", shell_complete=completion.files)
@click.argument("weights", metavar="[OLD.h5]", required=False, shell_complete=completion.files)
@click.option(
    "--output",
    metavar="DIR",
    required=True,
    shell_complete=completion.files,
    help="The folder for today's pair.",
)
def convert(old: str, weights: str | None, output: str) -> None:
    """Write a model of Keras 1 or 2 as today's pair.

    It computes the same outputs.

    \b
    Example:
      recipes convert old.json old.h5 --output new
      recipes convert whole-model.h5 --output new
    """
    from keras_recipes.commands import convert as conversion
    from keras_recipes.saved import locate

    place = locate.locate(old, weights)
    if not place.is_file():
        raise InputError(f"{place}: expected a .json or .h5 file, found a folder")
    done = conversion.convert(place, Path(weights) if weights else None, Path(output))
    for name, was, now in done.changes:
        log.info("%s: %s is now %s", name, was, now)
    log.info("saved by Keras %s%s; read back", done.keras_version, done.backend and " on Theano")
    click.echo(output)


@commands.command()
@_MODEL
@click.option(
    "--data",
    metavar="D",
    multiple=True,
    shell_complete=completion.files,
    help="Data to draw instead of what the model was fitted on.",
)
@click.option(
    "--output",
    metavar="DIR",
    shell_complete=completion.files,
    help="Folder for the pictures [plots/ and MODEL's name].",
)
def plot(model: str, data: tuple[str, ...], output: str | None) -> None:
    """Draw the pictures that belong to a model's recipe.

    \b
    Example:
      recipes plot xor
    """
    from keras_recipes.commands import plot as drawing

    for path in drawing.plot(model, output, data=data or None):
        click.echo(path)


@commands.command()
@_JSON
def doctor(as_json: bool) -> None:
    """Look for what a fit needs, each with its fix.

    That is versions, devices, data and extras.

    \b
    Example:
      recipes doctor
    """
    from dataclasses import asdict

    from keras_recipes.commands import doctor as surgery
    from keras_recipes.report import text as report

    findings = [asdict(finding) for finding in surgery.examine()]
    _print_json(findings) if as_json else click.echo(report.findings(findings))
    if any(finding["broken"] for finding in findings):
        raise SystemExit(1)


def _given(
    recipe: Recipe,
    assignments: Iterable[str],
    shorthands: Mapping[str, Any],
    owners: Sequence[str],
) -> dict[str, Any]:
    """What was set by `--set` and by the options that are short for it, checked."""
    short = {name: value for name, value in shorthands.items() if value is not None}
    given = options.parse(recipe, assignments, owners)
    if twice := sorted(given.keys() & short.keys()):
        raise InputError(f"{twice[0]}: given twice, as --{twice[0]} and by --set; leave one out")
    return {**given, **options.check(recipe, short, owners)}


def _print_metrics(
    recipe: Recipe,
    metrics: Mapping[str, Any],
    data: str,
    as_json: bool,
    details: Mapping[str, Any],
) -> None:
    from keras_recipes.report import text as report

    reported = recipe.source.reported_on(data)
    if as_json:
        result = {"recipe": recipe.name, "data": data, "metrics": metrics, "reported": reported}
        _print_json({**result, **details})
        return
    click.echo(report.measured(metrics, recipe.metrics, data, reported))


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _say_versions() -> None:
    if log.isEnabledFor(logging.DEBUG):
        import platform
        from importlib.metadata import version

        log.debug(
            "keras_recipes %s, Python %s", version("keras_recipes"), platform.python_version()
        )


def _say_origin(model: str, weights: str | None, card: Card | None) -> None:
    """Where a model was found and how it came about, for who asked to be told more."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    from keras_recipes.saved import locate

    place = locate.locate(model, weights)
    if card is None:
        log.debug("model: %s, without a card", place)
        return
    log.debug("model: %s, %s fitted on %s", place, card.recipe, card.data["name"])
    log.debug("made by: %s", ", ".join(f"{name} {v}" for name, v in card.versions.items()))


def _timed(rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows; how many they were, and how long they took, is said at the end."""
    count, begun = 0, time.perf_counter()
    for count, row in enumerate(rows, 1):  # noqa: B007
        yield row
    log.debug("rows: %s in %.1f s", f"{count:,}", time.perf_counter() - begun)


def _talks() -> bool:
    """Whether anything but errors is to be said."""
    return log.isEnabledFor(logging.INFO)


class _Stderr(logging.Handler):
    """Messages for people: information plainly, anything worse by its name."""

    def emit(self, record: logging.LogRecord) -> None:
        from keras_recipes.report import progress

        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        # Nobody may be reading; the work goes on.
        with contextlib.suppress(OSError), progress.out_of_the_way():
            print(f"{level}{_one_line(record.getMessage())}", file=sys.stderr)


def _log_to_stderr(asked: Collection[str]) -> None:
    level = logging.ERROR if "quiet" in asked else logging.INFO
    logger = logging.getLogger("keras_recipes")
    logger.handlers = [_Stderr()]
    logger.setLevel(logging.DEBUG if "verbose" in asked else level)
    logger.propagate = False


def _explain(error: Exception) -> int:
    """Says in one line what went wrong; the exit status for it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return 2
    code = 1
    if isinstance(error, click.UsageError):
        message, code = _misused(error), 2
    elif isinstance(error, click.ClickException):
        message, code = error.format_message(), error.exit_code
    elif isinstance(error, RecipeError):
        message, code = str(error), error.exit_code
    elif isinstance(error, OSError):
        message = f"{error.filename or 'output'}: {error.strerror or error}"
        code = 2 if error.errno in WRONG_PATH else 1
    else:
        message = f"unexpected {type(error).__name__}: {error}; --debug shows where"
    with contextlib.suppress(OSError):
        print(f"error: {_one_line(message)}", file=sys.stderr)
    return code


def _misused(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "recipes"
    advice = f"See `{command} --help`."
    asked = error.ctx is not None and error.ctx.command is predict
    if asked and isinstance(error, click.NoSuchOption) and error.option_name[1] in "0123456789.":
        advice = f"Values with a minus sign go behind --: {command} MODEL -- -1,0.5"
    return f"{printable(error.format_message(), LONGEST_MESSAGE)} {advice}"


def _one_line(message: str) -> str:
    """Control characters, which may come out of a file, spelt out instead of obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
