"""What the tests share: the real command line in an empty folder, and one fitted XOR model."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keras_recipes import backend, cli, fit, save
from keras_recipes.recipe import Fitted

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def recipes(empty_folder: Path) -> Run:
    """Runs `recipes ARGUMENTS...` and gives exit code, stdout and stderr."""

    def run(*arguments: str, **extra: object) -> Result:
        return CliRunner().invoke(cli.commands, list(arguments), **extra)

    return run


@pytest.fixture(scope="session")
def fitted() -> Fitted:
    """XOR, fitted as `recipes fit xor` does it."""
    backend.start()
    return fit("xor", show_progress=False)


@pytest.fixture(scope="session")
def saved_once(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(fitted, tmp_path_factory.mktemp("saved") / "xor")


@pytest.fixture
def saved(saved_once: Path, empty_folder: Path) -> Path:
    """A copy of the saved model where the command line looks for it."""
    return Path(shutil.copytree(saved_once, empty_folder / "saved_models" / "xor"))


def shared_data(name: str) -> Path:
    """Test data that lies outside the project; skips the test where it does not."""
    folder = os.environ.get("KERAS_RECIPES_TEST_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"KERAS_RECIPES_TEST_DATA names no folder with {name}")
    return Path(folder) / name
