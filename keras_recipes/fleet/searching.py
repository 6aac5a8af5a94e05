"""A search for options with Ray Tune: trials, of which the worse ones are stopped early."""

import itertools
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import backend, catalog, interrupts, options
from keras_recipes.commands import fit as single
from keras_recipes.errors import InputError, RecipeError, StoppedError
from keras_recipes.fleet import cluster, fitting, running, storage, worker
from keras_recipes.fleet import space as spaces
from keras_recipes.fleet.fitting import Order
from keras_recipes.fleet.jobs import Job
from keras_recipes.recipe import Options, Recipe, Row
from keras_recipes.report import progress, tables
from keras_recipes.saved import locate, save
from keras_recipes.train.attempts import Run

if TYPE_CHECKING:
    from ray import tune

Stopping = Literal["asha", "median", "none"]

METRIC = "val_loss"
"""What a trial is judged by: the validation loss. The test data is not used in a search."""


@dataclass(frozen=True)
class Searched:
    """The result of a search.

    Attributes:
        best: The options of the best trial that came to its end.
        val_loss: Its validation loss.
        trials: A row for each trial: its options, epochs, validation loss, seconds and status.
        place: The folder of the model with the best options.
    """

    best: Options
    val_loss: float
    trials: list[Row]
    place: Path


def search(
    recipe: str,
    out: str | Path,
    *,
    space: Sequence[str],
    data: str | Sequence[str] = (),
    trials: int = 20,
    stopping: Stopping = "asha",
    draw_seed: int = 0,
    table: str | Path | None = None,
    address: str | None = None,
    preset: str | None = None,
    show_progress: bool | None = None,
    **given: Any,
) -> Searched:
    """Search for the options with the smallest validation loss, and save the model that has them.

    The best options are fitted once more and saved as `fit` does. The test data measures this
    model only, so that nothing is chosen by it.

    Args:
        recipe: The recipe's name.
        out: The folder to save the best model in.
        space: The options to search, such as "learning_rate=1e-4..1e-1" or
            "optimizer=adam,nesterov".
        data: Data as for the `fit` of one model; none is the recipe's own.
        trials: The number of trials.
        stopping: How trials are stopped early: "asha" keeps the better part at each of some
            numbers of epochs, "median" stops a trial that is worse than the median.
        draw_seed: The seed of the options that are tried.
        table: The CSV file for the table of all trials, or None.
        address: As for `fleet.fit`.
        preset: The preset as for `fit`.
        show_progress: As for `fleet.fit`.
        **given: Options of the recipe that all trials have.

    Raises:
        InputError: The space or an option is wrong, or the data holds nothing out for validation.
        RecipeError: No trial came to its end.
        StoppedError: The process was asked to stop; the table has the trials so far.
    """
    chosen, target = catalog.get(recipe), Path(locate.target(out))
    wanted = spaces.parse(chosen, space)
    if twice := sorted(wanted.keys() & given.keys()):
        raise InputError(f"{twice[0]}: given twice, by --space and by --set; leave one out")
    values = single.settled(chosen, preset, given)
    locate.check_own(target)
    save.check_target(target.resolve())
    if table is not None:
        tables.check_output(str(table))
    texts = [data] if isinstance(data, str) else list(data)
    # As in a single fit, a worker finds what paths, patterns and names of data sets mean.
    there = (storage.listed(text) if storage.is_address(text) else [text] for text in texts)
    paths = tuple(itertools.chain.from_iterable(there))
    cpus = fitting.processors(chosen)
    order = Order(Job(target.name, paths), chosen.name, preset, given, cpus, str(Path.cwd()))
    epochs = options.call(chosen.training, options=values).epochs
    with cluster.connected(address):
        watch = _Watch(trials)
        with (
            progress.bar("searching", trials, show_progress) as update,
            interrupts.handled(watch.ask),
        ):
            watch.update = update
            rows = _tried(order, wanted, trials, _scheduler(stopping, epochs), draw_seed, watch)
        if table is not None:
            tables.write(iter(rows), "raw-csv", str(table))
        if watch.signal is not None:
            raise StoppedError(
                f"stopped after {len(rows)} trials; a search begins anew", watch.signal
            )
        best = _best(rows)
        tried = {name: best[name] for name in wanted}
        _fit_best(replace(order, given={**given, **tried}), target, show_progress)
    return Searched(tried, best[METRIC], rows, target)


def _tried(
    order: Order, space: spaces.Space, count: int, scheduler: Any, seed: int, watch: "_Watch"
) -> list[Row]:
    from ray import tune
    from ray.tune.search.basic_variant import BasicVariantGenerator

    with tempfile.TemporaryDirectory() as scratch:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(_try, order=order), {"cpu": order.cpus}),
            param_space=spaces.sampled(space),
            tune_config=tune.TuneConfig(
                metric=METRIC,
                mode="min",
                num_samples=count,
                scheduler=scheduler,
                search_alg=BasicVariantGenerator(random_state=seed),
                reuse_actors=True,  # TensorFlow is imported once a worker
            ),
            run_config=tune.RunConfig(
                storage_path=scratch,
                name="search",
                stop=watch.stopper(),
                callbacks=[watch.listener()],
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=running.RETRIES),
            ),
        )
        found = tuner.fit()
    return [
        _row(number, dict(one.config or {}), dict(one.metrics or {}))
        for number, one in enumerate(found, 1)
    ]


