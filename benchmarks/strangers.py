"""The accuracy of the shipped models on pictures that are not like MNIST's.

    python benchmarks/strangers.py [FOLDER] [SEED]

The program draws digits in six ways: printed, with a mouse, a brush, chalk, a pencil, and
photographed in bad light. In six more ways they are harder: scanned at 16 x 16 pixels as in USPS,
cut out closely, with a thin and a thick pen, slanted, and broken. It writes them into a folder for
each digit, as `recipes evaluate --data FOLDER` reads them. Then it asks both models, which were
trained on MNIST only, and draws the mistakes of LeNet-5 in FOLDER/mistakes.png. A mistake is an
answer that is not the digit that was drawn; `unsure` is one too, and is counted besides.
"""

import io
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.interpolate import CubicSpline

from keras_recipes import load, predict
from keras_recipes.digits import pictures

Shape = tuple[int, int]

PER_DIGIT = 6  # pictures of each digit in each of the six ways

FONTS = (
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic",
    "DejaVuSansMono", "DejaVuSansMono-Oblique", "STIXGeneral", "STIXGeneralItalic", "cmr10",
    "cmtt10",
)  # fmt: skip

# Each digit in several handwritings: points "x,y" with x to the right from 0 to 100 and y down from
# 0 to 140. A stroke is a smooth curve through its points, with a corner where a point is given
# twice. A semicolon lifts the pen.
HANDS: dict[int, tuple[str, ...]] = {
    0: (
        "50,0 15,25 5,70 18,118 50,140 84,115 95,68 82,22 50,0",
        "62,4 30,18 10,65 20,120 52,136 85,100 88,45 66,8 45,10",
        "40,5 10,60 25,125 60,135 80,80 70,20 42,2 36,12",
    ),
    1: (
        "50,0 50,70 50,140",
        "20,38 40,22 56,0 56,0 56,70 54,140",
        "64,0 54,70 40,140",
        "30,30 52,4 52,4 50,135; 22,136 50,135 80,134",
    ),
    2: (
        "10,35 25,6 60,2 85,30 70,70 8,138 8,138 50,136 95,138",
        "14,28 48,0 80,30 60,85 22,128 18,112 40,112 70,132 96,124",
        "12,20 50,4 82,18 78,50 40,100 10,136 10,136 92,130",
    ),
    3: (
        "12,20 48,0 82,25 68,56 42,66 42,66 78,76 88,108 52,138 8,122",
        "15,8 50,2 76,22 68,52 38,64 74,72 86,104 58,134 14,130",
        "12,4 84,4 84,4 42,56 42,56 80,70 86,108 50,138 8,120",
    ),
    4: (
        "68,140 68,70 68,0 68,0 5,95 5,95 95,95",
        "25,0 18,35 12,68 12,68 50,66 90,62; 76,5 70,70 64,140",
        "35,0 22,40 10,85 10,85 90,84; 66,40 64,90 62,140",
    ),
    5: (
        "20,4 15,58 15,58 50,48 85,72 82,118 45,138 8,122; 20,4 90,2",
        "88,4 28,6 28,6 20,58 20,58 62,54 84,88 62,130 10,134",
        "24,10 18,56 50,58 80,84 70,124 36,138 6,126; 28,8 60,6 92,4",
    ),
    6: (
        "75,4 35,35 10,90 28,134 70,134 86,100 60,74 28,84 12,104",
        "58,0 26,45 12,100 36,138 74,124 76,92 46,80 16,104",
        "86,10 48,4 16,48 10,104 44,138 82,116 72,78 36,76 12,96",
    ),
    7: (
        "6,6 50,4 94,4 94,4 62,65 40,140",
        "8,12 50,8 88,6 88,6 64,60 48,138; 34,70 60,68 86,66",
        "10,24 12,8 12,8 50,10 90,4 90,4 58,70 30,138",
    ),
    8: (
        "78,18 46,0 16,28 40,62 74,90 80,122 46,140 14,116 32,80 70,46 78,18",
        "50,62 20,38 48,2 80,32 50,62 14,98 48,138 86,100 50,62",
        "84,12 54,2 24,22 40,58 66,88 62,128 30,134 18,106 48,66 84,22",
    ),
    9: (
        "82,30 52,2 16,28 26,66 62,68 82,30 82,30 82,90 76,140",
        "80,24 46,6 18,38 40,68 74,48 82,18 80,80 60,138",
        "84,36 56,4 18,26 24,60 60,66 84,36 84,36 78,100 46,138 14,122",
    ),
}


