"""State of something under way as one archive of NumPy's: plain values and arrays by name."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes.untrusted import arrays

PLAIN = "meta"
"""The member that holds the plain values."""


def packed(plain: bytes, named: Mapping[str, np.ndarray]) -> bytes:
    """The content of such a file.

    Args:
        plain: Values as JSON.
        named: Arrays by name.
    """
    members: dict[str, Any] = {PLAIN: np.frombuffer(plain, "uint8"), **named}
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


def unpacked(path: Path, limit: int) -> tuple[bytes, dict[str, np.ndarray]]:
    """What `packed` was given, trusting nothing in it.

    Args:
        path: The file.
        limit: Bytes that all arrays together may have.

    Raises:
        UnsafeModelError: It holds Python objects, or more than the limit.
        Exception: Whatever NumPy and zip say of what was never kept so.
    """
    named = dict(arrays.read_named(path, limit))
    return named.pop(PLAIN).tobytes(), named
