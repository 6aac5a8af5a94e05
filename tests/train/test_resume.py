"""A fit that was stopped and resumed ends as the fit that was not stopped."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipes import backend, fit
from keras_recipes.errors import CorruptModelError, StoppedError
from keras_recipes.models.fitted import Fitted

EPOCHS = 4


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return 60 images of 28 x 28 points, six of each class, with a bright bar for each class."""
    random = np.random.default_rng(0)
    classes = np.arange(60) % 10
    images = random.integers(0, 60, (60, 28, 28)).astype("uint8")
    for image, digit in zip(images, classes, strict=True):
        image[4:24, 2 * digit + 3 : 2 * digit + 6] = 255
    return images, classes


def stopped_after(epochs: int) -> Any:
    """Return a callback that asks the process to stop after so many epochs."""
    import keras

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch + 1 == epochs:
                os.kill(os.getpid(), signal.SIGTERM)

    return Stop()


def weights(fitted: Fitted) -> list[np.ndarray]:
    return list(fitted.model.get_weights())


FITS = {
    "mnist-mlp": {},
    "lenet5, dropout": {"dropout": 0.3},
    "mnist-mlp, deskewed": {"preset": "deskewed"},
    "lenet5": {},
    "lenet5, 1998": {"preset": "1998"},
    "lenet5, best": {"preset": "best"},
}


@pytest.mark.full
@pytest.mark.parametrize("name", FITS)
def test_it_ends_with_the_same_weights(
    name: str, digits: tuple[np.ndarray, np.ndarray], empty_folder: Path
) -> None:
    backend.start()
    recipe, given = name.split(",")[0], {**FITS[name], "epochs": EPOCHS, "seed": 3}
    whole = fit(recipe, digits, out="whole", **given)
    with pytest.raises(StoppedError, match="after 2 epochs"):
        fit(recipe, digits, out="parts", callbacks=[stopped_after(2)], **given)
    parts = fit(recipe, digits, out="parts", resume=True, **given)
    for one, other in zip(weights(whole), weights(parts), strict=True):
        assert one.tobytes() == other.tobytes()
    assert dict(whole.history.values).keys() == dict(parts.history.values).keys()
    for metric, column in whole.history.values.items():
        np.testing.assert_array_equal(column, parts.history.values[metric])


@pytest.mark.full
def test_it_ends_as_early_as_the_fit_that_was_not_stopped(empty_folder: Path) -> None:
    backend.start()
    random = np.random.default_rng(1)
    lines = [f"job {i} step {random.integers(3)} of {'abc'[i % 3]}" for i in range(1_200)]
    Path("normal.log").write_text("\n".join(lines))
    given: dict[str, Any] = {"patience": 3, "learning_rate": 0.5, "window": "20", "epochs": 30}
    whole = fit("lstm-anomaly", "normal.log", out="whole", **given)
    best = int(np.argmin(whole.history.values["val_loss"]))
    assert best + 4 == len(whole.history.values["loss"]) < 30
    with pytest.raises(StoppedError):
        callbacks = [stopped_after(best + 2)]
        fit("lstm-anomaly", "normal.log", out="parts", callbacks=callbacks, **given)
    parts = fit("lstm-anomaly", "normal.log", out="parts", resume=True, **given)
    assert len(parts.history.values["loss"]) == best + 4
    for one, other in zip(weights(whole), weights(parts), strict=True):
        assert one.tobytes() == other.tobytes()


CHANGES: dict[str, Any] = {
    "a variable of another shape": lambda kept: kept | {"variable_0": np.zeros((9, 9), "float32")},
    "a variable less": lambda kept: {k: v for k, v in kept.items() if k != "variable_1"},
    "a number that is not finite": lambda kept: (
        kept | {"variable_0": np.full_like(kept["variable_0"], np.nan)}
    ),
    "no first weights": lambda kept: {k: v for k, v in kept.items() if "first" not in k},
    "a history of two axes": lambda kept: (
        kept | {"history_loss": np.atleast_2d(kept["history_loss"])}
    ),
    "an empty history": lambda kept: (
        {k: v[:0] if k.startswith("history_") else v for k, v in kept.items()}
    ),
    "an unknown metric": lambda kept: kept | {"history_colour": kept["history_loss"]},
    "a time that is no number": lambda kept: (
        kept | {"meta": _with(kept, b'"seconds":', b'"seconds":NaN,"s":')}
    ),
    "negative restarts": lambda kept: (
        kept | {"meta": _with(kept, b'"restarts":0', b'"restarts":-9')}
    ),
    "many restarts": lambda kept: (
        kept | {"meta": _with(kept, b'"restarts":0', b'"restarts":1000000000000000000')}
    ),
}


def _with(kept: dict[str, np.ndarray], old: bytes, new: bytes) -> np.ndarray:
    text = kept["meta"].tobytes()
    assert old in text
    return np.frombuffer(text.replace(old, new), "uint8")


@pytest.fixture(scope="module")
def stopped(
    digits: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the checkpoint of a fit that was stopped."""
    backend.start()
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(StoppedError):
        fit("mnist-mlp", digits, out=folder / "m", epochs=3, callbacks=[stopped_after(1)])
    return folder / ".m.checkpoint.npz"


@pytest.mark.parametrize("change", CHANGES)
def test_a_checkpoint_that_was_changed_is_refused(
    change: str, digits: tuple[np.ndarray, np.ndarray], stopped: Path, empty_folder: Path
) -> None:
    with np.load(stopped) as archive:
        kept = CHANGES[change](dict(archive))
    np.savez(empty_folder / ".m.checkpoint.npz", **kept)
    with pytest.raises(CorruptModelError, match="damaged; discard it with --fresh"):
        fit("mnist-mlp", digits, out=empty_folder / "m", epochs=3, resume=True)
    assert not (empty_folder / "m").exists()


def test_a_fit_that_an_older_version_stopped_is_resumed(
    digits: tuple[np.ndarray, np.ndarray], stopped: Path, empty_folder: Path
) -> None:
    with np.load(stopped) as archive:
        kept = dict(archive)
    older = _with(kept, b',"deterministic":false', b"")
    np.savez(empty_folder / ".m.checkpoint.npz", **(kept | {"meta": older}))
    resumed = fit("mnist-mlp", digits, out=empty_folder / "m", epochs=3, resume=True)
    assert len(resumed.history.values["loss"]) == 3
