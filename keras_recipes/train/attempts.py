"""Training until the goal is reached: an attempt, a longer attempt, a restart.

If a net does not converge, the articles advise to train longer or to start again from other random
weights. A run does both, in this order, and logs it.
"""

import hashlib
import logging
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend, options
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.errors import GoalNotReachedError, InputError, RecipeError, first_line
from keras_recipes.models.history import History, epochs_in_words
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Plan, Recipe
from keras_recipes.report.event_files import EventFiles
from keras_recipes.report.progress import Update
from keras_recipes.train import compiled_loop
from keras_recipes.train.checkpoint import Checkpoint, State

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

_SEEDED = threading.Lock()
"""Held while a net draws its first weights from random numbers that all threads share."""


@dataclass
class Run:
    """A fit in progress: the model, its plan, and the results so far.

    Attributes:
        recipe: The recipe that is fitted.
        values: The recipe's options.
        plan: The plan that was made from the options.
        data: The training and validation data.
        callbacks: Keras callbacks.
        deterministic: Whether the number of cores must not change the sums.
        event_files: The files that TensorBoard draws the metrics from, if they are wanted.
        restarts: The number of restarts so far.
        results: The metrics of each call of the current attempt.
        seconds: The time of training so far, compilation included.
        start: A model whose weights are used instead of random weights, if there is one.
        outputs: For each output of the model the output of `start` that it continues, or None for a
            new one; see `Answers.outputs_kept`.
        best_weights: The weights with the smallest validation loss so far, if the plan has a
            patience.
    """

    recipe: Recipe
    values: Mapping[str, Any]
    plan: Plan
    data: Dataset
    callbacks: "tuple[keras.callbacks.Callback, ...]" = ()
    deterministic: bool = False
    event_files: EventFiles | None = None
    restarts: int = 0
    results: list[dict[str, np.ndarray]] = field(default_factory=list)
    seconds: float = 0.0
    start: "keras.Model | None" = None
    outputs: tuple[int | None, ...] | None = None
    best_weights: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._said: set[str] = set()
        self.model = self._build()
        if self.start is not None:
            _adopt(self.model, self.start, self.outputs)
        self._frozen = _freeze(self.model, self.plan.frozen)
        self.first_weights: tuple[np.ndarray, ...] = tuple(self.model.get_weights())
        augment = self.plan.augment() if self.plan.augment else None
        # Its random numbers go on where they were when a fit is resumed.
        self._augment_variables = list(augment.variables) if augment else []
        self._call = compiled_loop.compile_epochs(
            self.model,
            self.data.train,
            batch_size=self.plan.batch_size,
            seed=self.plan.seed,
            jit_compile=self.plan.jit_compile
            and (self.plan.jit_compile_on_gpu or not backend.gpus()),
            replicas=backend.replicas(self.recipe.side_by_side, deterministic=self.deterministic),
            augment=augment,
        )
        self._first_slots = [slot.numpy() for slot in self.model.optimizer.variables]

    @property
    def epochs(self) -> int:
        """The number of epochs of the current attempt."""
        return sum(len(result["loss"]) for result in self.results)

    def history(self) -> History:
        """Return the metrics of every epoch of the current attempt."""
        return History.of(self.results)

    def until_goal(self, checkpoint: Checkpoint | None, update: Update) -> None:
        """Train until the goal is reached: an attempt, a longer attempt, then restarts.

        A callback that sets `model.stop_training` ends the run.

        Args:
            checkpoint: The file that keeps the progress, if there is one.
            update: The function that updates the progress bar.

        Raises:
            GoalNotReachedError: No attempt reached the goal.
            StoppedError: The process was asked to stop; the checkpoint holds the progress.
            RecipeError: The loss is no longer a finite number, and the plan has no goal.
        """
        plan = self.plan
        while True:
            if self._train(plan.epochs, checkpoint, update) or self.model.stop_training:
                return
            if plan.extra_epochs and self._finite():
                self._say("training longer")
                epochs = plan.epochs + plan.extra_epochs
                if self._train(epochs, checkpoint, update) or self.model.stop_training:
                    return
            if self.restarts == plan.restarts:
                raise GoalNotReachedError(self._failure())
            self._say(f"starting again from other weights, up to {_times(plan.restarts)}")
            self._restart()

    def thaw(self) -> None:
        """Let all layers be trained again, as in the model that the recipe builds."""
        for layer in self._frozen:
            layer.trainable = True

    def made_of(self) -> dict[str, Any]:
        """Return what identifies this fit: options, data, backend, and the start's weights."""
        import keras

        made_of = {
            "data": self.data.sha256,
            "backend": keras.backend.backend(),
            "deterministic": self.deterministic,
        }
        if self.start is not None:
            made_of["from"] = _digest(self.start.get_weights())
        return {**self.values, **made_of}

    def go_on_from(self, state: State) -> None:
        """Continue from the state of a run that was stopped.

        Raises:
            ValueError: The state is not that of such a run.
        """
        self._check(state)
        for variable, value in zip(self._variables(), state.variables, strict=True):
            variable.assign(value)
        self.restarts, self.seconds = state.restarts, state.seconds
        self.first_weights, self.results = tuple(state.first_weights), [state.history]
        self.best_weights = state.best_weights

    def _state(self) -> State:
        return State(
            made_of=self.made_of(),
            restarts=self.restarts,
            seconds=self.seconds,
            variables=[variable.numpy() for variable in self._variables()],
            first_weights=list(self.first_weights),
            history=dict(self.history().values),
            best_weights=self.best_weights,
        )

    def _check(self, state: State) -> None:
        """Refuse a state that no run like this one can have."""
        shapes = [tuple(variable.shape) for variable in self._variables()]
        weights = [array.shape for array in self.first_weights]
        names = {"loss", *self.model.get_metrics_result()}
        known = names | {f"val_{name}" for name in names | set(self.recipe.metrics)}
        if [array.shape for array in state.variables] != shapes:
            raise ValueError("other variables than the model has")
        if [array.shape for array in state.first_weights] != weights:
            raise ValueError("other first weights than the model has")
        if state.best_weights and [array.shape for array in state.best_weights] != weights:
            raise ValueError("other best weights than the model has")
        if not set(state.history) <= known:
            raise ValueError("metrics that the model does not have")
        longest = self.plan.epochs + self.plan.extra_epochs
        if state.restarts > self.plan.restarts or state.epochs > longest:
            raise ValueError("more training than the plan allows")

    def _variables(self) -> list[Any]:
        return [
            *self.model.variables,
            *self.model.optimizer.variables,
            *self._augment_variables,
        ]

    def _build(self) -> "keras.Model":
        seed = self.plan.seed
        if self.restarts:
            seed = int(np.random.SeedSequence([seed, self.restarts]).generate_state(1)[0])
        with _SEEDED:
            backend.seed(seed)
            model = built(self.recipe, self.values)
            if self.recipe.adapt and self.start is None:
                self.recipe.adapt(model, self.data.train.x)
        return model

    def _restart(self) -> None:
        # New weights in the same model, so that the compiled function can still be used.
        self.restarts += 1
        self.results.clear()
        self.best_weights = []
        self.model.set_weights(self._build().get_weights())
        self.first_weights = tuple(self.model.get_weights())
        for slot, value in zip(self.model.optimizer.variables, self._first_slots, strict=True):
            slot.assign(value)

    def _train(self, epochs: int, checkpoint: Checkpoint | None, update: Update) -> bool:
        """Train the current attempt up to `epochs` epochs; return whether it reached the goal."""
        started = time.perf_counter() - self.seconds
        for values in compiled_loop.train(
            self.model,
            self._train_and_watch,
            first_epoch=self.epochs,
            epochs=epochs,
            epochs_per_call=self.plan.epochs_per_call,
            callbacks=self._callbacks(),
        ):
            if self.event_files:
                self.event_files.add(self.epochs, values)
            self.results.append(values)
            before, self.seconds = self.seconds, time.perf_counter() - started
            update(self.epochs, self._latest("loss", "val_accuracy", "val_loss"), epochs)
            log.debug(
                "epoch %s of %s: %s  %.1f s",
                f"{self.epochs:,}",
                f"{epochs:,}",
                self._latest(*values),
                self.seconds - before,
            )
            self._show_text()
            if self._reached() or not self._finite() or self._no_better():
                break
            if checkpoint:
                checkpoint.boundary(self._state)
        if self.best_weights:
            self.model.set_weights(self.best_weights)
        if self.plan.goal is None and not self._finite():
            raise RecipeError(f"{self.recipe.name}: {self._so_far()}; try a smaller learning_rate")
        return self.plan.goal is None or self._reached()

    def _train_and_watch(self, first_epoch: int, count: int) -> dict[str, np.ndarray]:
        values = self._call(first_epoch, count)
        return {**values, **self._watched(len(values["loss"]))}

    def _no_better(self) -> bool:
        """Return whether the validation loss has not improved for too long (early stopping)."""
        if not self.plan.patience or self.data.validation is None:
            return False
        # A call has one validation loss; the epochs before its last have none.
        measured = (float(loss) for result in self.results for loss in result["val_loss"])
        losses = [loss for loss in measured if not math.isnan(loss)] or [math.inf]
        best = losses.index(min(losses))
        if best == len(losses) - 1:
            self.best_weights = self.model.get_weights()
        return len(losses) - 1 - best >= self.plan.patience

    def _reached(self) -> bool:
        return self.plan.goal is not None and self._error() <= self.plan.goal.at_most

    def _error(self) -> float:
        """Return the goal's metric on the training data; the test data is used only at the end."""
        assert self.plan.goal is not None
        return self._measured(self.data.train)[self.plan.goal.metric]

    def _measured(self, examples: Examples) -> dict[str, float]:
        outputs = KerasRuntime(self.model).outputs(examples.x)
        return self.recipe.measure(examples.y, outputs)

    def _watched(self, count: int) -> dict[str, np.ndarray]:
        """Return the validation metrics after a call of `count` epochs; NaN for the others."""
        if self.data.validation is None:
            return {}
        measured = self._measured(self.data.validation)
        unknown = [math.nan] * (count - 1)
        return {f"val_{name}": np.array([*unknown, value]) for name, value in measured.items()}

    def _latest(self, *names: str) -> str:
        last = {name: column[-1] for name, column in self.results[-1].items()}
        shown = {name: last[name] for name in names if name in last}
        return "  ".join(f"{name} {value:.4g}" for name, value in shown.items())

    def _callbacks(self) -> "list[keras.callbacks.Callback]":
        import keras

        if self.plan.rate is None:
            return list(self.callbacks)
        schedule = keras.callbacks.LearningRateScheduler(self.plan.rate)
        return [schedule, *self.callbacks]

    def _finite(self) -> bool:
        return math.isfinite(self.results[-1]["loss"][-1])

    def _so_far(self) -> str:
        if not self._finite():
            return (
                f"the loss is {self.results[-1]['loss'][-1]} after {epochs_in_words(self.epochs)}"
            )
        assert self.plan.goal is not None
        name = self.plan.goal.metric.replace("_", " ")
        return f"{name} {self._error():.3g} after {epochs_in_words(self.epochs)}"

    def _show_text(self) -> None:
        """Log a text that the model writes, if it is a model that writes."""
        text = self.recipe.answers.written(self.model, self.data, self.epochs, self.values)
        if text:
            log.info("after %s the model writes:", epochs_in_words(self.epochs))
            for line in text.splitlines():
                log.info("    %s", line)

    def _say(self, what: str) -> None:
        # Each start has its turn of the same messages: one of each is enough for a warning.
        level = logging.DEBUG if what in self._said else logging.WARNING
        self._said.add(what)
        log.log(level, "the goal is not reached yet (%s): %s", self._so_far(), what)

    def _failure(self) -> str:
        assert self.plan.goal is not None
        starts = f" in the last of {self.restarts + 1} starts" if self.restarts else ""
        advice = "more epochs or restarts" if self._finite() else "a smaller learning_rate"
        return (
            f"{self.recipe.name}: not reached: {self.plan.goal.text}; {self._so_far()}{starts}; "
            f"try {advice}, or another seed"
        )


