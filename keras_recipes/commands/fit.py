"""Fitting a recipe: options to data, net and plan; the plan to a trained model with its card."""

import contextlib
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from keras_recipes import backend, catalog, options
from keras_recipes.answers import fitting_data
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError, RecipeError, StoppedError
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Model
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Options, Plan, Recipe
from keras_recipes.report import progress
from keras_recipes.saved import locate, save
from keras_recipes.saved.load import Found, find
from keras_recipes.train.attempts import Run
from keras_recipes.train.checkpoint import Checkpoint

if TYPE_CHECKING:
    import keras

HISTORY_ROWS = 1_000
"""About as many epochs of a longer history are kept with the model; the card says the stride."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What is to be fitted, checked as far as it can be without starting Keras."""

    recipe: Recipe
    preset: str | None
    options: dict[str, Any]
    data: Dataset
    paths: list[str] | None
    plan: Plan

    def made_of(self) -> dict[str, Any]:
        """What makes the fit the one it is, as far as it is known without Keras."""
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
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    show_progress: bool | None = None,
    **given: Any,
) -> Fitted:
    """Trains a recipe until it reaches its goal.

    What can be refused is refused before data is read, and most of it before Keras is imported.

    Args:
        recipe: The recipe's name, such as "xor"; or, to go on training it, a fitted model or the
            path of a saved one.
        data: Paths of files to read, or a pair `(x, y)` of arrays, lists or DataFrames. None reads
            the recipe's own data or, where a model is given, again what that was fitted on.
        preset: One of the recipe's sets of options; not for a model that goes on training, which
            has its own.
        start: A model of the recipe named to go on training, with its options, instead of a new
            one: fitted, a recipe's name, or a path.
        out: The folder to save the model in; None does not save it. While it trains, what is
            reached is kept beside the folder, and SIGINT or SIGTERM stop it between epochs.
        resume: Goes on with a fit to the same folder that was stopped.
        fresh: Drops a fit to the same folder that was stopped.
        device: What computes; auto takes a GPU where Keras sees one.
        callbacks: Keras callbacks; they are called at the boundaries of the compiled calls.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.
        **given: The recipe's options, as `recipes show` lists them.

    Returns:
        The model, its card, its history, and where the recipe keeps them its first weights.

    Raises:
        InputError: An unknown recipe, option or preset, a folder that cannot be written, or data
            that cannot be used.
        GoalNotReachedError: Neither longer training nor restarts reached the recipe's goal.
        StoppedError: Somebody asked to stop; the fit can be resumed.
        RecipeError: The loss is no longer a finite number, or the model could not be saved.
        UnsafeModelError: As for `load`, of a model that is to go on training.
        CorruptModelError: As for `load`, of a model that is to go on training.
    """
    goes_on = _is_model(recipe)
    if goes_on and start is not None:
        raise InputError("start: expected one model to go on training, received two")
    before = find(recipe) if goes_on else None if start is None else find(start)
    card = None if before is None else _card_to_go_on(before)
    if goes_on and card:
        name, data = card.recipe, card.paths() if data is None else data
    else:
        name = str(recipe)
    target = None if out is None else Path(locate.target(out))
    checkpoint = _checkpoint(target, resume, fresh)
    chosen = catalog.get(name)
    values = settled(chosen, preset, given, card)
    if target:
        save.check_target(target.resolve())
    if checkpoint:
        checkpoint.check()
    task = prepare(chosen, () if data is None else data, values, preset, given, card)
    if checkpoint:
        checkpoint.check_settings(task.made_of())
    begun = None if before is None else before.in_keras()
    backend.start(device)
    log.info("fitting %s on %s; %s", task.recipe.name, task.data.name, backend.describe())
    with checkpoint.watching() if checkpoint else contextlib.nullcontext():
        return carry_out(
            task,
            target,
            start=begun,
            callbacks=callbacks,
            checkpoint=checkpoint,
            show_progress=show_progress,
        )


def _checkpoint(target: Path | None, resume: bool, fresh: bool) -> Checkpoint | None:
    if target is None:
        if resume or fresh:
            raise InputError("resume, fresh: belong to a fit that is saved; name its folder, out")
        return None
    locate.check_own(target)
    return Checkpoint(target.resolve(), resume=resume, fresh=fresh)


def _is_model(recipe: Model) -> bool:
    """Whether a model is meant, and not a recipe, which has the name of one that is fitted here."""
    if not isinstance(recipe, str):
        return True
    path = Path(recipe)
    return catalog.canonical(recipe) is None and (len(path.parts) > 1 or path.exists())


