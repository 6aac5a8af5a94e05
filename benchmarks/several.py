"""How many digits of composed pages are found and read: dates, postcodes, Sudokus, scanned pages.

    python -m benchmarks.several [PAGES]

Each page is composed of MNIST's test digits, dark on light, so its truth is known. A digit counts
if a row has its label and a place whose middle is inside it. Rows about no digit are counted too.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageDraw

from keras_recipes import load, predict

Place = tuple[int, int, int]
"""Left, top and side of a digit in pixels."""

Layout = tuple[tuple[int, int], list[Place], Callable[[ImageDraw.ImageDraw], object]]
"""The size of a page, the places of its digits, and what else is drawn."""


def date() -> Layout:
    places = [(20 + 40 * i + 24 * (i > 1) + 24 * (i > 3), 20, 40) for i in range(8)]

    def dots(pen: ImageDraw.ImageDraw) -> None:
        for left in (106, 210):
            pen.ellipse((left, 48, left + 5, 53), 30)

    return (410, 80), places, dots


def postcode() -> Layout:
    boxes = [(20 + 70 * i, 20) for i in range(5)]

    def drawn(pen: ImageDraw.ImageDraw) -> None:
        for left, top in boxes:
            pen.rectangle((left, top, left + 60, top + 70), None, 60, 2)

    return (390, 110), [(left + 8, top + 13, 44) for left, top in boxes], drawn


def sudoku() -> Layout:
    cells = np.random.default_rng(1).permutation(81)[:30]
    places = [(20 + 50 * (int(c) % 9) + 6, 20 + 50 * (int(c) // 9) + 6, 38) for c in cells]

    def lines(pen: ImageDraw.ImageDraw) -> None:
        for number in range(10):
            at, width = 20 + 50 * number, 3 if number % 3 == 0 else 1
            pen.line((20, at, 470, at), 40, width)
            pen.line((at, 20, at, 470), 40, width)

    return (490, 490), places, lines


def page() -> Layout:
    places = [(60 + 36 * x, 60 + 60 * y, 34) for y in range(14) for x in range(18)]
    return (760, 960), places, lambda pen: None


def composed(layout: Layout, random: np.random.Generator, noise: float) -> tuple[Image.Image, str]:
    (_, _), (images, labels) = keras.datasets.mnist.load_data()
    size, places, draw = layout
    sheet = Image.new("L", size, 240)
    draw(ImageDraw.Draw(sheet))
    rows = random.integers(0, len(images), len(places))
    for row, (left, top, side) in zip(rows, places, strict=True):
        ink = Image.fromarray(images[row]).resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(30, (left, top), ink)
    values = np.asarray(sheet, float) + random.normal(0, noise, (size[1], size[0]))
    return Image.fromarray(values.clip(0, 255).astype("uint8")), "".join(map(str, labels[rows]))


def read(layout: Layout, sheet: Image.Image, truth: str) -> tuple[int, int]:
    """Return how many digits are read, and how many rows are about none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.png")
        sheet.save(path)
        rows = predict(load("lenet5"), [str(path)], several=True)
    right, left_over = 0, len(rows)
    for (left, top, side), label in zip(layout[1], truth, strict=True):
        for row in rows:
            x, y = row["left"] + row["width"] / 2 - left, row["top"] + row["height"] / 2 - top
            if 0 <= x < side and 0 <= y < side:
                right, left_over = right + (row["prediction"] == label), left_over - 1
                break
    return right, left_over


def main(pages: int) -> None:
    for noise in (0.0, 8.0):
        for make in (date, postcode, sudoku, page):
            layout, right, none, count = make(), 0, 0, 0
            for number in range(pages):
                sheet, truth = composed(layout, np.random.default_rng((7, number)), noise)
                found, rest = read(layout, sheet, truth)
                right, none, count = right + found, none + rest, count + len(truth)
            print(
                f"{make.__name__}, noise {noise:g}: {100 * right / count:.1f} % of {count} digits, "
                f"{none} rows about none",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
