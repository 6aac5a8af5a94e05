"""`recipes fleet`: many fits, answers and trials at once, on a Ray cluster."""

import logging
from typing import TYPE_CHECKING, Literal

import click

from keras_recipes.cli import completion, parameters
from keras_recipes.cli.output import print_json, talks

if TYPE_CHECKING:
    from keras_recipes.fleet import Report

log = logging.getLogger(__name__)

DATA = parameters.data("to work on; each path that it names is a job.")
EACH = click.option(
    "--each",
    type=click.Choice(["file", "column"]),
    default="file",
    show_default=True,
    help="The part of the data that is a job: a file, or each column of numbers of each file.",
)
BY = click.option(
    "--by",
    metavar="COLUMN",
    help="A column whose values divide the records of all files: each value is a job.",
)
ADDRESS = click.option(
    "--address",
    metavar="A",
    help="The address of a Ray cluster, such as 10.0.0.5:6379; auto is the one that this machine "
    "is part of. Without it, a cluster on this machine is started, and ended with the work.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def fleet() -> None:
    """Fit or ask many models at once, on all cores or a Ray cluster.

    What is finished is saved at once, and is not done again when the same command runs again. A job
    whose data is wrong fails alone: it is listed at the end, and the exit status is 1. The page
    docs/fleet.md says more.

    \b
    Example:
      recipes fleet fit lstm-anomaly --data 'metrics/*.csv' --out models
    """


@fleet.command("fit")
@parameters.NAME
@DATA
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    shell_complete=completion.files,
    help="The folder to save the models in, each in a folder of its own.",
)
@EACH
@BY
@ADDRESS
@parameters.PRESET
@parameters.assignments("epochs=20")
@parameters.JSON
def fit(
    name: str,
    data: tuple[str, ...],
    out: str,
    each: Literal["file", "column"],
    by: str | None,
    address: str | None,
    preset: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fit a recipe many times: once for each file, column, or value of a column.

    The models equal those of `recipes fit --device cpu`, one by one.

    \b
    Example:
      recipes fleet fit lstm-anomaly --data 'metrics/*.csv' --out models
      recipes fleet fit lstm-anomaly --data all.csv --by host --out models
    """
    from keras_recipes import catalog, extras, options

    recipe = catalog.get(name)
    options.check_preset(recipe, preset)
    given = parameters.given(recipe, assignments, {}, "fit")
    extras.require("fleet", "fleet")
    from keras_recipes.fleet import fitting

    report = fitting.fit(
        recipe.name,
        data,
        out,
        each=each,
        by=by,
        address=address,
        preset=preset,
        show_progress=None if talks() else False,
        **given,
    )
    _tell(report, "fitted", as_json)


@fleet.command("predict")
@click.argument("models", metavar="MODELS", shell_complete=completion.files)
@DATA
@click.option(
    "--output",
    metavar="DIR",
    required=True,
    shell_complete=completion.files,
    help="The folder to write, with a file of rows for each job.",
)
@EACH
@BY
@ADDRESS
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "raw-csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="CSV, or one JSON object per line (jsonl); see `recipes predict --help`.",
)
@parameters.assignments("only_anomalies=true")
@parameters.JSON
def predict(
    models: str,
    data: tuple[str, ...],
    output: str,
    each: Literal["file", "column"],
    by: str | None,
    address: str | None,
    form: Literal["csv", "raw-csv", "jsonl"],
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask models about many files, and write a file of rows for each.

    MODELS is the folder that `recipes fleet fit` saved models in: each file is judged by the model
    of its name. Or it is one model, which judges all files.

    \b
    Example:
      recipes fleet predict models --data 'today/*.csv' --output answers
    """
    from keras_recipes import extras
    from keras_recipes.fleet import answering
    from keras_recipes.saved.load import find

    # The models of a folder are of one recipe, so the first one says which options there are.
    given = parameters.given_to(find(answering.first_of(models)), assignments, {}, "predict")
    extras.require("fleet", "fleet")
    report = answering.predict(
        models,
        data,
        output,
        each=each,
        by=by,
        address=address,
        form=form,
        show_progress=None if talks() else False,
        **given,
    )
    _tell(report, "answered", as_json)


@fleet.command("search")
@parameters.NAME
@parameters.data("to learn from, instead of the recipe's own data.")
@click.option(
    "--space",
    metavar="KEY=VALUES",
    multiple=True,
    required=True,
    help="An option to search, as a range such as learning_rate=1e-4..1e-1, or as single values "
    "such as optimizer=adam,nesterov. A wide range is searched by orders of magnitude. May be "
    "given several times.",
)
@click.option(
    "--trials",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="The number of trials.",
)
@click.option(
    "--stopping",
    type=click.Choice(["asha", "median", "none"]),
    default="asha",
    show_default=True,
    help="How worse trials are stopped early: asha keeps the best third at some numbers of epochs, "
    "median stops what is worse than the median.",
)
@click.option(
    "--draw-seed",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The seed of the options that are tried; the seed of the fits is --set seed=N.",
)
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=completion.files,
    help="The folder to save the best model in. The default is saved_models/NAME.",
)
@click.option(
    "--table",
    metavar="F",
    shell_complete=completion.files,
    help="The CSV file for the table of all trials. The default is trials.csv.",
    default="trials.csv",
)
@ADDRESS
@parameters.PRESET
@parameters.assignments("epochs=20")
@parameters.JSON
def search(
    name: str,
    data: tuple[str, ...],
    space: tuple[str, ...],
    trials: int,
    stopping: Literal["asha", "median", "none"],
    draw_seed: int,
    out: str | None,
    table: str,
    address: str | None,
    preset: str | None,
    assignments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Search for the options with the smallest validation loss, with Ray Tune.

    The best options are fitted once more, and that model is saved. The test data has no part in the
    choice.

    \b
    Example:
      recipes fleet search mnist-mlp --space learning_rate=1e-4..1e-1 --trials 40
    """
    from keras_recipes import catalog, extras, options
    from keras_recipes.fleet import space as spaces
    from keras_recipes.saved import locate

    recipe = catalog.get(name)
    options.check_preset(recipe, preset)
    given = parameters.given(recipe, assignments, {}, "fit")
    spaces.parse(recipe, space)
    extras.require("fleet", "fleet")
    from keras_recipes.fleet import searching

    found = searching.search(
        recipe.name,
        locate.default_folder(recipe.name) if out is None else out,
        space=space,
        data=data,
        trials=trials,
        stopping=stopping,
        draw_seed=draw_seed,
        table=table,
        address=address,
        preset=preset,
        show_progress=None if talks() else False,
        **given,
    )
    stopped = sum(row["status"] == "stopped" for row in found.trials)
    log.info("%d trials, %d stopped early; the table is %s", len(found.trials), stopped, table)
    log.info("the best is saved as %s", found.place)
    if as_json:
        best = {"best": dict(found.best), "val_loss": found.val_loss, "model": str(found.place)}
        print_json({**best, "trials": found.trials})
        return
    chosen = " ".join(f"{name}={value}" for name, value in found.best.items())
    click.echo(f"{chosen} val_loss {found.val_loss:.4g}")


def _tell(report: "Report", verb: str, as_json: bool) -> None:
    """Print what became of the jobs; exit with status 1 if one failed."""
    from keras_recipes.errors import RecipeError

    log.info(
        "%s %d in %.1f s; %d were there before, %d failed",
        verb,
        len(report.done),
        report.seconds,
        len(report.earlier),
        len(report.failed),
    )
    if as_json:
        print_json(
            {
                "done": sorted(report.done),
                "earlier": sorted(report.earlier),
                "failed": dict(sorted(report.failed.items())),
            }
        )
    for name, error in sorted(report.failed.items()):
        log.error("%s: %s", name, error)
    if report.failed:
        raise RecipeError(
            f"{len(report.failed)} of {report.count} failed, see above; mend them, and give the "
            "same command again"
        )
