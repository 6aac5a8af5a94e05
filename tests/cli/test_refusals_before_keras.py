"""Mistakes that do not need Keras are refused in one line before it is imported."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from keras_recipes.saved import locate
from tests.digits.drawn import seven
from tests.without_keras import run_without_keras

LENET = "saved_models/lenet5"
CASES: list[tuple[str, int, str]] = [
    # Options.
    ("fit xor --epochs 99999999999999999999", 2, "epochs: expected a whole number >= 1, at most"),
    ("fit xor --set hidden_units=9007199254740993", 2, "at most 9,007,199,254,740,992"),
    ("fit lenet5 --set learning_rate=1e400", 2, "learning_rate: expected a number > 0"),
    ("fit lstm-anomaly --batch-size 99999999999999999999", 2, "batch_size: expected"),
    ("fit lstm-anomaly --set units=99999999999999999999", 2, "units: expected"),
    ("fit lstm-anomaly --set first=99999999999999999999", 2, "first: expected"),
    ("fit xor --seed 4294967296", 2, "seed: expected a whole number >= 0 and < 4294967296"),
    (f"fit lstm-anomaly --set session={'x' * 5_000}", 2, "a text of at most 4,096 characters"),
    (f"fit xor --set {'x' * 5_000}=1", 2, "has no option"),
    (f"fit xor --set {'x' * 5_000}", 2, "expected key=value"),
    (f"fit xor --epochs {'9' * 5_000}", 2, "See `recipes fit --help`"),
    (f"fit xor --learning-rate {'x' * 5_000}", 2, "See `recipes fit --help`"),
    (f"fit xor --set epochs={'9' * 5_000}", 2, "epochs: expected a whole number"),
    ("fit lstm-anomaly --set state=kept.npz", 2, "state: is not kept with a model"),
    ("fit xor --preset best", 2, "its presets"),
    ("fit mnist-mlp --fresh --set updates=stochastic --batch-size 128", 2,
     "batch_size: expected none with updates=stochastic, which uses one example per update"),
    ("fit xor --set updates=batch --batch-size 4", 2, "which uses all training examples per"),
    ("fit lenet5 --device tpu", 2, "is not one of"),
    ("predict lenet5 damaged.png --set unsure_below=2", 2, "unsure_below: expected"),
    # Inputs.
    ("predict lenet5", 2, "nothing to predict"),
    ("predict lenet5 missing.png", 2, "missing.png"),
    ("predict lenet5 damaged.png", 2, "damaged.png"),
    ("predict lenet5 empty", 2, "empty: no file there"),
    ("predict lenet5 seven.png --output empty", 2, "received a folder"),
    ("predict lenet5 damaged.png --set seen=damaged.png", 2, "seen: expected a folder"),
    ("predict lenet6 seven.png", 2, "no such folder or file"),
    ("evaluate lenet5 --data missing", 2, "missing: no such file or folder"),
    ("evaluate lenet5 --data empty", 2, "empty"),
    ("evaluate bare.json --data missing.npz --weights w.h5", 2, "missing.npz"),
    ("evaluate bare.json --weights w.h5", 2, "give --data"),
    ("predict bare.json --weights w.h5 missing.npy", 2, "missing.npy"),
    ("predict bare.json --weights w.h5 missing.csv", 2, "missing.csv: no such file"),
    ("predict bare.json --weights missing.h5 1,2", 2, "missing.h5"),
    ("predict bare.json --weights w.h5 1,2 --set a=1", 2, "has no card, so it has no options"),
    # Outputs.
    ("fit lenet5 --out /proc/nowhere", 2, "cannot be written"),
    ("fit lenet5 --out damaged.png", 2, "expected a folder, found a file"),
    ("fit lenet5 --out scans", 2, "which no saved model has"),
    ("fit lenet5 --out saved_models/shipped/lenet5", 2, "is reserved for the models that come"),
    ("predict lenet5 seven.png --output /proc/nowhere/a.csv", 2, "cannot be written"),
    ("export lenet5 --format keras --output /proc/nowhere/a.keras", 2, "cannot be written"),
    ("export lenet5 --format keras --output a.h5", 2, "ends in .keras"),
    ("export lenet5 --format json-h5 --output scans", 2, "which no saved model has"),
    ("export lenet5 --format pickle", 2, "format: expected one of"),
    ("plot lenet5 --output /proc/nowhere", 2, "cannot be written"),
    ("convert bare.json w.h5 --output /proc/nowhere/new", 2, "cannot be written"),
    ("convert bare.json w.h5 --output .", 2, "holds the old model"),
    # Models.
    ("plot bare.json", 2, "has no card"),
    ("export missing --format keras", 2, "no such folder or file"),
    ("convert missing.json --output new", 2, "no such folder or file"),
    ("convert damaged.png --output new", 2, "expected a saved model's folder"),
    ("convert lenet5 --output new", 2, "found a saved model"),
    ("convert bare.json --output new", 2, "recipes convert bare.json w.h5 --output new"),
    ("convert alone/old.json --output new", 2, "expected an .h5 file with its weights next to it"),
    ("predict bare.json 1,2", 2, "name them, such as w.h5"),
    ("fit lenet5 --from mnist-mlp", 2, "expected a fitted lenet5, received a mnist-mlp"),
    ("fit lenet5 --from bare.json", 2, "a model without a card"),
    ("fit lenet5 --from missing", 2, "no such folder or file"),
    ("fit lenet5 --from lenet5 --preset best", 2, "keeps its options"),
    ("fit lenet5 --data unprintable", 2, r"'a\nb': expected a class's name of printable"),
    ("fit lenet5 --data undecodable", 2, "expected a class's name of printable characters"),
    ("fit lenet5 --data missing", 2, "missing: no such file or folder"),
    ("fit xor --data damaged.png", 2, "damaged.png"),
    ("fit lstm-anomaly --data blank.log", 2, "expected at least 30 sessions"),
    # Damage.
    *((f"{command} cut", 4, "model.weights.h5: not the file that card.json describes")
      for command in ("predict --format csv", "evaluate", "plot", "export --format keras",
                      "fit lenet5 --from")),
    ("predict torn seven.png", 4, "card.json: damaged"),
    ("evaluate torn", 4, "card.json: damaged"),
    ("plot torn", 4, "card.json: damaged"),
    # A fit that was stopped.
    ("fit xor --resume", 2, "nothing to resume"),
    ("fit xor --resume --fresh", 2, "give one"),
    ("fit mnist-mlp", 2, "continue it with --resume, or discard it with --fresh"),
    ("fit mnist-mlp --data digits --resume", 4, "damaged; discard it with --fresh instead of"),
    # Click's own.
    ("fit", 2, "See `recipes fit --help`"),
    ("predict", 2, "See `recipes predict --help`"),
    ("export lenet5", 2, "See `recipes export --help`"),
    ("convert", 2, "See `recipes convert --help`"),
    ("fly", 2, "See `recipes --help`"),
    ("predict --colour", 2, "See `recipes predict --help`"),
]  # fmt: skip


def prepared(here: Path) -> None:
    """The files that the command lines name."""
    (here / "empty").mkdir()
    (here / "damaged.png").write_bytes(b"\x89PNG and no more")
    (here / "blank.log").write_text("\n \n\n")
    seven().save(here / "seven.png")
    for folder, labels in (
        ("scans", ("cat", "dog")),
        ("unprintable", ("a\nb", "c")),
        ("undecodable", ("\udcff", "c")),
    ):
        for label in labels:
            (here / folder / label).mkdir(parents=True)
            for number in range(10):
                seven().save(here / folder / label / f"{number}.png")
    shutil.copytree(locate.shipped("lenet5"), here / LENET)
    shutil.copy(here / LENET / "model.json", here / "bare.json")
    shutil.copy(here / LENET / "model.weights.h5", here / "w.h5")
    (here / "alone").mkdir()
    shutil.copy(here / "bare.json", here / "alone" / "old.json")
    for damaged in ("cut", "torn"):
        shutil.copytree(here / LENET, here / damaged)
    weights = here / "cut" / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-50])
    (here / "torn" / "card.json").write_text("{")
    (here / "saved_models" / ".mnist-mlp.checkpoint.npz").write_bytes(b"no state")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[int, str, str]]:
    here = tmp_path_factory.mktemp("early")
    prepared(here)
    lines = [line for line, _, _ in CASES]
    found = run_without_keras(here, [_arguments(line) for line in lines])
    return dict(zip(lines, found, strict=True))


def _arguments(line: str) -> list[str]:
    arguments = line.split()
    if arguments[0] == "predict" and arguments[-1] == "cut":
        arguments.append("seven.png")
    return arguments


@pytest.mark.parametrize(("line", "code", "complaint"), CASES, ids=[c[0][:60] for c in CASES])
def test_a_refusal_comes_in_one_line_before_keras_is_imported(
    answers: Mapping[str, tuple[int, str, str]], line: str, code: int, complaint: str
) -> None:
    received, messages, output = answers[line]
    assert "was imported" not in messages + output
    assert (received, output) == (code, ""), messages
    *before, last = messages.splitlines()
    assert last.startswith("error: ")
    assert not any(line.startswith("error: ") for line in before)
    assert complaint in last
    assert len(last) < 600
