"""Fitting a recipe: reading the data, building the net, training it, and writing its card."""

import contextlib
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import backend, catalog, options
from keras_recipes.answers import fitting_data
from keras_recipes.data import files, never_replaced
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, RecipeError, StoppedError, printable
from keras_recipes.models.card import Card, TrainingEntries
from keras_recipes.models.fitted import Fitted, Model
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Options, Plan, Recipe
from keras_recipes.report import event_files, progress
from keras_recipes.saved import locate, own_fits, save
from keras_recipes.saved.load import Found, find
from keras_recipes.train.attempts import Run
from keras_recipes.train.checkpoint import Checkpoint

if TYPE_CHECKING:
    import keras
    import numpy as np

HISTORY_ROWS = 1_000
"""The number of epochs of a history that are kept with the model. Of a longer history every n-th
epoch is kept; the card says n (`history_stride`)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A fit that is prepared: its recipe, options, data and plan, checked without Keras."""

    recipe: Recipe
    preset: str | None
    options: dict[str, Any]
    data: Dataset
    paths: list[str] | None
    plan: Plan
    outputs: tuple[int | None, ...] | None = None

    def made_of(self) -> dict[str, Any]:
        """Return the settings that identify this fit, as far as they are known without Keras."""
        return {**self.options, "data": self.data.sha256}


def fit(
    recipe: Model,
    data: Any = None,
    *,
    preset: str | None = None,
    start: Model | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    fresh: bool = False,
    device: Literal["auto", "cpu", "gpu"] = "auto",
    deterministic: bool = False,
    tensorboard: str | Path | None = None,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    show_progress: bool | None = None,
    **given: Any,
) -> Fitted:
    """Train a recipe's net until it reaches the recipe's goal, and measure it.

    Wrong options are refused before data is read, most of them before Keras is imported.

    Args:
        recipe: The recipe's name, such as "xor". Or a fitted model, or the path of a saved one, to
            continue its training.
        data: Paths of files to read, or a pair `(x, y)` of arrays, lists or DataFrames. None reads
            the recipe's own data or, if a model is given, the model's training data again.
        preset: The name of a set of options. A model that continues its training has its own
            options and takes no preset.
        start: A model to start from instead of random weights: a fitted model, a recipe's name, or
            a path. It has to be of the same recipe, and its options are the defaults. On other
            data, a recipe may choose the options of the training anew (`Recipe.anew`).
        out: The folder to save the model in; None does not save it. During training the progress is
            kept next to this folder, and SIGINT or SIGTERM stop the fit between two epochs.
        resume: Whether to continue a fit to the same folder that was stopped.
        fresh: Whether to discard a fit to the same folder that was stopped.
        device: The device to train on; "auto" uses a GPU if Keras finds one.
        deterministic: Whether any number of CPU cores gives the same model, which takes longer.
        tensorboard: A folder for event files, which TensorBoard draws as curves while the fit runs;
            None writes none.
        callbacks: Keras callbacks. They are called between the compiled calls, each of which may be
            several epochs.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.
        **given: Options of the recipe, as `recipes show NAME` lists them.

    Returns:
        The model with its card and its history and, for some recipes, its first weights.

    Raises:
        InputError: The recipe, an option or the preset is unknown, the folder cannot be written, or
            the data cannot be used.
        GoalNotReachedError: Neither longer training nor restarts reached the recipe's goal.
        StoppedError: The process was asked to stop; the fit can be resumed.
        RecipeError: The loss is no longer a finite number, or the model could not be saved.
        UnsafeModelError: As for `load`, if a model continues its training.
        CorruptModelError: As for `load`, if a model continues its training.
    """
    goes_on = _is_model(recipe)
    if goes_on and start is not None:
        raise InputError(
            "start: expected one model to continue training, received two; leave one out"
        )
    named = data is not None
    before = find(recipe) if goes_on else None if start is None else find(start)
    card = None if before is None else _card_to_go_on(before)
    if goes_on and card:
        name, data = card.recipe, card.paths() if data is None else data
    else:
        name = str(recipe)
    target = None if out is None else Path(locate.target(out))
    checkpoint = _checkpoint(target, resume, fresh)
    chosen = catalog.get(name)
    values = settled(chosen, preset, given, card, other_data=named)
    if target:
        # A folder of data is not replaced anyway, because it holds other files than a model.
        given_files = [text for text in files.as_texts(data) or () if not Path(text).is_dir()]
        never_replaced.check(target, given_files, "out")
        save.check_target(target.resolve())
    if checkpoint:
        checkpoint.check()
    events = None if tensorboard is None else event_files.prepare(tensorboard, target)
    task = prepare(chosen, () if data is None else data, values, preset, given, card)
    if checkpoint:
        checkpoint.check_settings(task.made_of())
    backend.start(device, deterministic=deterministic)
    begun = None if before is None else before.in_keras()
    log.info("fitting %s on %s; %s", task.recipe.name, task.data.name, backend.describe())
    with checkpoint.watching() if checkpoint else contextlib.nullcontext():
        return carry_out(
            task,
            target,
            start=begun,
            deterministic=deterministic,
            events=events,
            callbacks=callbacks,
            checkpoint=checkpoint,
            show_progress=show_progress,
        )


