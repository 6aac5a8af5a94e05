"""TensorBoard's own reader reads the curves of a fit."""

import logging
import os
import resource
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipes import fit
from keras_recipes.errors import InputError, StoppedError
from keras_recipes.models.fitted import Fitted
from keras_recipes.report import event_files
from tests.command_line import Run

EPOCHS = 4


@dataclass
class Told:
    """What a fit told on the way: its event files, its messages, and what callbacks saw."""

    runs: Path
    fitted: Fitted
    seen: dict[int, dict[str, float]]
    messages: list[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Return what a fit told that was stopped after two epochs and resumed."""
    import keras

    folder, seen, messages = tmp_path_factory.mktemp("fit"), {}, []

    class Noted(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            seen[epoch] = logs

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    def fitted(resume: bool) -> Fitted:
        return fit(
            "mnist-mlp",
            "digits",
            out=folder / "m",
            resume=resume,
            tensorboard=folder / "runs",
            callbacks=[Noted()],
            show_progress=False,
            epochs=EPOCHS,
        )

    logger, listener = logging.getLogger("keras_recipes"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(StoppedError):
            fitted(resume=False)
        yield Told(folder / "runs", fitted(resume=True), seen, messages)
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the steps and values of each tag that TensorBoard finds in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run), size_guidance={"scalars": 0}).Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def text_of(run: Path) -> str:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run)).Reload()
    (tag,) = found.Tags()["tensors"]
    return bytes(found.Tensors(tag)[0].tensor_proto.string_val[0]).decode()


def test_every_epoch_is_a_point_of_the_curves(told: Told) -> None:
    assert told.fitted.history is not None
    named: dict[str, dict[str, np.ndarray]] = {"train": {}, "validation": {}}
    for name, column in told.fitted.history.values.items():
        run = "validation" if name.startswith("val_") else "train"
        named[run][f"epoch_{name.removeprefix('val_')}"] = column
    for run, columns in named.items():
        found = curves(told.runs / run)
        assert found.keys() == columns.keys() == {"epoch_loss", "epoch_accuracy"}
        for tag, column in columns.items():
            steps, values = zip(*found[tag], strict=True)
            assert steps == tuple(range(1, EPOCHS + 1))
            np.testing.assert_allclose(values, column, rtol=1e-6)


def test_the_options_are_a_table(told: Told) -> None:
    table = text_of(told.runs / "train")
    assert "| hidden_units | 16 |" in table
    assert f"| epochs | {EPOCHS} |" in table


def test_callbacks_of_keras_see_the_validation_too(told: Told) -> None:
    assert told.fitted.history is not None
    assert sorted(told.seen) == list(range(EPOCHS))
    for name, column in told.fitted.history.values.items():
        np.testing.assert_allclose([told.seen[epoch][name] for epoch in range(EPOCHS)], column)


def test_a_fit_that_starts_again_begins_its_curves_again(empty_folder: Path) -> None:
    with event_files.opened(event_files.prepare("runs", None), {"a": "x|y"}, 1) as files:
        files.add(0, {"loss": np.array([3.0, 2.0, 1.0])})
        files.add(0, {"loss": np.array([0.5, 0.4])})
    assert [step for step, _ in curves(Path("runs/train"))["epoch_loss"]] == [1, 2]
    assert r"| a | x\|y |" in text_of(Path("runs/train"))
    assert curves(Path("runs/validation")) == {}


def test_of_a_long_fit_some_epochs_are_points(empty_folder: Path) -> None:
    with event_files.opened(event_files.prepare("runs", None), {}, 4) as files:
        for call in range(2):
            values = {"loss": np.arange(10.0), "val_loss": np.array([np.nan] * 9 + [1.0])}
            files.add(10 * call, values)
    steps = [step for step, _ in curves(Path("runs/train"))["epoch_loss"]]
    assert steps == [4, 8, 10, 12, 16, 20]
    assert curves(Path("runs/validation"))["epoch_loss"] == [(10, 1.0), (20, 1.0)]


def test_a_full_disk_ends_the_curves_and_not_the_fit(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with event_files.opened(event_files.prepare("runs", None), {}, 1) as files:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            with caplog.at_level(logging.WARNING):
                for epoch in range(3):
                    files.add(epoch, {"loss": np.ones(1)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (message,) = caplog.messages
    assert "the fit goes on without them" in message


def test_an_epoch_is_a_line_of_a_verbose_fit(told: Told) -> None:
    lines = [line.split() for line in told.messages if line.startswith("epoch ")]
    assert [line[:4] for line in lines] == [
        ["epoch", f"{n}", "of", f"{EPOCHS}:"] for n in range(1, EPOCHS + 1)
    ]
    for line in lines:
        assert line[4:-2:2] == ["loss", "accuracy", "val_accuracy", "val_loss"]
        assert line[-1] == "s"


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("", "received an empty name"),
        ("taken", "cannot be written"),
        ("saved_models/xor/runs", "is in the model's folder"),
    ],
)
def test_a_folder_that_cannot_hold_them_is_refused(folder: str, reason: str, recipes: Run) -> None:
    Path("taken").write_text("a file")
    result = recipes("fit", "xor", "--tensorboard", folder)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --tensorboard: ")
    assert reason in result.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_recipes.extras.is_here", lambda package: False)
    with pytest.raises(InputError, match=r"pip install 'keras_recipes\[tensorboard\]'"):
        fit("xor", tensorboard="runs")