def built(recipe: Recipe, values: Mapping[str, Any]) -> "keras.Model":
    """Return the net that a recipe builds with these options.

    Raises:
        InputError: The options give no valid net.
    """
    try:
        model: keras.Model = options.call(recipe.build, options=values)
    except Exception as error:
        reason = first_line(error)
        raise InputError(f"{recipe.name}: these options give no valid net: {reason}") from error
    return model


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _freeze(model: "keras.Model", last: str | None) -> "list[keras.Layer]":
    """Freeze the layers from the input to the last one of this name, and return them."""
    layers = model.layers if last else []
    end = 1 + next((i for i, layer in enumerate(layers) if layer.name == last), -1)
    for layer in layers[:end]:
        layer.trainable = False
    return list(layers[:end])


def _adopt(
    model: "keras.Model", start: "keras.Model", outputs: tuple[int | None, ...] | None
) -> None:
    """Copy the weights of another model, which may have other classes, into a model.

    Args:
        model: The model that gets the weights.
        start: The other model.
        outputs: See `Run`; None means that all outputs of the other model are kept in their order.

    Raises:
        InputError: The other model has other layers or sizes.
    """
    mine, theirs = model.get_weights(), start.get_weights()
    if outputs is not None:
        last = next(layer for layer in reversed(model.layers) if layer.weights)
        for place in range(-len(last.weights), 0):
            theirs[place] = _outputs_of(mine[place], theirs[place], outputs)
    more = {
        large - small
        for a, b in zip(mine, theirs, strict=False)
        for large, small in zip(a.shape, b.shape, strict=False)
    }
    # More classes add one number to all sizes that change. More units add two: the four gates of an
    # LSTM are one array, which gets four more columns per unit. That is another net.
    if [w.ndim for w in mine] != [w.ndim for w in theirs] or len(more - {0}) > 1 or min(more) < 0:
        raise InputError(
            "--from: expected a model with the layers that these options give, received another "
            "one; fit without --from"
        )
    for whole, part in zip(mine, theirs, strict=True):
        whole[tuple(slice(0, size) for size in part.shape)] = part
    model.set_weights(mine)


def _outputs_of(
    mine: np.ndarray, theirs: np.ndarray, outputs: tuple[int | None, ...]
) -> np.ndarray:
    """Return an array of the other model with the outputs of this one along its last axis."""
    if mine.shape[:-1] != theirs.shape[:-1]:
        return theirs  # `_adopt` refuses another net
    whole = mine.copy()
    for place, known in enumerate(outputs):
        if known is not None:
            whole[..., place] = theirs[..., known]
    return whole


def _digest(weights: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()
