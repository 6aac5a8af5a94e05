"""Checking versions, devices, data and extras, each with what to do if something is missing."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from keras_recipes import backend, catalog, extras

LIGHT = "ai-edge-litert"
"""What computes saved nets without Keras; it is not available everywhere."""

REQUIRED = ("keras_recipes", "keras", "tensorflow", "numpy", "h5py", "click", "matplotlib")


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: What was checked.
        found: What was found.
        fix: What to do about it; empty if there is nothing to do.
        broken: Whether a fit cannot run without the fix.
    """

    what: str
    found: str
    fix: str = ""
    broken: bool = False


def examine() -> Iterator[Finding]:
    """Yield the result of each check; starts Keras to see the devices."""
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}")
    for package in REQUIRED:
        yield _package(package, f"pip install {package}")
    yield _light()
    for extra, packages in extras.PACKAGES.items():
        for package in packages:
            yield _optional(package, extra)
    yield from _devices()
    yield from _data()


def _package(name: str, fix: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", fix, broken=True)


def _light() -> Finding:
    if extras.is_here(LIGHT):
        return _package(LIGHT, "")
    return Finding(LIGHT, "missing, so Keras answers, after seconds", f"pip install {LIGHT}")


def _optional(name: str, extra: str) -> Finding:
    if extras.is_here(name):
        return _package(name, "")
    return Finding(name, "not installed (optional)", extras.command(extra))


def _devices() -> Iterator[Finding]:
    try:
        backend.start()
        yield Finding("keras backend", backend.describe())
    except Exception as error:  # any reason why Keras does not start is a result
        yield Finding("keras backend", str(error), "unset KERAS_BACKEND", broken=True)
        return
    if gpus := backend.gpus():
        yield Finding("gpu", ", ".join(gpus))
    else:
        yield Finding("gpu", *_why_no_gpu())


def _why_no_gpu() -> tuple[str, str]:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "none: CUDA_VISIBLE_DEVICES hides all GPUs", "unset CUDA_VISIBLE_DEVICES"
    if sys.platform == "darwin":
        return "none: TensorFlow has no CUDA on macOS", "KERAS_BACKEND=torch uses Apple's GPU"
    if sys.platform == "win32":
        return "none: TensorFlow has no GPU on native Windows", "use WSL2, or KERAS_BACKEND=torch"
    if not (name := _nvidia_gpu()):
        return "none: no NVIDIA driver found", "nothing to do: a CPU is enough for every recipe"
    return f"{name} found, but Keras cannot use it", "pip install 'keras_recipes[gpu]'"


def _nvidia_gpu() -> str:
    if not shutil.which("nvidia-smi"):
        return ""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().splitlines()[0] if answer.returncode == 0 and answer.stdout else ""


def _data() -> Iterator[Finding]:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    yield Finding("data cache", f"{home / 'datasets'}")
    for name in catalog.names():
        recipe = catalog.get(name)
        if recipe.data_here():
            yield Finding(f"data of {name}", "on this machine")
        else:
            yield Finding(
                f"data of {name}", "not on this machine yet", f"`recipes fit {name}` downloads it"
            )
