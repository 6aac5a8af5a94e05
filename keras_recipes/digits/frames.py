"""Finding the sheet in a thick frame, such as the box of a form or the border of a screenshot.

Where a frame covers the edge of a picture, the frame's brightness is taken for the paper's. Then
the sheet inside looks like a large spot of ink: a full rectangle, in which the character is a hole.
"""

import numpy as np
import scipy

LEAST_SIDE = 0.5
"""The least side of the sheet, as a share of the picture's."""

FULL = 0.95
"""The least share of a rectangle that the sheet covers together with its holes."""

HOLES = (0.002, 0.4)
"""The share of the sheet that the character covers, at least and at most."""

CORNER = 0.06
"""The side of the corners of the sheet, which have to be full: those of letters are round."""


Place = tuple[slice, slice]
"""Rows and columns."""


def sheet_inside(inked: np.ndarray) -> Place | None:
    """Return the rows and columns of the sheet in a frame, or None if there is no frame.

    Args:
        inked: What differs from the picture's edge, bool of shape (height, width).
    """
    if 10 * np.count_nonzero(inked) < inked.size:
        return None  # most pictures, for which the search would cost time
    labels, _ = scipy.ndimage.label(inked)
    largest = int(np.bincount(labels[inked]).argmax())
    place = scipy.ndimage.find_objects(labels)[largest - 1]
    if any(
        side.stop - side.start < LEAST_SIDE * whole
        for side, whole in zip(place, inked.shape, strict=True)
    ):
        return None
    spot = labels[place] == largest
    full = scipy.ndimage.binary_fill_holes(spot)
    if full.mean() < FULL or not _has_corners(full):
        return None
    holes = full & ~spot
    if holes.mean() > HOLES[1]:  # the spot is the frame itself
        return _in_ring(holes, inked[place] & ~spot, place)
    if holes.mean() < HOLES[0] or any(
        side.start == 0 or side.stop == whole
        for side, whole in zip(place, inked.shape, strict=True)
    ):
        return None
    return _shrunk(place, max(inked.shape))


def _in_ring(holes: np.ndarray, ink: np.ndarray, place: Place) -> Place | None:
    """Return the inside of a frame that has ink in it; a zero of straight strokes has none."""
    inside = scipy.ndimage.find_objects(holes.astype(int))[0]
    share = np.count_nonzero(ink[inside]) / ink[inside].size
    if holes[inside].mean() < FULL or not HOLES[0] <= share <= HOLES[1]:
        return None
    rows, columns = (
        slice(outer.start + inner.start, outer.start + inner.stop)
        for outer, inner in zip(place, inside, strict=True)
    )
    return _shrunk((rows, columns), max(ink.shape))


def _shrunk(place: Place, longest: int) -> Place:
    """Return a place without its edge, where the frame is blurred."""
    rim = max(1, round(0.015 * longest))
    rows, columns = (slice(side.start + rim, side.stop - rim) for side in place)
    return rows, columns


def _has_corners(full: np.ndarray) -> bool:
    height, width = (max(1, round(CORNER * side)) for side in full.shape)
    return all(
        full[down, across].mean() > 0.8
        for down in (slice(height), slice(-height, None))
        for across in (slice(width), slice(-width, None))
    )
