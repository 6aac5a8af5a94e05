"""Stopping and resuming a fit: its progress is kept in one file next to the model's folder."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from keras_recipes import atomic, interrupts, state_archive
from keras_recipes.errors import (
    CorruptModelError,
    InputError,
    RecipeError,
    StoppedError,
    UnsafeModelError,
)
from keras_recipes.models.history import epochs_in_words
from keras_recipes.untrusted import limits

SECONDS = 60.0
"""The time between two checkpoints. A crash costs at most this much of training."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """The state of a fit between two epochs.

    Attributes:
        made_of: The settings that identify the fit, as JSON values. A fit is resumed only with the
            same settings.
        restarts: The number of restarts so far.
        seconds: The time of training so far.
        variables: The variables of the model, of the optimizer, and of the layer that changes the
            training inputs, if there is one.
        first_weights: The model's weights before training.
        history: The value of each metric at the end of each epoch of the current attempt.
        best_weights: The weights with the smallest validation loss, if the plan has a patience.
    """

    made_of: dict[str, Any]
    restarts: int
    seconds: float
    variables: list[np.ndarray]
    first_weights: list[np.ndarray]
    history: dict[str, np.ndarray]
    best_weights: list[np.ndarray]

    @property
    def epochs(self) -> int:
        """The number of epochs of the current attempt."""
        return len(self.history["loss"])


class _Meta(msgspec.Struct):
    """The parts of a state that are no arrays; they are kept as JSON."""

    made_of: dict[str, Any]
    restarts: int
    seconds: float


class Checkpoint:
    """The file that keeps a fit's state: weights, optimizer, epochs, attempts, history.

    The order of the examples depends on the seed and the number of the epoch only, and the state of
    all other random numbers, those of dropout and of warped images, is kept with the weights. So a
    fit that was stopped and resumed ends with the same weights as one that was not stopped.
    """

    def __init__(self, model_folder: Path, *, resume: bool = False, fresh: bool = False) -> None:
        """Make a checkpoint; nothing is read yet.

        Args:
            model_folder: The folder of the model; the file is next to it.
            resume: Whether to resume the fit that the file keeps.
            fresh: Whether to discard the fit that the file keeps.
        """
        self.path = model_folder.with_name(f".{model_folder.name}.checkpoint.npz")
        self.resume, self.fresh = resume, fresh
        self._state: State | None = None
        self._signal: int | None = None
        self._kept_at = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Make a signal stop the fit between two epochs, and a second one at once."""
        with interrupts.handled(self._ask):
            yield

    def boundary(self, state: Callable[[], State]) -> None:
        """Keep the state if it is time, or if the process was asked to stop.

        The fit calls this between two epochs.

        Args:
            state: The function that returns the current state.

        Raises:
            StoppedError: The process was asked to stop. The state is kept if it could be written.
        """
        if self._signal is None and time.monotonic() - self._kept_at < SECONDS:
            return
        self._kept_at, now = time.monotonic(), state()
        try:
            atomic.file(self.path, _packed(now))
        except RecipeError as error:
            if self._signal is not None:
                stopped = f"stopped after {epochs_in_words(now.epochs)}, which are lost: {error}"
                raise StoppedError(stopped, self._signal) from None
            log.warning("the progress cannot be kept, so this fit cannot be resumed: %s", error)
            return
        if self._signal is not None:
            epochs = epochs_in_words(now.epochs)
            raise StoppedError(
                f"stopped after {epochs}; the same command with --resume goes on", self._signal
            )

    def check(self) -> None:
        """Refuse to overwrite a fit that was stopped, or to resume one that does not exist.

        Raises:
            InputError: A fit is kept, and neither `resume` nor `fresh` is set; both are set; or
                `resume` is set and no fit is kept.
        """
        if self.resume and self.fresh:
            raise InputError(
                "--resume continues the fit that was stopped, --fresh discards it; give one"
            )
        if self.resume and not self.path.exists():
            raise InputError(f"{self.path}: nothing to resume; fit without --resume")
        if not (self.resume or self.fresh) and self.path.exists():
            raise InputError(
                f"{self.path}: holds a fit that was stopped; continue it with --resume, or discard "
                "it with --fresh"
            )

    def check_settings(self, made_of: dict[str, Any]) -> None:
        """Read the kept state, if the fit is resumed, and refuse the state of another fit.

        Args:
            made_of: The settings of this fit, as far as they are known.

        Raises:
            InputError: The state was kept with other settings.
            CorruptModelError: The file is damaged.
            UnsafeModelError: The file contains Python objects, or is larger than the limits.
        """
        if not self.resume:
            return
        if self._state is None:
            try:
                self._state = _unpacked(self.path)
            except UnsafeModelError:
                raise
            except Exception as error:  # a damaged file raises many kinds of errors
                raise self.damaged() from error
        state = self._state
        differ = [name for name in made_of if state.made_of.get(name) != made_of[name]]
        if differ:
            kept = ", ".join(
                f"{name}={state.made_of.get(name)}, received {made_of[name]}" for name in differ
            )
            raise InputError(
                f"{self.path}: was kept with other settings, {kept}; use the kept ones with "
                "--resume, or discard it with --fresh"
            )

    def kept(self, made_of: dict[str, Any]) -> State | None:
        """Return the kept state if the fit is resumed, else None; see `check_settings`."""
        self.check_settings(made_of)
        if self._state is None:
            if self.fresh and self.path.exists():
                self.discard()
                log.info("discarded the fit that was stopped and kept as %s", self.path)
            return None
        log.info("resumed after %s", epochs_in_words(self._state.epochs))
        return self._state

    def damaged(self) -> CorruptModelError:
        """Return the error for a file whose state cannot be continued."""
        return CorruptModelError(
            f"{self.path}: damaged; discard it with --fresh instead of --resume"
        )

    def discard(self) -> None:
        """Remove the file, because the fit is finished."""
        self.path.unlink(missing_ok=True)

    def _ask(self, number: int, frame: Any) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number


