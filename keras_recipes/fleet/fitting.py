"""One fit for each file, column or value: `recipes fit`, done by the workers of a cluster."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from keras_recipes import atomic, backend, catalog, options
from keras_recipes.commands import fit as single
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.fleet import cluster, jobs, running, selection, storage, worker
from keras_recipes.fleet.jobs import Job
from keras_recipes.fleet.running import Outcome, Report
from keras_recipes.models.card import Card
from keras_recipes.recipe import Options, Recipe
from keras_recipes.saved import locate, own_fits, save

Each = Literal["file", "column"]

COLUMNS = "columns"
"""The option that names the columns to use."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What a worker needs to know to fit.

    Attributes:
        job: The data.
        recipe: The recipe's name.
        preset: The preset, or None.
        given: The options that were given.
        cpus: The processors of the job.
        folder: The working folder of the program, where relative paths begin.
        before: The card of the model that is there already, or None.
    """

    job: Job
    recipe: str
    preset: str | None
    given: Options
    cpus: int
    folder: str
    before: Card | None = None


def fit(
    recipe: str,
    data: str | Sequence[str],
    out: str | Path,
    *,
    each: Each = "file",
    by: str | None = None,
    address: str | None = None,
    preset: str | None = None,
    show_progress: bool | None = None,
    **given: Any,
) -> Report:
    """Fit a recipe many times, once for each file, and save each model as `fit` does.

    A model that is there already is left as it is if its card names the same options and the same
    data. The models equal those of `fit` on the CPU, one by one, except for the times on the card.

    Args:
        recipe: The recipe's name.
        data: Paths, patterns, or addresses that fsspec reads. Each path that they name is the data
            of a fit; a folder is one data set.
        out: The folder to save the models in, each in a folder of its own.
        each: "column" fits once for each column of numbers of each file.
        by: A column: fits once for each of its values, on the records of all files that have it.
        address: The address of a Ray cluster; None starts one on this machine.
        preset: The preset as for `fit`.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.
        **given: Options of the recipe, as for `fit`.

    Returns:
        The names of what was done, of what was there before, and the error of what failed.

    Raises:
        InputError: An option is wrong, there is no data, or a folder cannot be written.
        StoppedError: The process was asked to stop. What was done is saved.
    """
    chosen = catalog.get(recipe)
    single.settled(chosen, preset, given)  # refuses wrong options before a cluster is started
    _check(chosen, each, by, given)
    folder = Path(locate.target(out))
    locate.check_own(folder)
    atomic.prepare(folder.resolve() / "model")
    found = jobs.of_files([data] if isinstance(data, str) else data)
    with cluster.connected(address):
        report = Report()
        wanted = _split(found, chosen, each, by, given, report, show_progress)
        _check_targets(folder, wanted)
        cpus = processors(chosen)
        orders = [
            Order(
                job,
                chosen.name,
                preset,
                _options_of(job, given),
                cpus,
                str(Path.cwd()),
                card_in(folder / job.name),
            )
            for job in wanted
        ]
        done = running.run(
            fit_one,
            [(order.job.name, order) for order in orders],
            lambda name, content: publish(folder / name, content),
            cpus=cpus,
            title="fitting",
            show_progress=show_progress,
        )
    return replace(done, failed={**report.failed, **done.failed})


def processors(recipe: Recipe) -> int:
    """Return how many processors a fit uses at the same time."""
    return min(cluster.cores(), backend.MOST_REPLICAS) if recipe.side_by_side else 1


def publish(target: Path, content: dict[str, bytes]) -> None:
    """Save the files of a model as a folder, whole."""
    target = target.resolve()
    save.check_replaceable(target)
    with atomic.folder(target, content):
        pass
    own_fits.record(target)


def _check(recipe: Recipe, each: Each, by: str | None, given: Options) -> None:
    if each == "column":
        if by is not None:
            raise InputError("--by: expected one way to divide the data, received --each too")
        if COLUMNS not in options.of(recipe, "fit"):
            raise InputError(
                f"--each column: {recipe.name} has no option {COLUMNS}; leave --each out"
            )
        if COLUMNS in given:
            raise InputError(f"--each column: expected no option {COLUMNS}; leave one out")


def _options_of(job: Job, given: Options) -> Options:
    return {**given, COLUMNS: job.column} if job.column is not None else dict(given)


def card_in(folder: Path) -> Card | None:
    """Return the card of a model; None if there is none, or none that can be read."""
    try:
        return locate.card_in(folder) if (folder / locate.CARD).exists() else None
    except RecipeError:
        return None


def _check_targets(folder: Path, wanted: Sequence[Job]) -> None:
    for job in wanted:
        target = folder / job.name
        atomic.complete(target.resolve())
        save.check_replaceable(target.resolve())
        local = [path for path in job.paths if Path(path).is_file()]
        never_replaced.check(target, local, "out")


def split_by(
    by: str, found: Sequence[Job], report: Report, show_progress: bool | None
) -> list[Job]:
    """Return a job for each value of a column; files without it go into the report as failed."""
    parts = _parts(values_of, found, by, report, show_progress)
    return jobs.of_values(by, parts)


def _split(
    found: Sequence[Job],
    recipe: Recipe,
    each: Each,
    by: str | None,
    given: Options,
    report: Report,
    show_progress: bool | None,
) -> list[Job]:
    """Return the jobs for files, columns or values; failures go into the report."""
    if by is not None:
        return split_by(by, found, report, show_progress)
    if each == "file":
        return list(found)
    asked = (recipe.name, dict(given))
    parts = _parts(columns_of, found, asked, report, show_progress)
    return [one for job, columns in parts for one in jobs.of_columns(job, columns)]


def _parts(
    look: Callable[[Any], Outcome],
    found: Sequence[Job],
    asked: Any,
    report: Report,
    show_progress: bool | None,
) -> list[tuple[Job, list[str]]]:
    """Return each job with the parts of its data, which workers look for."""
    told: dict[str, list[str]] = {}
    done = running.run(
        look,
        [(job.name, (job, asked, str(Path.cwd()))) for job in found],
        told.__setitem__,
        title="looking through the data",
        show_progress=show_progress,
    )
    report.failed.update(done.failed)
    return [(job, told[job.name]) for job in found if job.name in told]


def values_of(order: tuple[Job, str, str]) -> Outcome:
    """Return the values of a column of a file; runs in a worker."""
    job, by, folder = order

    def work(scratch: Path) -> list[str]:
        return selection.values(storage.fetched(job.paths[0], scratch), by)

    return worker.outcome_of(work, folder)


def columns_of(order: tuple[Job, tuple[str, Options], str]) -> Outcome:
    """Return the columns of numbers that a recipe finds in a file; runs in a worker."""
    job, (recipe, given), folder = order

    def work(scratch: Path) -> list[str]:
        path = storage.fetched(job.paths[0], scratch)
        chosen = catalog.get(recipe)
        values = options.resolve(chosen, None, given)
        data = chosen.answers.data_set([str(path)], values, None)
        if data.learned.get("kind") != "metrics":
            raise InputError(f"{job.paths[0]}: expected columns of numbers, received {data.name}")
        observed, _ = data.sequences
        return list(observed.values)

    return worker.outcome_of(work, folder)


def fit_one(order: Order) -> Outcome:
    """Fit and return the files of the model, or nothing if it is there; runs in a worker."""
    recipe = catalog.get(order.recipe)
    backend.choose("cpu", side_by_side=recipe.side_by_side)
    worker.limit_threads(order.cpus)
    return worker.outcome_of(lambda scratch: _fitted(order, recipe, scratch), order.folder)


def _fitted(order: Order, recipe: Recipe, scratch: Path) -> dict[str, bytes] | None:
    data = worker.local(order.job, scratch)
    values = single.settled(recipe, order.preset, order.given)
    task = single.prepare(recipe, data, values, order.preset, order.given, None)
    if order.before and is_same(task, order.before):
        return None
    backend.start("cpu")
    worker.forget_earlier_jobs()
    single.carry_out(_renamed(task, order.job, data), scratch / "model", show_progress=False)
    return {
        path.relative_to(scratch / "model").as_posix(): path.read_bytes()
        for path in (scratch / "model").rglob("*")
        if path.is_file()
    }


def is_same(task: single.Task, card: Card) -> bool:
    """Return whether a model was made by the same fit: recipe, options and data."""
    made_of = {**card.options, "data": card.data["sha256"]}
    return (card.recipe, card.preset) == (task.recipe.name, task.preset) and (
        made_of == task.made_of()
    )


def _renamed(task: single.Task, job: Job, data: list[str]) -> single.Task:
    """Return the task with the name and the paths of the data as the user knows them."""
    if data == list(job.paths):
        return task
    name = ", ".join(job.paths[:2]) + (f" and {len(job.paths) - 2} more" * (len(job.paths) > 2))
    if job.where:
        # The records cannot be read again without selecting them again.
        name = f"{name}, {job.where[0]} {job.where[1]}"
        return replace(task, data=replace(task.data, name=name), paths=None)
    return replace(task, data=replace(task.data, name=name), paths=list(job.paths))