def _card_to_go_on(model: Found) -> Card:
    """The card of a model that is to go on training.

    Raises:
        InputError: It is no recipe's, or left Keras.
        CorruptModelError: It is damaged.
    """
    model.check_keras()
    card = model.card
    if card is None:
        raise InputError(
            f"{model.name}: expected a fitted recipe, received a model without a card, which does "
            "not say how to train it"
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
    """The first half of `fit`: reads the data; see there.

    Args:
        recipe: To be fitted.
        data: As for `fit`.
        values: From `settled`; what follows from the data is added.
        preset: As for `fit`.
        given: As for `fit`.
        start: The card of the model to go on training.
    """
    learned = start.learned if start else None
    found, paths = fitting_data.given(recipe, data, values, learned=learned)
    if start:
        recipe.answers.check_same(start.learned, found)
    # Only now is it known which of them have an effect.
    options.check(recipe, given, "fit", found.learned)
    for option, value in options.check(recipe, found.implied).items():
        if given.get(option, value) != value:
            raise InputError(
                f"{option}: follows from the data, {value}, received {given[option]}; leave it out"
            )
        values[option] = value
    plan = options.call(recipe.training, options=values)
    log.debug("options: %s", ", ".join(f"{name}={value}" for name, value in values.items()))
    return Task(recipe, preset, values, found, paths, plan)


def settled(
    recipe: Recipe, preset: str | None, given: Options, start: Card | None = None
) -> dict[str, Any]:
    """All options of a fit, but for those that follow from the data; nothing is read for them.

    Args:
        recipe: To be fitted.
        preset: As for `fit`.
        given: As for `fit`.
        start: The card of the model to go on training.

    Raises:
        InputError: One that there is not, or that has no effect here, or a card of another recipe.
    """
    if start and start.recipe != recipe.name:
        raise InputError(
            f"--from: expected a fitted {recipe.name}, received a {start.recipe}; name another"
        )
    options.check(recipe, given, "fit", start.learned if start else None)
    if start:
        _check_settled(recipe, start, preset, given)
    return options.resolve(recipe, preset, {**(start.options if start else {}), **given})


def carry_out(
    task: Task,
    folder: Path | None = None,
    *,
    start: Fitted | None = None,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    checkpoint: Checkpoint | None = None,
    show_progress: bool | None = None,
) -> Fitted:
    """The second half of `fit`; see there.

    Args:
        task: From `prepare`.
        folder: Where to save the model.
        start: The model to go on training, whose card `prepare` was given.
        callbacks: Keras callbacks.
        checkpoint: Where an interrupted fit is kept and, if asked for, taken up again.
        show_progress: Whether to draw a progress bar.

    Raises:
        StoppedError: Somebody asked to stop; the checkpoint has the state.
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
    )
    if checkpoint and (state := checkpoint.kept(run.made_of())):
        run.go_on_from(state)
    with progress.bar(recipe.name, task.plan.epochs, show_progress) as update:
        _train(run, checkpoint, update)
    if task.plan.goal:
        log.info("reached: %s", task.plan.goal.text)
    fitted = Fitted(
        model=run.model,
        card=_calibrated(_card(task, run), task, run),
        history=run.history().thinned(HISTORY_ROWS),
        first_weights=run.first_weights if recipe.keeps_first_weights else None,
    )
    if folder:
        _save_somewhere(fitted, folder)
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
        if checkpoint:  # it came to its end: there is nothing to go on with
            checkpoint.discard()
        raise


def _compare_with_guessing(task: Task, fitted: Fitted, *, saved: bool) -> None:
    if task.recipe.guess is None or fitted.card is None:
        return
    guess = task.recipe.guess(task.data)
    reached = fitted.card.metrics[guess.metric]
    if guess.is_as_good_as(reached):
        log.warning(
            "no better than guessing: %s %.3g where %s gives %.3g%s; try a smaller learning_rate",
            guess.metric,
            reached,
            guess.text,
            guess.value,
            "; saved all the same" if saved else "",
        )


def _save_somewhere(fitted: Fitted, folder: Path) -> None:
    """Saves the model; where that fails, in a temporary folder, so that no training is lost."""
    try:
        save.save(fitted, folder)
    except RecipeError as error:
        elsewhere = Path(tempfile.mkdtemp()) / folder.name
        try:
            save.save(fitted, elsewhere)
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
        training={
            "epochs": run.epochs,
            "restarts": run.restarts,
            "seconds": round(run.seconds, 3),
            "backend": backend.describe(),
            "history_stride": run.history().thinned(HISTORY_ROWS).stride,
        },
        learned=dict(data.learned),
        versions=save.versions(),
    )


def _calibrated(card: Card, task: Task, run: Run) -> Card:
    """The card, with what the recipe finds out once the net is trained."""
    found = task.recipe.answers.calibrate(run.model, task.data, task.options)
    if found is None:
        return card
    return replace(
        card,
        learned={**card.learned, **found.learned},
        metrics={**card.metrics, **found.metrics},
    )


def _check_settled(recipe: Recipe, card: Card, preset: str | None, given: Options) -> None:
    if preset is not None:
        raise InputError(
            f"--preset {preset}: a model that goes on training keeps its options; change single "
            "ones with --set, or fit anew without --from"
        )
    # A card has no value for options that came to the recipe later.
    had = {name: option.default for name, option in options.of(recipe).items()} | card.options
    for option in recipe.settled:
        if given.get(option, had[option]) != had[option]:
            raise InputError(
                f"{option}: a model that goes on training keeps it as before, {had[option]!r}, "
                f"received {given[option]!r}; leave it out, or fit anew without --from"
            )