def _try(config: Options, order: Order) -> None:
    """Train with some options, and report the validation loss of each epoch; runs in a worker.

    Ray Tune ends it inside a report if the trial is stopped early.
    """
    from ray import tune

    recipe = catalog.get(order.recipe)
    backend.choose("cpu", side_by_side=recipe.side_by_side)
    worker.limit_threads(order.cpus)
    begun, last = time.perf_counter(), {"epoch": 0, METRIC: math.inf}

    def train(scratch: Path) -> str:
        run = _run(order, recipe, config, scratch)

        def update(done: int, text: str, total: int | None) -> None:
            measured = float(run.results[-1][METRIC][-1])
            kept = min(measured, last[METRIC]) if run.plan.patience else measured
            last.update({"epoch": done, METRIC: kept})
            tune.report({**last, "seconds": time.perf_counter() - begun, "status": "stopped"})

        run.until_goal(None, update)
        return "finished"

    outcome = worker.outcome_of(train, order.folder)
    seconds = time.perf_counter() - begun
    # A trial that failed is reported and not raised: its options would fail again.
    status = outcome.content or "failed"
    tune.report({**last, "seconds": seconds, "status": status, "error": outcome.error or ""})


def _run(order: Order, recipe: Recipe, config: Options, scratch: Path) -> Run:
    given = {**order.given, **config}
    values = single.settled(recipe, order.preset, given)
    data = worker.local(order.job, scratch)
    task = single.prepare(recipe, data, values, order.preset, given, None)
    if task.data.validation is None:
        raise InputError(
            f"{task.data.name}: expected data with a part for validation to choose by, received "
            f"none ({task.data.note}); search with other data or another recipe"
        )
    backend.start("cpu")
    worker.forget_earlier_jobs()
    return Run(recipe, task.options, task.plan, task.data)


def _scheduler(stopping: Stopping, epochs: int) -> Any:
    """Return what stops trials early; none is stopped in the first tenth of the epochs."""
    from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, MedianStoppingRule

    first = max(1, epochs // 10)
    if stopping == "asha":
        # A trial ends by itself, so the longest time is only a bound.
        return ASHAScheduler("epoch", grace_period=first, max_t=100 * epochs, reduction_factor=3)
    if stopping == "median":
        return MedianStoppingRule("epoch", grace_period=first, min_samples_required=3)
    return FIFOScheduler()


@dataclass
class _Watch:
    """Follows the trials: the progress bar, and whether the process was asked to stop."""

    count: int
    signal: int | None = None
    update: progress.Update = lambda done, text, total: None
    ended: dict[str, int] = field(default_factory=dict)

    def ask(self, number: int, frame: Any) -> None:
        """Handle a signal: Ray Tune ends the trials at its next step."""
        self.signal = number

    def stopper(self) -> "tune.Stopper":
        """Return what Ray Tune asks whether all trials should end."""
        from ray import tune

        watch = self

        class Stopper(tune.Stopper):  # type: ignore[misc]
            def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
                return False

            def stop_all(self) -> bool:
                return watch.signal is not None

        return Stopper()

    def listener(self) -> "tune.Callback":
        """Return what Ray Tune tells that a trial ended."""
        from ray import tune

        watch = self

        class Listener(tune.Callback):  # type: ignore[misc]
            def on_trial_complete(
                self, iteration: int, trials: Any, trial: Any, **info: Any
            ) -> None:
                watch.end(trial.last_result.get("status", "failed"))

            def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
                watch.end("failed")

        return Listener()

    def end(self, status: str) -> None:
        """Count a trial that ended."""
        self.ended[status] = self.ended.get(status, 0) + 1
        counted = ", ".join(f"{count} {status}" for status, count in sorted(self.ended.items()))
        self.update(sum(self.ended.values()), counted, self.count)


def _row(number: int, config: Options, metrics: Mapping[str, Any]) -> Row:
    loss = metrics.get(METRIC, math.inf)
    return {
        "trial": number,
        "status": metrics.get("status", "failed"),
        **config,
        "epochs": metrics.get("epoch", 0),
        METRIC: loss if math.isfinite(loss) else None,
        "seconds": round(metrics.get("seconds", 0.0), 1),
        "error": metrics.get("error", ""),
    }


def _best(rows: Sequence[Row]) -> Row:
    """Return the row of the best trial that came to its end.

    Raises:
        InputError: All trials failed.
        RecipeError: None came to its end.
    """
    finished = [row for row in rows if row["status"] == "finished" and row[METRIC] is not None]
    if finished:
        best: Row = min(finished, key=lambda row: row[METRIC])
        return best
    if errors := [row["error"] for row in rows if row["error"]]:
        raise InputError(f"no trial succeeded; the first one: {errors[0]}")
    raise RecipeError("no trial came to its end; try more trials")


def _fit_best(order: Order, target: Path, show_progress: bool | None) -> None:
    report = running.run(
        fitting.fit_one,
        [(target.name, order)],
        lambda name, content: fitting.publish(target, content),
        cpus=order.cpus,
        title="fitting the best",
        show_progress=show_progress,
    )
    if report.failed:
        raise RecipeError(report.failed[target.name])
