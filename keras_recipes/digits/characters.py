"""Cutting out a handwritten character and giving it the form of MNIST's pictures.

`keras_recipes.digits.pictures` describes the steps; here are those from the second on. They work on
a picture of 256 pixels, or of 128 pixels if the given one has at most 64. More would cost time and
show nothing more. Widths are given for a picture of 512 pixels and are scaled to the working size.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from keras_recipes.digits import frames, page
from keras_recipes.errors import InputError

SIDE, BOX = 28, 20
UNIT_SIDE = 512  # the longer side of the picture for which widths are given, in pixels
WORKING_SIDE, SMALL_WORKING_SIDE = 256, 128
SMALL = 64
WIDEST_STROKES = (24, 48, 128)
SPECK = 25  # square pixels
RIM = 20  # deep enough to see the paper behind a thin frame around the drawing
FINE = 8  # pixels of the fine picture for each of the 28 pixels
THINNEST = 2.25  # of the 28 pixels; few of MNIST's strokes are thinner
PALEST = 3 / 255  # the palest ink, on a scale from paper to black
PALEST_IN_UNEVEN_LIGHT = 0.06  # blotches of the paper are paler
FAINT_STROKE = 0.25  # the palest stroke in MNIST's own pictures
STROKE = 0.4  # the palest stroke, as a share of the character's darkness


@dataclass(frozen=True)
class Seen:
    """What is seen of a picture.

    Attributes:
        image: The character in MNIST's form: white on black, shape (28, 28), uint8.
        several: Whether the picture holds more characters.
    """

    image: np.ndarray
    several: bool


def normalize(grey: np.ndarray) -> np.ndarray:
    """Convert a grey picture of one character to MNIST's form; see `seen`."""
    return seen(grey).image


def seen(grey: np.ndarray) -> Seen:
    """Convert a grey picture of one character to MNIST's form, as `pictures` describes.

    Args:
        grey: Brightness from 0 (black) to 1 (white), shape (height, width); dark on light or light
            on dark.

    Raises:
        InputError: The picture is blank.
    """
    grey = np.asarray(grey, np.float32)
    if grey.ndim != 2 or not grey.size:
        raise InputError(f"expected a grey picture (height, width), received shape {grey.shape}")
    grey = _reduced(grey)
    if not np.isfinite(grey.sum()):
        grey = np.nan_to_num(grey)
    grey = np.clip(grey, 0, 1)
    if _is_mnist(grey):
        return Seen(eight_bits(grey), page.more_than_one(grey > FAINT_STROKE))
    ink, least = _ink_inside(_working_size(grey))
    character, darkness = _character(ink, least)
    image = shaped(ink, character, darkness)
    return Seen(image, page.more_than_one(ink > max(least, STROKE * darkness), character))


def _reduced(grey: np.ndarray) -> np.ndarray:
    """Return a picture of several times the working size smaller, which is fast."""
    factor = round(max(grey.shape) / (2 * WORKING_SIDE))
    if factor < 2:
        return grey
    return np.asarray(Image.fromarray(grey).reduce(factor))


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
    side = WORKING_SIDE if max(grey.shape) > SMALL else SMALL_WORKING_SIDE
    return _resized(grey, side / max(grey.shape), Image.Resampling.BICUBIC)


def _unit(grey: np.ndarray) -> float:
    """Return the working pixels for each pixel in which widths are given."""
    return float(max(grey.shape)) / UNIT_SIDE


def _resized(values: np.ndarray, scale: float, how: Image.Resampling) -> np.ndarray:
    height, width = (max(1, round(scale * side)) for side in values.shape)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), how))


