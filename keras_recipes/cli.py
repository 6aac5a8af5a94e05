"""The command line: checks what was typed, calls one function, prints. The only user of Click."""

import contextlib
import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from keras_recipes import catalog, options
from keras_recipes.errors import CorruptModelError, InputError, RecipeError
from keras_recipes.recipe import Recipe

EXIT_SIGPIPE = 128 + 13
WRONG_PATH = {errno.ENAMETOOLONG, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""Errors of the operating system that are about the path that was given: exit status 2."""

log = logging.getLogger(__name__)


class Commands(click.Group):
    """Click's group, with one-line errors and this package's exit codes."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Runs a command; every way out of it ends here."""
        arguments = list(sys.argv[1:] if args is None else args)
        options_end = arguments.index("--") if "--" in arguments else len(arguments)
        debug = "--debug" in arguments[:options_end]
        if debug:
            arguments.remove("--debug")
        _log_to_stderr()
        extra["standalone_mode"] = False
        try:
            code = super().main(arguments, *rest, **extra)
        except click.Abort:
            code = 128 + signal.SIGINT
        except Exception as error:
            if debug:
                import traceback

                traceback.print_exc()
            code = _explain(error)
        sys.exit(code if isinstance(code, int) else 0)

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
    commands()


def _discard_stdout() -> None:
    """Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _names(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    return [name for name in catalog.names() if name.startswith(typed)]


_NAME = click.argument("name", metavar="NAME", shell_complete=_names)
_MODEL = click.argument("model", metavar="MODEL", shell_complete=_names)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_SET = click.option(
    "--set", "assignments", metavar="KEY=VALUE", multiple=True, help="An option of the recipe."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keras_recipes", prog_name="recipes")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (works anywhere).")
def commands(debug: bool) -> None:
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
    entries = [_entry(catalog.get(name)) for name in catalog.names()]
    if as_json:
        _print_json(entries)
        return
    for entry in entries:
        entry["data_here"] = "yes" if entry["data_here"] else "no"
        entry["reported, measured"] = _compared(entry.pop("reported"), entry.pop("measured"))
    _print_table(entries)


@commands.command()
@_NAME
@_JSON
def show(name: str, as_json: bool) -> None:
    """A recipe's article, layers, options, presets and deviations.

    \b
    Example:
      recipes show xor
    """
    description = _description(catalog.get(name))
    if as_json:
        _print_json(description)
        return
    click.echo(f"{description['recipe']}: {description['summary']}")
    click.echo(f"article: {description['article']}")
    click.echo(f"reports: {_listed(description['reported']) or 'nothing'}")
    click.echo(f"data: {description['data']}\n")
    _print_table(description["layers"])
    click.echo(f"{description['parameters']:,} parameters\n")
    _print_table([{**x, "commands": ", ".join(x["commands"])} for x in description["options"]])
    click.echo()
    _print_table(
        [{"preset": preset, "sets": _listed(v)} for preset, v in description["presets"].items()]
    )
    click.echo()
    for deviation in description["deviations"]:
        click.echo(f"deviates: {deviation}")


@commands.command()
@_NAME
@click.option("--data", metavar="D", multiple=True, help="Own data instead of the recipe's.")
@click.option("--preset", metavar="P", help="A named set of options, see `recipes show NAME`.")
@_SET
@click.option("--epochs", type=int, metavar="N", help="--set epochs=N")
@click.option("--batch-size", type=int, metavar="N", help="--set batch_size=N")
@click.option("--learning-rate", type=float, metavar="F", help="--set learning_rate=F")
@click.option("--seed", type=int, metavar="N", help="--set seed=N")
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), default="auto")
@click.option("--out", metavar="DIR", help="The model's own folder [saved_models/NAME].")
@click.option("--from", "start", metavar="MODEL", help="Go on training this fitted model.")
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

    \b
    Example:
      recipes fit xor
      recipes fit xor --preset three-regressions --seed 7
      recipes fit xor --data and.csv --out saved_models/and
    """
    recipe = catalog.get(name)
    given = _given(recipe, assignments, shorthands, options.FITTING)
    from keras_recipes import backend, places, storage, training
    from keras_recipes.checkpoint import Checkpoint

    folder = Path(out) if out else places.default_folder(recipe.name)
    # What can be refused is refused before Keras is imported and before data is read.
    places.check_own(folder)
    before = training.start_card(start) if start else None
    training.settled(recipe, preset, given, before)
    storage.check_target(folder.resolve())
    checkpoint = Checkpoint(folder.resolve(), resume=resume, fresh=fresh)
    checkpoint.check()
    backend.choose(device, side_by_side=recipe.side_by_side)
    task = training.prepare(recipe.name, data, preset=preset, given=given, start=before)
    checkpoint.check_settings(task.made_of())
    begun = storage.load(start) if start else None
    backend.start(device)
    log.info("fitting %s on %s; %s", recipe.name, task.data.name, backend.describe())
    with checkpoint.watching():
        card = training.carry_out(task, folder, start=begun, checkpoint=checkpoint).card
    assert card is not None
    log.info("%s, saved as %s", card.course, folder)
    details = {"model": str(folder), "options": card.options, "training": card.training}
    _print_metrics(recipe, card.metrics, card.data["name"], as_json, details)


@commands.command()
@_MODEL
@click.option("--data", metavar="D", multiple=True, help="Data to measure on.")
@click.option("--labels", metavar="F", help="--set labels=F")
@click.option("--weights", metavar="F", help="The weights of a MODEL that is a .json file.")
@_SET
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

    A model that is no recipe's is measured on an .npz file with arrays x and y.

    \b
    Example:
      recipes evaluate xor
      recipes evaluate saved_models/and --data and.csv
      recipes evaluate old.json --weights old.h5 --data x-and-y.npz
    """
    from keras_recipes import opening, training

    card = opening.card_of(model, weights)
    if card is None:
        _check_bare(model, assignments)
        _evaluate_bare(model, weights, data, as_json)
        return
    recipe = catalog.get(card.recipe)
    given = _given(recipe, assignments, shorthands, options.evaluating(recipe))
    if recipe.assess:
        training.check_assess(card, data or None, given)
        name = ", ".join(data) or card.data["name"]
        measured = training.assess(opening.open_model(model, weights), data or None, given)
    else:
        dataset = training.data_for(card, data or None, given)
        name = dataset.name
        measured = training.measure(opening.open_model(model, weights), dataset)
    extra = {"model": model, **measured.details}
    _print_metrics(recipe, measured.metrics, name, as_json, extra)
    for table in measured.details.values() if not as_json else ():
        click.echo()
        _print_table(table)


def _check_bare(model: str, assignments: Sequence[str]) -> None:
    if assignments:
        raise InputError(
            f"--set {assignments[0]}: {model} has no card and so no options; leave it out"
        )


def _evaluate_bare(model: str, weights: str | None, data: Sequence[str], as_json: bool) -> None:
    from keras_recipes import bare, opening

    if len(data) != 1:
        raise InputError(f"{model}: is no recipe's, so give --data: one .npz file with x and y")
    measured = bare.examples(data[0])
    metrics = bare.measure(opening.open_model(model, weights), measured)
    if as_json:
        _print_json({"recipe": None, "data": data[0], "metrics": metrics, "model": model})
        return
    rows = [{"metric": name, f"measured on {data[0]}": value} for name, value in metrics.items()]
    _print_table(rows)


@commands.command()
@_MODEL
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("--weights", metavar="F", help="The weights of a MODEL that is a .json file.")
@_SET
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl"]), default="table")
@click.option("--output", metavar="F", help="Write to a file instead of stdout.")
def predict(
    model: str,
    inputs: tuple[str, ...],
    weights: str | None,
    assignments: tuple[str, ...],
    form: str,
    output: str | None,
) -> None:
    """Ask a model about values, files, or - for standard input.

    Values that begin with a minus sign go behind --.

    \b
    Example:
      recipes predict xor 0,1 1,1
      recipes predict xor points.csv --format csv --output answers.csv
      recipes predict xor - --format jsonl < points.csv
      recipes predict xor -- -1,0.5
    """
    from keras_recipes import opening, prediction, progress, tables

    if not inputs:
        raise InputError("nothing to predict: give values, files, or - for standard input")
    if "" in inputs:
        raise InputError("expected values, files, or -, received an empty text")
    if output is not None:
        tables.check_output(output)
    card = opening.card_of(model, weights)
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
        tables.write(answers, form, output, columns=columns, live="-" in inputs)
        return
    if batches is None:
        batches = prediction.raw_batches(opened.runtime, inputs, arrays)
    # Not where rows appear in the same terminal.
    shown = sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())
    counted = progress.counted(batches, "predicting", shown)
    tables.write(prediction.rows(opened, counted, given), form, output)


@commands.command()
@_MODEL
@click.option(
    "--format",
    "form",
    required=True,
    metavar="F",
    help="json-h5, keras, saved-model, onnx or litert.",
)
@click.option("--weights", metavar="F", help="The weights of a MODEL that is a .json file.")
@click.option("--output", metavar="P", help="The file or folder [named after MODEL, here].")
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
    from keras_recipes import backend, exporting, places, storage

    place = places.locate(model, weights)
    path = Path(output) if output else exporting.default_path(place, form)
    exporting.check(form, path)
    # Written for any machine, and compared on this one's CPU.
    backend.choose("cpu")
    exported = exporting.export(storage.load(model, weights), form, path)
    log.info(
        "read back by %s; largest difference of the outputs for %s inputs: %.2g (at most %g)",
        exported.runtime,
        f"{exported.inputs:,}",
        exported.largest_difference,
        exported.tolerance,
    )
    click.echo(exported.path)


@commands.command()
@click.argument("old", metavar="OLD.json|OLD.h5")
@click.argument("weights", metavar="[OLD.h5]", required=False)
@click.option("--output", metavar="DIR", required=True, help="The folder for today's pair.")
def convert(old: str, weights: str | None, output: str) -> None:
    """Write a model of Keras 1 or 2 as today's pair, with the same outputs.

    \b
    Example:
      recipes convert old.json old.h5 --output new
      recipes convert whole-model.h5 --output new
    """
    from keras_recipes import conversion, places

    place = places.locate(old, weights)
    if not place.is_file():
        raise InputError(f"{place}: expected a .json or .h5 file, found a folder")
    done = conversion.convert(place, Path(weights) if weights else None, Path(output))
    for name, was, now in done.changes:
        log.info("%s: %s is now %s", name, was, now)
    log.info("saved by Keras %s%s; read back", done.keras_version, done.backend and " on Theano")
    click.echo(output)


@commands.command()
@_MODEL
@click.option("--data", metavar="D", multiple=True, help="Data to draw, where a recipe can.")
@click.option("--output", metavar="DIR", help="Folder for the pictures [plots/ and MODEL's name].")
def plot(model: str, data: tuple[str, ...], output: str | None) -> None:
    """Draw the pictures that belong to a model's recipe.

    \b
    Example:
      recipes plot xor
    """
    from keras_recipes import drawing

    for path in drawing.plot(model, output, data=data or None):
        click.echo(path)


@commands.command()
@_JSON
def doctor(as_json: bool) -> None:
    """Look for what a fit needs: versions, devices, data, extras; each with its fix.

    \b
    Example:
      recipes doctor
    """
    from dataclasses import asdict

    from keras_recipes import doctor as surgery

    findings = [asdict(finding) for finding in surgery.examine()]
    _print_json(findings) if as_json else _print_table(findings)
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


def _entry(recipe: Recipe) -> dict[str, Any]:
    """What `list` says of a recipe; `measured` is empty until it is fitted here."""
    from keras_recipes import places

    try:
        card = places.card_of(recipe.name)
    except (InputError, CorruptModelError):
        card = None
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "parameters": recipe.parameters,
        "data": recipe.data,
        "data_here": recipe.data_here(),
        "reported": dict(recipe.source.reported),
        "measured": card.metrics if card else {},
    }


def _description(recipe: Recipe) -> dict[str, Any]:
    """What `show` says of a recipe."""
    said, commands = options.descriptions(recipe), options.taken_by(recipe)
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
                "meaning": said[option.name],
            }
            for option in options.of(recipe).values()
        ],
        "presets": {name: dict(values) for name, values in recipe.presets.items()},
        "deviations": list(recipe.source.deviations),
    }


def _print_metrics(
    recipe: Recipe,
    metrics: Mapping[str, Any],
    data: str,
    as_json: bool,
    details: Mapping[str, Any],
) -> None:
    reported = dict(recipe.source.reported)
    if as_json:
        result = {"recipe": recipe.name, "data": data, "metrics": metrics, "reported": reported}
        _print_json({**result, **details})
        return
    _print_table(
        [
            {"metric": name, "article": reported.get(name, ""), f"measured on {data}": value}
            for name, value in metrics.items()
        ]
    )


def _print_table(rows: list[dict[str, Any]]) -> None:
    from keras_recipes import tables

    tables.write(rows, "table")


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _compared(reported: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    names = reported or dict.fromkeys(list(measured)[:1], "-")
    pairs = (
        f"{name} {value}, {measured.get(name, 'not fitted here')}" for name, value in names.items()
    )
    return "; ".join(pairs)


class _Stderr(logging.Handler):
    """Messages for people: information plainly, anything worse by its name."""

    def emit(self, record: logging.LogRecord) -> None:
        from keras_recipes import progress

        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        # Nobody may be reading; the work goes on.
        with contextlib.suppress(OSError), progress.out_of_the_way():
            print(f"{level}{_one_line(record.getMessage())}", file=sys.stderr)


def _log_to_stderr() -> None:
    logger = logging.getLogger("keras_recipes")
    logger.handlers = [_Stderr()]
    logger.setLevel(logging.INFO)
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
    return f"{error.format_message()} {advice}"


def _one_line(message: str) -> str:
    """Control characters, which may come out of a file, spelt out instead of obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
