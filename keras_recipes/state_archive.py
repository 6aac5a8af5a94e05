"""State of something under way as one archive of NumPy's: plain values and arrays by name."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes.untrusted import arrays

PLAIN = "meta"
"""The member that holds the plain values as JSON."""


def packed(plain: Mapping[str, Any], named: Mapping[str, np.ndarray]) -> bytes:
    """The content of such a file.

    Args:
        plain: JSON values.
        named: Arrays by name.
    """
    members: dict[str, Any] = {PLAIN: np.frombuffer(json.dumps(plain).encode(), "uint8"), **named}
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


def unpacked(path: Path, limit: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `packed` was given, trusting nothing in it.

    Args:
        path: The file.
        limit: Bytes that all arrays together may have.

    Raises:
        UnsafeModelError: It holds Python objects, or more than the limit.
        Exception: Whatever NumPy, zip or JSON say of what was never kept so.
    """
    named = dict(arrays.read_named(path, limit))
    plain = json.loads(named.pop(PLAIN).tobytes())
    if not isinstance(plain, dict):
        raise ValueError("no plain values")
    return plain, named
