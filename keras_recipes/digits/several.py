"""Reading a picture that holds several characters, each in MNIST's form and with its place."""

from dataclasses import dataclass

import numpy as np
import scipy

from keras_recipes.digits import characters, page
from keras_recipes.errors import InputError

LONGER_SIDE = 1_024
"""The longer side of the picture at which characters are found, in pixels."""

MOST = 2_000
"""The most characters of one picture; more are rather a texture."""


@dataclass(frozen=True)
class Character:
    """One of several characters in a picture.

    Attributes:
        image: The character in MNIST's form: white on black, shape (28, 28), uint8.
        line: Number of its line, from 0.
        left, top, width, height: Its place in the picture, in pixels.
    """

    image: np.ndarray
    line: int
    left: int
    top: int
    width: int
    height: int


def several(grey: np.ndarray) -> list[Character]:
    """Return the characters of a grey picture, line by line and from left to right.

    Args:
        grey: Brightness from 0 (black) to 1 (white), shape (height, width).

    Raises:
        InputError: The picture is blank, or holds too many characters.
    """
    grey = np.clip(np.nan_to_num(np.asarray(grey, np.float32)), 0, 1)
    scale = min(LONGER_SIDE / max(grey.shape), 4.0)
    large = characters.resized(grey, scale) if scale != 1 else grey
    ink, least = characters.ink_of(large, blur=0.7)
    inked = ink > least
    inked = ink > max(least, 0.25 * float(np.percentile(ink[inked], 95)) if inked.any() else 1.0)
    if inked.any():
        darkness = float(np.percentile(ink[inked], 75))
        inked = ink > max(least, characters.STROKE * darkness)
    labels, boxes = page.found(inked)
    if not boxes:
        raise InputError("expected a picture of characters, received a blank one: it has no ink")
    if len(boxes) > MOST:
        raise InputError(
            f"expected at most {MOST:,} characters in a picture, received {len(boxes):,} spots"
        )
    return [
        _character(ink, labels, box, number, scale)
        for number, line in enumerate(page.lines(boxes))
        for box in line
    ]


def _character(
    ink: np.ndarray, labels: np.ndarray, box: page.Box, line: int, scale: float
) -> Character:
    part = slice(box.top, box.bottom), slice(box.left, box.right)
    mask = np.pad(np.isin(labels[part], box.spots), 3)
    own = np.pad(ink[part], 3)
    # Ink of other characters, which reach into this one's box, is left out.
    others = np.pad((labels[part] > 0) & ~np.isin(labels[part], box.spots), 3)
    own = np.where(scipy.ndimage.binary_dilation(others), 0, own)
    darkness = float(np.percentile(own[mask], 75))
    left, top = round(box.left / scale), round(box.top / scale)
    return Character(
        characters.shaped(own, mask, darkness),
        line,
        left,
        top,
        max(1, round(box.right / scale) - left),
        max(1, round(box.bottom / scale) - top),
    )