def _checkpoint(target: Path | None, resume: bool, fresh: bool) -> Checkpoint | None:
    if target is None:
        if resume or fresh:
            raise InputError(
                "resume, fresh: expected a fit that is saved, received none; name its folder by out"
            )
        return None
    locate.check_own(target)
    return Checkpoint(target.resolve(), resume=resume, fresh=fresh)


def _is_model(recipe: Model) -> bool:
    """Return whether a model is meant and not a recipe, for which fitted models may be named."""
    if not isinstance(recipe, str):
        return True
    path = Path(recipe)
    return catalog.canonical(recipe) is None and (len(path.parts) > 1 or path.exists())


def _card_to_go_on(model: Found) -> Card:
    """Return the card of a model that continues its training.

    Raises:
        InputError: The model has no card, or is in a format that Keras cannot train.
        CorruptModelError: The model is damaged.
    """
    model.check_keras()
    card = model.card
    if card is None:
        raise InputError(
            f"{model.name}: expected a fitted recipe, received a model without a card; fit a recipe"
        )
    return card


def prepare(
    recipe: Recipe,
    data: Any,
    values: dict[str, Any],
    preset: str | None,
    given: Options,
    start: Card | None,
) -> Task:
    """Read the data and make the plan: the first half of `fit`.

    Args:
        recipe: The recipe to fit.
        data: Data as for `fit`.
        values: The options from `settled`; options that follow from the data are added.
        preset: The preset as for `fit`.
        given: The options that were given to `fit`.
        start: The card of the model that continues its training, if there is one.
    """
    options.call(recipe.training, options=values)  # refuses a contradiction before data is read
    learned, outputs = start.learned if start else None, None
    found, paths = fitting_data.given(recipe, data, values, learned=learned)
    if start:
        recipe.answers.check_same(start.learned, found)
        outputs = recipe.answers.outputs_kept(start.learned, found)
        _warn_of_other_data(recipe, start, data, found)
    # Which options have an effect depends on the data.
    options.check(recipe, given, "fit", found.learned)
    for option, value in options.check(recipe, found.implied).items():
        if given.get(option, value) != value:
            raise InputError(
                f"{option}: expected {value}, which follows from the data, received "
                f"{given[option]}; leave it out"
            )
        values[option] = value
    if recipe.course:
        course = recipe.course(values, found)
        values.update(course.options)
        if course.note:
            log.info("%s: %s", found.name, course.note)
    plan = options.call(recipe.training, options=values)
    if plan.frozen and not start:
        raise InputError(
            f"frozen: expected a model to start from, whose layers stay as they are, received none "
            f"for {recipe.name}; name it by --from, or leave frozen out"
        )
    log.debug("options: %s", ", ".join(f"{name}={value}" for name, value in values.items()))
    return Task(recipe, preset, values, found, paths, plan, outputs)


def settled(
    recipe: Recipe,
    preset: str | None,
    given: Options,
    start: Card | None = None,
    *,
    other_data: bool = False,
) -> dict[str, Any]:
    """Return all options of a fit except those that follow from the data, which is not read yet.

    Args:
        recipe: The recipe to fit.
        preset: The preset as for `fit`.
        given: The options that were given to `fit`.
        start: The card of the model that continues its training, if there is one.
        other_data: Whether data was named for this model to continue its training on.

    Raises:
        InputError: An option is unknown or has no effect here, or the card is of another recipe.
    """
    if start and start.recipe != recipe.name:
        raise InputError(
            f"--from: expected a fitted {recipe.name}, received a {start.recipe}; name another "
            "model"
        )
    options.check(recipe, given, "fit", start.learned if start else None)
    if start:
        _check_settled(recipe, start, preset, given)
    had = dict(start.options) if start else {}
    if start and other_data:
        had.update(recipe.anew)
    return options.resolve(recipe, preset, {**had, **given})


