"""Any picture of one handwritten character, made to look as MNIST's pictures look.

A net that was trained on MNIST has seen nothing but bright strokes on black, of one size, of one
thickness and in one place. `read` brings every picture there. The rule, step by step:

1. **Grey.** The first frame, turned as the camera says, transparency filled with white paper (with
   black where nothing could be seen on white), colours as their brightness.
2. **Already MNIST.** 28 x 28 pixels, black ground, a bright character with its centre of mass in
   the middle: returned as it is, bit for bit. Everything else goes on.
3. **Paper.** When nearly all of the picture's rim has one brightness (or that and the ink's, where
   a character was cut out closely), that is the paper. Otherwise the paper is what remains when
   every stroke is filled in from both of its sides: strokes of up to a twentieth of the picture's
   longer side, of a tenth or of a quarter, whichever is the least that leaves no ink out. Shadows
   and vignetting are wider and stay. Ink is darker or lighter than paper, whichever differs more
   from its surroundings, the middle of the picture counting more than its edges.
4. **Ink.** Paper less picture; in uneven light the share of the paper's light that is missing, at
   least 6 %. It has to stand out of the noise and be more than specks; a picture where nothing does
   is blank.
5. **The character.** Of all connected spots of ink the heaviest one, where ink in the middle of the
   picture weighs most, and what touches the picture's edge weighs a quarter: table edges and ruled
   lines lose, a character that fills the picture wins. Spots nearby belong to it (a five's
   detached bar, a broken stroke), specks and distant things do not.
6. **Strokes.** What has two fifths of the character's own darkness is stroke, so that pencil gets
   as bright as felt pen. Strokes thinner than 2.5 of the 28 pixels grow to that.
7. **Place.** As MNIST was made: fitted into 20 x 20 pixels, keeping the aspect ratio, every pixel
   as bright as the share of it that strokes cover; then moved by whole pixels until the centre of
   mass is in the middle of 28 x 28.
"""

import io
import sys
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from keras_recipes.errors import InputError

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
"""What is opened. Pillow knows more, but some of those start other programs (EPS: Ghostscript)."""

MOST_PIXELS = 100_000_000
MOST_BYTES = 1 << 28
"""Of a picture on standard input."""

STANDARD_INPUT = Path("-")
SIDE, BOX = 28, 20
WORKING_SIDE = 512  # pixels; a character of a tenth of that still has all its strokes
WIDEST_STROKES = (24, 48, 128)  # pixels of the working picture
SPECK = 25  # square pixels of the working picture
FINE = 8  # pixels of the working picture for one of the 28
THINNEST = 2.5  # pixels of the 28; nine in ten of MNIST's strokes are between 2 and 4.5
PALEST = 3 / 255  # of ink, on a scale from paper to black
PALEST_IN_UNEVEN_LIGHT = 0.06  # blotches of paper are no ink
STROKE = 0.4  # of the character's darkness


def read(path: Path) -> np.ndarray:
    """The character in a picture file, in MNIST's form.

    Args:
        path: PNG, JPEG, GIF, TIFF, BMP or WebP, of any size up to 100 megapixels.

    Returns:
        White on black, uint8 (28, 28).

    Raises:
        InputError: The file is missing, no picture, damaged, too large, or blank.
    """
    grey = decode(path)
    try:
        return normalize(grey)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def decode(path: Path) -> np.ndarray:
    """The first frame of a picture file, as it is meant to be seen, in grey.

    Returns:
        From 0 (black) to 1 (white), float32 (height, width).

    Raises:
        InputError: The file is missing, no picture, damaged, or has more than 100 megapixels.
    """
    if path != STANDARD_INPUT and not path.is_file():
        what = "expected a picture, not a folder" if path.is_dir() else "no such file"
        if path.exists() and not path.is_dir():
            what = "expected a picture in a file, not a device or pipe"
        raise InputError(f"{path}: {what}")
    try:
        with _opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow; we refuse or read, and say so ourselves
            return _decode(path, file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def normalize(grey: np.ndarray) -> np.ndarray:
    """A grey picture of one character in MNIST's form; the module says by which rule.

    Args:
        grey: From 0 (black) to 1 (white), (height, width); dark on light or light on dark.

    Returns:
        White on black, uint8 (28, 28).

    Raises:
        InputError: There is no ink.
    """
    grey = np.clip(np.nan_to_num(np.asarray(grey, np.float32)), 0, 1)
    if grey.ndim != 2 or not grey.size:
        raise InputError(f"expected a grey picture (height, width), received shape {grey.shape}")
    if _is_mnist(grey):
        return _eight_bits(grey)
    return _place(_strokes(*_ink(_working_size(grey))))


def _opened(path: Path) -> BinaryIO:
    if path != STANDARD_INPUT:
        return path.open("rb")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(f"standard input: expected at most {MOST_BYTES:,} bytes of a picture")
    return io.BytesIO(content)


def _decode(path: Path, file: BinaryIO) -> np.ndarray:
    try:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise _too_large(path, f"{width} x {height} pixels")
            return _grey(image)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{path}: expected a picture ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "many more") from None
    except Exception as error:
        # Damaged files make Pillow's decoders raise whatever they stumble over: OSError,
        # SyntaxError, ValueError, IndexError, struct.error, zlib.error, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: the picture is damaged or cut off: {reason}") from None