Drawing = Callable[[int, np.random.Generator], Image.Image]


def strangers(seed: int) -> Iterator[tuple[str, int, Image.Image]]:
    """Yield kind, label and picture, `PER_DIGIT` of each digit and kind; the seed decides all."""
    kinds: dict[str, Drawing] = {
        "print": _print,
        "mouse": _mouse,
        "brush": _brush,
        "chalk": _chalk,
        "pencil": _pencil,
        "photo": _photo,
    }
    yield from _of(kinds, seed, 0)


def harder(seed: int) -> Iterator[tuple[str, int, Image.Image]]:
    """Yield kind, label and picture as `strangers` does, of harder kinds."""
    kinds: dict[str, Drawing] = {
        "scan": _scan,
        "tight": _tight,
        "thin": _thin,
        "thick": _thick,
        "slanted": _slanted,
        "broken": _broken,
    }
    yield from _of(kinds, seed, 6)


def straight(seed: int) -> Iterator[tuple[str, int, Image.Image]]:
    """Yield kind, label and picture of digits of straight lines, as programs draw them."""
    yield from _of({"straight": _straight}, seed, 12)


def _of(kinds: dict[str, Drawing], seed: int, first: int) -> Iterator[tuple[str, int, Image.Image]]:
    for number, (kind, picture) in enumerate(kinds.items(), first):
        for label in range(10):
            for turn in range(PER_DIGIT):
                random = np.random.default_rng((seed, number, label, turn))
                yield kind, label, picture(label, random)


def _print(label: int, random: np.random.Generator) -> Image.Image:
    return printed(str(label), random)


def printed(
    character: str, random: np.random.Generator, fonts: Sequence[str] = FONTS
) -> Image.Image:
    """Draw a character of a font, dark on light or light on dark, somewhere in a picture."""
    import matplotlib

    font = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{random.choice(fonts)}.ttf")
    size = int(random.integers(40, 300))
    width, height = (int(size * factor) for factor in random.uniform(1.2, 2.5, 2))
    light, dark = (tuple(int(c) for c in random.integers(*r, 3)) for r in ((190, 256), (0, 90)))
    paper, ink = (light, dark) if random.random() < 0.7 else (dark, light)
    picture = Image.new("RGB", (width, height), paper)
    at = (width / 2 + random.uniform(-0.1, 0.1) * size, height / 2)
    pen = ImageDraw.Draw(picture)
    pen.text(at, character, ink, ImageFont.truetype(font, size), anchor="mm")
    return picture


