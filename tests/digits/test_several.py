"""Pictures with more than one character: a warning and `unsure`, or a row for each."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from keras_recipes.digits import characters, page, pictures
from keras_recipes.digits.several import several
from tests.command_line import Run
from tests.shared_data import shared_data


def font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    name = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(name), size)


def written(lines: list[str], size: int = 60, gap: int = 14, ink: int = 30) -> Image.Image:
    """Write lines of characters on paper."""
    picture = Image.new("L", (40 + 60 * max(map(len, lines)), 40 + 90 * len(lines)), 240)
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        for column, text in enumerate(line):
            at = (30 + column * (size - 20 + gap), 20 + 90 * row)
            pen.text(at, text, ink, font(size))
    return picture


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32) / 255


def rows(recipes: Run, *names: str) -> tuple[list[dict[str, str]], str]:
    result = recipes("predict", "lenet5", *names, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(result.stdout.splitlines())), result.stderr


def test_by_default_several_characters_are_unsure_with_a_warning(recipes: Run) -> None:
    written(["47"]).save("47.png")
    written(["4"]).save("4.png")
    answers, said = rows(recipes, "47.png", "4.png")
    assert [row["prediction"] for row in answers] == ["unsure", "4"]
    assert "47.png: more than one character is seen" in said
    assert " 4.png" not in said


def test_each_character_has_a_row_with_its_place_in_reading_order(recipes: Run) -> None:
    written(["2024", "47 3"]).save("page.png")
    answers, said = rows(recipes, "page.png", "--set", "several=true")
    assert list(answers[0])[:7] == ["file", "index", "left", "top", "width", "height", "prediction"]
    assert "".join(row["prediction"] for row in answers) == "2024473"
    assert [row["index"] for row in answers] == list("1234567")
    lefts, tops = ([int(row[key]) for row in answers] for key in ("left", "top"))
    assert lefts[:4] == sorted(lefts[:4])
    assert max(tops[:4]) < min(tops[4:])
    assert "page.png: 2024 / 47 3" in said


def test_several_pictures_are_counted_each_from_one(recipes: Run) -> None:
    written(["12"]).save("a.png")
    written(["345"]).save("b.png")
    answers, said = rows(recipes, "a.png", "b.png", "--set", "several=true")
    assert [(row["file"], row["index"]) for row in answers][1:3] == [("a.png", "2"), ("b.png", "1")]
    assert "a.png: 12" in said
    assert "b.png: 345" in said


def test_dots_lines_and_a_grid_are_no_characters() -> None:
    picture = written(["20.11.2024", "479"])
    pen = ImageDraw.Draw(picture)
    for at in (8, 105, 200):
        pen.line((4, at, picture.width - 5, at), 30, 3)
    for at in (4, picture.width - 5):
        pen.line((at, 8, at, 200), 30, 3)
    found = several(grey(picture))
    assert [one.line for one in found] == [0] * 8 + [1] * 3


def test_light_characters_on_dark_paper_are_found() -> None:
    assert len(several(1 - grey(written(["2024"])))) == 4


def test_each_character_has_the_form_it_has_alone() -> None:
    alone = characters.normalize(grey(written(["7"])))
    among = several(grey(written(["474"])))[1].image
    assert np.corrcoef(alone.ravel(), among.ravel())[0, 1] > 0.9


def test_two_digits_in_a_picture_of_mnist_s_size_are_seen() -> None:
    two = np.zeros((28, 28), np.float32)
    two[8:20, 5:8] = two[8:20, 18:21] = 1
    assert characters.seen(two).several
    one = np.zeros((28, 28), np.float32)
    one[4:24, 12:16] = 1
    assert not characters.seen(one).several


@pytest.mark.parametrize("gap", [1, 3])
def test_the_detached_bar_of_a_five_is_no_other_character(gap: int) -> None:
    inked = np.zeros((40, 40), bool)
    inked[12:34, 10:16] = inked[28:34, 10:26] = True
    inked[9 - gap : 12 - gap, 12:30] = True
    assert not page.more_than_one(inked)


@pytest.mark.full
def test_mnist_s_test_digits_are_one_character_each() -> None:
    with np.load(shared_data("datasets/keras_home/datasets/mnist.npz")) as arrays:
        images = arrays["x_test"]
    warned = sum(characters.seen(image / np.float32(255)).several for image in images)
    assert warned < 5


@pytest.mark.parametrize("name", ["47.png", "2024.png"])
def test_the_cases_of_several_digits_are_read(name: str) -> None:
    path = shared_data("cases/digits/14-several-digits") / name
    assert characters.seen(pictures.decode(path)).several
    assert len(several(pictures.decode(path))) == len(path.stem)


@pytest.mark.parametrize("edge", [0, 3, 9])
@pytest.mark.parametrize("width", [14, 30])
@pytest.mark.parametrize("dark", [0, 70])
def test_a_digit_in_a_thick_frame_is_seen_as_without_it(edge: int, width: int, dark: int) -> None:
    plain = grey(written(["4"]).resize((300, 300)))
    framed = np.ones((400, 400), np.float32)
    framed[edge : 400 - edge, edge : 400 - edge] = dark / 255
    framed[edge + width : 400 - edge - width, edge + width : 400 - edge - width] = 240 / 255
    framed[50:350, 50:350] = plain
    one, other = characters.normalize(plain), characters.normalize(framed)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9


def test_the_cases_of_thick_frames_are_read(recipes: Run) -> None:
    folder = shared_data("cases/digits/13-thick-frame")
    answers, _ = rows(recipes, str(folder))
    wrong = [row for row in answers if Path(row["file"]).name[0] != row["prediction"]]
    assert not [row for row in wrong if row["prediction"] != "unsure"]


def test_a_texture_is_refused_at_once(recipes: Run) -> None:
    dots = np.kron(np.random.default_rng(0).random((300, 300)) < 0.1, np.ones((2, 2)))
    Image.fromarray(np.uint8(255 * (1 - dots))).resize((1_024, 1_024)).save("texture.png")
    result = recipes("predict", "lenet5", "texture.png", "--set", "several=true")
    assert result.exit_code == 2
    assert "texture" in result.stderr
    assert "spots of ink" in result.stderr