def _too_large(path: Path, received: str) -> InputError:
    return InputError(
        f"{path}: expected at most {MOST_PIXELS // 10**6} megapixels, received {received}"
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
    """From 0 to 1 what has no scale of its own, such as a TIFF of floats."""
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
    # Thousands of such files are asked about at once, so nothing here is slower than it must be.
    if grey.shape != (SIDE, SIDE) or grey.max() < 0.5 or 2 * np.count_nonzero(grey) > grey.size:
        return False
    on_rim = sum(map(np.count_nonzero, (grey[0], grey[-1], grey[:, 0], grey[:, -1])))
    down, across = grey.sum(axis=1), grey.sum(axis=0)
    at, mass = np.arange(SIDE) - SIDE / 2, down.sum()
    # All of MNIST's 70,000 are within half a pixel, and 6 % of a rim is the most that has ink.
    off_centre = max(abs(down @ at), abs(across @ at)) / mass
    return bool(on_rim < 0.1 * 4 * SIDE and off_centre < 1)


def _working_size(grey: np.ndarray) -> np.ndarray:
    """At the one size for which the widths below are meant; small pictures get smooth edges."""
    return _resized(grey, WORKING_SIDE / max(grey.shape), Image.Resampling.BICUBIC)


def _resized(values: np.ndarray, scale: float, how: Image.Resampling) -> np.ndarray:
    height, width = (max(1, round(scale * side)) for side in values.shape)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), how))


