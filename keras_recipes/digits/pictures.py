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
   detached bar of a five, a broken stroke); specks and distant spots do not.
6. **Strokes.** A pixel with at least two fifths of the character's own darkness is stroke. So a
   pencil becomes as bright as a felt pen. Strokes thinner than 2.5 of the 28 pixels are widened to
   2.5.
7. **Place.** As in MNIST, the character is scaled to fit into 20 x 20 pixels and keeps its aspect
   ratio. Each pixel is as bright as the share of it that strokes cover. The character is moved by
   whole pixels until its centre of mass is in the middle of 28 x 28 pixels.
"""

import io
import sys
import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from keras_recipes.errors import InputError

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
"""The formats that are opened. Some other formats of Pillow start programs (EPS: Ghostscript)."""

MOST_PIXELS = 100_000_000
MOST_BYTES = 1 << 28
"""The most bytes of a picture on standard input."""

STANDARD_INPUT = Path("-")
SIDE, BOX = 28, 20
WORKING_SIDE = 512  # pixels; a character of a tenth of this size still has all its strokes
WIDEST_STROKES = (24, 48, 128)  # pixels of the working picture
SPECK = 25  # square pixels of the working picture
FINE = 8  # pixels of the fine picture for each of the 28 pixels
THINNEST = 2.5  # of the 28 pixels; nine in ten of MNIST's strokes are between 2 and 4.5 wide
PALEST = 3 / 255  # the palest ink, on a scale from paper to black
PALEST_IN_UNEVEN_LIGHT = 0.06  # blotches of the paper are paler
STROKE = 0.4  # the palest stroke, as a share of the character's darkness


def read(path: Path) -> np.ndarray:
    """Read a picture file and return its character in MNIST's form.

    Args:
        path: A PNG, JPEG, GIF, TIFF, BMP or WebP file of at most 100 megapixels; or `-` for
            standard input.

    Returns:
        White on black, shape (28, 28), uint8.

    Raises:
        InputError: The file is missing, damaged, too large, blank, or not a picture.
    """
    return _normalized(str(path), decode(path))


def read_file(name: str, file: IO[bytes]) -> np.ndarray:
    """Read an opened picture file as `read` does; messages call it by its name."""
    return _normalized(name, _decode(name, file))


def stored(name: str, file: IO[bytes]) -> np.ndarray:
    """Read an opened picture file from a data set; MNIST's size on black is used as it is.

    Other things than digits, such as the clothes of Fashion-MNIST, are thus not cut out again.
    """
    grey = _decode(name, file)
    if grey.shape == (SIDE, SIDE) and np.median(grey[[0, -1]]) + np.median(grey[:, [0, -1]]) < 0.2:
        return _eight_bits(grey)
    return _normalized(name, grey)


def _normalized(name: str, grey: np.ndarray) -> np.ndarray:
    try:
        return normalize(grey)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def decode(path: Path) -> np.ndarray:
    """Read the first frame of a picture file, upright and in grey.

    Returns:
        Brightness from 0 (black) to 1 (white), shape (height, width), float32.

    Raises:
        InputError: The file is missing, damaged, not a picture, or has more than 100 megapixels.
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


def normalize(grey: np.ndarray) -> np.ndarray:
    """Convert a grey picture of one character to MNIST's form, as the module's docstring says.

    Args:
        grey: Brightness from 0 (black) to 1 (white), shape (height, width); dark on light or light
            on dark.

    Returns:
        White on black, shape (28, 28), uint8.

    Raises:
        InputError: The picture is blank.
    """
    grey = np.clip(np.nan_to_num(np.asarray(grey, np.float32)), 0, 1)
    if grey.ndim != 2 or not grey.size:
        raise InputError(f"expected a grey picture (height, width), received shape {grey.shape}")
    if _is_mnist(grey):
        return _eight_bits(grey)
    return _place(_strokes(*_ink(_working_size(grey))))


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
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise _too_large(name, f"{width} x {height} pixels")
            return _grey(image)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name}: expected a picture ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise _too_large(name, "many more") from None
    except Exception as error:
        # Damaged files make Pillow's decoders raise many kinds of errors: OSError, SyntaxError,
        # ValueError, IndexError, struct.error, zlib.error, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: the picture is damaged or incomplete: {reason}") from None


def _too_large(name: str, received: str) -> InputError:
    return InputError(
        f"{name}: expected at most {MOST_PIXELS // 10**6} megapixels, received {received}"
    )


def _grey(image: Image.Image) -> np.ndarray:
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.float32) / 65535
    if image.mode in ("I", "F"):
        return _stretched(np.nan_to_num(np.asarray(image, np.float32)))
    if image.has_transparency_data:
        return _on_paper(image)
    return _brightness(image)


def _stretched(values: np.ndarray) -> np.ndarray:
    """Scale values without a fixed range, such as a TIFF of floats, to 0 to 1."""
    span = values.max() - values.min()
    stretched: np.ndarray = (values - values.min()) / (span if span > 0 else 1)
    return stretched


