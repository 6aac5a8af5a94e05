"""Folders of pictures are read as people have them, or refused by name."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import classifier
from keras_recipes.digits import data as digits
from keras_recipes.digits.class_names import digit_of, matched
from keras_recipes.errors import InputError
from tests.command_line import Run
from tests.digits.written import folders, some, tarred, zipped

IMAGES, LABELS = some(each=3)


def load(name: str, **options: object) -> Dataset:
    return digits.load([name], **{"seed": 0, "validation": 0.0, **options})


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training", "testing"), ("Train", "TEST"), ("TRAINING", "Test"),
        ("trainingSet", "testSet"), ("train_images", "test-images"),
        ("train", "valid"), ("Training", "val"), ("训练", "测试"),
    ],
)  # fmt: skip
def test_folders_of_parts_are_no_classes(empty_folder: Path, train: str, test: str) -> None:
    folders(Path("own", train), IMAGES, map(str, LABELS))
    folders(Path("own", test), IMAGES[::3], map(str, LABELS[::3]))
    data = load("own")
    assert data.learned["labels"] == list("0123456789")
    assert (len(data.train), len(data.test)) == (30, 10)


def test_a_validation_folder_is_used_as_it_is(empty_folder: Path) -> None:
    for part, step in (("train", 1), ("validation", 3), ("test", 2)):
        folders(Path("own", part), IMAGES[::step], map(str, LABELS[::step]))
    data = load("own", validation=0.1)
    assert (len(data.train), len(data.validation or ()), len(data.test)) == (30, 10, 15)
    assert "10 validation examples" in data.note


def test_parts_inside_the_classes_are_parts_too(empty_folder: Path) -> None:
    folders(Path("own"), IMAGES, (f"{label}/train" for label in LABELS))
    folders(Path("own"), IMAGES[::3], (f"{label}/test" for label in LABELS[::3]))
    data = load("own")
    assert (len(data.train), len(data.test)) == (30, 10)
    assert data.learned["labels"] == list("0123456789")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("parts next to classes", r"own: has the part train and the folder 7 next to it"),
        ("two names of one part", r"expected one folder for each part, received own/.* and train"),
        ("folders of folders", r"own/one_set: holds folders \(0, 1, 2\) and no pictures"),
        ("another class in the test", "own/test: has the class x, which the training part lacks"),
        ("no classes", r"expected pictures that can be read, found none; expected a folder of pic"),
        ("one class", "expected at least two classes to learn, received only 7"),
    ],
)
def test_other_folders_are_refused_by_name(empty_folder: Path, name: str, complaint: str) -> None:
    made: dict[str, list[str]] = {
        "parts next to classes": ["train/1", "train/2", "7"],
        "two names of one part": ["train/1", "Training/1", "test/1"],
        "folders of folders": ["one_set/0", "one_set/1", "one_set/2", "other_set/0"],
        "another class in the test": ["train/1", "train/2", "test/x"],
        "no classes": ["."],
        "one class": ["7", "7", "7", "7", "7", "7"],
    }
    folders(Path("own"), IMAGES[: len(made[name])], made[name])
    with pytest.raises(InputError, match=complaint):
        load("own")


def test_files_that_no_person_put_there_are_passed_over(recipes: Run) -> None:
    folders(Path("own"), IMAGES, map(str, LABELS))
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini", "Desktop.ini", "._.DS_Store"):
        Path("own", "3", name).write_bytes(b"\0\5\x16\7no picture")
        Path("own", name).write_bytes(b"\0\5\x16\7no picture")
    folders(Path("own"), IMAGES[:1], ["__MACOSX/3"])
    folders(Path("own"), IMAGES[:1], [".ipynb_checkpoints"])
    answers = recipes("predict", "lenet5", "own", "--format", "csv")
    assert answers.exit_code == 0, answers.stderr
    assert len(answers.stdout.splitlines()) == 31
    measured = recipes("evaluate", "lenet5", "--data", "own")
    assert measured.exit_code == 0, measured.stderr
    assert "all 30 examples are measured" in measured.stderr


def test_pictures_outside_of_the_classes_and_empty_classes_are_said(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders(Path("own"), IMAGES, map(str, LABELS))
    folders(Path("own"), IMAGES[:1], ["."])
    Path("own", "ten").mkdir()
    assert load("own").learned["labels"] == list("0123456789")
    assert "own: 1 picture next to the folders of the classes is left out, such as own/0.png" in (
        caplog.text
    )
    assert "own/ten: has no pictures" in caplog.text


ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.mark.parametrize(
    "names",
    [
        ENGLISH, [name.upper() for name in ENGLISH], list("零一二三四五六七八九"),
        list("〇壹贰叁肆伍陆柒捌玖"), list("０１２３４５６７８９"), [f"0{i}" for i in range(10)],
        [f"digit_{i}" for i in range(10)], [f"Digit {name}" for name in ENGLISH],
        [f"数字{i}" for i in range(10)],
    ],
    ids=lambda names: names[3],
)  # fmt: skip
def test_words_and_numerals_are_matched_to_digits_and_that_is_said(
    empty_folder: Path, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folders(Path("own"), IMAGES, (names[label] for label in LABELS))
    data = digits.unseen(["own"], skip_bad=False, seed=0)
    found = classifier.match_classes({"labels": list("0123456789")}, data).test
    assert [names[i] for i in found.y.argmax(axis=1)] == [
        data.learned["labels"][i] for i in data.test.y.argmax(axis=1)
    ]
    assert f"{names[7]} as 7" in caplog.text


def test_a_folder_of_words_is_measured_by_what_the_words_mean(recipes: Run) -> None:
    folders(Path("own"), IMAGES, (ENGLISH[label] for label in LABELS))
    result = recipes("evaluate", "lenet5", "--data", "own", "--json")
    assert accuracy(result.stdout) >= 0.8  # by the alphabet it would be 0.1
    assert "own: reads the class eight as 8, five as 5" in result.stderr


@pytest.mark.parametrize("kept", [(3, 7, 9), (5,)])
def test_some_of_the_classes_are_measured(recipes: Run, kept: tuple[int, ...]) -> None:
    rows = np.isin(LABELS, kept)
    folders(Path("own"), IMAGES[rows], map(str, LABELS[rows]))
    result = recipes("evaluate", "lenet5", "--data", "own", "--json")
    assert result.exit_code == 0, result.stderr
    assert accuracy(result.stdout) >= 0.6
    assert f"all {3 * len(kept)} examples are measured" in result.stderr


def accuracy(text: str) -> float:
    return float(json.loads(text)["metrics"]["accuracy"])


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["cat", "dog"], r"has 2 classes \(cat, dog\), the model has 10 classes \(0, 1, 2"),
        (["0", "1", "unknown"], "unknown is none of them"),
        (["Sample001", "Sample002"], "Sample001 is none of them"),
        (["7", "seven"], "expected one name for each class, received 7 and seven for the label 7"),
    ],
)
def test_names_that_match_no_label_are_refused_with_both(
    recipes: Run, names: list[str], complaint: str
) -> None:
    folders(Path("own"), IMAGES[: len(names)], names)
    result = recipes("evaluate", "lenet5", "--data", "own")
    assert result.exit_code == 2
    assert re.search(complaint, result.stderr), result.stderr


@pytest.mark.parametrize("name", ["thirteen", "10", "77", "Sample003", "a", "sevens", "", "-7x"])
def test_other_names_mean_no_digit(name: str) -> None:
    assert digit_of(name) is None


def test_labels_that_are_the_same_text_come_before_those_that_mean_the_same() -> None:
    assert matched("own", ["A", "a"], ["a", "A"]) == [1, 0]
    assert matched("own", ["CAT"], ["dog", "cat"]) == [1]
    assert matched("own", ["7"], ["six", "seven"]) == [1]


ARCHIVES = ["own.zip", "own.tar", "own.tar.gz", "own.tgz", "own.tar.bz2", "own.tar.xz"]


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("inside", ["", "my digits/"])
def test_an_archive_of_folders_is_read_without_unpacking_it(
    empty_folder: Path, name: str, inside: str
) -> None:
    folders(Path("raw", f"{inside}training"), IMAGES, map(str, LABELS))
    folders(Path("raw", f"{inside}testing"), IMAGES[::3], map(str, LABELS[::3]))
    (zipped if name.endswith("zip") else tarred)(Path(name), Path("raw"))
    before = sorted(Path.cwd().rglob("*"))
    read, expected = load(name), load(f"raw/{inside}")
    assert np.array_equal(read.train.x, expected.train.x)
    assert np.array_equal(read.test.y, expected.test.y)
    assert sorted(Path.cwd().rglob("*")) == before


def test_a_zip_from_windows_with_chinese_names_is_read(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Windows in China writes GBK without a mark; Python writes ASCII, or UTF-8 with a mark.
    def encoded(member: zipfile.ZipInfo) -> tuple[bytes, int]:
        return member.filename.encode("gbk"), 0

    monkeypatch.setattr(zipfile.ZipInfo, "_encodeFilenameFlags", encoded)
    folders(Path("raw"), IMAGES, ("零一二三四五六七八九"[label] for label in LABELS))
    zipped(Path("own.zip"), Path("raw"))
    result = recipes("evaluate", "lenet5", "--data", "own.zip", "--json")
    assert result.exit_code == 0, result.stderr
    assert "七 as 7" in result.stderr


def test_the_pictures_in_an_archive_are_answered_by_name(recipes: Run) -> None:
    folders(Path("raw"), IMAGES[::3], map(str, LABELS[::3]))
    zipped(Path("own.zip"), Path("raw"))
    result = recipes("predict", "lenet5", "own.zip", "own.zip/7", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = [line.split(",") for line in result.stdout.splitlines()[1:]]
    assert len(rows) == 11
    assert rows[0][:2] == ["own.zip/0/0.png", "0"]
    assert rows[-1][:2] == ["own.zip/7/7.png", "7"]
