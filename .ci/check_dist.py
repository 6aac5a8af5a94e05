"""Checks the packages in dist/, each in a clean environment with today's or the pinned versions.

    python .ci/check_dist.py

The wheel is installed as a user installs it: with the newest versions that setup.cfg allows. The
source package is installed with its own constraints.txt.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
MADE_BY_THE_BUILD = ("PKG-INFO", "keras_recipes.egg-info")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Runs a command, whose Python finds no packages but those of its environment."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, cwd=cwd, env=alone)


def only(pattern: str) -> Path:
    """The one file in dist/ of that name."""
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        sys.exit(f"expected one {pattern} in {DIST}, received {names}; run make dist")
    return found[0]


def environment(folder: Path) -> Path:
    """Makes an empty environment and returns its Python."""
    venv.create(folder, with_pip=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_files(sdist: Path, unpacked: Path) -> None:
    """Compares what the source package holds with what git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    tracked = {name for name in listed.stdout.decode().split("\0") if name}
    files = (path for path in unpacked.rglob("*") if path.is_file())
    packed = {path.relative_to(unpacked).as_posix() for path in files}
    extra = {name for name in packed - tracked if not name.startswith(MADE_BY_THE_BUILD)}
    if missing := sorted(tracked - packed):
        sys.exit(f"{sdist.name} lacks {', '.join(missing)}; add them to MANIFEST.in")
    if extra:
        sys.exit(f"{sdist.name} holds {', '.join(sorted(extra))}; git does not track them")
    print(f"{sdist.name}: the {len(tracked)} files that git tracks", flush=True)


def check_use(smoke: Path, *requirements: str | Path) -> None:
    """Installs a package in an empty environment and uses it from an empty folder."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(folder / "environment")
        run(python, *PIP, *requirements)
        run(python, "-m", "pip", "check")
        here = folder / "here"
        here.mkdir()
        run(python, "-c", "import keras_recipes", cwd=here)
        run(python, smoke, cwd=here)
    print(f"{requirements[-1]}: works; checked in {time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    """Checks descriptions, files, and use."""
    wheel, sdist = only("*.whl"), only("*.tar.gz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = environment(folder / "tools")
        run(tools, *PIP, "twine")
        run(tools, "-m", "twine", "check", "--strict", wheel, sdist)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        unpacked = folder / sdist.name.removesuffix(".tar.gz")
        check_files(sdist, unpacked)
        smoke = unpacked / ".ci" / "smoke.py"
        check_use(smoke, wheel)
        check_use(smoke, "-c", unpacked / "constraints.txt", sdist)
    print("both packages work")


if __name__ == "__main__":
    main()
