"""Converting a picture of one handwritten character to the form of MNIST's pictures.

A net that was trained on MNIST knows only bright strokes on black, of one size, of one thickness
and in one place. `read` gives every picture this form, in seven steps:

1. **Grey.** Take the first frame and turn it as the camera's orientation tag says. Transparent
   pixels become white paper, or black paper if nothing can be seen on white. A colour becomes its
   brightness.
2. **MNIST's own pictures.** A picture of 28 x 28 pixels with a black ground and a bright character
   whose centre of mass is in the middle is returned as it is, bit for bit. Any other picture goes
   through the next steps.
3. **Paper.** If nearly all pixels near the edge have one brightness, this is the paper's. Some may
   have the ink's brightness, if a character was cut out closely. Otherwise the light is uneven.
   Then the paper is what remains when each stroke is filled in from both of its sides. Strokes of
   up to a twentieth, a tenth or a quarter of the picture's longer side are filled in: the smallest
   of these widths that misses no ink. Shadows and vignetting are wider, so they stay in the paper.
   Ink is either darker or lighter than paper: the one that differs more from its surroundings.
   The middle of the picture counts more than its edges.
4. **Ink.** Ink is the difference between paper and picture. In uneven light it is the share of the
   paper's light that is missing, and less than 6 % is no ink. Ink has to be stronger than the noise
   and larger than a speck. A picture without ink is blank.
5. **The character.** Take the connected spot with the most ink. Ink in the middle of the picture
   counts most, and a spot that touches the edge counts a quarter. So table edges and ruled lines
   lose, and a character that fills the picture wins. Nearby spots belong to the character (the
   detached bar of a five, a broken stroke), and so do spots near these; specks and distant spots do
   not.
6. **Strokes.** A pixel with at least two fifths of the character's own darkness is stroke. So a
   pencil becomes as bright as a felt pen. Strokes thinner than 2.25 of the 28 pixels are widened to
   2.25.
7. **Place.** As in MNIST, the character is scaled to fit into 20 x 20 pixels and keeps its aspect
   ratio. Each pixel is as bright as the share of it that strokes cover. The character is moved by
   whole pixels until its centre of mass is in the middle of 28 x 28 pixels.
"""

import io
import math
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from keras_recipes.digits.characters import SIDE, Seen, eight_bits, normalize, seen
from keras_recipes.digits.several import Character, several
from keras_recipes.errors import InputError

__all__ = [
    "STANDARD_INPUT", "characters_in", "decode", "normalize", "opened", "read", "read_file",
    "seen_in", "stored",
]  # fmt: skip

T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
"""The formats that are opened. Some other formats of Pillow start programs (EPS: Ghostscript)."""

MOST_PIXELS, MOST_HEAVY = 100_000_000, 40_000_000
"""The most pixels, and those of formats whose decoders hold several copies of a picture."""
LONGEST_SIDE = 65_535
"""The longest side in pixels, as in JPEG; rows cost time, however short they are."""
MOST_BYTES = 1 << 28
"""The most bytes of a picture on standard input."""

STANDARD_INPUT = Path("-")
MOST_SHOWN = 1024
"""The longer side in pixels to which a larger picture is decoded."""
BAND = 1_000_000
"""The number of pixels of a large picture that are converted at once."""

_UPRIGHT = dict(
    enumerate(
        [
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ],
        start=2,
    )
)
"""How a picture is turned, by the camera's orientation tag."""


def read(path: Path) -> np.ndarray:
    """Read a picture file and return its character in MNIST's form.

    Args:
        path: A PNG, JPEG, GIF, TIFF, BMP or WebP file of at most 100 megapixels (WebP and
            progressive JPEG: 40); or `-` for standard input.

    Returns:
        White on black, shape (28, 28), uint8.

    Raises:
        InputError: The file is missing, damaged, too large, blank, or not a picture.
    """
    return _named(str(path), normalize, decode(path))


def read_file(name: str, file: IO[bytes]) -> np.ndarray:
    """Read an opened picture file as `read` does; messages call it by its name."""
    return seen_in(name, file).image


def seen_in(name: str, file: IO[bytes]) -> Seen:
    """Read an opened picture file, and tell whether it holds several characters."""
    return _named(name, seen, _decode(name, file))


def characters_in(name: str, file: IO[bytes]) -> list[Character]:
    """Read the characters of an opened picture file, line by line and from left to right.

    Places are those in the picture, which is upright; its size may have been reduced (`decode`).

    Raises:
        InputError: The file is damaged, too large, blank, or not a picture.
    """
    return _named(name, several, _decode(name, file))


def stored(name: str, file: IO[bytes]) -> np.ndarray:
    """Read an opened picture file from a data set; MNIST's size on black is used as it is.

    Other things than digits, such as the clothes of Fashion-MNIST, are thus not cut out again.
    """
    grey = _decode(name, file)
    if grey.shape == (SIDE, SIDE) and np.median(grey[[0, -1]]) + np.median(grey[:, [0, -1]]) < 0.2:
        return eight_bits(grey)
    return _named(name, normalize, grey)


