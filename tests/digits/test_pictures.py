"""Pictures of digits get MNIST's form; other files are refused with a message of one line."""

import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.strangers import harder
from keras_recipes.digits import characters, pictures
from keras_recipes.errors import InputError
from tests.command_line import Run
from tests.shared_data import shared_data


def three(size: int = 300, width: int = 24) -> Image.Image:
    """Draw a three as with a felt pen, black on white; mirrored or turned it looks different."""
    picture = Image.new("L", (4 * size, 4 * size), 255)
    pen = ImageDraw.Draw(picture)
    scale = 4 * size / 300
    for box, start, end in (((90, 50, 200, 150), 200, 90), ((80, 144, 215, 260), 270, 160)):
        pen.arc([scale * at for at in box], start, end, fill=0, width=round(scale * width))
    return picture.resize((size, size), Image.Resampling.BOX)


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"), np.float32) / 255


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two pictures."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


PLAIN = pictures.normalize(grey(three()))


def assert_three(picture: np.ndarray, at_least: float = 0.95) -> None:
    assert picture.shape == (28, 28)
    assert picture.dtype == np.uint8
    assert likeness(picture, PLAIN) >= at_least


# What MNIST is


def test_a_one_that_fills_its_picture_is_read() -> None:
    picture = next(p for kind, label, p in harder(300) if (kind, label) == ("tight", 1))
    one = pictures.normalize(grey(picture))
    rows, columns = np.nonzero(one > 127)
    assert np.ptp(rows) + 1 == 20
    assert 1 <= np.ptp(columns) + 1 <= 5


def test_a_normalized_picture_is_built_as_mnist_is() -> None:
    rows, columns = np.nonzero(PLAIN)
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    mass = PLAIN.astype(float) / PLAIN.sum()
    centre = [(mass.sum(axis=1 - axis) * np.arange(28)).sum() for axis in (0, 1)]
    assert extent == 20
    assert np.abs(np.subtract(centre, 14)).max() <= 0.5
    assert PLAIN[0, 0] == 0
    assert PLAIN.max() == 255
    assert 0.05 < np.mean(PLAIN > 127) < 0.4


def test_a_stroke_broken_in_three_is_read_whole() -> None:
    whole = np.ones((300, 300), np.float32)
    whole[40:260, 140:165] = 0.1
    broken = whole.copy()
    for top in (118, 170):
        broken[top : top + 12] = 1
    assert likeness(characters.normalize(broken), characters.normalize(whole)) > 0.7


def test_pictures_from_mnist_come_back_bit_for_bit() -> None:
    for path in sorted(shared_data("datasets/images/mnist_test_png").rglob("*.png")):
        with Image.open(path) as image:
            assert np.array_equal(pictures.read(path), np.asarray(image)), path


def test_pictures_from_mnist_enlarged_and_inverted_come_back_nearly() -> None:
    likenesses = []
    for path in sorted(shared_data("datasets/images/mnist_test_png").rglob("*.png"))[::10]:
        with Image.open(path) as image:
            large = 1 - grey(image.resize((300, 300), Image.Resampling.BICUBIC))
            likenesses.append(likeness(pictures.normalize(large), np.asarray(image)))
    assert np.median(likenesses) > 0.93


def test_what_was_normalized_stays_as_it_is() -> None:
    assert np.array_equal(pictures.normalize(PLAIN / 255), PLAIN)


# Files


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "bmp", "webp"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_every_format_is_read(suffix: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"three.{suffix}"
    picture = three().convert(mode)
    savable = picture if (suffix, mode) not in {("jpg", "P")} else picture.convert("L")
    savable.save(path)
    assert_three(pictures.read(path), 0.9)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[(mode, "tiff") for mode in ("CMYK", "LAB", "I;16", "I", "F", "RGBA")],
        *[("CMYK", "jpg"), ("YCbCr", "jpg"), ("I;16", "png"), ("LA", "png"), ("RGBA", "webp")],
    ],
)
def test_every_mode_is_read(mode: str, suffix: str, tmp_path: Path) -> None:
    values = np.asarray(three())
    made = {
        "I;16": lambda: Image.fromarray(values.astype(np.uint16) * 257),
        "I": lambda: Image.fromarray(values.astype(np.int32) * 1000 - 7),
        "F": lambda: Image.fromarray(values.astype(np.float32) / 50 - 1),
        "LAB": lambda: Image.merge("LAB", [three(), *[Image.new("L", (300, 300), 128)] * 2]),
    }
    picture = made.get(mode, lambda: three().convert("RGB").convert(mode))()
    assert picture.mode == mode
    picture.save(tmp_path / f"three.{suffix}")
    assert_three(pictures.read(tmp_path / f"three.{suffix}"))


