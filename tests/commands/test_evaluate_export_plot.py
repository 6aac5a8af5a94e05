"""`recipes evaluate`, `export` and `plot` with a fitted model."""

import json
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import load
from tests.command_line import Run


def test_evaluate_prints_what_fit_measured(recipes: Run, saved: Path) -> None:
    answer = json.loads(recipes("evaluate", "xor", "--json").stdout)
    assert answer["metrics"] == pytest.approx(load("xor").card.metrics, rel=1e-5)


def test_labels_for_a_model_that_has_no_use_for_them_are_refused(recipes: Run, saved: Path) -> None:
    (saved / "card.json").unlink()
    np.savez("xy.npz", x=np.eye(2), y=np.ones((2, 1)))
    asked = ("evaluate", str(saved / "model.json"), "--data", "xy.npz", "--labels", "none.csv")
    result = recipes(*asked)
    assert result.exit_code == 2
    assert "labels=none.csv" in result.stderr


@pytest.mark.parametrize("form", ["keras", "json-h5"])
def test_an_export_opens_and_answers_alike(recipes: Run, saved: Path, form: str) -> None:
    exported = recipes("export", "xor", "--format", form)
    assert exported.exit_code == 0, exported.stderr
    path = exported.stdout.strip()
    original = recipes("predict", "xor", "0,1", "--format", "jsonl").stdout
    answer = json.loads(recipes("predict", path, "0,1", "--format", "jsonl").stdout)
    assert answer["probability"] == pytest.approx(json.loads(original)["probability"], abs=1e-6)


def test_plot_writes_the_recipes_pictures(recipes: Run, saved: Path, empty_folder: Path) -> None:
    result = recipes("plot", "xor")
    paths = result.stdout.split()
    assert [Path(p).name for p in paths] == ["loss.png", "surface.png", "hidden.png"]
    assert all((empty_folder / p).read_bytes().startswith(b"\x89PNG") for p in paths)
