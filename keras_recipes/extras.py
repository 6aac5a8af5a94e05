"""Packages that only some of the work needs, and what to say where one is missing."""

import importlib.util
from collections.abc import Iterable

from keras_recipes.errors import InputError

PACKAGES = {
    "jax": ("jax",),
    "torch": ("torch",),
    "onnx": ("onnxruntime", "onnx", "tf2onnx"),
    "litert": ("ai-edge-litert",),
}
"""Names in the package index, by the extra of keras_recipes that brings them."""


def command(extra: str) -> str:
    """What installs an extra."""
    return f"pip install 'keras_recipes[{extra}]'"


def is_here(package: str) -> bool:
    """Whether a package is installed; it is not imported."""
    return importlib.util.find_spec(package.replace("-", "_")) is not None


def require(what: str, extra: str, packages: Iterable[str] = ()) -> None:
    """Refuses work, before any is done, that a missing extra would stop.

    Args:
        what: Needs it; begins the message.
        extra: One of `PACKAGES`.
        packages: Those of its packages that are needed; none means all.

    Raises:
        InputError: One of them is not installed.
    """
    for package in tuple(packages) or PACKAGES[extra]:
        if not is_here(package):
            raise InputError(f"{what}: needs {package}, which is not installed: {command(extra)}")