def _straight(label: int, random: np.random.Generator) -> Image.Image:
    """Draw the same digits from point to point, in black on white or in white on black."""
    side = int(random.choice([28, 64, 128, 280]))
    width = max(1.0, side * random.uniform(0.02, 0.06))
    size = random.uniform(0.5, 0.85)
    ink = _drawn(label, random, (side, side), size=size, width=width, straight=True)
    black = random.random() < 0.5
    grey = 255 * (1 - ink) if black else 255 * ink
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _mouse(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as with a mouse: jagged black strokes of one width on white, by a shaky hand."""
    side = int(random.choice([64, 128, 280, 400, 640]))
    width = max(1.5, side * random.uniform(0.01, 0.09))
    ink = _drawn(label, random, (side, side), size=random.uniform(0.5, 0.85), width=width, shake=2)
    return Image.fromarray(np.where(ink > 0.5, 0, 255).astype(np.uint8)).convert("RGB")


def _brush(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as on a tablet: wide smooth strokes that swell, a colour on a coloured ground."""
    shape = _shape(random, 200, 700)
    width = min(shape) * random.uniform(0.04, 0.12)
    size = random.uniform(0.6, 0.85)
    ink = _drawn(label, random, shape, size=size, width=width, swell=0.4)[..., None]
    light, dark = random.uniform(0.75, 1, 3), random.uniform(0, 0.4, 3)
    paper, colour = (light, dark) if random.random() < 0.6 else (dark, light)
    return _picture(paper * (1 - ink) + colour * ink)


def _chalk(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as on a blackboard: light strokes with gaps, on a wiped ground."""
    shape = _shape(random, 300, 700)
    width = min(shape) * random.uniform(0.02, 0.05)
    ink = _drawn(label, random, shape, size=random.uniform(0.4, 0.8), width=width, swell=0.2)
    ink = ink * (0.75 + 0.25 * np.tanh(2 + 2 * _cloud(random, shape, 2)))
    board = 0.22 + 0.03 * _cloud(random, shape, 40) + random.normal(0, 0.015, shape)
    grey = (board + 0.6 * ink) * _vignette(shape, 0.4)
    return _jpeg(grey[..., None] * random.uniform(0.85, 1, 3), random)


def _pencil(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as with a pencil: thin, grey and grainy on textured paper, with noise, vignetting."""
    shape = _shape(random, 400, 900)
    width = min(shape) * random.uniform(0.008, 0.025)
    ink = _drawn(label, random, shape, size=random.uniform(0.3, 0.8), width=width, swell=0.3)
    ink = ink * np.clip(0.8 + 0.2 * _cloud(random, shape, 1.2), 0, 1) * random.uniform(0.35, 0.7)
    paper = 0.9 + 0.012 * _cloud(random, shape, 1.5) + 0.02 * _cloud(random, shape, 60)
    light = _slope(random, shape, random.uniform(0.1, 0.5)) * _vignette(shape, 0.3)
    grey = paper * (1 - ink) * light + random.normal(0, random.uniform(0.005, 0.025), shape)
    return _jpeg(grey[..., None] * random.uniform([0.95, 0.9, 0.8], 1), random)


def _photo(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as a phone's photo: pen on paper, a hand's shadow, the table's edge, a ruled line."""
    shape = _shape(random, 500, 1200)
    width = min(shape) * random.uniform(0.012, 0.06)
    ink = _drawn(label, random, shape, size=random.uniform(0.25, 0.5), width=width, swell=0.15)
    grey = 0.92 * (1 - random.uniform(0.6, 0.9) * ink) + 0.02 * _cloud(random, shape, 50)
    for edge in ("ruled", "table"):
        if random.random() < 0.4:
            _add_edge(grey, edge, int(ink.any(axis=1).argmax()), random)
    grey = grey * _slope(random, shape, 0.3) * _shadow(random, shape) * _vignette(shape, 0.25)
    grey = grey + random.normal(0, random.uniform(0.005, 0.03), shape)
    return _jpeg(grey[..., None] * random.uniform(0.85, 1, 3), random)


def _scan(label: int, random: np.random.Generator) -> Image.Image:
    """Draw as in USPS: white on black, cut out closely, 16 x 16 pixels."""
    width = 200 * random.uniform(0.05, 0.13)
    ink = _cut_out(_drawn(label, random, (260, 260), size=0.75, width=width, swell=0.2), 0)
    scale = 16 / max(ink.shape)
    height, across = (max(1, round(scale * side)) for side in ink.shape)
    small = _picture(ink).resize((across, height), Image.Resampling.BOX)
    scan = Image.new("L", (16, 16))
    scan.paste(small, ((16 - across) // 2, (16 - height) // 2))
    return scan.convert("RGB")


def _tight(label: int, random: np.random.Generator) -> Image.Image:
    """Draw dark on light, cut out so closely that strokes touch or cross the edges."""
    width = 200 * random.uniform(0.04, 0.12)
    ink = _drawn(label, random, (300, 300), size=0.75, width=width, swell=0.2)
    return _on_paper(_cut_out(ink, int(random.integers(-4, 5))), random)


def _thin(label: int, random: np.random.Generator) -> Image.Image:
    shape = _shape(random, 300, 700)
    width = max(1.0, min(shape) * random.uniform(0.003, 0.008))
    return _on_paper(_drawn(label, random, shape, size=0.7, width=width), random)


def _thick(label: int, random: np.random.Generator) -> Image.Image:
    shape = _shape(random, 200, 500)
    width = min(shape) * random.uniform(0.11, 0.16)
    return _on_paper(_drawn(label, random, shape, size=0.65, width=width), random)


def _slanted(label: int, random: np.random.Generator) -> Image.Image:
    """Draw with a slant of 25 to 40 degrees to the right, or of 10 to 20 to the left."""
    degrees = random.uniform(25, 40) if random.random() < 0.7 else -random.uniform(10, 20)
    shape = _shape(random, 300, 600)
    width = min(shape) * random.uniform(0.02, 0.07)
    slant = float(np.tan(np.deg2rad(degrees)))
    return _on_paper(_drawn(label, random, shape, size=0.6, width=width, slant=slant), random)


def _broken(label: int, random: np.random.Generator) -> Image.Image:
    """Draw with one to three gaps across, as where a pen skips or a scanner drops lines."""
    shape = _shape(random, 300, 600)
    width = min(shape) * random.uniform(0.03, 0.07)
    ink = _drawn(label, random, shape, size=0.7, width=width)
    y, x = _grid(shape)
    for _ in range(int(random.integers(1, 4))):
        angle, at = random.uniform(0, np.pi), random.uniform(-0.35, 0.35)
        ink = ink * (abs(np.sin(angle) * y + np.cos(angle) * x - at) > random.uniform(0.015, 0.04))
    return _on_paper(ink, random)


def _on_paper(ink: np.ndarray, random: np.random.Generator) -> Image.Image:
    paper, pen = random.uniform(0.8, 1), random.uniform(0, 0.35)
    noise = random.normal(0, random.uniform(0, 0.02), ink.shape)
    return _picture(paper * (1 - ink) + pen * ink + noise).convert("RGB")


def _cut_out(ink: np.ndarray, margin: int) -> np.ndarray:
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis=axis)) for axis in (1, 0))
    return ink[
        max(0, rows[0] - margin) : rows[-1] + 1 + margin,
        max(0, columns[0] - margin) : columns[-1] + 1 + margin,
    ]


def _shape(random: np.random.Generator, least: int, end: int) -> Shape:
    height, width = random.integers(least, end, 2)
    return int(height), int(width)


def _drawn(
    label: int,
    random: np.random.Generator,
    shape: Shape,
    *,
    size: float,
    width: float,
    swell: float = 0.0,
    shake: float = 0.0,
    slant: float | None = None,
    straight: bool = False,
) -> np.ndarray:
    """Return ink from 0 to 1: a digit in one handwriting, slanted, stretched and jittered."""
    hand = HANDS[label][random.integers(len(HANDS[label]))]
    height, across = shape
    scale = size * min(height, across) / 140
    usual, turn = random.normal(0.1, 0.12), random.normal(0, 0.06)
    slant = usual if slant is None else slant
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    change = turned @ np.array([[random.uniform(0.7, 1.1), -slant], [0, 1]]) * scale
    room = max(0.0, min(height, across) * (0.9 - size)) / 2
    middle = np.array([across, height]) / 2 + random.uniform(-room, room, 2)
    image = Image.new("L", (2 * across, 2 * height))
    pen = ImageDraw.Draw(image)
    for stroke in hand.split(";"):
        jittered = _jittered(stroke, random)
        path = (_lines if straight else _curve)(jittered) - [50, 70]
        path += shake * np.cumsum(random.normal(0, 0.25, path.shape), axis=0) * 0.3
        begin, end = random.uniform(0, 6, 2)
        swelling = 1 + swell * np.sin(np.linspace(begin, end, len(path)))
        for (x, y), factor in zip(path @ change.T + middle, swelling, strict=True):
            radius = width * factor  # the image has twice the size, so this is half the width
            pen.ellipse((2 * x - radius, 2 * y - radius, 2 * x + radius, 2 * y + radius), fill=255)
    return np.asarray(image.reduce(2), float) / 255


def _jittered(stroke: str, random: np.random.Generator) -> list[np.ndarray]:
    """Return the smooth pieces of a stroke, from corner to corner."""
    points = np.array([point.split(",") for point in stroke.split()], float)
    moved = points + random.normal(0, 3, points.shape)
    corners = [i for i in range(1, len(points)) if tuple(points[i]) == tuple(points[i - 1])]
    for corner in corners:
        moved[corner] = moved[corner - 1]
    return np.split(moved, corners)


def _lines(pieces: list[np.ndarray]) -> np.ndarray:
    """Return points on straight lines from point to point."""
    steps = np.linspace(0, 1, 60)[:, None]
    found = [
        begin + steps * (end - begin)
        for piece in pieces
        for begin, end in itertools.pairwise(piece)
    ]
    return np.concatenate(found)


def _curve(pieces: list[np.ndarray]) -> np.ndarray:
    curves = []
    for piece in pieces:
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(piece, axis=0), axis=1))])
        curves.append(CubicSpline(along, piece)(np.linspace(0, along[-1], 300)))
    return np.concatenate(curves)