def carry_out(
    task: Task,
    folder: Path | None = None,
    *,
    start: Fitted | None = None,
    deterministic: bool = False,
    events: Path | None = None,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    checkpoint: Checkpoint | None = None,
    show_progress: bool | None = None,
) -> Fitted:
    """Train, measure and save the model: the second half of `fit`.

    Args:
        task: What `prepare` returned.
        folder: The folder to save the model in; None does not save it.
        start: The model that continues its training; `prepare` was given its card.
        deterministic: Whether the number of cores must not change the sums; `backend.start` was
            given it.
        events: The folder for event files, which was checked; None writes none.
        callbacks: Keras callbacks.
        checkpoint: The file that keeps the progress; a fit that was stopped is resumed from it.
        show_progress: Whether to draw a progress bar.

    Raises:
        StoppedError: The process was asked to stop; the checkpoint holds the progress.
    """
    backend.start()
    log.debug("versions: %s", ", ".join(map(" ".join, save.versions().items())))
    recipe = task.recipe
    run = Run(
        recipe,
        task.options,
        task.plan,
        task.data,
        callbacks=tuple(callbacks),
        start=start.model if start else None,
        outputs=task.outputs,
        deterministic=deterministic,
    )
    if checkpoint and (state := checkpoint.kept(run.made_of())):
        try:
            run.go_on_from(state)
        except ValueError as error:
            raise checkpoint.damaged() from error
    stride = -(-task.plan.epochs // HISTORY_ROWS)
    with (
        event_files.opened(events, task.options, stride) as run.event_files,
        progress.bar(recipe.name, task.plan.epochs, show_progress) as update,
    ):
        _train(run, checkpoint, update)
    run.thaw()
    if task.plan.goal:
        log.info("reached: %s", task.plan.goal.text)
    fitted = Fitted(
        model=run.model,
        card=_calibrated(_card(task, run), task, run),
        history=run.history().thinned(HISTORY_ROWS),
        first_weights=run.first_weights if recipe.keeps_first_weights else None,
    )
    if folder:
        _save_somewhere(fitted, folder, task.data.test.x)
    _compare_with_guessing(task, fitted, saved=folder is not None)
    if checkpoint:
        checkpoint.discard()
    assert fitted.card is not None
    log.info("%s%s", fitted.card.course, f", saved as {folder}" if folder else "")
    return fitted


def _train(run: Run, checkpoint: Checkpoint | None, update: progress.Update) -> None:
    try:
        run.until_goal(checkpoint, update)
    except StoppedError:
        raise
    except RecipeError:
        if checkpoint:  # the fit came to its end, so nothing is left to resume
            checkpoint.discard()
        raise


def _compare_with_guessing(task: Task, fitted: Fitted, *, saved: bool) -> None:
    if task.recipe.guess is None or fitted.card is None:
        return
    guess = task.recipe.guess(task.data)
    reached = fitted.card.metrics[guess.metric]
    if guess.is_as_good_as(reached):
        log.warning(
            "no better than guessing: %s %.3g, and %s gives %.3g%s; try a smaller learning_rate",
            guess.metric,
            reached,
            guess.text,
            guess.value,
            "; the model is saved" if saved else "",
        )


def _save_somewhere(fitted: Fitted, folder: Path, examples: "np.ndarray") -> None:
    """Save the model or, if that fails, save it in a temporary folder, so that it is not lost."""
    try:
        save.write(fitted, folder, examples)
        own_fits.record(folder)
    except RecipeError as error:
        elsewhere = Path(tempfile.mkdtemp()) / folder.name
        try:
            save.write(fitted, elsewhere, examples)
        except RecipeError:
            raise error from None
        raise RecipeError(f"{error}; the fitted model is saved as {elsewhere}") from error


def _card(task: Task, run: Run) -> Card:
    test, data = task.data.test, task.data
    return Card(
        recipe=task.recipe.name,
        options=task.options,
        preset=task.preset,
        data={
            "name": fitting_data.writable(data.name),
            "paths": task.paths,
            "examples": len(data.train),
            "validation_examples": len(data.validation) if data.validation else 0,
            "test_examples": len(test),
            "sha256": data.sha256,
            "note": data.note,
        },
        metrics=task.recipe.measure(test.y, KerasRuntime(run.model).outputs(test.x)),
        training=_training(run),
        learned=dict(data.learned),
        versions=save.versions(),
    )


def _training(run: Run) -> TrainingEntries:
    training: TrainingEntries = {
        "epochs": run.epochs,
        "updates": int(run.model.optimizer.iterations),
        "restarts": run.restarts,
        "seconds": round(run.seconds, 3),
        "backend": backend.describe(),
        "history_stride": run.history().thinned(HISTORY_ROWS).stride,
    }
    if run.deterministic:
        training["deterministic"] = True
    if run.start is not None:
        training["start"] = run.made_of()["from"]
    return training


def _calibrated(card: Card, task: Task, run: Run) -> Card:
    """Return the card with what the recipe calibrates after training, such as a threshold."""
    found = task.recipe.answers.calibrate(run.model, task.data, task.options)
    if found is None:
        return card
    return replace(
        card,
        learned={**card.learned, **found.learned},
        metrics={**card.metrics, **found.metrics},
    )


def _warn_of_other_data(recipe: Recipe, start: Card, data: Any, found: Dataset) -> None:
    """Warn if no data was named and the recipe's own is not that of the model to start from."""
    if not (isinstance(data, tuple) and not data) or start.data.get("sha256") == found.sha256:
        return
    log.warning(
        "--from: the model was fitted on %s; without --data, this fit learns from %s",
        printable(start.data.get("name")),
        found.name,
    )


def _check_settled(recipe: Recipe, card: Card, preset: str | None, given: Options) -> None:
    if preset is not None:
        raise InputError(
            f"--preset {preset}: a model that continues training keeps its options; change single "
            "ones with --set, or fit a new model without --from"
        )
    # An older card has no value for an option that was added to the recipe later.
    had = {name: option.default for name, option in options.of(recipe).items()} | card.options
    for option in recipe.settled:
        if given.get(option, had[option]) != had[option]:
            raise InputError(
                f"{option}: a model that continues training keeps it as before, {had[option]!r}, "
                f"received {given[option]!r}; leave it out, or fit a new model without --from"
            )
