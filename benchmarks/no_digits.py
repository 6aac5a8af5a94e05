"""Pictures of things that are no digits: letters, symbols, displays and pieces of photographs.

The net has to answer something about each. `benchmarks/unsure.py` counts how often it is unsure.
There are two sets. Thresholds are chosen on `choice`; `test` has other fonts, other symbols and
another photograph.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.strangers import printed

EACH = {"choice": 3_000, "test": 300}
"""How many pictures of each kind there are."""

FONTS = {
    "choice": (
        "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic",
        "DejaVuSerif-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold",
    ),
    "test": ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmtt10", "cmss10"),
}  # fmt: skip

LOOK_ALIKE = "letters like digits"
LIKE_DIGITS = "OoDQIliSsZzBbGgqy|"
LETTERS = "".join(
    letter
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    if letter not in LIKE_DIGITS
)
"""Letters that no one takes for a digit; the others have a digit's shape in some font."""

SYMBOLS = {
    "choice": "#&+=<>{}~±÷≈≠∞∩∪⊂√∂∇●■▲◆☎☀☂♠♣♦♪✂✈ΔΘΛΞΣΨΩδζηκλμξψωДЖИЛМНПФЦШЩЫЮЯдйфшщъыэюя",
    "test": "@%*$?§[]^ΓΠΦαβγπ←→♥★",
}

SEGMENTS = {
    "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)), "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
}  # fmt: skip
"""From where to where each segment of a display goes."""

LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The segments of each digit."""

Draw = Callable[[str, np.random.Generator], tuple[str, Image.Image]]


def others(part: str) -> Iterator[tuple[str, str, Image.Image]]:
    """Yield kind, what it is, and picture; `part` is `choice` or `test`."""
    kinds: dict[str, Draw] = {
        "letters": lambda part, random: _character(LETTERS, FONTS[part], random),
        LOOK_ALIKE: lambda part, random: _character(LIKE_DIGITS, FONTS[part], random),
        "symbols": _symbol,
        "photographs": _photograph,
        "displays": _display,
    }
    for number, (kind, draw) in enumerate(kinds.items()):
        for turn in range(EACH[part]):
            random = np.random.default_rng((part == "test", number, turn))
            yield kind, *draw(part, random)


def _character(
    characters: str, fonts: tuple[str, ...], random: np.random.Generator
) -> tuple[str, Image.Image]:
    character = characters[random.integers(len(characters))]
    return character, printed(character, random, fonts)


def _symbol(part: str, random: np.random.Generator) -> tuple[str, Image.Image]:
    # The other fonts lack many of these.
    return _character(SYMBOLS[part], ("DejaVuSans", "DejaVuSerif"), random)


def _photograph(part: str, random: np.random.Generator) -> tuple[str, Image.Image]:
    """Cut a piece out of a photograph that comes with scikit-learn or Matplotlib."""
    import matplotlib
    import sklearn.datasets

    photographs = {
        "choice": [Path(sklearn.datasets.__file__).parent / "images" / "china.jpg"],
        "test": [
            Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg",
            Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg"),
        ],
    }[part]
    path = photographs[random.integers(len(photographs))]
    with Image.open(path) as photograph:
        width, height = random.integers(60, 400, 2)
        left = int(random.integers(photograph.width - width))
        top = int(random.integers(photograph.height - height))
        piece = photograph.crop((left, top, left + int(width), top + int(height)))
        # One photograph gives more kinds of pieces if they are turned and mirrored.
        if turn := int(random.integers(len(Image.Transpose) + 1)):
            piece = piece.transpose(Image.Transpose(turn - 1))
    return path.stem, piece.convert("RGB")


def _display(part: str, random: np.random.Generator) -> tuple[str, Image.Image]:
    """Draw a digit of seven segments, which has the shape of a digit that nobody writes."""
    digit = int(random.integers(10))
    side, gap = random.uniform(30, 120), random.uniform(0.05, 0.2)
    thick, slant = side * random.uniform(0.1, 0.25), random.uniform(0, 0.2)
    width, height = int(2.4 * side), int(3.4 * side)
    ground, light = random.integers(0, 50, 3), random.integers(150, 256, 3)
    if random.random() < 0.5:  # a liquid crystal, dark on light
        ground, light = light, ground
    picture = Image.new("RGB", (width, height), tuple(map(int, ground)))
    pen = ImageDraw.Draw(picture)
    for name in LIT[digit]:
        ends = np.array(SEGMENTS[name], float)
        along = ends[1] - ends[0]
        ends += np.outer([gap / 2 + thick / side / 2, -gap / 2 - thick / side / 2], along)
        x = (0.7 + ends[:, 0] + slant * (2 - ends[:, 1]) / 2) * side
        y = (0.7 + ends[:, 1]) * side
        pen.line([(x[0], y[0]), (x[1], y[1])], tuple(map(int, light)), round(thick))
    return str(digit), picture


def sheet(part: str, each: int = 20) -> Image.Image:
    """Draw some pictures of each kind, to look at them."""
    whole = Image.new("L", (64 * each, 64 * 5), 128)
    rows: dict[str, int] = {}
    for kind, _, picture in others(part):
        count = rows[kind] = rows.get(kind, -1) + 1
        if count < each:
            small = picture.convert("L")
            small.thumbnail((62, 62))
            whole.paste(small, (64 * count, 64 * (len(rows) - 1)))
    return whole
