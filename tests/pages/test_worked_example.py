"""The recipe that the page on adding one shows works, in a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import pages

PAGE = ROOT / "docs" / "contributing" / "adding-a-recipe.md"
FILE = re.compile(
    r"^`(?P<path>\S+\.py)`:\n\n<!-- test: setup -->\n```python\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COPIED = ("keras_recipes", "recipes", "tests", "setup.cfg", "pyproject.toml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project to which the files of the page were added."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        place = ROOT / name
        if place.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(place, folder / name, ignore=ignore)
        else:
            shutil.copy(place, folder)
    for path, text in shown().items():
        (folder / path).write_text(text)
    return folder


def shown() -> dict[str, str]:
    """Return the files that the page shows, by path."""
    text = PAGE.read_text(encoding="utf-8")
    return {found["path"]: found["text"] for found in FILE.finditer(text)}


def run(project: Path, *command: str, **more: str) -> tuple[int, str]:
    """Run a program of Python with the copy in front of the installed package."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "COLUMNS": "80", **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


@pytest.fixture(scope="module")
def exported(project: Path) -> Path:
    """Return the copy after `make pages` has listed the new builder among the exports."""
    generated = ("tests/test_package.py", "-m", "generated")
    status, printed = run(project, "-m", "pytest", "-q", *generated, UPDATE_PAGES="1")
    assert status == 0, printed
    return project


def test_the_page_shows_every_file_of_a_recipe() -> None:
    assert [path.partition("/")[0] for path in shown()] == ["keras_recipes", "tests", "recipes"]


# One process for all commands, so that Keras is imported once.
COMMANDS = """
import json, sys
from tests.pages.warm_process import answer
folder, *lines = sys.argv[1:]
for line in lines:
    status, out, errors = answer(folder, line.split()[1:], b"")
    print(json.dumps([status, (errors + out).decode()]))
"""


def test_the_commands_print_what_the_page_shows(project: Path, empty_folder: Path) -> None:
    steps = [step for step in pages.steps(PAGE) if step.text.startswith("recipes ")]
    assert len(steps) >= 3
    lines = [step.text for step in steps]
    status, said = run(project, "-c", COMMANDS, str(empty_folder), *lines)
    assert status == 0, said
    answers = [json.loads(line) for line in said.splitlines() if line.startswith("[")]
    for step, (status, printed) in zip(steps, answers, strict=True):
        refused = any(line.startswith("error:") for line in step.printed)
        assert (status != 0) == refused, f"{step.text}\n{printed}"
        for line in step.printed:
            if not pages.differs_between_machines(line):
                there = any(pages.similar(line, other) for other in printed.splitlines())
                assert there, f"{step.text}\nshown: {line}\nprinted:\n{printed}"


@pytest.mark.full
def test_it_passes_the_tests_of_every_recipe(exported: Path) -> None:
    tests = ("tests/cookbook/test_nand_gate.py", "tests/cookbook/test_every_recipe.py")
    status, printed = run(exported, "-m", "pytest", "-q", *tests)
    assert status == 0, printed


@pytest.mark.full
def test_the_script_prints_what_its_docstring_says(exported: Path) -> None:
    (measured,) = re.findall(r"seed 0: ([\d. ]+) after", shown()["recipes/nand_gate.py"])
    status, printed = run(exported, "recipes/nand_gate.py")
    assert status == 0, printed
    (line,) = (line for line in printed.splitlines() if line.startswith("outputs: "))
    assert pages.similar(f"outputs: {measured}", line)


@pytest.mark.full
@pytest.mark.parametrize("check", ["ruff check", "ruff format --check", "mypy"])
def test_its_files_pass_lint(project: Path, check: str) -> None:
    files = [path for path in shown() if check != "mypy" or not path.startswith("tests")]
    status, printed = run(project, "-m", *check.split(), *files)
    assert status == 0, printed