def _packed(state: State) -> bytes:
    meta = _Meta(state.made_of, state.restarts, state.seconds)
    arrays = {
        **{f"variable_{i}": array for i, array in enumerate(state.variables)},
        **{f"first_{i}": array for i, array in enumerate(state.first_weights)},
        **{f"best_{i}": array for i, array in enumerate(state.best_weights)},
        **{f"history_{name}": column for name, column in state.history.items()},
    }
    return state_archive.packed(msgspec.json.encode(meta), arrays)


def _unpacked(path: Path) -> State:
    # Five arrays per weight: the first, the current and the best one, and the optimizer's two.
    plain, kept = state_archive.unpacked(path, 5 * limits.current().array_bytes)
    meta = msgspec.json.decode(plain, type=_Meta)

    def numbered(name: str) -> list[np.ndarray]:
        count = sum(key.startswith(f"{name}_") for key in kept)
        return [kept[f"{name}_{i}"] for i in range(count)]

    history = {
        name.removeprefix("history_"): column
        for name, column in kept.items()
        if name.startswith("history_")
    }
    _check(meta, kept, history)
    return State(
        # Older fits were not deterministic, and do not say so.
        made_of={"deterministic": False, **meta.made_of},
        restarts=meta.restarts,
        seconds=meta.seconds,
        variables=numbered("variable"),
        first_weights=numbered("first"),
        history={"loss": history.pop("loss"), **history},
        best_weights=numbered("best"),
    )


def _check(
    meta: _Meta, arrays: Mapping[str, np.ndarray], history: Mapping[str, np.ndarray]
) -> None:
    """Refuse numbers that no fit has.

    Raises:
        ValueError: The state is damaged.
    """
    if meta.restarts < 0 or not 0 <= meta.seconds < math.inf:
        raise ValueError("a number of restarts or seconds that no fit has")
    lengths = {column.shape for column in history.values()}
    if len(lengths) != 1 or not len(history["loss"]) or history["loss"].ndim != 1:
        raise ValueError("columns of metrics of different lengths, or none")
    weights = [a for name, a in arrays.items() if not name.startswith("history_val_")]
    if not all(np.isfinite(array).all() for array in weights):
        raise ValueError("a number that is not finite")
