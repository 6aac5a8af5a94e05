"""Pictures of digits for requests."""

import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def digits(count: int) -> np.ndarray:
    """Return real digits in MNIST's size, white on black, of shape (count, 28, 28)."""
    small = (load_digits().images[:count] * 15).astype("uint8")
    large = [np.asarray(Image.fromarray(one).resize((20, 20))) for one in small]
    return np.pad(np.stack(large), ((0, 0), (4, 4), (4, 4)))


def png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()