def _ink_inside(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the ink as `ink_of` does, without a thick frame around the sheet."""
    ink, least = ink_of(grey)
    sheet = frames.sheet_inside(ink > max(least, STROKE * float(ink.max())))
    return (ink, least) if sheet is None else ink_of(grey[sheet])


def resized(grey: np.ndarray, scale: float) -> np.ndarray:
    """Return a picture of another size, with smooth edges."""
    larger: np.ndarray = np.clip(_resized(grey, scale, Image.Resampling.BICUBIC), 0, 1)
    return larger


def shaped(ink: np.ndarray, character: np.ndarray, darkness: float) -> np.ndarray:
    """Return a character in MNIST's form.

    Args:
        ink: Each pixel's ink, shape (height, width).
        character: Where the character is, bool of the same shape.
        darkness: The ink of its dark pixels.
    """
    return _place(_strokes(ink, character, darkness))


def ink_of(grey: np.ndarray, blur: float | None = None) -> tuple[np.ndarray, float]:
    """Return each pixel's ink (0 paper, 1 black on white), and the least that counts as ink.

    Args:
        grey: Brightness from 0 to 1, shape (height, width).
        blur: Standard deviation in pixels by which noise is smoothed; None takes that for one
            character.
    """
    smooth = scipy.ndimage.gaussian_filter(grey, _unit(grey) if blur is None else blur)
    paper, even = _even_paper(smooth)
    if not even:
        return _ink_in_uneven_light(smooth)
    ink = paper - smooth
    if _weighted(ink * ink * ink).sum() < 0:
        ink = -ink
    # Noise makes paper lighter and darker. Ink is on one of these sides, perhaps on more than half
    # of the picture, so the noise is measured on the other side.
    return ink, max(PALEST, _noise(ink[ink < 0]))


def _ink_in_uneven_light(grey: np.ndarray) -> tuple[np.ndarray, float]:
    # Light and paper change slowly, so half the size shows them.
    half = _resized(grey, 0.5, Image.Resampling.BOX)
    light_on_dark = _is_light_on_dark(half)
    if light_on_dark:
        grey, half = 1 - grey, 1 - half
    # Subtract the slope of the light. Otherwise the picture's darkest edge looks like a stroke.
    slope = _slope(half)
    papers = [_paper(half, slope, width) for width in WIDEST_STROKES]
    inks = [_missing_light(half, paper, relative=not light_on_dark) for paper in papers]
    paper = _stretched_to(papers[_narrowest_that_spans(inks)], grey.shape)
    ink = _missing_light(grey, paper, relative=not light_on_dark)
    return ink, max(PALEST_IN_UNEVEN_LIGHT, _noise(ink))


def _narrowest_that_spans(inks: list[np.ndarray]) -> int:
    """Return which of the inks is that of the narrowest width that spans the strokes.

    It follows the light best. A width that does not span the strokes misses dark ink.
    """
    faintest = [max(PALEST_IN_UNEVEN_LIGHT, _noise(ink)) for ink in inks]
    weighted = [_weighted(ink) for ink in inks]
    dark = 0.4 * max(float(np.percentile(ink, 99.8)) for ink in weighted)
    amounts = [
        float(_weighted(np.maximum(ink - max(dark, least), 0)).sum())
        for ink, least in zip(inks, faintest, strict=True)
    ]
    return int(np.argmax(np.array(amounts) >= 0.85 * max(amounts)))


def _stretched_to(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


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
    # A 1 that was cut out closely leaves little paper, all of it at the edge.
    depth = max(1, min(round(RIM * _unit(grey)), min(grey.shape) // 8))
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
    difference = grey - scipy.ndimage.gaussian_filter(grey, max(grey.shape) / 12)
    return bool(_weighted(difference * difference * difference).sum() > 0)


def _paper(grey: np.ndarray, slope: np.ndarray, width: int) -> np.ndarray:
    """Return the light of the paper: strokes of up to this width are filled in."""
    size = max(1, round(width * _unit(grey)))
    filled = scipy.ndimage.grey_closing(grey - slope, size=(size, size))
    paper: np.ndarray = scipy.ndimage.gaussian_filter(filled, 2 * _unit(grey)) + slope
    return paper


def _missing_light(grey: np.ndarray, paper: np.ndarray, *, relative: bool) -> np.ndarray:
    # Paper in shadow reflects the same share of less light. Near black this share is only noise.
    light = np.maximum(paper, 0.15) if relative else 1.0
    missing: np.ndarray = (paper - grey) / light
    missing -= np.median(missing)
    return missing


def _slope(grey: np.ndarray) -> np.ndarray:
    """Fit a surface of degree 2 to the light: a lamp at one side, a lens that darkens corners."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)
    step = max(1, min(grey.shape) // 16)
    some = (slice(None, None, step), slice(None, None, step))
    factors = np.linalg.lstsq(terms[some].reshape(-1, 6), grey[some].ravel())[0]
    slope: np.ndarray = terms @ factors
    return slope


def _strokes(ink: np.ndarray, character: np.ndarray, darkness: float) -> np.ndarray:
    """Return the character's strokes, cut out and not too thin, at `FINE` times the final size."""
    rows, columns = _extent(character)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    around = max(1, round(2 * _unit(ink)))
    near = scipy.ndimage.binary_dilation(character[rows, columns], iterations=around)
    part = np.where(near, ink[rows, columns], 0)
    # Strokes may be widened, so leave room around them.
    part = np.pad(part, 2 + max(height, width) // 12)
    fine = _resized(part, BOX * FINE / max(height, width), Image.Resampling.BICUBIC)
    inside = fine > STROKE * min(darkness, fine.max())
    grow = max(0.0, THINNEST - _width(inside) / FINE) / 2 * FINE
    if not grow:
        whole: np.ndarray = inside.astype(np.float32)
        return whole
    outside = scipy.ndimage.distance_transform_edt(~inside)
    strokes: np.ndarray = np.clip(np.where(inside, 1, grow + 1 - outside), 0, 1)
    return strokes


def _width(inside: np.ndarray) -> float:
    """Return the mean width of strokes in pixels: twice their area, divided by their outline.

    The number of pixel sides along an outline is 4 / pi times its length, on the average over all
    directions (Cauchy's formula).
    """
    part = np.pad(inside[_extent(inside)], 1)
    sides = np.count_nonzero(part[1:] != part[:-1]) + np.count_nonzero(part[:, 1:] != part[:, :-1])
    return 2 * np.count_nonzero(part) / (np.pi / 4 * sides)


def _character(ink: np.ndarray, least: float) -> tuple[np.ndarray, float]:
    """Return where the character is (a mask), and how dark it is."""
    character = _spots(ink, max(least, 0.25 * float(np.percentile(_weighted(ink), 99.7))))
    darkness = float(np.percentile(ink[character], 75))
    # Search again, with a threshold from the character's own darkness: faint parts are left out.
    character = _spots(ink, max(least, STROKE * darkness))
    return character, float(np.percentile(ink[character], 75))


def _extent(character: np.ndarray) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(character.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _spots(ink: np.ndarray, least: float) -> np.ndarray:
    """Return a mask of the main spot of ink and of the spots that belong to it."""
    inked = ink > least
    labels, count = scipy.ndimage.label(inked, structure=np.ones((3, 3)))
    # Most pixels are paper, whose label is 0, and are not looked at.
    of_pixels = labels[inked]
    pixels, mass, weight = (
        np.bincount(of_pixels, values, count + 1)[1:]
        for values in (None, ink[inked], _weighted(ink)[inked])
    )
    if not count or pixels.max() < SPECK * _unit(ink) ** 2:
        raise InputError("expected a picture of a character, received a blank one: it has no ink")
    at_edge = np.zeros(count + 1, bool)
    at_edge[np.concatenate([labels[[0, -1]].ravel(), labels[:, [0, -1]].ravel()])] = True
    at_edge = at_edge[1:]
    main = int(np.argmax(np.where(at_edge, weight / 4, weight)))
    may_belong = (mass > 0.02 * mass[main]) & (~at_edge | at_edge[main])
    rows, columns = _extent(labels == main + 1)
    reach = 0.2 * max(rows.stop - rows.start, columns.stop - columns.start)
    found = np.arange(count) == main
    character: np.ndarray = labels == main + 1
    # The third piece of a broken stroke is near the second one only.
    while np.any(may_belong & ~found):
        near = may_belong & ~found & (_distances(labels, character, count) <= reach)
        if not near.any():
            break
        found |= near
        character = np.concatenate([[False], found])[labels]
    return character


def _distances(labels: np.ndarray, character: np.ndarray, count: int) -> np.ndarray:
    """Return how many pixels each spot is away from the character."""
    distance = scipy.ndimage.distance_transform_edt(~character)
    nearest = np.full(count + 1, np.inf)
    np.minimum.at(nearest, labels.ravel(), distance.ravel())
    return nearest[1:]


def _place(strokes: np.ndarray) -> np.ndarray:
    strokes = strokes[_extent(strokes > 0)]
    fitted = _resized(strokes, BOX / max(strokes.shape), Image.Resampling.BOX)
    placed = np.zeros((SIDE, SIDE), np.float32)
    corner = [
        min(max(round(SIDE / 2 - centre), 0), SIDE - side)
        for centre, side in zip(scipy.ndimage.center_of_mass(fitted), fitted.shape, strict=True)
    ]
    placed[corner[0] : corner[0] + fitted.shape[0], corner[1] : corner[1] + fitted.shape[1]] = (
        fitted
    )
    return eight_bits(placed)


def eight_bits(grey: np.ndarray) -> np.ndarray:
    """Return brightness from 0 to 1 as uint8 from 0 to 255."""
    values: np.ndarray = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    return values
