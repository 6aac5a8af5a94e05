"""Completion, asked for as the shells do it: by starting the program, without Keras."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes.commands import export as exporting
from tests.checkout import ROOT
from tests.command_line import Run

PROGRAM = [
    sys.executable,
    "-X",
    "importtime",
    "-c",
    "from keras_recipes.cli import main; main()",
]
HEAVY = ("keras", "tensorflow", "numpy", "h5py", "PIL", "pandas", "matplotlib")


def offered(*words: str, shell: str = "bash") -> list[str]:
    """Return what is offered for the last word; the other words stand before it."""
    environment = {
        **os.environ,
        "_RECIPES_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["recipes", *words]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    done = subprocess.run(PROGRAM, env=environment, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint(HEAVY)
    return [line for line in done.stdout.splitlines() if line]


def test_recipes_are_offered_by_their_beginning() -> None:
    assert offered("fit", "l") == ["plain,lenet5", "plain,linear-mnist", "plain,lstm-anomaly"]
    assert offered("show", "") == [
        "plain,autoencoder", "plain,char-rnn", "plain,lenet5", "plain,linear-mnist",
        "plain,lstm-anomaly", "plain,mnist-mlp", "plain,perceptron", "plain,xor",
    ]  # fmt: skip


def test_models_are_recipes_saved_folders_and_files(saved: Path, empty_folder: Path) -> None:
    shutil.copytree(saved, saved.parent / "and")
    (empty_folder / "saved_models" / "notes").mkdir()
    (empty_folder / "xor.onnx").touch()
    assert offered("predict", "x") == ["file,x", "plain,xor", "plain,xor.onnx"]
    assert offered("predict", "saved_models/") == [
        "file,saved_models/", "plain,saved_models/and", "plain,saved_models/xor",
    ]  # fmt: skip


def test_files_are_left_to_the_shell() -> None:
    for words in (["fit", "xor", "--data", "a"], ["predict", "xor", "a"]):
        assert offered(*words) == ["file,a"]


def test_presets_are_those_of_the_recipe_named() -> None:
    assert offered("fit", "xor", "--preset", "") == ["plain,article", "plain,three-regressions"]
    assert offered("fit", "-q", "lenet5", "--preset", "b") == ["plain,best"]
    assert offered("fit", "--preset", "") == []


def test_options_are_those_that_the_command_takes() -> None:
    assert offered("fit", "lstm-anomaly", "--set", "c") == [
        "plain,cell=", "plain,clip=", "plain,classes=", "plain,columns=",
    ]  # fmt: skip
    assert offered("fit", "lstm-anomaly", "--epochs", "3", "--set", "unit") == ["plain,units="]
    assert offered("predict", "lenet5", "--set", "u") == ["plain,unsure_below="]
    assert offered("predict", "lenet5", "--set", "epoch") == []


def test_options_of_a_saved_model_are_those_of_its_recipe(saved: Path, empty_folder: Path) -> None:
    card = Path(shutil.copytree(saved, empty_folder / "mine")) / "card.json"
    assert offered("evaluate", "mine", "--set", "") == []
    card.write_text(card.read_text().replace('"recipe": "xor"', '"recipe": "mnist-mlp"'))
    assert "plain,skip_bad=" in offered("evaluate", "mine", "--set", "")


def test_values_are_offered_where_there_is_a_choice() -> None:
    whole = ["plain,cell=lstm", "plain,cell=peephole"]
    assert offered("fit", "lstm-anomaly", "--set", "cell=") == whole
    # Bash makes three words of it, and wants only the last one.
    assert offered("fit", "lstm-anomaly", "--set", "cell", "=") == ["plain,lstm", "plain,peephole"]
    assert offered("fit", "lstm-anomaly", "--set", "cell", "=", "p") == ["plain,peephole"]
    assert offered("predict", "lenet5", "--set", "skip_bad=t") == ["plain,skip_bad=true"]
    assert offered("fit", "lstm-anomaly", "--set", "units=") == []


def test_formats_of_an_export_are_offered() -> None:
    assert offered("export", "xor", "--format", "") == [f"plain,{f}" for f in exporting.FORMATS]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_answered_too(shell: str) -> None:
    assert any("peephole" in line for line in offered("fit", "lstm-anomaly", "--set", "cell=p",
                                                      shell=shell))  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_that_the_help_names_can_be_had(shell: str, recipes: Run) -> None:
    environment = {**os.environ, "_RECIPES_COMPLETE": f"{shell}_source"}
    script = subprocess.run(PROGRAM, env=environment, capture_output=True, text=True, check=True)
    assert f"_RECIPES_COMPLETE={shell}_complete" in script.stdout
    assert "_RECIPES_COMPLETE=bash_source" in recipes("--help").stdout
    page = ROOT / "docs" / "completion.md"
    assert f"_RECIPES_COMPLETE={shell}_source recipes" in page.read_text()


def test_bash_itself_completes_with_the_script(tmp_path: Path) -> None:
    if not shutil.which("bash"):
        pytest.skip("needs Bash")
    environment = {**os.environ, "_RECIPES_COMPLETE": "bash_source"}
    script = subprocess.run(PROGRAM, env=environment, capture_output=True, text=True, check=True)
    program = tmp_path / "recipes"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m keras_recipes "$@"\n')
    program.chmod(0o755)
    asked = (
        f"{script.stdout}\ncompopt() {{ echo compopt $*; }}\n"
        "COMP_WORDS=(recipes fit lstm-anomaly --set cell =) COMP_CWORD=5\n"
        "_recipes_completion recipes; echo ${COMPREPLY[@]}; COMPREPLY=()\n"
        "COMP_WORDS=(recipes fit lstm-anomaly --set cel) COMP_CWORD=4\n"
        "_recipes_completion recipes; echo ${COMPREPLY[@]}\n"
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["lstm peephole", "compopt -o nospace", "cell="]
