"""A user's script outside the project passes mypy and pyright with the installed package."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

SCRIPT = """\
from pathlib import Path

from keras_recipes import build_lenet5, evaluate, fit, load, predict, save

model = build_lenet5(dropout=0.1, activation="tanh")
fitted = fit("xor", seed=7)
rows = predict("lenet5", [Path("three.png"), "four.png"])
print(rows[0]["prediction"], evaluate(fitted)["accuracy"], load("xor").card)
save(fitted, Path("saved_models/mine"))
"""

MISTAKES = [
    ("build_lenet5(dropout='abc')", "arg-type", "reportArgumentType"),
    ("build_lenet5(droput=0.1)", "call-arg", "reportCallIssue"),
    ("build_lenet5(activation='nope')", "arg-type", "reportArgumentType"),
    ("load(5)", "arg-type", "reportArgumentType"),
    ("from keras_recipes import biuld_xor", "attr-defined", "reportAttributeAccessIssue"),
]
mistaken = pytest.mark.parametrize(
    ("mistake", "of_mypy", "of_pyright"), MISTAKES, ids=[mistake for mistake, *_ in MISTAKES]
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("mypy"))


def mypy(cache: str, script: str = "script.py") -> list[str]:
    """Return the errors that mypy finds in the script: lines and codes."""
    options = ["--strict", "--no-error-summary", "--cache-dir", cache, "--output", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return [f"{x['line']} {x['code']}" for x in found if x["severity"] == "error"]


def pyright(executable: str) -> dict[str, list[str]]:
    """Return what pyright finds in the script by severity: lines with rules, or messages."""
    # Use pyright's default settings; basedpyright's are stricter.
    Path("pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    command = [executable, "--pythonpath", sys.executable, "--outputjson", "script.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, list[str]] = {"error": [], "information": []}
    for x in json.loads(done.stdout)["generalDiagnostics"]:
        line = x["range"]["start"]["line"] + 1
        found[x["severity"]].append(f"{line} {x.get('rule') or x['message']}")
    return found


@pytest.fixture(scope="module")
def checker() -> str:
    names = (str(Path(sys.executable).with_name("basedpyright")), "basedpyright", "pyright")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("neither basedpyright nor pyright is installed: pip install basedpyright")
    return found


def test_mypy_finds_nothing_in_a_script_without_mistakes(cache: str) -> None:
    Path("script.py").write_text(SCRIPT)
    assert mypy(cache) == []


@mistaken
def test_mypy_finds_the_mistake(mistake: str, of_mypy: str, of_pyright: str, cache: str) -> None:
    Path("script.py").write_text(f"{SCRIPT}{mistake}\n")
    assert mypy(cache) == [f"10 {of_mypy}"]


@mistaken
def test_pyright_finds_the_mistake(
    mistake: str, of_mypy: str, of_pyright: str, checker: str
) -> None:
    Path("script.py").write_text(f"{SCRIPT}{mistake}\n")
    assert pyright(checker)["error"] == [f"10 {of_pyright}"]


def test_pyright_knows_what_a_builder_returns(checker: str) -> None:
    Path("script.py").write_text(f"{SCRIPT}reveal_type(model)\n")
    assert pyright(checker) == {"error": [], "information": ['10 Type of "model" is "Model"']}


RECIPE_OF_ONES_OWN = """\
from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from keras_recipes.answers.text import Text
from keras_recipes.data.dataset import Dataset
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Learned


def read(data: Sequence[str], learned: Learned | None, *, length: int = 3) -> Dataset:
    raise NotImplementedError


def generate(fitted: Fitted, prompt: PROMPT, *, characters: int = 3) -> Iterator[PIECE]:
    raise NotImplementedError


def figures(fitted: Fitted, data: Dataset) -> Iterator[tuple[str, Figure]]:
    raise NotImplementedError


Text(read=read, generate=generate, figures=figures)
"""


@pytest.mark.parametrize(
    ("prompt", "piece", "found"),
    [("str", "str", []), ("int", "str", ["23 arg-type"]), ("str", "bytes", ["23 arg-type"])],
    ids=["right", "wrong input", "wrong answer"],
)
def test_a_recipe_function_with_a_wrong_signature_is_an_error_of_mypy(
    prompt: str, piece: str, found: list[str], cache: str
) -> None:
    # mypy's cache mistakes a script of the same name, size and second for the one before.
    script = Path(f"{prompt}_to_{piece}.py")
    script.write_text(RECIPE_OF_ONES_OWN.replace("PROMPT", prompt).replace("PIECE", piece))
    assert mypy(cache, str(script)) == found