def _cloud(random: np.random.Generator, shape: Shape, grain: float) -> np.ndarray:
    """Return smooth noise with mean 0 and standard deviation 1."""
    small = random.normal(0, 1, [max(2, int(side / grain)) for side in shape])
    image = Image.fromarray(small.astype(np.float32))
    cloud = np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
    normal: np.ndarray = (cloud - cloud.mean()) / cloud.std()
    return normal


def _grid(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return y, x


def _vignette(shape: Shape, depth: float) -> np.ndarray:
    y, x = _grid(shape)
    light: np.ndarray = 1 - depth * (y**2 + x**2) / 2
    return light


def _slope(random: np.random.Generator, shape: Shape, depth: float) -> np.ndarray:
    y, x = _grid(shape)
    angle = random.uniform(0, 2 * np.pi)
    along = (np.sin(angle) * y + np.cos(angle) * x) / np.sqrt(2)
    light: np.ndarray = 1 - depth * (1 + along) / 2
    return light


def _shadow(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """Return light in which one half of the picture is in a shadow with a soft edge."""
    y, x = _grid(shape)
    angle = random.uniform(0, 2 * np.pi)
    distance = np.sin(angle) * y + np.cos(angle) * x - random.uniform(-0.5, 0.5)
    edge = random.uniform(0.01, 0.3)
    shadow = 1 / (1 + np.exp(-np.clip(distance / edge, -50, 50)))
    light: np.ndarray = 1 - random.uniform(0.1, 0.5) * shadow
    return light


def _add_edge(grey: np.ndarray, edge: str, top: int, random: np.random.Generator) -> None:
    height = len(grey)
    if edge == "table":
        grey[: int(min(height * random.uniform(0.03, 0.15), 0.8 * top))] *= 0.35
    else:  # a pale line across the sheet, below the digit or through its lower end
        at = int(height * random.uniform(0.7, 0.95))
        grey[at : at + max(1, height // 250)] *= 0.8


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


def _jpeg(values: np.ndarray, random: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    _picture(values).save(file, "JPEG", quality=int(random.integers(50, 95)))
    file.seek(0)
    return Image.open(file).convert("RGB")


def draw(folder: Path, seed: int) -> list[tuple[str, int, Path]]:
    """Write the pictures, and return kind, digit and file of each."""
    drawn = []
    both = itertools.chain(strangers(seed), harder(seed))
    for number, (kind, label, picture) in enumerate(both):
        path = folder / "pictures" / str(label) / f"{kind}-{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        drawn.append((kind, label, path))
    return drawn


def sheet(paths: list[Path], name: Path) -> None:
    """Draw each picture with what the net saw of it below."""
    side, across = 84, 16
    rows = -(-max(len(paths), 1) // across)
    whole = Image.new("L", (across * side, 2 * rows * side), 128)
    for number, path in enumerate(paths):
        at = (number % across * side, number // across * 2 * side)
        picture = Image.open(path).convert("L")
        picture.thumbnail((side - 2, side - 2))
        whole.paste(picture, at)
        seen = Image.fromarray(pictures.read(path)).resize((side - 2, side - 2))
        whole.paste(seen, (at[0], at[1] + side))
    whole.save(name)


def main(folder: Path, seed: int) -> None:
    drawn = draw(folder, seed)
    mistakes = []
    kinds = np.array([kind for kind, *_ in drawn])
    truth = np.array([str(label) for _, label, _ in drawn])
    for name in ("lenet5", "mnist-mlp"):
        rows = predict(load(name), [str(path) for *_, path in drawn])
        said = np.array([row["prediction"] for row in rows])
        for kind in dict.fromkeys(kinds):
            some = kinds == kind
            right, unsure = (said == truth)[some], (said == "unsure")[some]
            print(
                f"{name}, {kind}: {100 * right.mean():.1f} % of {some.sum()}, {unsure.sum()} unsure"
            )
        for answer, label, (_, _, path) in zip(said, truth, drawn, strict=True):
            if answer != label and name == "lenet5":
                print(f"  {path}: said {answer}")
                mistakes.append(path)
    sheet(mistakes, folder / "mistakes.png")


if __name__ == "__main__":
    given = (*sys.argv[1:], *("strangers", "0")[len(sys.argv) - 1 :])
    main(Path(given[0]), int(given[1]))
