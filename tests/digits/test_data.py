"""Digits are read from many formats; a damaged file is named in the message."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes import fit, predict
from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import data as digits
from keras_recipes.digits import entries
from keras_recipes.errors import InputError, UnsafeModelError
from tests.command_line import Run
from tests.shared_data import shared_data

RNG = np.random.default_rng(0)


def made_up(count: int = 60, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Make images that show their label: another row is bright in each class."""
    labels = np.arange(count) % classes
    images = RNG.integers(0, 40, (count, 28, 28), dtype="uint8")
    images[np.arange(count), 4 + 2 * labels] = 250
    return images, labels.astype("uint8")


def idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.astype("uint8").tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def load(*names: object, **options: object) -> Dataset:
    return digits.load([str(name) for name in names], **{"seed": 0, **options})


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("by", ["folder", "file"])
def test_mnists_own_files_are_read_with_their_test_part(
    empty_folder: Path, ending: str, by: str
) -> None:
    (x, y), (x_test, y_test) = made_up(60), made_up(20)
    idx(empty_folder / f"train-images-idx3-ubyte{ending}", x)
    idx(empty_folder / f"train-labels-idx1-ubyte{ending}", y)
    idx(empty_folder / f"t10k-images-idx3-ubyte{ending}", x_test)
    idx(empty_folder / f"t10k-labels-idx1-ubyte{ending}", y_test)
    named = empty_folder if by == "folder" else empty_folder / f"train-images-idx3-ubyte{ending}"
    data = load(named, validation=0.0)
    assert np.array_equal(data.train.x[..., 0], x)
    assert np.array_equal(data.test.x[..., 0], x_test)
    assert np.array_equal(data.train.y.argmax(axis=1), y)
    assert "own test part" in data.note


