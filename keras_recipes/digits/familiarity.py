"""The chance that a picture shows a digit at all, and not a letter, a symbol or a photograph.

A net that was trained on digits only has to call everything one. So a second, small net looks at
the picture. It comes with this package and was trained on MNIST, on digits that were drawn, and on
letters, symbols, pieces of a photograph and displays: `benchmarks/is_digit.py`.
"""

import logging
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import extras

if TYPE_CHECKING:
    import numpy as np

    from keras_recipes.models.formats.litert import Interpreter

FILE = Path(__file__).with_name("is_digit.tflite")

log = logging.getLogger(__name__)

_lock = threading.Lock()


def chances(images: "np.ndarray") -> "np.ndarray":
    """Return the chance that each picture shows a digit.

    Without ai-edge-litert it is not known, and a warning says so.

    Args:
        images: White on black, shape (N, 28, 28, 1), brightness 0 to 255.

    Returns:
        Numbers from 0 to 1, shape (N,).
    """
    import numpy as np

    if not extras.is_here("ai-edge-litert"):
        log.warning(
            "pictures that show no digit are not noticed: ai-edge-litert is not installed (pip "
            "install ai-edge-litert)"
        )
        return np.ones(len(images))
    with _lock:  # the interpreter computes one batch at a time
        found: np.ndarray = _net().outputs(images)[:, 0].astype(float)
    return found


@cache
def _net() -> "Interpreter":
    from keras_recipes.models.formats import litert

    return litert.Interpreter({litert.MEMBER: FILE.read_bytes()}, FILE.name)