def _on_paper(image: Image.Image) -> np.ndarray:
    for paper in ("white", "black"):  # white ink on nothing shows on black only
        ground = Image.new("RGBA", image.size, paper)
        grey = _brightness(Image.alpha_composite(ground, image.convert("RGBA")))
        if grey.min() < grey.max():
            break
    return grey


def _brightness(image: Image.Image) -> np.ndarray:
    if image.mode == "LAB":
        image = image.getchannel(0)
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.asarray(image.convert("L"), np.float32) / 255


def _is_mnist(grey: np.ndarray) -> bool:
    # People ask about thousands of such files at once, so this function has to be fast.
    if grey.shape != (SIDE, SIDE) or grey.max() < 0.5 or 2 * np.count_nonzero(grey) > grey.size:
        return False
    on_rim = sum(map(np.count_nonzero, (grey[0], grey[-1], grey[:, 0], grey[:, -1])))
    down, across = grey.sum(axis=1), grey.sum(axis=0)
    at, mass = np.arange(SIDE) - SIDE / 2, down.sum()
    # All of MNIST's 70,000 centres are within half a pixel, and at most 6 % of an edge has ink.
    off_centre = max(abs(down @ at), abs(across @ at)) / mass
    return bool(on_rim < 0.1 * 4 * SIDE and off_centre < 1)


def _working_size(grey: np.ndarray) -> np.ndarray:
    """Resize to the size for which the widths above are meant; small pictures get smooth edges."""
    return _resized(grey, WORKING_SIDE / max(grey.shape), Image.Resampling.BICUBIC)


def _resized(values: np.ndarray, scale: float, how: Image.Resampling) -> np.ndarray:
    height, width = (max(1, round(scale * side)) for side in values.shape)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), how))


