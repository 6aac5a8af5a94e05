"""Store the state of running work, plain values and named arrays, in one NumPy archive."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes.untrusted import arrays

PLAIN = "meta"
"""The name of the member that holds the plain values."""


def packed(plain: bytes, named: Mapping[str, np.ndarray]) -> bytes:
    """Return the content of an archive.

    Args:
        plain: Values as JSON.
        named: Arrays by name.
    """
    members: dict[str, Any] = {PLAIN: np.frombuffer(plain, "uint8"), **named}
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


def unpacked(path: Path, limit: int) -> tuple[bytes, dict[str, np.ndarray]]:
    """Read an archive that `packed` made; the file may be untrusted.

    Args:
        path: The file.
        limit: The most bytes that all arrays together may have.

    Returns:
        The plain values as JSON, and the arrays by name.

    Raises:
        UnsafeModelError: The archive holds Python objects, or more bytes than the limit.
        Exception: NumPy or zip cannot read the file as an archive of this kind.
    """
    named = dict(arrays.read_named(path, limit))
    return named.pop(PLAIN).tobytes(), named
