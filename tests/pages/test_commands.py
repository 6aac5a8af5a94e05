"""Every command on README and pages works where a reader stands, and prints what is shown.

A reader stands in an empty folder with the wheel installed, or in the checkout after `make fit`.
Every page has a folder of its own, with files and programs of the names that pages use.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import pages, stand_ins, warm_process
from tests.pages.pages import Step

README = ROOT / "README.md"
NEEDS_ITS_OWN = re.compile(r"[A-Z]=\S* recipes|[^&>]&([^&>]|$)")
"""Commands with an environment of their own, or in the background."""


@dataclass(frozen=True)
class Reader:
    """Somebody in a folder who has the package installed.

    Attributes:
        folder: Where the reader stands.
        packages: Where the package is installed.
        bin: Programs that pages use, such as `tail`.
        socket: Of the process that runs `recipes`; none where every command is a process.
    """

    folder: Path
    packages: Path
    bin: Path
    socket: str | None = None

    def environment(self) -> dict[str, str]:
        path = [self.bin, self.packages / "bin", Path(sys.executable).parent]
        return {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
            "PYTHONPATH": str(self.packages),
            "COLUMNS": "80",
        }

    def does(self, step: Step) -> tuple[int, str]:
        """Exit status of the step, and what it printed."""
        if step.kind == "python" and self.socket:
            with Client(self.socket) as process:
                process.send((str(self.folder), step.text, b""))
                status, out, errors = process.recv()
                return status, (errors + out).decode()
        environment, text = self.environment(), step.text
        if self.socket and not NEEDS_ITS_OWN.search(text):
            environment["PATH"] = f"{self.bin / 'warm'}{os.pathsep}{environment['PATH']}"
        for there, here in stand_ins.PLACES.items():
            text = text.replace(there, here)
        shell = ["bash", "-o", "pipefail", "-c", text]
        done = subprocess.run(
            [sys.executable, "-c", text] if step.kind == "python" else shell,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr + done.stdout


def follow(page: Path, reader: Reader, *, full: bool = False) -> None:
    """Does the page's steps: each ends as it should and prints the lines that the page shows."""
    for step in pages.steps(page):
        if step.quick or (full and "setup" not in step.notes):
            status, printed = reader.does(step)
            assert (status != 0) == ("fails" in step.notes), f"{step.text}\n{printed[-2_000:]}"
            lines = printed.splitlines()
            for shown in step.printed:
                if not pages.differs_between_machines(shown):
                    there = any(pages.similar(shown, line) for line in lines)
                    assert there, f"{step.text}\nshown: {shown}\nprinted:\n{printed[-2_000:]}"


def copy_of_the_checkout(folder: Path) -> Path:
    """This checkout as it is before anything was fitted in it."""
    (folder / "saved_models").mkdir(parents=True)
    for name in ("keras_recipes", "recipes", "saved_models/shipped"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this checkout's wheel is installed, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_of_the_checkout(folder / "source")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, str(folder), str(source)], check=True, capture_output=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    wheels = map(str, folder.glob("*.whl"))
    subprocess.run([*install, str(folder / "packages"), *wheels], check=True)
    return folder / "packages"


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files and programs of the names that pages use."""
    folder = tmp_path_factory.mktemp("things")
    stand_ins.make(folder)
    return folder


@pytest.fixture
def reader(empty_folder: Path, wheel: Path, things: Path) -> Reader:
    """Somebody with the wheel, in a folder of things."""
    shutil.copytree(things, empty_folder, dirs_exist_ok=True)
    return Reader(empty_folder, wheel, things / "bin")


@pytest.fixture(scope="module")
def socket(wheel: Path, things: Path) -> Iterator[str]:
    """The process that runs `recipes` for the quick steps of all pages."""
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "socket")
        program = things / "bin" / "warm" / "recipes"
        program.parent.mkdir()
        program.write_text(warm_process.CLIENT.format(python=sys.executable, socket=socket))
        program.chmod(0o755)
        command = [sys.executable, warm_process.__file__, socket]
        environment = Reader(things, wheel, things / "bin").environment()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        while not Path(socket).exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield socket
        process.kill()
        process.wait()


def having(note: str | None) -> list[Path]:
    """The pages with quick steps, or those with steps that have a note."""
    return [
        page
        for page in pages.PAGES
        if any(step.quick if note is None else note in step.notes for step in pages.steps(page))
    ]


@pytest.mark.parametrize("page", having(None), ids=pages.name)
def test_what_takes_no_minutes_works(page: Path, reader: Reader, socket: str) -> None:
    follow(page, Reader(reader.folder, reader.packages, reader.bin, socket))


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("page", having("full"), ids=pages.name)
def test_all_of_it_works_as_at_a_prompt(page: Path, reader: Reader) -> None:
    follow(page, reader, full=True)


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_all_of_the_readme_works_in_the_checkout(reader: Reader) -> None:
    checkout = copy_of_the_checkout(reader.folder / "checkout")
    shutil.copytree(reader.bin.parent, checkout, dirs_exist_ok=True)
    follow(README, Reader(checkout, checkout, reader.bin), full=True)
