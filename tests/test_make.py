"""`make` refuses a wrong Python with a message of one line; setup.cfg says which ones are right."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.checkout import ROOT

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")


def python_range() -> tuple[str, str]:
    """Return the oldest and the newest Python, such as `3.11` and `3.13`."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    requires = settings["options"]["python_requires"]
    low, high = re.fullmatch(r">=3\.(\d+), <3\.(\d+)", requires).groups()
    return f"3.{low}", f"3.{int(high) - 1}"


LOW, HIGH = python_range()


@pytest.mark.parametrize("page", ["README.md", "keras_recipes/README.md", "docs/installing.md"])
def test_pages_name_the_pythons_of_setup_cfg(page: str) -> None:
    named = re.findall(r"Python (3\.\d+) to (3\.\d+)", (ROOT / page).read_text())
    assert named
    assert set(named) == {(LOW, HIGH)}
    assert "or newer" not in (ROOT / page).read_text()


def test_this_python_is_one_of_them() -> None:
    assert int(LOW[2:]) <= sys.version_info.minor <= int(HIGH[2:])


def test_ruff_looks_for_what_the_oldest_cannot_read() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["ruff"]["target-version"] == f"py{LOW.replace('.', '')}"


def test_commits_are_checked_by_what_lint_runs() -> None:
    (lines,) = re.findall(
        r"^lint: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    commands = lines.replace("$(BIN)", ".venv/bin").split("\n\t")
    hooks = re.findall(r" entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert hooks[: len(commands)] == [command.strip() for command in commands]


@pytest.fixture
def project(empty_folder: Path) -> Path:
    """Copy the files that `make` needs to make an environment."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, empty_folder)
    return empty_folder


def python_that(name: Path, trait: str) -> Path:
    """Write an executable that answers as a Python with this trait; it makes no environment."""
    name.parent.mkdir(parents=True, exist_ok=True)
    name.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"{trait}\n"
        "assert sys.argv[1] == '-c', sys.argv\n"
        "code, sys.argv = sys.argv[2], ['-c', *sys.argv[3:]]\n"
        "exec(code)\n"
    )
    name.chmod(0o755)
    return name


def version(text: str) -> str:
    return f"sys.version_info = (*map(int, {text!r}.split('.')), 'final', 0)"


def make(*arguments: str) -> tuple[int, str]:
    """Run make, and return its exit code and its stderr without its own last line."""
    # Another make may have started the tests, and its variables would reach this one.
    alone = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(["make", *arguments], capture_output=True, text=True, env=alone)
    lines = [x for x in done.stderr.splitlines() if not x.startswith("make: ***")]
    return done.returncode, "\n".join(lines)


@needs_make
@pytest.mark.parametrize("given", ["3.14.0", "3.10.13", "2.7.18"])
def test_a_python_without_packages_is_refused_before_an_environment_is_made(
    project: Path, given: str
) -> None:
    python_that(project / "python3.14", version(given))
    code, said = make("PYTHON=./python3.14", "fit")
    assert code == 2
    assert said == (
        f"expected Python {LOW} to {HIGH}, for which TensorFlow has packages, received Python "
        f"{given} (./python3.14); install or name one: make PYTHON=python{HIGH} fit"
    )
    assert not (project / ".venv").exists()


@needs_make
def test_the_range_is_read_from_setup_cfg(project: Path) -> None:
    settings = (project / "setup.cfg").read_text()
    (project / "setup.cfg").write_text(
        re.sub("python_requires = .*", "python_requires = >=3.15, <3.18", settings)
    )
    assert "expected Python 3.15 to 3.17, " in make(f"PYTHON={sys.executable}", "test")[1]


@needs_make
def test_where_there_is_no_python_that_is_said(project: Path) -> None:
    code, said = make("PYTHON=no-such-python", "test")
    assert code == 2
    assert said.count("\n") == 0
    assert "as no-such-python, received none; install or name one: make PYTHON=" in said
    assert said.endswith(" test")


@needs_make
def test_debians_python_without_venv_is_told_what_to_install(project: Path) -> None:
    python_that(project / "python3", "sys.modules['ensurepip'] = None;" + version(f"{LOW}.2"))
    code, said = make("PYTHON=./python3")
    assert code == 2
    assert said == (
        "expected a Python with ensurepip, received ./python3 without; "
        f"on Debian and Ubuntu: sudo apt install python{LOW}-venv"
    )
    assert not (project / ".venv").exists()


@needs_make
@pytest.mark.parametrize(
    ("trait", "complaint"),
    [
        (version("3.10.13"), r"received Python 3\.10\.13 \(\.venv/bin/python\)"),
        ("sys.modules['pip'] = None", r"expected a Python with pip, received \.venv/bin/python"),
    ],
)
def test_an_environment_that_does_not_do_is_to_be_made_anew(
    project: Path, trait: str, complaint: str
) -> None:
    python_that(project / ".venv" / "bin" / "python", trait)
    (project / ".venv" / "installed").touch()
    code, said = make("fit")
    assert code == 2
    assert re.search(complaint, said)
    assert said.endswith("; make the environment again: make clean fit")


@needs_make
def test_the_quiet_minutes_are_announced(project: Path) -> None:
    # This stub accepts only the check, so that pip fails at once.
    python_that(project / ".venv" / "bin" / "python", "")
    code, said = make("fit")
    assert code == 2
    assert said.startswith("installing TensorFlow and its dependencies into .venv: ")
    assert re.search(r"[\d.]+ GB of disk", said.splitlines()[0])


@needs_make
def test_what_is_installed_is_not_installed_again(project: Path) -> None:
    python_that(project / ".venv" / "bin" / "python", "")
    python_that(project / ".venv" / "bin" / "recipes", "sys.exit()")
    (project / ".venv" / "installed").touch()
    assert make("fit") == (0, "")
