"""Any picture of a digit comes out as MNIST would have it."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from keras_recipes.data import pictures
from keras_recipes.errors import InputError
from tests.conftest import shared_data


def drawn(size: int = 200, paper: int = 235, ink: int = 30, width: int = 16) -> Image.Image:
    """A seven."""
    image = Image.new("L", (size, size), paper)
    pen = ImageDraw.Draw(image)
    pen.line([(60, 50), (140, 50), (90, 160)], fill=ink, width=width, joint="curve")
    return image


def read(image: Image.Image, name: str = "seven.png", **options: object) -> np.ndarray:
    image.save(name, **options)
    return pictures.read(Path(name))


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def test_mnists_own_pictures_come_back_bit_for_bit() -> None:
    paths = sorted(shared_data("datasets/images/mnist_test_png").rglob("*.png"))
    same = [np.array_equal(pictures.read(p), np.asarray(Image.open(p))) for p in paths]
    assert sum(same) >= 0.99 * len(paths) > 100


def test_the_digit_is_bright_on_black_in_the_middle() -> None:
    seven = read(drawn())
    assert (seven.shape, seven.dtype) == ((28, 28), np.uint8)
    assert seven.max() > 240
    assert max(seven[0, 0], seven[0, -1], seven[-1, 0], seven[-1, -1]) == 0
    rows, columns = np.indices((28, 28))
    weight = seven / seven.sum()
    assert abs((rows * weight).sum() - 13.5) < 1
    assert abs((columns * weight).sum() - 13.5) < 1
    high, wide = np.argwhere(seven > 60).min(axis=0), np.argwhere(seven > 60).max(axis=0)
    assert 17 <= (wide - high).max() <= 21


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_every_mode_is_understood(mode: str) -> None:
    image = drawn()
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype("uint16") * 257)
    else:
        image = image.convert(mode, dither=Image.Dither.NONE)
    name = "seven.tiff" if mode in ("CMYK", "I;16") else "seven.png"
    assert alike(read(image, name), read(drawn(), "plain.png")) > 0.95


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.tiff", "a.bmp", "a.webp"])
def test_every_format_is_understood(name: str) -> None:
    assert alike(read(drawn(), name), read(drawn(), "plain.png")) > 0.95


def test_dark_on_light_and_light_on_dark_are_the_same_digit() -> None:
    assert alike(read(drawn()), read(drawn(paper=20, ink=230), "dark.png")) > 0.97


def test_size_place_and_turning_do_not_matter() -> None:
    plain = read(drawn())
    wide = Image.new("L", (900, 500), 235)
    wide.paste(drawn().resize((400, 400)), (450, 60))
    assert alike(plain, read(wide, "wide.png")) > 0.93
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter when shown
    turned = drawn().transpose(Image.Transpose.ROTATE_90)
    assert alike(plain, read(turned, "turned.jpg", exif=exif)) > 0.95


def test_a_shadow_across_the_paper_is_no_ink() -> None:
    grey = np.asarray(drawn(ink=90).filter(ImageFilter.GaussianBlur(1)), float)
    shade = np.linspace(1.0, 0.45, 200)[None, :] * np.linspace(1.0, 0.8, 200)[:, None]
    noise = np.random.default_rng(0).normal(0, 3, grey.shape)
    photo = Image.fromarray((grey * shade + noise).clip(0, 255).astype("uint8"))
    assert alike(read(drawn()), read(photo, "photo.jpg", quality=80)) > 0.9


def test_a_hairline_grows_to_a_stroke() -> None:
    assert alike(read(drawn()), read(drawn(width=3), "thin.png")) > 0.8


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\nnot really", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_is_no_picture_is_named(content: bytes) -> None:
    Path("broken.png").write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.png") as refused:
        pictures.read(Path("broken.png"))
    assert "\n" not in str(refused.value)


def test_a_picture_cut_short_is_named() -> None:
    drawn().save("whole.png")
    Path("half.png").write_bytes(Path("whole.png").read_bytes()[:-200])
    with pytest.raises(InputError, match=r"half\.png"):
        pictures.read(Path("half.png"))


@pytest.mark.parametrize("size", [(1, 1), (40, 40), (3, 500)])
def test_a_blank_picture_is_refused(size: tuple[int, int]) -> None:
    Image.new("L", size, 200).save("blank.png")
    with pytest.raises(InputError, match=r"blank\.png"):
        pictures.read(Path("blank.png"))


def test_missing_files_and_folders_are_named() -> None:
    for name in ("nowhere.png", "."):
        with pytest.raises(InputError):
            pictures.read(Path(name))


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.new("1", (20_000, 20_000)).save("bomb.png")
    with pytest.raises(InputError, match="megapixel"):
        pictures.read(Path("bomb.png"))
