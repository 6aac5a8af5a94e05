"""Finding the characters in a picture that holds several: a date, a postcode, a scanned page.

A character is a spot of ink, or several spots if it was drawn in strokes that do not touch. A spot
that surrounds another one is a frame, and a long thin one is a rule. Spots much smaller than most
of the ink are dots, dashes and specks. Characters whose strokes touch each other are not separated.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from keras_recipes.errors import InputError

MOST_SPOTS = 3_000
"""The most spots of one picture, because each is compared with the others."""

SMALL = 0.5
"""The height of a spot, as a share of the usual height, below which it is a part or a dot."""

LONG = 3.0
"""How many times longer than the usual height a rule is."""

WIDE = 2.6
"""How many times wider than high touching characters are; no training image of MNIST is as wide."""


@dataclass(frozen=True)
class Box:
    """Where a character is: the numbers of its spots, and its extent in pixels."""

    spots: tuple[int, ...]
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """The width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.bottom - self.top

    def joined(self, other: "Box") -> "Box":
        """Return a character of the spots of both."""
        return Box(
            self.spots + other.spots,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def spots(inked: np.ndarray) -> tuple[np.ndarray, list[Box], np.ndarray]:
    """Return the number of each pixel's spot, the spots' boxes, and the sizes in pixels.

    Args:
        inked: Where ink is, bool of shape (height, width).
    """
    labels, count = scipy.ndimage.label(inked, structure=np.ones((3, 3)))
    boxes = [
        Box((number,), across.start, down.start, across.stop, down.stop)
        for number, (down, across) in enumerate(scipy.ndimage.find_objects(labels), start=1)
    ]
    return labels, boxes, np.bincount(labels.ravel(), minlength=count + 1)


def found(inked: np.ndarray) -> tuple[np.ndarray, list[Box]]:
    """Return the number of each pixel's spot, and the characters in reading order.

    Args:
        inked: Where ink is, bool of shape (height, width).

    Raises:
        InputError: There are too many spots.
    """
    labels, boxes, sizes = spots(inked)
    boxes = [box for box in boxes if sizes[box.spots[0]] > 3]
    if len(boxes) > MOST_SPOTS:
        raise InputError(
            f"expected a picture of at most {MOST_SPOTS:,} spots of ink, received {len(boxes):,}: "
            "it is rather a texture; cut the characters out of it"
        )
    boxes = _without_frames(labels, boxes)
    usual = usual_height(boxes, sizes)
    boxes = [box for box in boxes if not _is_rule(box, sizes, usual)]
    large = [box for box in boxes if box.height >= SMALL * usual]
    small = [box for box in boxes if box.height < SMALL * usual]
    whole = _with_parts(_joined(large, usual), small, usual)
    return labels, in_reading_order(whole)


def usual_height(boxes: list[Box], sizes: np.ndarray) -> float:
    """Return the height of the spots with half of the ink: dots have little of it."""
    if not boxes:
        return 0.0
    ordered = sorted(boxes, key=lambda box: box.height)
    ink = np.cumsum([sizes[box.spots[0]] for box in ordered])
    return float(ordered[int(np.searchsorted(ink, ink[-1] / 2))].height)


def _without_frames(labels: np.ndarray, boxes: list[Box]) -> list[Box]:
    """Leave out the spots that surround another one of at least a quarter of their height."""
    frames = set()
    for outer in sorted(boxes, key=lambda box: -box.height * box.width)[:200]:
        for inner in boxes:
            if _surrounds(outer, inner) and 4 * inner.height >= outer.height:
                place = labels[inner.top : inner.bottom, inner.left : inner.right]
                if not (place == outer.spots[0]).any():
                    frames.add(outer.spots)
                    break
        else:
            inside = [inner for inner in boxes if _surrounds(outer, inner)]
            if len(inside) > 3:  # a grid around small characters
                frames.add(outer.spots)
    return [box for box in boxes if box.spots not in frames]


def _surrounds(outer: Box, inner: Box) -> bool:
    return (
        outer.left < inner.left
        and outer.top < inner.top
        and inner.right < outer.right
        and inner.bottom < outer.bottom
    )


def _is_rule(box: Box, sizes: np.ndarray, usual: float) -> bool:
    longer = max(box.width, box.height)
    filled = sizes[box.spots[0]] / (box.width * box.height)
    return longer > LONG * usual and (
        min(box.width, box.height) < SMALL * usual or filled < 0.15 or box.height > LONG * usual
    )


def _joined(boxes: list[Box], usual: float) -> list[Box]:
    """Join the spots of characters that are in several pieces, one above the other."""
    whole: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.left):
        for place in range(len(whole) - 1, -1, -1):
            other = whole[place]
            if _is_one(box, other, usual):
                whole[place] = other.joined(box)
                break
        else:
            whole.append(box)
    return whole


