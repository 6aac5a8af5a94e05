"""Stopping a fit and going on with it later: one file beside the model's folder."""

import io
import json
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import publish
from keras_recipes.errors import CorruptModelError, InputError, RecipeError, StoppedError

if TYPE_CHECKING:
    from keras_recipes.run import Run

SECONDS = 60.0
"""A fit that takes longer is kept this often, so that a crash costs no more."""

log = logging.getLogger(__name__)


class Checkpoint:
    """Where a fit's state is kept: weights, optimizer, epochs, attempts, history.

    Orders of examples depend on the seed and the epoch's number alone, so a fit that was stopped
    and resumed ends where it would have ended, unless the net itself draws random numbers.
    """

    def __init__(self, model_folder: Path, *, resume: bool = False) -> None:
        self.path = model_folder.with_name(f".{model_folder.name}.checkpoint.npz")
        self.resume = resume
        self._signal: int | None = None
        self._kept_at = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """In the block, SIGINT and SIGTERM stop at the next boundary; the second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def boundary(self, run: "Run") -> None:
        """Called between epochs: keeps the state from time to time, and when asked to stop.

        Raises:
            StoppedError: After keeping it, when asked to stop.
        """
        if self._signal is None and time.monotonic() - self._kept_at < SECONDS:
            return
        self._kept_at = time.monotonic()
        try:
            publish.file(self.path, _packed(run))
        except RecipeError as error:
            log.warning("this fit could not be resumed if it were stopped: %s", error)
            return
        if self._signal is not None:
            raise StoppedError(
                f"stopped after {run.epochs:,} epochs; the same command with --resume goes on",
                self._signal,
            )

    def restore(self, run: "Run") -> None:
        """Puts a run where the one that was stopped had got to, if that was asked for.

        Raises:
            InputError: Nothing was kept, or it was with other options.
            CorruptModelError: What was kept is damaged.
        """
        if not self.resume:
            if self.path.exists():
                log.warning("a fit that was stopped is kept here; --resume goes on with it")
            return
        if not self.path.exists():
            raise InputError(f"{self.path}: nothing to resume; fit without --resume")
        try:
            _unpack(self.path, run)
        except InputError:
            raise
        except Exception as error:  # whatever a damaged file makes NumPy, zip or JSON say
            raise CorruptModelError(f"{self.path}: damaged; fit without --resume") from error
        log.info("resumed after %s epochs", f"{run.epochs:,}")

    def discard(self) -> None:
        """Removes the file: the fit is saved."""
        self.path.unlink(missing_ok=True)

    def _ask(self, number: int, frame: Any) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number


def _packed(run: "Run") -> bytes:
    import numpy as np

    meta = {"made_of": _made_of(run), "restarts": run.restarts, "seconds": run.seconds}
    arrays = {
        "meta": np.array(json.dumps(meta)),
        **_numbered("variable", [variable.numpy() for variable in _variables(run)]),
        **_numbered("first", run.first_weights),
        **{f"history_{name}": column for name, column in run.history().values.items()},
    }
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _unpack(path: Path, run: "Run") -> None:
    import numpy as np

    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        meta = json.loads(kept["meta"].item())
        if differ := _differences(meta["made_of"], _made_of(run)):
            raise InputError(f"{path}: was kept with other settings: {differ}")
        for i, variable in enumerate(_variables(run)):
            variable.assign(kept[f"variable_{i}"])
        run.first_weights = tuple(kept[f"first_{i}"] for i in range(len(run.first_weights)))
        columns = [name for name in kept.files if name.startswith("history_")]
        run.results[:] = [{name.removeprefix("history_"): kept[name] for name in columns}]
    run.restarts, run.seconds = meta["restarts"], meta["seconds"]


def _made_of(run: "Run") -> dict[str, Any]:
    """What has to be the same for a fit to go on as it would have."""
    import keras

    made_of = {"data": run.data.sha256, "backend": keras.backend.backend()}
    return {**run.values, **made_of}


def _differences(kept: dict[str, Any], now: dict[str, Any]) -> str:
    differ = [name for name in now if kept.get(name) != now[name]]
    return ", ".join(f"{name}={kept.get(name)}" for name in differ)


def _variables(run: "Run") -> list[Any]:
    return [*run.model.variables, *run.model.optimizer.variables]


def _numbered(name: str, arrays: Any) -> dict[str, Any]:
    return {f"{name}_{i}": array for i, array in enumerate(arrays)}