@pytest.mark.parametrize("ink", ["black", "white", "red"])
@pytest.mark.parametrize("palette", [False, True])
def test_ink_on_nothing_is_read(ink: str, palette: bool, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (300, 300), ink)
    picture.putalpha(Image.eval(three(), lambda value: 255 - value))
    (picture.quantize() if palette else picture).save(tmp_path / "three.png")
    assert_three(pictures.read(tmp_path / "three.png"), 0.9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_says_how_it_was_held(orientation: int, tmp_path: Path) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = three() if orientation == 1 else three().transpose(back[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "three.jpg", exif=exif)
    assert_three(pictures.read(tmp_path / "three.jpg"))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_of_an_animation_the_first_frame_counts(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"moving.{suffix}"
    three().save(path, save_all=True, append_images=[Image.new("L", (300, 300), 255)])
    assert_three(pictures.read(path))


def test_decoding_gives_grey_from_0_to_1(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    Image.fromarray(values).save(tmp_path / "grey.png")
    decoded = pictures.decode(tmp_path / "grey.png")
    assert decoded.dtype == np.float32
    assert np.array_equal(decoded, values.astype(np.float32) / 255)


# What is refused


def refusal(path: Path) -> str:
    """Return the error message, which is one line that begins with the file's name."""
    with pytest.raises(InputError) as raised, warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures.read(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_what_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.png")
    assert "folder" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "three.png"
    path.write_bytes(content)
    assert "expected a picture (PNG, JPEG, GIF, TIFF, BMP, WEBP)" in refusal(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "bmp", "webp"])
def test_a_picture_that_was_cut_off_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"three.{suffix}"
    three().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refusal(path)


@settings(max_examples=60, deadline=None)
@given(suffix=st.sampled_from(["png", "jpg", "gif", "bmp", "webp"]), data=st.data())
def test_a_damaged_picture_is_read_or_refused(
    suffix: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"three.{suffix}"
    three(60, 30).save(path)
    content = bytearray(path.read_bytes())
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=20)):
        content[place] = value
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        assert pictures.read(path).shape == (28, 28)
    except InputError as error:
        assert re.fullmatch(rf"{re.escape(str(path))}: .+", str(error))  # a dot is no line's end


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (3, 700), (200, 300)])
@pytest.mark.parametrize("shade", [0, 127, 255])
def test_a_blank_picture_is_refused(shape: tuple[int, int], shade: int, tmp_path: Path) -> None:
    Image.new("L", shape, shade).save(tmp_path / "blank.png")
    assert "blank" in refusal(tmp_path / "blank.png")


@pytest.mark.parametrize("seed", range(5))
def test_blank_paper_in_uneven_light_is_refused(seed: int, tmp_path: Path) -> None:
    light = np.linspace(0.95, 0.5, 400)[:, None] * np.ones(300)
    noisy = light + np.random.default_rng(seed).normal(0, 0.02, light.shape)
    Image.fromarray((255 * noisy.clip(0, 1)).astype(np.uint8)).save(tmp_path / "blank.jpg")
    assert "blank" in refusal(tmp_path / "blank.jpg")


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_001, 14_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_that_claims(side, side))
    assert "expected at most 100 megapixels" in refusal(path)


