"""Every command in the README works where a reader stands, and prints what the README shows.

A reader stands in the checkout after `make fit`, or in an empty folder with the wheel installed.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import stand_ins
from tests.pages.pages import Step, differs_between_machines, similar, steps

RUNNER = Path(__file__).parent / "page_steps.py"


@dataclass(frozen=True)
class Place:
    """Where a reader stands: a folder, and what was installed there."""

    folder: Path
    packages: Path

    def start(self, todo: Sequence[Step], *, processes: bool) -> "subprocess.Popen[str]":
        """Begins to do all of it in order."""
        (self.folder / "steps.json").write_text(json.dumps([asdict(step) for step in todo]))
        path = [
            str(self.folder / "bin"),
            str(self.packages / "bin"),
            str(Path(sys.executable).parent),
        ]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
            "PYTHONPATH": str(self.packages),
            "COLUMNS": "80",
        }
        command = [sys.executable, str(RUNNER), "steps.json", "results.json"]
        return subprocess.Popen(
            [*command, "--processes"] if processes else command,
            cwd=self.folder,
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
        )

    def results(self) -> list[dict[str, str]]:
        """What came out of the steps that were done."""
        done: list[dict[str, str]] = json.loads((self.folder / "results.json").read_text())
        return done


def checkout(folder: Path) -> Place:
    """A copy of this checkout, as it is before anything was fitted in it."""
    (folder / "saved_models").mkdir(parents=True)
    for name in ("keras_recipes", "recipes", "saved_models/shipped"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    return Place(folder, folder)


def empty_folder_with_the_wheel(folder: Path, source: Path) -> Place:
    """The wheel of that checkout installed, without its dependencies, and an empty folder."""
    wheels, packages, here = folder / "wheels", folder / "packages", folder / "here"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels)]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(packages), *map(str, wheels.iterdir())], check=True)
    here.mkdir()
    return Place(here, packages)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """Both places, each with files and programs of the names that the README uses."""
    folder = tmp_path_factory.mktemp("readers")
    source = checkout(folder / "source")
    there = {
        "checkout": checkout(folder / "checkout"),
        "wheel": empty_folder_with_the_wheel(folder, source.folder),
    }
    for place in there.values():
        stand_ins.make(place.folder)
    return there


def todo(*tiers: str) -> list[Step]:
    """The README's steps of these tiers, with stand-ins for what lies elsewhere."""
    wanted = [step for step in steps(ROOT / "README.md") if step.tier in tiers]
    for there, here in stand_ins.PLACES.items():
        wanted = [replace(step, text=step.text.replace(there, here)) for step in wanted]
    return wanted


def check(wanted: Sequence[Step], results: Sequence[dict[str, str]]) -> None:
    """Every step ended well and printed the lines that the README shows for it."""
    for step, result in zip(wanted, results, strict=True):
        assert result["status"] == 0, f"{step.text}\n{result['stderr'][-2_000:]}"
        printed = f"{result['stderr']}{result['stdout']}".splitlines()
        for line in step.printed:
            if not differs_between_machines(line):
                assert any(similar(line, other) for other in printed), f"{step.text}\n{line}"


def test_what_takes_no_minutes_works_with_the_wheel(places: dict[str, Place]) -> None:
    wanted = todo("quick")
    assert len(wanted) > 15
    running = places["wheel"].start(wanted, processes=False)
    _, errors = running.communicate()
    assert running.returncode == 0, errors
    check(wanted, places["wheel"].results())


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("where", ["checkout", "wheel"])
def test_all_of_it_works_as_at_a_prompt(places: dict[str, Place], where: str) -> None:
    wanted = todo("quick", "full")
    running = places[where].start(wanted, processes=True)
    _, errors = running.communicate()
    assert running.returncode == 0, errors
    check(wanted, places[where].results())
