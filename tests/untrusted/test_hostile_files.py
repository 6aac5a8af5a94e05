"""Hostile or damaged files are refused in one line with the exit status, and change nothing."""

import json
import shutil
from pathlib import Path

import pytest

from keras_recipes import backend
from tests.command_line import Run
from tests.shared_data import shared_data
from tests.untrusted import hostile_cases
from tests.untrusted.hostile_cases import CASES, Case

pytestmark = pytest.mark.full


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    backend.start()
    folder = tmp_path_factory.mktemp("good")
    hostile_cases.good_pair(folder)
    return folder


@pytest.fixture
def here(good: Path, empty_folder: Path) -> Path:
    shutil.copytree(good, empty_folder, dirs_exist_ok=True)
    return empty_folder


def state() -> tuple[object, ...]:
    import keras
    from keras.src.backend.common import global_state

    return (
        keras.config.floatx(),
        keras.config.dtype_policy().name,
        keras.config.image_data_format(),
        keras.config.is_interactive_logging_enabled(),
        dict(keras.saving.get_custom_objects()),
        len(global_state.get_global_attribute("uninitialized_variables") or []),
    )


def test_the_pair_that_all_cases_start_from_opens(recipes: Run, here: Path) -> None:
    result = recipes("predict", *CASES[0].arguments)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("warning: ")
    assert "it could not be verified" in result.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_in_one_line(case: Case, recipes: Run, here: Path) -> None:
    case.make(here)
    files, before = sorted(here.rglob("*")), state()
    result = recipes("predict", *case.arguments)
    *warnings, line = result.stderr.splitlines()
    assert result.exit_code in case.codes, result.stderr
    assert line.startswith("error: ")
    assert all("it could not be verified" in warning for warning in warnings)
    assert line.isprintable()
    assert "unexpected" not in line
    assert ";" in line or case.codes == (2,)
    assert sorted(here.rglob("*")) == files
    assert state() == before
    assert result.stdout == ""


def test_the_shared_cases_are_answered_as_expected(recipes: Run, empty_folder: Path) -> None:
    cases = shared_data("hostile/cases")
    wrong = []
    for meta in json.loads((cases / "index.json").read_text()):
        for entry in (cases / meta["id"]).iterdir():
            copy = shutil.copytree if entry.is_dir() else shutil.copyfile
            copy(entry, empty_folder / entry.name)
        weights = ["--weights", meta["weights"]] if meta["weights"] else []
        result = recipes("predict", meta["arch"], *weights, meta["input"])
        refused = result.exit_code in (2, 3, 4) and result.stderr.splitlines()[-1].isprintable()
        opened = result.exit_code == 0 and "could not be verified" in result.stderr
        right = {"refuse": refused, "load": opened, "warn": refused or opened}
        if not right[meta["expect"]]:
            wrong.append((meta["id"], result.exit_code, result.stderr))
        for entry in empty_folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert not wrong


def test_an_old_layout_opens(recipes: Run, here: Path) -> None:
    hostile_cases.legacy(here).close()
    new = recipes("predict", "model.json", "--weights", "model.weights.h5", "input.npy")
    old = recipes("predict", "model.json", "--weights", "model.h5", "input.npy")
    assert old.exit_code == 0, old.stderr
    assert old.stdout == new.stdout


def test_the_limit_can_be_raised(recipes: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_RECIPES_MAX_PARAMETERS", "50")
    refused = recipes("predict", *CASES[0].arguments)
    assert refused.exit_code == 3
    assert "set KERAS_RECIPES_MAX_PARAMETERS higher than 50" in refused.stderr
    monkeypatch.setenv("KERAS_RECIPES_MAX_PARAMETERS", "200")
    assert recipes("predict", *CASES[0].arguments).exit_code == 0
    monkeypatch.setenv("KERAS_RECIPES_MAX_PARAMETERS", "many")
    assert recipes("predict", *CASES[0].arguments).exit_code == 2