def test_what_has_no_test_part_is_split_and_that_is_said(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    x, y = made_up(100)
    np.savez(empty_folder / "own.npz", x=x, y=y)
    data = load("own.npz", validation=0.1)
    assert (len(data.train), len(data.validation), len(data.test)) == (70, 10, 20)
    assert "20 of its examples are held out at random" in data.note
    assert "held out" in caplog.text


def test_the_parts_of_a_split_share_no_image_and_have_every_class(empty_folder: Path) -> None:
    x, y = made_up(200)
    x[:, 0, 0], x[:, 0, 1] = np.arange(200) % 256, np.arange(200) // 256
    np.savez(empty_folder / "own.npz", x=x, y=y)
    data = load("own.npz", validation=0.1)
    parts = [data.train, data.validation, data.test]
    marks = [set(map(tuple, part.x[:, 0, :2, 0].tolist())) for part in parts]
    assert sum(map(len, marks)) == len(set.union(*marks)) == 200
    assert all(set(part.y.argmax(axis=1)) == set(range(10)) for part in parts)


def test_npz_with_keras_keys_keeps_its_test_part(empty_folder: Path) -> None:
    (x, y), (x_test, y_test) = made_up(60), made_up(30)
    np.savez(empty_folder / "own.npz", x_train=x / 255, y_train=y, x_test=x_test, y_test=y_test)
    data = load("own.npz", validation=0.0)
    assert np.array_equal(data.train.x[..., 0], x)
    assert len(data.test) == 30


def test_a_csv_of_pixels_is_read(empty_folder: Path) -> None:
    x, y = made_up(40)
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    rows = np.column_stack([y, x.reshape(40, -1)])
    np.savetxt("own.csv", rows, fmt="%d", delimiter=",", header=header, comments="")
    data = load("own.csv", validation=0.0)
    assert len(data.train) + len(data.test) == 40


# A standing bar, a lying bar and a square, dark on light paper.
SHAPES = [
    (slice(15, 45), slice(27, 33)),
    (slice(27, 33), slice(15, 45)),
    (slice(15, 45), slice(15, 45)),
]


def pictures_of(folder: Path, labels: list[str], each: int) -> None:
    from PIL import Image

    for index, label in enumerate(labels):
        (folder / label).mkdir(parents=True)
        for i in range(each):
            image = np.full((60, 60), 230, "uint8")
            rows, columns = SHAPES[index]
            image[rows, columns] = 20 + i
            Image.fromarray(image).save(folder / label / f"{i}.png")


def test_a_folder_per_class_keeps_its_names(empty_folder: Path) -> None:
    pictures_of(empty_folder / "own", ["cat", "dog", "owl"], each=10)
    data = load("own", validation=0.0)
    assert data.learned["labels"] == ["cat", "dog", "owl"]
    assert data.implied == {"classes": 3}
    assert len(data.train) == 24


def test_train_and_test_folders_are_kept_apart(empty_folder: Path) -> None:
    pictures_of(empty_folder / "own" / "train", ["a", "b"], each=6)
    pictures_of(empty_folder / "own" / "test", ["a", "b"], each=3)
    data = load("own", validation=0.0)
    assert (len(data.train), len(data.test)) == (12, 6)


def test_a_bad_picture_stops_the_run_unless_it_may_be_left_out(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures_of(empty_folder / "own", ["a", "b"], each=6)
    (empty_folder / "own" / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    with pytest.raises(InputError, match=r"broken\.png.*skip_bad=true leaves it out"):
        load("own")
    assert len(load("own", skip_bad=True, validation=0.0).train) > 0
    assert "broken.png" in caplog.text
    assert "left out" in caplog.text


def test_scikit_learns_digits_are_there_without_a_network() -> None:
    data = load("digits")
    assert data.name == "digits"
    assert len(data.train) + len(data.validation) + len(data.test) == 1_797
    assert data.train.x.shape[1:] == (28, 28, 1)
    assert data.train.x.dtype == np.uint8


def test_without_mnist_and_network_the_substitute_is_named(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    no_network(monkeypatch, empty_folder)
    data = load()
    assert data.name == "digits"
    assert "MNIST is not in" in caplog.text
    assert "using scikit-learn's 1,797 digits instead" in caplog.text


@pytest.mark.parametrize("switches", [(), ("-q",), ("-v",)])
def test_the_substitute_is_named_even_where_only_errors_are_printed(
    recipes: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, switches: tuple[str, ...]
) -> None:
    no_network(monkeypatch, empty_folder)
    result = recipes(*switches, "fit", "mnist-mlp", "--epochs", "1")
    assert result.exit_code == 0
    warnings = [line for line in result.stderr.splitlines() if "digits instead" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: MNIST is not in")
    if switches == ("-q",):
        assert result.stderr.splitlines() == warnings


def test_mnist_that_is_insisted_on_is_not_substituted(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network(monkeypatch, empty_folder)
    with pytest.raises(
        InputError, match=r"MNIST is not in .* cannot be downloaded.*; copy mnist.npz"
    ):
        load("mnist")


def no_network(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    import socket

    import keras

    def refuse(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("KERAS_HOME", str(cache))
    monkeypatch.setattr(keras.config, "keras_home", lambda: str(cache), raising=False)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(cache))


def test_mnist_comes_through_keras_own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = shared_data("datasets/keras_home")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(cache))
    data = load("mnist", validation=1 / 12)
    assert data.name == "mnist"
    assert (len(data.train), len(data.validation), len(data.test)) == (55_000, 5_000, 10_000)


BROKEN = [
    ("train-images-idx3-ubyte", b"", "received a file that begins with nothing"),
    ("train-images-idx3-ubyte", b"\x00\x00\x08\x01" + b"\0" * 20, "expected IDX with 3 dimensions"),
    ("train-images-idx3-ubyte", b"\0\0\x08\x03\0\0\0\x09\0\0\0\x1c\0\0\0\x1c", "found 0"),
    ("train-images-idx3-ubyte.gz", b"no gzip", "cannot be read"),
    ("own.npz", b"PK no zip", "expected an NPZ file, received a damaged one"),
    ("own.csv", b"a,b\n1,2\n", "expected 784 columns of pixels and one of labels, received 2"),
    ("own.txt", b"hello", "or IDX images with a name such as"),
]


@pytest.mark.parametrize(("name", "content", "complaint"), BROKEN, ids=lambda v: str(v)[:24])
def test_a_damaged_file_is_named_with_what_is_wrong(
    empty_folder: Path, name: str, content: bytes, complaint: str
) -> None:
    (empty_folder / name).write_bytes(content)
    idx(empty_folder / "train-labels-idx1-ubyte", np.zeros(9))
    with pytest.raises(InputError, match=complaint) as refused:
        load(name)
    assert name in str(refused.value)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"x": np.zeros((5, 32, 32)), "y": np.zeros(5, int)}, "shape"),
        ({"x": np.zeros((5, 28, 28)), "y": np.zeros(4, int)}, "a label for each of 5"),
        ({"x": np.full((5, 28, 28), np.nan), "y": np.zeros(5, int)}, "NaN"),
        ({"x": np.full((5, 28, 28), 300), "y": np.zeros(5, int)}, "brightness 0 to 255"),
        ({"x": np.zeros((5, 28, 28)), "y": np.zeros(5)}, "whole numbers or names"),
        ({"a": np.zeros((5, 28, 28)), "b": np.zeros(5)}, "expected the arrays x_train, y_train"),
        ({"images": np.zeros((5, 28, 28))}, "expected images with labels, received images only"),
    ],
    ids=str,
)
def test_arrays_that_are_no_images_are_refused(
    empty_folder: Path, arrays: dict[str, np.ndarray], complaint: str
) -> None:
    np.savez("own.npz", **arrays)
    with pytest.raises(InputError, match=complaint):
        load("own.npz")


@pytest.mark.parametrize("name", ["mnist-mlp", pytest.param("lenet5", marks=pytest.mark.full)])
def test_own_classes_are_learned_and_named(empty_folder: Path, name: str) -> None:
    pictures_of(empty_folder / "own", ["left", "middle", "right"], each=10)
    fitted = fit(name, "own", epochs=24, batch_size=8, show_progress=False)
    rows = predict(fitted, load("own").test.x)
    assert {row["prediction"] for row in rows} == {"left", "middle", "right"}
    assert fitted.card.metrics["accuracy"] == 1.0


@pytest.mark.parametrize("name", ["mnist-mlp", "lenet5"])
def test_a_short_fit_on_real_digits_learns_them(recipes: Run, name: str) -> None:
    result = recipes("fit", name, "--data", "digits", "--epochs", "20")
    assert result.exit_code == 0, result.stderr
    assert "measured on digits" in result.stdout
    metrics = recipes("evaluate", name, "--json").stdout
    assert '"data": "digits"' in metrics


def test_answers_name_files_and_second_thoughts(recipes: Run, empty_folder: Path) -> None:
    pictures_of(empty_folder / "own", ["left", "middle", "right"], each=5)
    recipes("fit", "mnist-mlp", "--data", "own", "--epochs", "20", "--batch-size", "8")
    answer = recipes("predict", "mnist-mlp", "own/left", "own/right/*.png", "--format", "csv")
    header, first, *_ = answer.stdout.splitlines()
    assert header == "file,prediction,probability,second,second_probability"
    assert first.startswith("own/left/0.png,")
    assert len(answer.stdout.splitlines()) == 11
    more = recipes(
        "predict", "mnist-mlp", "own/left/0.png", "--format", "csv",
        "--set", "all_probabilities=true", "--set", "unsure_below=0.9999999", "--set", "seen=seen",
    )  # fmt: skip
    assert more.stdout.splitlines()[0].endswith("p_left,p_middle,p_right")
    assert ",unsure," in more.stdout
    assert (empty_folder / "seen" / "000000-0.png").read_bytes().startswith(b"\x89PNG")


def test_files_with_many_images_are_answered_row_by_row(recipes: Run) -> None:
    images, _ = made_up(300)
    np.savez("many.npz", x=images)
    idx(Path("some-images-idx3-ubyte"), images[:2])
    result = recipes("predict", "lenet5", "many.npz", "some-images-idx3-ubyte", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = [line.split(",") for line in result.stdout.splitlines()[1:]]
    assert [row[0] for row in rows[:2]] == ["many.npz[0]", "many.npz[1]"]
    assert len(rows) == 302
    assert [row[1:] for row in rows[300:]] == [row[1:] for row in rows[:2]]


def test_a_bad_picture_among_many_can_be_left_out_of_the_answers(recipes: Run) -> None:
    pictures_of(Path("in"), ["left"], each=3)
    Path("in/left/1.png").write_bytes(b"no picture")
    stopped = recipes("predict", "lenet5", "in")
    assert stopped.exit_code == 2
    assert "in/left/1.png" in stopped.stderr
    assert "skip_bad=true" in stopped.stderr
    passed = recipes("predict", "lenet5", "in", "--set", "skip_bad=true", "--format", "csv")
    assert [line.split(",")[0] for line in passed.stdout.splitlines()] == [
        "file",
        "in/left/0.png",
        "in/left/2.png",
    ]


def test_what_the_net_sees_is_kept_apart_where_names_are_the_same(recipes: Run) -> None:
    pictures_of(Path("in"), ["left", "right"], each=1)
    result = recipes("predict", "lenet5", "in/left", "in/right", "--set", "seen=seen")
    assert result.exit_code == 0, result.stderr
    assert len(list(Path("seen").iterdir())) == 2


@pytest.mark.parametrize("name", ["bomb.npz", "bomb-images-idx3-ubyte.gz"])
def test_a_file_that_unpacks_without_end_is_refused(
    name: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 1 << 20)
    if name.endswith(".npz"):
        np.savez_compressed(name, x=np.zeros((2_000, 28, 28), "uint8"), y=np.zeros(2_000))
    else:
        idx(Path(name), np.zeros((2_000, 28, 28)))
        idx(Path("bomb-labels-idx1-ubyte.gz"), np.zeros(2_000))
    with pytest.raises(UnsafeModelError, match=r"expected at most 1,048,576 bytes after unpacking"):
        load(name)


def test_an_array_that_claims_to_be_larger_than_memory_is_damaged(empty_folder: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**15, 28, 28)}
    )
    with zipfile.ZipFile("huge.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(InputError, match="damaged"):
        load("huge.npz")


@pytest.mark.parametrize("command", ["evaluate", "plot"])
def test_pictures_of_other_classes_are_refused_by_name(recipes: Run, command: str) -> None:
    for label in "abcdefghij":
        for number in range(4):
            path = Path("letters", label, f"{number}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.eye(28, dtype="uint8") * 255).save(path)
    result = recipes(command, "lenet5", "--data", "letters")
    assert result.exit_code == 2
    assert "letters: has 10 classes (a, b, c, d" in result.stderr
    assert "the model has 10 classes (0, 1, 2" in result.stderr
