"""Stopping a fit and going on with it later: one file beside the model's folder."""

import logging
import time
from collections.abc import Callable, Iterator
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
"""A fit that takes longer is kept this often, so that a crash costs no more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """A fit between two epochs.

    Attributes:
        made_of: What has to be the same for the fit to go on as it would have; JSON values.
        restarts: New starts so far.
        seconds: Spent so far.
        variables: The model's and the optimizer's.
        first_weights: The model's weights before training.
        history: Each metric's value at the end of each epoch of the present start.
        best_weights: The model's weights when its validation loss was smallest, where that counts.
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
        """Epochs of the present start."""
        return len(self.history["loss"])


class _Meta(msgspec.Struct):
    """What is kept of a state besides its arrays, as JSON."""

    made_of: dict[str, Any]
    restarts: int
    seconds: float


class Checkpoint:
    """Where a fit's state is kept: weights, optimizer, epochs, attempts, history.

    Orders of examples depend on the seed and the epoch's number alone, so a fit that was stopped
    and resumed ends where it would have ended, unless the net itself draws random numbers.
    """

    def __init__(self, model_folder: Path, *, resume: bool = False, fresh: bool = False) -> None:
        """Makes it; nothing is read yet.

        Args:
            model_folder: Of the fit; the state lies beside it.
            resume: Whether to go on with what is kept.
            fresh: Whether what is kept may go.
        """
        self.path = model_folder.with_name(f".{model_folder.name}.checkpoint.npz")
        self.resume, self.fresh = resume, fresh
        self._state: State | None = None
        self._signal: int | None = None
        self._kept_at = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """In the block, SIGINT and SIGTERM stop at the next boundary; the second one at once."""
        with interrupts.handled(self._ask):
            yield

    def boundary(self, state: Callable[[], State]) -> None:
        """Called between epochs: keeps the state from time to time, and when asked to stop.

        Raises:
            StoppedError: When asked to stop, after keeping it, if it can be kept.
        """
        if self._signal is None and time.monotonic() - self._kept_at < SECONDS:
            return
        self._kept_at, now = time.monotonic(), state()
        try:
            atomic.file(self.path, _packed(now))
        except RecipeError as error:
            if self._signal is not None:
                stopped = f"stopped after {epochs_in_words(now.epochs)}, now lost: {error}"
                raise StoppedError(stopped, self._signal) from None
            log.warning("this fit could not be resumed if it were stopped: %s", error)
            return
        if self._signal is not None:
            epochs = epochs_in_words(now.epochs)
            raise StoppedError(
                f"stopped after {epochs}; the same command with --resume goes on", self._signal
            )

    def check(self) -> None:
        """Refuses to begin anew where a fit is kept that was stopped, unless that is wanted.

        Raises:
            InputError: It is not said what is to become of what is kept; or nothing is, to resume.
        """
        if self.resume and self.fresh:
            raise InputError(
                "--resume goes on with the fit that is kept, --fresh drops it: give one"
            )
        if self.resume and not self.path.exists():
            raise InputError(f"{self.path}: nothing to resume; fit without --resume")
        if not (self.resume or self.fresh) and self.path.exists():
            raise InputError(
                f"{self.path}: keeps a fit that was stopped; go on with it by --resume, or drop it "
                "by --fresh"
            )

    def check_settings(self, made_of: dict[str, Any]) -> None:
        """Reads what is kept, if it is to go on, and refuses it where it is of another fit.

        Args:
            made_of: Of the fit that is to go on, as far as it is known.

        Raises:
            InputError: It was kept with other settings.
            CorruptModelError: What was kept is damaged.
            UnsafeModelError: It holds Python objects, or more than the limits.
        """
        if not self.resume:
            return
        if self._state is None:
            try:
                self._state = _unpacked(self.path)
            except UnsafeModelError:
                raise
            except Exception as error:  # whatever a damaged file makes NumPy, zip or JSON say
                raise CorruptModelError(
                    f"{self.path}: damaged; fit without --resume: --fresh drops it"
                ) from error
        state = self._state
        differ = [name for name in made_of if state.made_of.get(name) != made_of[name]]
        if differ:
            kept = ", ".join(
                f"{name}={state.made_of.get(name)}, received {made_of[name]}" for name in differ
            )
            raise InputError(
                f"{self.path}: was kept with other settings, {kept}; take those with --resume, or "
                "drop it by --fresh"
            )

    def kept(self, made_of: dict[str, Any]) -> State | None:
        """Where the fit that was stopped had got to, if it is to go on; see `check_settings`."""
        self.check_settings(made_of)
        if self._state is None:
            if self.fresh and self.path.exists():
                self.discard()
                log.info("dropped the fit that was stopped and kept as %s", self.path)
            return None
        log.info("resumed after %s", epochs_in_words(self._state.epochs))
        return self._state

    def discard(self) -> None:
        """Removes the file: the fit is saved."""
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
    # The weights, as they were, are and were best, and the optimizer's two slots for each.
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
    return State(
        made_of=meta.made_of,
        restarts=meta.restarts,
        seconds=meta.seconds,
        variables=numbered("variable"),
        first_weights=numbered("first"),
        history={"loss": history.pop("loss"), **history},
        best_weights=numbered("best"),
    )