def _ink(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """How much ink is in every pixel (0 for paper, 1 for black on white), and how much is none."""
    smooth = ndimage.gaussian_filter(grey, 1.0)
    paper, even = _even_paper(smooth)
    if not even:
        return _ink_in_uneven_light(smooth)
    ink = paper - smooth
    if _weighted(ink**3).sum() < 0:
        ink = -ink
    # The noise is on both sides of paper, but one is full of ink, perhaps more than half of it.
    return ink, max(PALEST, _noise(ink[ink < 0]))


def _ink_in_uneven_light(grey: np.ndarray) -> tuple[np.ndarray, float]:
    light_on_dark = _is_light_on_dark(grey)
    paper = 1 - grey if light_on_dark else grey
    # Without the slope of the light, or the darkest edge of the picture would pass for a stroke.
    slope = _slope(paper)
    inks = [
        _missing_light(paper, slope, width, relative=not light_on_dark) for width in WIDEST_STROKES
    ]
    faintest = [max(PALEST_IN_UNEVEN_LIGHT, _noise(ink)) for ink in inks]
    # The narrowest that still spans the strokes follows the light best. Where it does not span
    # them, dark ink is missing.
    dark = 0.4 * max(float(np.percentile(_weighted(ink), 99.8)) for ink in inks)
    amounts = [
        float(_weighted(np.maximum(ink - max(dark, least), 0)).sum())
        for ink, least in zip(inks, faintest, strict=True)
    ]
    first = int(np.argmax(np.array(amounts) >= 0.85 * max(amounts)))
    return inks[first], faintest[first]


def _noise(ink: np.ndarray) -> float:
    """Six standard deviations, of which ink makes up the smaller part."""
    return 6 * 1.4826 * float(np.median(np.abs(ink))) if ink.size else 0.0


def _even_paper(grey: np.ndarray) -> tuple[float, bool]:
    """The brightness that most of the rim has, and whether nothing but ink has another."""
    rim = _rim(grey)
    paper = float(np.median(rim))
    differs = np.abs(rim - paper) / max(float(np.ptp(grey)), 1e-6)
    is_paper, is_ink = float(np.mean(differs <= 0.05)), float(np.mean(differs > 0.5))
    return paper, is_paper > 0.75 or (is_paper > 0.4 and is_paper + is_ink > 0.75)


def _rim(grey: np.ndarray) -> np.ndarray:
    # Deeper than a thin frame around a drawing, which is not its paper.
    depth = max(1, min(WORKING_SIDE // 25, min(grey.shape) // 3))
    inside = np.zeros(grey.shape, bool)
    inside[depth:-depth, depth:-depth] = True
    return grey[~inside]


def _weighted(values: np.ndarray) -> np.ndarray:
    """The middle counts in full, the picture's edges not at all."""
    rows, columns = (np.sin(np.pi * (np.arange(n) + 0.5) / n) for n in values.shape)
    weighted: np.ndarray = values * rows[:, None] * columns
    return weighted


def _is_light_on_dark(grey: np.ndarray) -> bool:
    # Thin strokes differ much from the mean around them, in one direction; the wide ground only
    # little, and what is on both sides of a shadow's edge cancels out.
    difference = grey - ndimage.gaussian_filter(grey, WORKING_SIDE / 12)
    return bool(_weighted(difference**3).sum() > 0)


def _missing_light(
    grey: np.ndarray, slope: np.ndarray, width: int, *, relative: bool
) -> np.ndarray:
    filled = ndimage.grey_closing(grey - slope, size=(width, width))
    paper = ndimage.gaussian_filter(filled, 2.0) + slope
    # Paper in shadow reflects the same share of less light. Near black the share is all noise.
    light = np.maximum(paper, 0.15) if relative else 1.0
    missing: np.ndarray = (paper - grey) / light
    missing -= np.median(missing)
    return missing


def _slope(grey: np.ndarray) -> np.ndarray:
    """The second-degree surface that fits best: a lamp at one side, a lens that darkens corners."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)
    some = (slice(None, None, 4), slice(None, None, 4))
    factors = np.linalg.lstsq(terms[some].reshape(-1, 6), grey[some].ravel())[0]
    slope: np.ndarray = terms @ factors
    return slope


def _strokes(ink: np.ndarray, least: float) -> np.ndarray:
    """The character's strokes, cut out, at `FINE` times their final size, and not too thin."""
    character, darkness = _character(ink, least)
    rows, columns = _extent(character)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    part = np.where(ndimage.binary_dilation(character, iterations=2), ink, 0)[rows, columns]
    # Room for the growing strokes.
    part = np.pad(part, 2 + max(height, width) // 4)
    fine = _resized(part, BOX * FINE / max(height, width), Image.Resampling.BICUBIC)
    inside = fine > STROKE * min(darkness, fine.max())
    depth = ndimage.distance_transform_edt(inside)
    # A stroke's pixels are on average a quarter of its width away from its edge.
    width_now = 4 * depth[inside].mean() / FINE
    grow = max(0.0, THINNEST - width_now) / 2 * FINE
    outside = ndimage.distance_transform_edt(~inside)
    strokes: np.ndarray = np.clip(np.where(inside, 1, grow + 1 - outside), 0, 1)
    return strokes


def _character(ink: np.ndarray, least: float) -> tuple[np.ndarray, float]:
    """Where the character is, and how dark it is."""
    character = _spots(ink, max(least, 0.25 * float(np.percentile(_weighted(ink), 99.7))))
    darkness = float(np.percentile(ink[character], 75))
    # Once more, with what the character itself calls dark: faint things that hang on it fall off.
    character = _spots(ink, max(least, STROKE * darkness))
    return character, float(np.percentile(ink[character], 75))


def _extent(character: np.ndarray) -> tuple[slice, slice]:
    slices: Any = ndimage.find_objects(character.astype(int))[0]
    return slices[0], slices[1]


def _spots(ink: np.ndarray, least: float) -> np.ndarray:
    """The main spot of ink and those that belong to it."""
    labels, count = ndimage.label(ink > least, structure=np.ones((3, 3)))
    every = np.arange(1, count + 1)
    if not count or max(ndimage.sum_labels(ink > least, labels, every)) < SPECK:
        raise InputError("the picture is blank: expected a character, found no ink")
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
