"""Optional packages, and the message if one is missing."""

import importlib.util
from collections.abc import Iterable

from keras_recipes.errors import InputError

PACKAGES = {
    "jax": ("jax",),
    "torch": ("torch",),
    "onnx": ("onnxruntime", "onnx", "tf2onnx"),
    "fleet": ("ray",),
    "tensorboard": ("tensorboardX", "tensorboard"),
    "serve": ("starlette", "uvicorn", "python-multipart", "prometheus-client"),
}
"""Package names in the index, by the extra of keras_recipes that installs them."""


def command(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install 'keras_recipes[{extra}]'"


def is_here(package: str) -> bool:
    """Return whether a package is installed, without importing it."""
    return importlib.util.find_spec(package.replace("-", "_")) is not None


def require(what: str, extra: str | None, packages: Iterable[str] = ()) -> None:
    """Refuse to start work that needs a missing package.

    Args:
        what: What needs the packages; the message begins with it.
        extra: One of `PACKAGES`; None for packages that are always installed, but not everywhere.
        packages: The packages that are needed; empty means all of the extra.

    Raises:
        InputError: One of the packages is not installed.
    """
    for package in tuple(packages) or PACKAGES.get(extra or "", ()):
        if not is_here(package):
            way = command(extra) if extra else f"pip install {package}"
            raise InputError(f"{what}: needs {package}, which is not installed: {way}")
