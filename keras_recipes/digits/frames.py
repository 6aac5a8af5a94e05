"""Finding the sheet in a thick frame, such as the box of a form or the border of a screenshot.

Where a frame covers the edge of a picture, the frame's brightness is taken for the paper's. Then
the sheet inside looks like a large spot of ink: a full rectangle, in which the character is a hole.
"""

import numpy as np
from scipy import ndimage

LEAST_SIDE = 0.5
"""The least side of the sheet, as a share of the picture's."""

FULL = 0.95
"""The least share of a rectangle that the sheet covers together with its holes."""

HOLES = (0.002, 0.4)
"""The share of the sheet that the character covers, at least and at most."""

CORNER = 0.06
"""The side of the corners of the sheet, which have to be full: those of letters are round."""


def sheet_inside(inked: np.ndarray) -> tuple[slice, slice] | None:
    """Return the rows and columns of the sheet in a frame, or None if there is no frame.

    Args:
        inked: What differs from the picture's edge, bool of shape (height, width).
    """
    if 5 * np.count_nonzero(inked) < inked.size:
        return None  # most pictures, for which the search would cost time
    labels, _ = ndimage.label(inked)
    largest = int(np.bincount(labels[inked]).argmax())
    rows, columns = ndimage.find_objects(labels)[largest - 1]
    sides = rows.stop - rows.start, columns.stop - columns.start
    if any(side < LEAST_SIDE * whole for side, whole in zip(sides, inked.shape, strict=True)):
        return None
    if any(
        extent.start == 0 or extent.stop == whole
        for extent, whole in zip((rows, columns), inked.shape, strict=True)
    ):
        return None
    sheet = labels[rows, columns] == largest
    full = ndimage.binary_fill_holes(sheet)
    holes = 1 - np.count_nonzero(sheet) / np.count_nonzero(full)
    if full.mean() < FULL or not HOLES[0] <= holes <= HOLES[1] or not _has_corners(full):
        return None
    # The edge of the frame is blurred.
    inside = max(1, round(0.015 * max(inked.shape)))
    return (
        slice(rows.start + inside, rows.stop - inside),
        slice(columns.start + inside, columns.stop - inside),
    )


def _has_corners(full: np.ndarray) -> bool:
    height, width = (max(1, round(CORNER * side)) for side in full.shape)
    return all(
        full[down, across].mean() > 0.8
        for down in (slice(height), slice(-height, None))
        for across in (slice(width), slice(-width, None))
    )