def _named(name: str, read: Callable[[np.ndarray], T], grey: np.ndarray) -> T:
    """Call a function with a picture; messages call the picture by its name."""
    try:
        return read(grey)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def decode(path: Path) -> np.ndarray:
    """Read the first frame of a picture file, upright and in grey.

    Returns:
        Brightness from 0 (black) to 1 (white), shape (height, width), float32; a picture larger
        than 1024 pixels is made smaller by a whole factor.

    Raises:
        InputError: The file is missing, damaged, not a picture, or too large.
    """
    if path != STANDARD_INPUT and not path.is_file():
        what = "expected a picture, received a folder" if path.is_dir() else "no such file"
        if path.exists() and not path.is_dir():
            what = "expected a picture in a file, received a device or pipe"
        raise InputError(f"{path}: {what}")
    try:
        with opened(path) as file:
            return _decode(str(path), file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def opened(path: Path) -> IO[bytes]:
    """Open a picture file, or standard input.

    Raises:
        InputError: Standard input is too large.
    """
    if path != STANDARD_INPUT:
        return path.open("rb")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(
            f"standard input: expected a picture of at most {MOST_BYTES:,} bytes, received more"
        )
    return io.BytesIO(content)


def _decode(name: str, file: IO[bytes]) -> np.ndarray:
    try:
        # Pillow warns of some damage; an error below says what is wrong.
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as image:
            _check_size(name, image)
            _draft(image)
            return grey(image)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name}: expected a picture ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise _too_large(name, MOST_PIXELS, "many more") from None
    except Exception as error:
        # Damaged files make Pillow's decoders raise many kinds of errors: OSError, SyntaxError,
        # ValueError, IndexError, struct.error, zlib.error, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: the picture is damaged or incomplete: {reason}") from None


def _check_size(name: str, image: Image.Image) -> None:
    width, height = image.size
    heavy = image.format == "WEBP" or "progressive" in image.info
    most = MOST_HEAVY if heavy else MOST_PIXELS
    if width * height > most or max(image.size) > LONGEST_SIDE:
        raise _too_large(name, most, f"{width} x {height} pixels")


def _draft(image: Image.Image) -> None:
    """Let a JPEG's decoder make a large picture smaller, which saves most of its work."""
    scale = math.gcd(_factor(image), 8)
    if scale > 1:
        width, height = (max(1, side // scale) for side in image.size)
        image.draft(None, (width, height))


def _factor(image: Image.Image) -> int:
    """Return by how much a picture is made smaller."""
    return -(-max(image.size) // MOST_SHOWN)


def _too_large(name: str, most: int, received: str) -> InputError:
    return InputError(
        f"{name}: expected at most {most // 10**6} megapixels and {LONGEST_SIDE:,} pixels a side, "
        f"received {received}; scale it down"
    )


def grey(image: Image.Image) -> np.ndarray:
    """Return the brightness of an opened picture, as `decode` does; its errors are Pillow's."""
    image.load()
    upright = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    factor = _factor(image)
    if image.mode in ("I", "F"):
        found = _stretched(_smaller(image, factor, _numbers))
    elif image.has_transparency_data:
        found = _on_paper(image, factor)
    elif image.mode in ("L", "RGB"):
        found = _brightness(image.reduce(factor) if factor > 1 else image)
    else:
        found = _smaller(image, factor, _brightness)
    if upright is None:
        return found
    return np.asarray(Image.fromarray(found).transpose(upright))


def _smaller(
    image: Image.Image, factor: int, values: Callable[[Image.Image], np.ndarray]
) -> np.ndarray:
    """Return the values of a picture, averaged over squares of `factor` pixels.

    The picture is converted in bands: a copy of a large one, in another mode, takes much memory.
    """
    if factor == 1:
        return values(image)
    width, height = image.size
    rows = factor * max(1, BAND // (factor * width))
    bands = (
        values(image.crop((0, top, width, min(top + rows, height))))
        for top in range(0, height, rows)
    )
    return np.concatenate([np.asarray(Image.fromarray(band).reduce(factor)) for band in bands])


def _numbers(image: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(image, np.float32))


def _stretched(values: np.ndarray) -> np.ndarray:
    """Scale values without a fixed range, such as a TIFF of floats, to 0 to 1."""
    span = values.max() - values.min()
    stretched: np.ndarray = (values - values.min()) / (span if span > 0 else 1)
    return stretched


def _on_paper(image: Image.Image, factor: int) -> np.ndarray:
    for paper in ("white", "black"):  # white ink on nothing shows on black only
        found = _smaller(image, factor, partial(_composed, paper))
        if found.min() < found.max():
            break
    return found


def _composed(paper: str, image: Image.Image) -> np.ndarray:
    ground = Image.new("RGBA", image.size, paper)
    return _brightness(Image.alpha_composite(ground, image.convert("RGBA")))


def _brightness(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.float32) / 65535
    if image.mode == "LAB":
        image = image.getchannel(0)
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"), np.float32) / 255