@pytest.mark.parametrize("size", [(4_000, 3_000), (4_095, 2_000), (6_001, 100), (1_024, 1_024)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photograph_is_decoded_to_the_same_size_as_other_formats(
    size: tuple[int, int], orientation: int, tmp_path: Path
) -> None:
    picture, tags = three(1_000).resize(size).convert("RGB"), Image.Exif()
    tags[0x112] = orientation
    found = []
    for name in ("photo.jpg", "photo.png"):
        picture.save(tmp_path / name, quality=95, exif=tags)
        found.append(pictures.decode(tmp_path / name))
    assert found[0].shape == found[1].shape
    assert 512 < max(found[0].shape) <= 1_024
    assert np.abs(found[0] - found[1]).mean() < 0.01


def test_a_large_jpeg_takes_less_work_than_all_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sizes, grey_of = tmp_path / "photo.jpg", [], pictures.grey
    three(1_000).resize((4_000, 3_000)).save(path)

    def noted(image: Image.Image) -> np.ndarray:
        sizes.append(image.size)
        return grey_of(image)

    monkeypatch.setattr(pictures, "grey", noted)
    pictures.decode(path)
    assert sizes == [(1_000, 750)]


def test_no_warning_escapes_from_a_large_picture(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_that_claims(9_700, 9_700))  # Pillow warns from 89 megapixels on
    assert "damaged" in refusal(path)


# Whatever the picture looks like


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(40, 900),
    light=st.floats(0.55, 1),
    dark=st.floats(0, 0.35),
    inverted=st.booleans(),
    at=st.tuples(st.integers(0, 300), st.integers(0, 300)),
)
def test_size_shades_polarity_and_place_do_not_matter(
    size: int, light: float, dark: float, inverted: bool, at: tuple[int, int]
) -> None:
    picture = np.pad(grey(three(size)), [(at[0], 300 - at[0]), (at[1], 300 - at[1])], mode="edge")
    picture = dark + (light - dark) * picture
    # A small one in a large picture has few pixels, and comes back coarser.
    assert_three(pictures.normalize(1 - picture if inverted else picture), 0.85)


@pytest.mark.full
@settings(max_examples=25, deadline=None)
@given(
    angle=st.floats(0, 2 * np.pi),
    depth=st.floats(0, 0.6),
    noise=st.floats(0, 0.05),
    shadow=st.floats(0, 0.4),
    seed=st.integers(0, 1000),
)
def test_light_noise_and_shadow_do_not_matter(
    angle: float, depth: float, noise: float, shadow: float, seed: int
) -> None:
    y, x = np.mgrid[-0.5:0.5:300j, -0.5:0.5:300j]
    along = np.sin(angle) * y + np.cos(angle) * x
    light = (1 - depth * (along + 0.7) / 1.4) * (1 - shadow / (1 + np.exp(-along / 0.02)))
    picture = light * (0.2 + 0.75 * grey(three()))
    picture = picture + np.random.default_rng(seed).normal(0, noise, picture.shape)
    assert_three(pictures.normalize(picture.clip(0, 1)), 0.85)


@pytest.mark.parametrize("width", [3, 6, 12, 24, 36])
def test_thin_strokes_grow_and_thick_ones_stay(width: int) -> None:
    picture = pictures.normalize(grey(three(width=width)))
    assert_three(picture, 0.6)
    assert 0.3 < picture.mean() / PLAIN.mean() < 2
    assert np.percentile(picture[picture > 0], 75) >= 250


def test_pale_pencil_becomes_as_bright_as_ink() -> None:
    pale = 0.9 - 0.15 * (1 - grey(three()))
    assert_three(pictures.normalize(pale), 0.99)


def test_a_character_that_fills_the_picture_is_read() -> None:
    ink = np.argwhere(np.asarray(three()) < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    assert_three(pictures.normalize(grey(three())[top : bottom + 1, left : right + 1]), 0.9)


def with_specks(picture: np.ndarray) -> None:
    for y, x in np.random.default_rng(0).integers(0, 290, (25, 2)):
        picture[y : y + 3, x : x + 3] = 0.1


def with_table(picture: np.ndarray) -> None:
    picture[:25] = 0.15


def with_ruled_lines(picture: np.ndarray) -> None:
    picture[[10, 11, 285, 286]] = 0.3


def with_frame(picture: np.ndarray) -> None:
    picture[[0, 1, -2, -1]] = 0
    picture[:, [0, 1, -2, -1]] = 0


@pytest.mark.parametrize("add", [with_specks, with_table, with_ruled_lines, with_frame])
def test_what_is_not_the_character_is_ignored(add: object) -> None:
    assert callable(add)
    picture = 0.05 + 0.9 * grey(three())
    add(picture)
    assert_three(pictures.normalize(picture), 0.9)


def test_parts_of_a_character_stay_together() -> None:
    broken = grey(three())
    broken[:, 142:150] = 1  # across both bows
    assert_three(pictures.normalize(broken), 0.85)


def test_a_blurred_picture_is_read() -> None:
    blurred = pictures.normalize(grey(three().filter(ImageFilter.GaussianBlur(4))))
    # The centre is rounded to whole pixels, and blur may move it across a half.
    around = [np.roll(blurred, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert max(likeness(moved, PLAIN) for moved in around) >= 0.95


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60),
        elements=st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0]),
    )
)
def test_whatever_is_in_it_a_picture_is_normalized_or_blank(picture: np.ndarray) -> None:
    try:
        normalized = pictures.normalize(picture)
    except InputError as error:
        assert "blank" in str(error)
    else:
        assert normalized.shape == (28, 28)
        assert normalized.dtype == np.uint8
        assert normalized.max() > 0


@pytest.mark.parametrize("shape", [(28,), (0, 5), (28, 28, 3)])
def test_what_is_no_grey_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="expected a grey picture"):
        pictures.normalize(np.zeros(shape))


def test_a_picture_comes_through_a_pipe(recipes: Run, saved_picture: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(saved_picture.read_bytes())
    ask = ("predict", "mnist-mlp", "--format", "csv")
    with os.fdopen(reading, "rb") as pipe:
        said = recipes(*ask, "-", input=pipe).stdout
    by_name = recipes(*ask, str(saved_picture)).stdout
    assert said.splitlines()[1].partition(",")[2] == by_name.splitlines()[1].partition(",")[2]


@pytest.fixture
def saved_picture(tmp_path: Path) -> Path:
    picture = Image.new("L", (60, 80), 255)
    ImageDraw.Draw(picture).line((30, 10, 30, 70), fill=0, width=6)
    picture.save(tmp_path / "one.png")
    return tmp_path / "one.png"


def test_a_small_picture_takes_less_work_than_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_on: list[int] = []
    ink = characters.ink_of

    def watched(working: np.ndarray, blur: float | None = None) -> tuple[np.ndarray, float]:
        worked_on.append(max(working.shape))
        return ink(working, blur)

    monkeypatch.setattr(characters, "ink_of", watched)
    for size in (16, 64, 65, 300, 2_000):
        assert_three(pictures.normalize(grey(three(size=size))), 0.85)
    assert worked_on == [128, 128, 256, 256, 256]
