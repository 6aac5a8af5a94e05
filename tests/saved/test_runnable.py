"""Saved models answer without importing Keras or TensorFlow, and as Keras does."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import fit, load, open_model, predict, save
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.formats import litert
from keras_recipes.saved import locate, runnable
from tests.command_line import Run

HEAVY = {"tensorflow", "keras", "jax", "torch", "sklearn", "h5py"}
PROGRAM = """
import sys
from keras_recipes.cli import commands
try: commands(sys.argv[1:])
finally: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def asked(*arguments: str, status: int = 0) -> tuple[str, set[str]]:
    """Return what a command line prints, and the packages that it imports."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout, set(done.stderr.splitlines()[-1].split())


def difference(place: str | Path, x: np.ndarray) -> float:
    """Return how far a saved model's answers are from those of its pair in Keras."""
    opened = open_model(place)
    assert opened.light is not None, "no runnable form"
    assert "ai-edge-litert" in opened.runtime.name
    return float(abs(opened.runtime.outputs(x) - load(place).runtime.outputs(x)).max())


def test_a_fitted_net_answers_without_keras(saved: Path) -> None:
    rows, loaded = asked("predict", "xor", "0,1", "1,1", "--format", "jsonl")
    assert [json.loads(row)["class"] for row in rows.splitlines()] == [1, 0]
    assert "ai_edge_litert" in loaded
    assert not loaded & HEAVY


def test_a_fitted_net_is_measured_without_keras(saved: Path) -> None:
    rows, loaded = asked("evaluate", "xor", "--json")
    assert json.loads(rows)["metrics"]["accuracy"] == 1
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", ["lenet5", "mnist-mlp"])
def test_shipped_nets_answer_without_keras(name: str, empty_folder: Path) -> None:
    np.save("digits.npy", np.zeros((2, 28, 28), "uint8"))
    rows, loaded = asked("predict", name, "digits.npy", "--format", "csv")
    assert len(rows.splitlines()) == 3
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", ["lenet5", "mnist-mlp"])
def test_shipped_nets_answer_as_their_pairs_do(name: str) -> None:
    random = np.random.default_rng(0)
    digits = random.integers(0, 256, (200, 28, 28), "uint8")
    digits *= random.random((200, 28, 28)) < 0.2
    assert difference(name, digits[..., None] if name == "lenet5" else digits) <= 1e-5


def test_a_fitted_net_answers_as_its_pair_does(saved: Path) -> None:
    assert difference(saved, np.random.default_rng(0).uniform(-1, 2, (500, 2))) <= 1e-5


def test_a_folder_without_the_runnable_form_answers_in_keras(saved: Path, recipes: Run) -> None:
    expected = recipes("predict", "xor", "0,1", "--format", "csv").stdout
    card = json.loads((saved / "card.json").read_text())
    del card["files"][locate.RUNNABLE]
    (saved / "card.json").write_text(json.dumps(card))
    (saved / locate.RUNNABLE).unlink()
    assert open_model(saved).light is None
    assert recipes("predict", "xor", "0,1", "--format", "csv").stdout == expected


def test_where_the_runtime_is_missing_keras_answers_and_it_is_said(
    saved: Path, recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    absent = {"ai_edge_litert"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in absent else found(name)
    )
    result = recipes("predict", "xor", "0,1", "1,1", "--format", "csv", "-v")
    assert "ai-edge-litert is not installed, so Keras answers" in result.stderr
    assert [line.rpartition(",")[2] for line in result.stdout.splitlines()] == ["class", "1", "0"]


def test_a_changed_runnable_form_is_corrupt(saved: Path, recipes: Run) -> None:
    place = saved / locate.RUNNABLE
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    result = recipes("predict", "xor", "0,1")
    assert result.exit_code == 4
    assert "model.tflite: not the file that card.json describes" in result.stderr


def test_a_missing_runnable_form_is_corrupt(saved: Path, recipes: Run) -> None:
    (saved / locate.RUNNABLE).unlink()
    assert recipes("predict", "xor", "0,1").exit_code == 4


def test_a_form_that_computes_something_else_is_not_kept(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fit("xor", seed=fitted.card.options["seed"] + 1, show_progress=False)
    wrong = litert.converted(other.model)
    monkeypatch.setattr(litert, "converted", lambda model: wrong)
    folder = save(fitted, tmp_path / "model")
    assert not (folder / locate.RUNNABLE).exists()
    assert [row["class"] for row in predict(folder, [[0, 1], [1, 1]])] == [1, 0]


def test_a_net_that_cannot_be_converted_is_saved_all_the_same(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(model: object) -> None:
        raise RuntimeError("an operation that is not built in")

    monkeypatch.setattr(litert, "converted", fails)
    assert runnable.members(fitted) == {}
    assert load(save(fitted, tmp_path / "model")).card is not None


LOG = [f"2026-03-01T10:{n // 60:02}:{n % 60:02} order {n // 4} {'abcd'[n % 4]}" for n in range(400)]
SERIES = ["time,value"]
SERIES += [f"2026-03-01T{n // 60:02}:{n % 60:02}:00,{n % 12}" for n in range(600)]


@pytest.mark.parametrize(
    ("lines", "options"),
    [(LOG, {"session": r"order (\d+)"}), (SERIES, {})],
    ids=["a log", "a series"],
)
def test_a_stream_is_judged_without_keras(
    lines: list[str], options: dict[str, str], empty_folder: Path
) -> None:
    Path("normal").write_text("\n".join(lines) + "\n")
    fitted = fit("lstm-anomaly", "normal", out="model", epochs=1, show_progress=False, **options)
    rows, loaded = asked("predict", "model", "normal", "--format", "jsonl")
    assert not loaded & HEAVY
    in_keras = predict(fitted, Path("normal"))
    assert [json.loads(row)["score"] for row in rows.splitlines()] == pytest.approx(
        [row["score"] for row in in_keras], abs=1e-5
    )


@pytest.mark.parametrize("cell", ["lstm", "peephole"])
@pytest.mark.parametrize("encoding", ["one-hot", "embedding", "number"])
@pytest.mark.full
def test_every_net_of_logs_is_read_as_it_was_fitted(
    cell: str, encoding: str, empty_folder: Path
) -> None:
    Path("app.log").write_text("\n".join(LOG) + "\n")
    options = {"session": r"order (\d+)", "cell": cell, "encoding": encoding}
    fitted = fit("lstm-anomaly", "app.log", out="model", epochs=2, show_progress=False, **options)
    found, expected = open_model("model").net, fitted.net
    assert [layer.kind for layer in found.layers] == [layer.kind for layer in expected.layers]
    assert predict("model", Path("app.log")) == predict(fitted, Path("app.log"))


def test_the_runnable_form_is_replaced_with_the_model(saved: Path, fitted: Fitted) -> None:
    before = (saved / locate.RUNNABLE).read_bytes()
    shutil.copytree(saved, "copy")
    other = fit("xor", seed=fitted.card.options["seed"] + 1, out="copy", show_progress=False)
    assert (Path("copy") / locate.RUNNABLE).read_bytes() != before
    assert difference("copy", np.random.default_rng(0).uniform(0, 1, (50, 2))) <= 1e-5
    assert other.card is not None
