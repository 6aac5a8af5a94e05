"""Shared fixtures: the command line in an empty folder, and fitted models."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keras_recipes import backend, fit, load, save
from keras_recipes.cli import commands
from keras_recipes.digits import data as digits
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate
from tests.command_line import Run
from tests.shared_data import shared_data

LONGEST = Path(__file__).parent / "pages" / "test_commands.py"
"""The file that takes longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file, or it would run on when the other workers have ended."""
    items.sort(key=lambda item: item.path != LONGEST)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run each test in its own empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # Where the fits of this machine are recorded.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # An earlier test may have run the command line in this process, which stops the propagation.
    monkeypatch.setattr(logging.getLogger("keras_recipes"), "propagate", True)
    return folder


@pytest.fixture
def recipes(empty_folder: Path) -> Run:
    """Return a function that runs `recipes ARGUMENTS...` and returns exit code and outputs."""

    def run(*arguments: str, **extra: object) -> Result:
        return CliRunner().invoke(commands, list(arguments), **extra)

    return run


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """Collect the package's log messages during the test."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger, listener = logging.getLogger("keras_recipes"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    yield told
    logger.removeHandler(listener)
    logger.setLevel(level)


@pytest.fixture(scope="session")
def fitted() -> Fitted:
    """Return XOR, fitted as by `recipes fit xor`."""
    backend.start()
    return fit("xor", show_progress=False)


@pytest.fixture(scope="session")
def saved_once(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(fitted, tmp_path_factory.mktemp("saved") / "xor")


@pytest.fixture
def saved(saved_once: Path, empty_folder: Path) -> Path:
    """Copy the saved model to where the command line looks for it."""
    return Path(shutil.copytree(saved_once, empty_folder / "saved_models" / "xor"))


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes of the test find MNIST; skip the test if MNIST is not on this machine."""
    if not digits.mnist_is_here():
        monkeypatch.setenv("KERAS_HOME", str(shared_data("datasets/keras_home")))


@pytest.fixture(scope="session")
def lenet() -> Fitted:
    """Return the shipped LeNet-5 with scikit-learn's digits as its data, which need no download."""
    fitted = load(locate.shipped("lenet5"))
    data = {**fitted.card.data, "paths": ["digits"]}
    return replace(fitted, card=replace(fitted.card, data=data), place=None)


@pytest.fixture(scope="session")
def lstm() -> Fitted:
    """Return a small recurrent net without a card: twelve steps of three numbers, four classes."""
    import keras

    backend.start()
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((12, 3)),
        keras.layers.LSTM(8, return_sequences=True),
        keras.layers.LSTM(8),
        keras.layers.Dense(4, activation="softmax"),
    ]
    return Fitted(model=keras.Sequential(layers))
