"""Event files of a fit, which TensorBoard draws as curves while the fit runs.

The names are those of Keras' own callback: the tags `epoch_loss`, `epoch_accuracy` and so on, in
the runs `train` and `validation`. Epochs are counted from 1, as in `history.csv`.
"""

import contextlib
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes import extras
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

SECONDS = 1.0
"""The least time between two moments at which the files are written out."""

log = logging.getLogger(__name__)


def prepare(path: str | Path, model_folder: Path | None) -> Path:
    """Make the folder of the event files before work is spent on a fit.

    Args:
        path: The folder.
        model_folder: The folder that the model is saved in, if it is saved.

    Returns:
        The folder.

    Raises:
        InputError: The folder cannot be written, or it is in the model's folder, or tensorboardX is
            not installed.
    """
    extras.require("--tensorboard", "tensorboard", ["tensorboardX"])
    if not str(path):
        raise InputError("--tensorboard: expected a folder, received an empty name; name a folder")
    folder = Path(path)
    if model_folder and folder.resolve().is_relative_to(model_folder.resolve()):
        raise InputError(
            f"--tensorboard: {printable(folder, 200)} is in the model's folder, which holds the "
            "model alone; name another folder"
        )
    try:
        for run in ("train", "validation"):
            (folder / run).mkdir(parents=True, exist_ok=True)
            if not os.access(folder / run, os.W_OK):
                raise PermissionError(None, "Permission denied")
    except OSError as error:
        raise InputError(
            f"--tensorboard: {printable(folder, 200)}: cannot be written: {error.strerror}; name "
            "another folder"
        ) from None
    return folder


@contextlib.contextmanager
def opened(
    folder: Path | None, options: Mapping[str, Any], stride: int
) -> "Iterator[EventFiles | None]":
    """Open the event files of a fit; None as the folder opens nothing.

    Args:
        folder: What `prepare` returned.
        options: The options of the fit, which are written as a table.
        stride: Of each call's epochs, one of so many is written, and the last.
    """
    if folder is None:
        yield None
        return
    files = EventFiles(folder, options, stride)
    try:
        yield files
    finally:
        files.close()


class EventFiles:
    """The two event files of a fit, for training and validation."""

    def __init__(self, folder: Path, options: Mapping[str, Any], stride: int) -> None:
        """Open the files; see `opened`."""
        from tensorboardX.event_file_writer import EventsWriter

        # The names sort by the time and then by this, so that readers see the files in their order.
        suffix = f".{time.time_ns()}"
        self._writers = {
            run: EventsWriter(str(folder / run / "events"), suffix)
            for run in ("train", "validation")
        }
        self._folder, self._options, self._stride = folder, options, stride
        self._trained: int | None = None
        self._failed = False
        self._written_out = -math.inf

    def add(self, first_epoch: int, values: "Mapping[str, np.ndarray]") -> None:
        """Write the metrics of consecutive epochs.

        If the epochs do not go on from the last ones, a fit was resumed or started again. Readers
        then drop what they have of these epochs and later ones.

        Args:
            first_epoch: The number of epochs before these.
            values: For each metric an array with one value per epoch; NaN is unknown.
        """
        if self._failed:
            return
        try:
            if first_epoch != self._trained:
                self._begin(first_epoch + 1)
            count = len(values["loss"])
            self._trained = first_epoch + count
            for place in range(count):
                if (first_epoch + place + 1) % self._stride == 0 or place == count - 1:
                    row = {name: float(column[place]) for name, column in values.items()}
                    self._write(first_epoch + place + 1, row)
            self._write_out()
        except OSError as error:
            log.warning(
                "the curves cannot be written to %s any more, the fit goes on without them: %s",
                self._folder,
                error.strerror,
            )
            self._failed = True

    def close(self) -> None:
        """Write out what is left, and close the files."""
        for writer in self._writers.values():
            with contextlib.suppress(OSError):
                writer.close()

    def _begin(self, epoch: int) -> None:
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.summary import text

        now = time.time()
        for writer in self._writers.values():
            start = SessionLog(status=SessionLog.START)
            writer.write_event(Event(wall_time=now, step=epoch, session_log=start))
        if self._trained is None:
            rows = [f"| {name} | {_cell(value)} |" for name, value in self._options.items()]
            table = text("options", "\n".join(["| option | value |", "| --- | --- |", *rows]))
            self._writers["train"].write_event(Event(wall_time=now, step=epoch, summary=table))

    def _write(self, epoch: int, row: Mapping[str, float]) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        runs: dict[str, list[Any]] = {"train": [], "validation": []}
        for name, value in row.items():
            run = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            if not math.isnan(value) or run == "train":
                runs[run].append(Summary.Value(tag=tag, simple_value=value))
        for run, writer in self._writers.items():
            if runs[run]:
                summary = Summary(value=runs[run])
                writer.write_event(Event(wall_time=time.time(), step=epoch, summary=summary))

    def _write_out(self) -> None:
        if time.monotonic() - self._written_out >= SECONDS:
            for writer in self._writers.values():
                writer.flush()
            self._written_out = time.monotonic()


def _cell(value: Any) -> str:
    return printable(value, 200).replace("|", "\\|")
