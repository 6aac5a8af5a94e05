"""Fitting a recipe: options to data, net and plan; the plan to a trained model with its card."""

import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import backend, catalog, options, prediction, progress, storage
from keras_recipes.card import Card
from keras_recipes.checkpoint import Checkpoint
from keras_recipes.errors import InputError, RecipeError
from keras_recipes.recipe import Askable, Dataset, Fitted, Measured, Plan, Recipe
from keras_recipes.run import Run
from keras_recipes.runtime import KerasRuntime
from keras_recipes.runtime import check_fits as check_fits_inputs

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
    start: Fitted | None = None


def fit(
    name: str,
    data: Any = (),
    *,
    preset: str | None = None,
    start: Fitted | None = None,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    show_progress: bool | None = None,
    **given: Any,
) -> Fitted:
    """Trains a recipe until it reaches its goal.

    Args:
        name: The recipe's, such as "xor".
        data: Paths of files to read instead of the recipe's own data, or a pair `(x, y)` of
            arrays, lists or DataFrames.
        preset: One of the recipe's sets of options; not with a start, which has its own.
        start: A model of this recipe to go on training, with its options, instead of a new one.
        callbacks: Keras callbacks; they are called at the boundaries of the compiled calls.
        show_progress: Whether to draw a progress bar; None draws it in terminals and notebooks.
        **given: The recipe's options, as `recipes show` lists them.

    Returns:
        The model, its card, its history, and where the recipe keeps them its first weights.

    Raises:
        InputError: An unknown recipe, option or preset, or data that cannot be used.
        GoalNotReachedError: Neither longer training nor restarts reached the recipe's goal.
    """
    task = prepare(name, data, preset=preset, given=given, start=start)
    return carry_out(task, callbacks=callbacks, show_progress=show_progress)


def prepare(
    name: str,
    data: Any = (),
    *,
    preset: str | None = None,
    given: Mapping[str, Any],
    start: Fitted | None = None,
) -> Task:
    """The first half of `fit`: checks the options and reads the data; see there."""
    recipe = catalog.get(name)
    card = start.card if start else None
    if start and (card is None or card.recipe != recipe.name):
        raise InputError(f"--from: expected a fitted {recipe.name}, received another model")
    if card:
        _check_settled(recipe, card, preset, given)
    values = options.resolve(recipe, preset, {**(card.options if card else {}), **given})
    dataset, paths = _dataset(recipe, data, values, card)
    for option, value in options.check(recipe, dataset.implied).items():
        if given.get(option, value) != value:
            raise InputError(
                f"{option}: follows from the data, {value}, received {given[option]}; leave it out"
            )
        values[option] = value
    plan = options.call(recipe, "training", options=values)
    log.debug("options: %s", ", ".join(f"{name}={value}" for name, value in values.items()))
    return Task(recipe, preset, values, dataset, paths, plan, start)


def carry_out(
    task: Task,
    folder: Path | None = None,
    *,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
    checkpoint: Checkpoint | None = None,
    show_progress: bool | None = None,
) -> Fitted:
    """The second half of `fit`; see there.

    Args:
        task: From `prepare`.
        folder: Where to save the model.
        callbacks: Keras callbacks.
        checkpoint: Where an interrupted fit is kept and, if asked for, taken up again.
        show_progress: Whether to draw a progress bar.

    Raises:
        StoppedError: Somebody asked to stop; the checkpoint has the state.
    """
    backend.start()
    log.debug("versions: %s", ", ".join(map(" ".join, storage.versions().items())))
    recipe = task.recipe
    run = Run(
        recipe,
        task.options,
        task.plan,
        task.data,
        callbacks=tuple(callbacks),
        start=task.start.model if task.start else None,
    )
    if checkpoint and (state := checkpoint.kept(run.made_of())):
        run.go_on_from(state)
    with progress.bar(recipe.name, task.plan.epochs, show_progress) as update:
        run.until_goal(checkpoint, update)
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
    if checkpoint:
        checkpoint.discard()
    return fitted


def _save_somewhere(fitted: Fitted, folder: Path) -> None:
    """Saves the model; where that fails, in a temporary folder, so that no training is lost."""
    try:
        storage.save(fitted, folder)
    except RecipeError as error:
        elsewhere = Path(tempfile.mkdtemp()) / folder.name
        try:
            storage.save(fitted, elsewhere)
        except RecipeError:
            raise error from None
        raise RecipeError(f"{error}; the fitted model is saved as {elsewhere}") from error


def evaluate(model: Askable, data: Any = None, **given: Any) -> dict[str, float]:
    """The recipe's metrics on its test data, or on data given.

    Args:
        model: From `fit`, `load` or `open_model`.
        data: As for `fit`; None reads again what the model was measured on.
        **given: Options of the recipe's way to measure, such as where the labels are.

    Raises:
        InputError: The model is no recipe's, or the data cannot be read.
    """
    if model.card is None:
        raise InputError("a model without a card is no recipe's: there is nothing to measure it by")
    if catalog.get(model.card.recipe).assess:
        return assess(model, data, given).metrics
    return measure(model, data_for(model.card, data, given)).metrics


