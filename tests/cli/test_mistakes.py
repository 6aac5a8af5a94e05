"""A mistake on the command line gives an error message of one line."""

from pathlib import Path

import pytest

from keras_recipes import load
from tests.command_line import Run

BAD = [
    (["predict", "xor", "-1,0"], 2, "come after --: "),
    (["fit", "xor", "-1"], 2, "fit --help`"),
    (["fit", "mnist-mlp", "--from", "mnist-mlp", "--preset", "hog"], 2, "keeps its options"),
    (
        ["fit", "mnist-mlp", "--from", "mnist-mlp", "--set", "features=hog"],
        2,
        "keeps it as before, 'pixels'",
    ),
    (["fit", "xro"], 2, "did you mean xor"),
    (["fit", "xor", "--set", "colour=red"], 2, "it has hidden_units"),
    (["fit", "xor", "--set", "hidden_units=-3"], 2, "expected a whole number >= 1"),
    (["fit", "xor", "--epochs", "0"], 2, "expected a whole number >= 1"),
    (["fit", "xor", "--epochs", "ten"], 2, "not a valid integer"),
    (["fit", "xor", "--learning-rate", "nan"], 2, "expected a number > 0"),
    (["fit", "xor", "--preset", "best"], 2, "its presets"),
    (["fit", "xor", "--data", "missing.csv"], 2, "no such file"),
    (["fit", "xor", "--resume"], 2, "nothing to resume"),
    (["fit", "xor", "--resume", "--fresh"], 2, "give one"),
    (["fit", "xor", "--device", "gpu"], 2, "no GPU was found"),
    (["fit", "xor", "--out", "/proc/nowhere"], 2, "cannot be written"),
    (["fit"], 2, "Missing argument 'NAME'"),
    (["fly"], 2, "No such command 'fly'"),
    (["--wings"], 2, "No such option"),
    (["predict", "xor"], 2, "nothing to predict"),
    (["predict", "xor", "0,x"], 2, "received 'x'"),
    (["predict", "xor", "0,1,2"], 2, "expected 2 numbers, received 3"),
    (["predict", "xor", "nan,0"], 2, "finite"),
    (["predict", "xor", "missing.csv"], 2, "no such file"),
    (["predict", "xor", "saved_models/*.tsv"], 2, "no file there"),
    (["predict", "nowhere", "0,1"], 2, "no such folder or file"),
    (["predict", "xor", "x" * 300, "0,1"], 2, "File name too long"),
    (["predict", "xor", "0,1", "--output", ""], 2, "expected the name of a file"),
    (["predict", "xor", "0,1", "--output", "."], 2, "expected the name of a file"),
    (["predict", "xor", "0,1", "--set", "epochs=3"], 2, "epochs: has no effect here"),
    (["predict", "xor", "0,1", "--weights", "w.h5"], 2, "has its own weights"),
    (["predict", "saved_models", "0,1"], 2, "holds no saved model"),
    (["predict", "", "0,1"], 2, "no such folder or file"),
    (["predict", "xor", "1e39,0"], 2, "finite"),
    (["predict", "xor", "1_0,0"], 2, "finite"),
    (["fit", "xor", "--out", "."], 2, "cannot be replaced as a whole"),
    (["fit", "xor", "--seed", "4294967296"], 2, "expected a whole number >= 0 and < 4294967296"),
    (["evaluate", "xor", "--labels", "labels.csv"], 2, "no option 'labels'"),
    (["evaluate", "xor", "--set", "hidden_units=2"], 2, "hidden_units: has no effect here"),
    (["export", "xor", "--format", "json-h5", "--output", "saved_models/xor"], 2, "holds"),
    (
        ["export", "xor", "--format", "papyrus"],
        2,
        "expected one of json-h5, keras, saved-model, onnx, litert",
    ),
    (["export", "xor", "--format", "keras", "--output", "xor.h5"], 2, "ends in .keras for format"),
    (["export", "xor", "--format", "litert", "--output", "xor.onnx"], 2, "ends in .tflite"),
    (["export", "xor", "--format", "saved-model", "--output", "saved_models"], 2, "holds xor"),
    (["predict", "missing.onnx", "0,1"], 2, "no such folder or file"),
]


@pytest.mark.parametrize(("arguments", "code", "complaint"), BAD, ids=lambda v: str(v)[:40])
def test_a_mistake_is_answered_in_one_line(
    recipes: Run, saved: Path, arguments: list[str], code: int, complaint: str
) -> None:
    result = recipes(*arguments)
    assert result.exit_code == code
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert complaint in errors[0]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    load("xor")


def test_debug_shows_the_traceback(recipes: Run) -> None:
    assert "Traceback" in recipes("fit", "xro", "--debug").stderr


def test_control_characters_are_spelt_out(recipes: Run) -> None:
    result = recipes("predict", "\x1b[31mred\nalert", "0,1")
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