def _ink(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return each pixel's ink (0 paper, 1 black on white), and the least that counts as ink."""
    smooth = ndimage.gaussian_filter(grey, 1.0)
    paper, even = _even_paper(smooth)
    if not even:
        return _ink_in_uneven_light(smooth)
    ink = paper - smooth
    if _weighted(ink**3).sum() < 0:
        ink = -ink
    # Noise makes paper lighter and darker. Ink is on one of these sides, perhaps on more than half
    # of the picture, so the noise is measured on the other side.
    return ink, max(PALEST, _noise(ink[ink < 0]))


def _ink_in_uneven_light(grey: np.ndarray) -> tuple[np.ndarray, float]:
    light_on_dark = _is_light_on_dark(grey)
    paper = 1 - grey if light_on_dark else grey
    # Subtract the slope of the light. Otherwise the picture's darkest edge looks like a stroke.
    slope = _slope(paper)
    inks = [
        _missing_light(paper, slope, width, relative=not light_on_dark) for width in WIDEST_STROKES
    ]
    faintest = [max(PALEST_IN_UNEVEN_LIGHT, _noise(ink)) for ink in inks]
    # The narrowest width that still spans the strokes follows the light best. A width that does not
    # span them misses dark ink.
    dark = 0.4 * max(float(np.percentile(_weighted(ink), 99.8)) for ink in inks)
    amounts = [
        float(_weighted(np.maximum(ink - max(dark, least), 0)).sum())
        for ink, least in zip(inks, faintest, strict=True)
    ]
    first = int(np.argmax(np.array(amounts) >= 0.85 * max(amounts)))
    return inks[first], faintest[first]


def _noise(ink: np.ndarray) -> float:
    """Return six standard deviations of the noise; the median ignores the ink, which is rarer."""
    return 6 * 1.4826 * float(np.median(np.abs(ink))) if ink.size else 0.0


def _even_paper(grey: np.ndarray) -> tuple[float, bool]:
    """Return the brightness of most of the edge, and whether only ink has another brightness."""
    rim = _rim(grey)
    paper = float(np.median(rim))
    differs = np.abs(rim - paper) / max(float(np.ptp(grey)), 1e-6)
    is_paper, is_ink = float(np.mean(differs <= 0.05)), float(np.mean(differs > 0.5))
    return paper, is_paper > 0.75 or (is_paper > 0.4 and is_paper + is_ink > 0.75)


def _rim(grey: np.ndarray) -> np.ndarray:
    # Deep enough to see the paper behind a thin frame around the drawing.
    depth = max(1, min(WORKING_SIDE // 25, min(grey.shape) // 3))
    inside = np.zeros(grey.shape, bool)
    inside[depth:-depth, depth:-depth] = True
    return grey[~inside]


def _weighted(values: np.ndarray) -> np.ndarray:
    """Return the values with weights: 1 in the middle of the picture, falling to 0 at its edges."""
    rows, columns = (np.sin(np.pi * (np.arange(n) + 0.5) / n) for n in values.shape)
    weighted: np.ndarray = values * rows[:, None] * columns
    return weighted


def _is_light_on_dark(grey: np.ndarray) -> bool:
    # Thin strokes differ much from the mean around them, in one direction. The ground differs only
    # a little, and the two sides of a shadow's edge cancel out.
    difference = grey - ndimage.gaussian_filter(grey, WORKING_SIDE / 12)
    return bool(_weighted(difference**3).sum() > 0)


def _missing_light(
    grey: np.ndarray, slope: np.ndarray, width: int, *, relative: bool
) -> np.ndarray:
    filled = ndimage.grey_closing(grey - slope, size=(width, width))
    paper = ndimage.gaussian_filter(filled, 2.0) + slope
    # Paper in shadow reflects the same share of less light. Near black this share is only noise.
    light = np.maximum(paper, 0.15) if relative else 1.0
    missing: np.ndarray = (paper - grey) / light
    missing -= np.median(missing)
    return missing


def _slope(grey: np.ndarray) -> np.ndarray:
    """Fit a surface of degree 2 to the light: a lamp at one side, a lens that darkens corners."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)
    some = (slice(None, None, 4), slice(None, None, 4))
    factors = np.linalg.lstsq(terms[some].reshape(-1, 6), grey[some].ravel())[0]
    slope: np.ndarray = terms @ factors
    return slope


def _strokes(ink: np.ndarray, least: float) -> np.ndarray:
    """Return the character's strokes, cut out and not too thin, at `FINE` times the final size."""
    character, darkness = _character(ink, least)
    rows, columns = _extent(character)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    part = np.where(ndimage.binary_dilation(character, iterations=2), ink, 0)[rows, columns]
    # Strokes may be widened, so leave room around them.
    part = np.pad(part, 2 + max(height, width) // 4)
    fine = _resized(part, BOX * FINE / max(height, width), Image.Resampling.BICUBIC)
    inside = fine > STROKE * min(darkness, fine.max())
    depth = ndimage.distance_transform_edt(inside)
    # The mean distance of a stroke's pixels from its edge is a quarter of its width.
    width_now = 4 * depth[inside].mean() / FINE
    grow = max(0.0, THINNEST - width_now) / 2 * FINE
    outside = ndimage.distance_transform_edt(~inside)
    strokes: np.ndarray = np.clip(np.where(inside, 1, grow + 1 - outside), 0, 1)
    return strokes


def _character(ink: np.ndarray, least: float) -> tuple[np.ndarray, float]:
    """Return where the character is (a mask), and how dark it is."""
    character = _spots(ink, max(least, 0.25 * float(np.percentile(_weighted(ink), 99.7))))
    darkness = float(np.percentile(ink[character], 75))
    # Search again, with a threshold from the character's own darkness: faint parts are left out.
    character = _spots(ink, max(least, STROKE * darkness))
    return character, float(np.percentile(ink[character], 75))


def _extent(character: np.ndarray) -> tuple[slice, slice]:
    slices: Any = ndimage.find_objects(character.astype(int))[0]
    return slices[0], slices[1]


def _spots(ink: np.ndarray, least: float) -> np.ndarray:
    """Return a mask of the main spot of ink and of the spots that belong to it."""
    labels, count = ndimage.label(ink > least, structure=np.ones((3, 3)))
    every = np.arange(1, count + 1)
    if not count or max(ndimage.sum_labels(ink > least, labels, every)) < SPECK:
        raise InputError("expected a picture of a character, received a blank one: it has no ink")
    mass = ndimage.sum_labels(ink, labels, every)
    weight = ndimage.sum_labels(_weighted(ink), labels, every)
    at_edge = np.isin(every, np.concatenate([labels[[0, -1]].ravel(), labels[:, [0, -1]].ravel()]))
    main = int(np.argmax(np.where(at_edge, weight / 4, weight)))
    rows, columns = _extent(labels == main + 1)
    reach = 0.2 * max(rows.stop - rows.start, columns.stop - columns.start)
    distance = ndimage.distance_transform_edt(labels != main + 1)
    nearest = ndimage.minimum(distance, labels, every)
    belongs = (nearest <= reach) & (mass > 0.02 * mass[main]) & (~at_edge | at_edge[main])
    belongs[main] = True
    return np.isin(labels, every[belongs])


def _place(strokes: np.ndarray) -> np.ndarray:
    strokes = strokes[_extent(strokes > 0)]
    fitted = _resized(strokes, BOX / max(strokes.shape), Image.Resampling.BOX)
    placed = np.zeros((SIDE, SIDE), np.float32)
    corner = [
        min(max(round(SIDE / 2 - centre), 0), SIDE - side)
        for centre, side in zip(ndimage.center_of_mass(fitted), fitted.shape, strict=True)
    ]
    placed[corner[0] : corner[0] + fitted.shape[0], corner[1] : corner[1] + fitted.shape[1]] = (
        fitted
    )
    return _eight_bits(placed)


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    values: np.ndarray = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    return values