def assess(model: Askable, data: Any, given: Mapping[str, Any]) -> Measured:
    """How a model does on data, for a recipe that finds that out itself; given are its options."""
    fitted = model.in_keras
    assert fitted.card is not None
    values = prediction.settings(fitted.card, given, options.ASSESSING)
    if data is None:
        fitted.card.paths()
    paths = [str(data)] if isinstance(data, str | Path) else data
    measured: Measured = options.call(
        catalog.get(fitted.card.recipe), "assess", fitted, paths, options=values
    )
    return measured


def measure(model: Askable, data: Dataset) -> Measured:
    """How a model of a recipe does on the test part of the data."""
    assert model.card is not None
    recipe, targets = catalog.get(model.card.recipe), data.test.y
    check_fits(model, data)
    outputs = model.runtime.outputs(data.test.x)
    log.debug("measured on %s examples by %s", f"{len(data.test):,}", model.runtime.name)
    details = recipe.details(targets, outputs, model.card.learned) if recipe.details else {}
    return Measured(recipe.measure(targets, outputs), details)


def check_fits(model: Askable, data: Dataset) -> None:
    """Refuses data that a model does not take, or that has other targets than its outputs.

    Raises:
        CorruptModelError: The model takes other inputs than the recipe that its card names.
        InputError: Its outputs have another shape than the targets.
    """
    assert model.card is not None
    check_fits_inputs(model.runtime, data.test.x, model.card.recipe)
    expected, found = data.test.y[:1], model.runtime.outputs(data.test.x[:1])
    if found.shape[: expected.ndim] != expected.shape:
        raise InputError(
            f"{data.name}: its targets have the shape {expected.shape[1:]}, "
            f"the model's outputs {found.shape[1:]}"
        )


def data_for(card: Card, data: Any, given: Mapping[str, Any]) -> Dataset:
    """The data given or, where it is None, what the card's model was fitted on, read again.

    Args:
        card: The model's.
        data: As for `fit`.
        given: Options to read it by, instead of the card's.

    Raises:
        InputError: The data cannot be read, or came from Python when the model was fitted.
    """
    recipe, values = catalog.get(card.recipe), prediction.settings(card, given, ("read",))
    if data is not None:
        return _dataset(recipe, data, values)[0]
    dataset, _ = _dataset(recipe, card.paths(), values, card)
    if dataset.sha256 != card.data["sha256"]:
        log.warning("%s has changed since the model was fitted on it", dataset.name)
    return dataset


def _card(task: Task, run: Run) -> Card:
    test, data = task.data.test, task.data
    return Card(
        recipe=task.recipe.name,
        options=task.options,
        preset=task.preset,
        data={
            "name": data.name,
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
        versions=storage.versions(),
    )


def _calibrated(card: Card, task: Task, run: Run) -> Card:
    """The card, with what the recipe finds out once the net is trained."""
    if task.recipe.calibrate is None:
        return card
    found = options.call(task.recipe, "calibrate", run.model, task.data, options=task.options)
    return replace(
        card,
        learned={**card.learned, **found.learned},
        metrics={**card.metrics, **found.metrics},
    )


def _check_settled(
    recipe: Recipe, card: Card, preset: str | None, given: Mapping[str, Any]
) -> None:
    if preset is not None:
        raise InputError(
            f"--preset {preset}: a model that goes on training keeps its options; change single "
            "ones with --set, or fit anew without --from"
        )
    # A card has no value for options that came to the recipe later.
    had = {name: option.default for name, option in options.of(recipe).items()} | card.options
    for option in (*recipe.reads_as_before, *recipe.built_as_before):
        if given.get(option, had[option]) != had[option]:
            raise InputError(
                f"{option}: a model that goes on training keeps it as before, {had[option]!r}, "
                f"received {given[option]!r}; leave it out, or fit anew without --from"
            )


def _dataset(
    recipe: Recipe, data: Any, values: Mapping[str, Any], start: Card | None = None
) -> tuple[Dataset, list[str] | None]:
    """The data, and the paths it was read from, or None when it came as arrays."""
    if isinstance(data, str | Path):
        data = (data,)
    if not isinstance(data, Sequence):
        raise InputError(f"data: expected paths or a pair (x, y), received {type(data).__name__}")
    if all(isinstance(item, str | Path) for item in data):
        # A name that is no text in any encoding can still be opened, but not written down.
        known = [str(item).encode(errors="replace").decode() for item in data]
        known_before = [start.learned] if start and recipe.reads_as_before else []
        read = options.call(
            recipe, "read", [str(item) for item in data], *known_before, options=values
        )
        _say_read(read)
        return read, None if "-" in known else list(read.known_as) or known
    if len(data) != 2:
        raise InputError(f"data: expected paths or a pair (x, y), received {len(data)} things")
    given = recipe.from_arrays(*data)
    _say_read(given)
    return given, None


def _say_read(data: Dataset) -> None:
    log.debug(
        "read %s: %s examples to train on, %s to watch, %s to measure on; %s",
        data.name,
        f"{len(data.train):,}",
        f"{len(data.validation) if data.validation else 0:,}",
        f"{len(data.test):,}",
        data.note,
    )