def _is_one(one: Box, other: Box, usual: float) -> bool:
    shared = min(one.right, other.right) - max(one.left, other.left)
    if shared < 0.5 * min(one.width, other.width):
        return False
    gap = max(one.top, other.top) - min(one.bottom, other.bottom)
    return gap < 0 or (gap < 0.2 * usual and one.joined(other).height < 1.5 * usual)


def _with_parts(whole: list[Box], small: list[Box], usual: float) -> list[Box]:
    """Give small spots to the characters above or below which they are: the bar of a five."""
    whole = list(whole)
    for part in small:
        for place, box in enumerate(whole):
            shared = min(part.right, box.right) - max(part.left, box.left)
            apart = max(part.top, box.top) - min(part.bottom, box.bottom)
            if 2 * shared >= part.width and apart < 0.2 * usual:
                whole[place] = box.joined(part)
                break
    return whole


def in_reading_order(boxes: list[Box]) -> list[Box]:
    """Return boxes line by line, and from left to right in each line."""
    return [box for line in lines(boxes) for box in line]


def lines(boxes: list[Box]) -> list[list[Box]]:
    """Return boxes by lines: those whose heights overlap by half are in one line."""
    found: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.left):
        best, most = None, 0.0
        for line in found:
            last = line[-1]
            shared = min(box.bottom, last.bottom) - max(box.top, last.top)
            share = shared / min(box.height, last.height)
            if share > max(most, 0.5):
                best, most = line, share
        if best is None:
            found.append([box])
        else:
            best.append(box)
    return sorted(found, key=lambda line: float(np.mean([box.top + box.bottom for box in line])))


def more_than_one(inked: np.ndarray, main: np.ndarray | None = None) -> bool:
    """Return whether a picture that should hold one character holds several.

    The others are next to the character, at its height and about as tall. A gap between two strokes
    of one character is no gap between characters.

    Args:
        inked: Where ink is, bool of shape (height, width).
        main: Where the character is, if this is known; else it is all ink.
    """
    labels, boxes = found(inked)
    shape = inked.shape
    boxes = [box for box in boxes if not _at_edge(box, shape)]
    if not boxes:
        return False
    pixels = labels.ravel() if main is None else labels[main]
    sizes = np.bincount(pixels, minlength=int(labels.max()) + 1)
    largest = max(boxes, key=lambda box: sum(sizes[list(box.spots)]))
    return largest.width > WIDE * largest.height or any(
        other is not largest and _is_next_to(other, largest) for other in boxes
    )


def _is_next_to(other: Box, box: Box) -> bool:
    shared = min(other.bottom, box.bottom) - max(other.top, box.top)
    apart = max(other.left, box.left) - min(other.right, box.right)
    alike = 0.6 <= other.height / box.height <= 1.7
    return alike and apart > 0 and shared > 0.5 * min(other.height, box.height)


def _at_edge(box: Box, shape: tuple[int, ...]) -> bool:
    return box.left == 0 or box.top == 0 or box.right == shape[1] or box.bottom == shape[0]
