"""Files with many images are read as they are published or exported, or refused by place."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes.data.dataset import Dataset
from keras_recipes.digits import data as digits
from keras_recipes.errors import InputError
from tests.command_line import Run
from tests.digits.written import emnist, folders, idx, some, table, tarred, zipped

IMAGES, LABELS = some(each=3)
OTHERS, THEIRS = some(each=1, start=3)
HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])
GRID = ",".join(f"{i}x{j}" for i in range(28) for j in range(28))
PIXELS = ",".join(f"pixel{i}" for i in range(784))


def whole(name: str) -> Dataset:
    """Read data to measure a net on that has not seen it."""
    return digits.unseen([name], skip_bad=False, seed=0)


def is_same(data: Dataset, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> bool:
    names = [data.learned["labels"][i] for i in data.test.y.argmax(axis=1)]
    return np.array_equal(data.test.x[..., 0], images) and names == list(map(str, labels))


def answered(*names: str) -> np.ndarray:
    batches = list(digits.inputs(names, skip_bad=False))
    return np.concatenate([batch.x for batch in batches])[..., 0]


@pytest.mark.parametrize("split", ["digits", "mnist", "balanced", "letters", "byclass"])
def test_emnist_is_read_upright_by_parts_with_its_labels(empty_folder: Path, split: str) -> None:
    shift = 1 if split == "letters" else 0
    emnist(Path("own"), split, "train", IMAGES, LABELS + shift)
    emnist(Path("own"), split, "test", OTHERS, THEIRS + shift)
    data = whole("own")
    assert np.array_equal(data.train.x[..., 0], IMAGES)
    assert np.array_equal(data.test.x[..., 0], OTHERS)
    seven = data.learned["labels"][data.test.y[7].argmax()]
    assert seven == ("H" if split == "letters" else "7")
    assert np.array_equal(answered("own"), OTHERS)


def test_the_labels_of_emnist_come_from_its_mapping_file(empty_folder: Path) -> None:
    emnist(Path("own"), "letters", "train", IMAGES, LABELS + 1)
    lines = [f"{i + 1} {ord('a') + i} {ord('A') + i}" for i in range(26)]
    Path("own/emnist-letters-mapping.txt").write_text("\n".join(lines))
    data = whole("own")
    assert data.learned["labels"] == list("abcdefghijklmnopqrstuvwxyz")
    Path("own/emnist-letters-mapping.txt").write_text("1 97\nx y\n")
    with pytest.raises(InputError, match=r"mapping.txt: line 2: expected the number of a class"):
        whole("own")


def test_several_data_sets_in_one_folder_are_refused_and_one_can_be_named(
    empty_folder: Path,
) -> None:
    for split in ("digits", "letters"):
        emnist(Path("own"), split, "train", IMAGES, LABELS + (split == "letters"))
        emnist(Path("own"), split, "test", OTHERS, THEIRS + (split == "letters"))
    with pytest.raises(InputError, match="own: has 2 data sets, with the files emnist-digits-tr"):
        whole("own")
    named = "emnist-digits-train-images-idx3-ubyte.gz"
    zipped(Path("gzip.zip"), Path("own"))
    for place in ("own", "gzip.zip"):
        data = whole(f"{place}/{named}")
        assert np.array_equal(data.train.x[..., 0], IMAGES)
        assert is_same(data, OTHERS, THEIRS)


def test_a_file_and_the_same_one_packed_are_one_data_set(empty_folder: Path) -> None:
    for ending in ("", ".gz"):
        idx(Path(f"MNIST/raw/train-images-idx3-ubyte{ending}"), IMAGES)
        idx(Path(f"MNIST/raw/train-labels-idx1-ubyte{ending}"), LABELS)
        idx(Path(f"MNIST/raw/t10k-images-idx3-ubyte{ending}"), OTHERS)
        idx(Path(f"MNIST/raw/t10k-labels-idx1-ubyte{ending}"), THEIRS)
    assert is_same(whole("MNIST"), OTHERS, THEIRS)
    assert is_same(whole("MNIST/raw"), OTHERS, THEIRS)
    assert is_same(whole("MNIST/raw/t10k-images-idx3-ubyte.gz"), OTHERS, THEIRS)


def test_idx_files_with_a_dot_in_the_name_are_read(empty_folder: Path) -> None:
    idx(Path("own/train-images.idx3-ubyte"), IMAGES)
    idx(Path("own/train-labels.idx1-ubyte"), LABELS)
    idx(Path("own/t10k-images.idx3-ubyte"), OTHERS)
    idx(Path("own/t10k-labels.idx1-ubyte"), THEIRS)
    assert is_same(whole("own"), OTHERS, THEIRS)


def test_qmnist_has_its_class_in_the_first_of_eight_columns(empty_folder: Path) -> None:
    for part, (x, y) in {"train": (IMAGES, LABELS), "test": (OTHERS, THEIRS)}.items():
        extended = np.column_stack([y, *[np.full(len(y), 4_000 + i) for i in range(7)]])
        idx(Path(f"own/qmnist-{part}-images-idx3-ubyte.gz"), x)
        idx(Path(f"own/qmnist-{part}-labels-idx2-int.gz"), extended, code=12)
    assert is_same(whole("own"), OTHERS, THEIRS)


def test_kmnist_has_its_labels_from_its_class_map_or_a_warning(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for part, (x, y) in {"train": (IMAGES, LABELS), "test": (OTHERS, THEIRS)}.items():
        np.savez_compressed(f"kmnist-{part}-imgs.npz", x)
        np.savez_compressed(f"kmnist-{part}-labels.npz", y)
    data = whole(".")
    assert is_same(data, OTHERS, THEIRS)
    assert "the classes 0 to 9 of KMNIST are no digits" in caplog.text
    rows = [f"{i},U+{ord(kana):X},{kana}" for i, kana in enumerate("おきすつなはまやれを")]
    Path("kmnist_classmap.csv").write_text("\n".join(["index,codepoint,char", *rows]))
    assert whole(".").learned["labels"] == list("おきすつなはまやれを")


def test_fashion_mnist_is_read_with_a_warning(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    idx(Path("FashionMNIST/raw/train-images-idx3-ubyte.gz"), IMAGES)
    idx(Path("FashionMNIST/raw/train-labels-idx1-ubyte.gz"), LABELS)
    assert is_same(whole("FashionMNIST"))
    assert "the classes 0 to 9 of Fashion-MNIST are no digits" in caplog.text


@pytest.mark.parametrize(
    "variant",
    [
        {"header": HEADER}, {"header": HEADER.replace("label", "Label")},
        {"header": HEADER.replace("label", "class")}, {"header": f"{PIXELS},label", "last": True},
        {"header": f"{PIXELS},digit", "last": True}, {}, {"last": True},
        {"header": HEADER, "unit": True}, {"unit": True}, {"unit": True, "last": True},
        {"separator": ";"}, {"separator": "\t", "header": HEADER.replace(",", "\t")},
        {"separator": " "}, {"header": f"label,{GRID}"},
        {"header": "label," + ",".join(map(str, range(784)))},
        {"header": ",".join(map(str, range(785)))},
        {"header": HEADER.replace("label", '"label"')},
    ],
    ids=lambda v: str(v)[:60],
)  # fmt: skip
@pytest.mark.parametrize("name", ["own.csv", "own.csv.gz"])
def test_tables_of_pixels_are_read_in_every_spelling(
    empty_folder: Path, variant: dict[str, object], name: str
) -> None:
    table(Path(name), IMAGES, LABELS, **variant)
    assert is_same(whole(name))
    assert np.array_equal(answered(name), IMAGES)


def test_labels_that_are_names_or_floats_are_read(empty_folder: Path) -> None:
    table(Path("names.csv"), IMAGES, ["cat" if label % 2 else "dog" for label in LABELS])
    assert whole("names.csv").learned["labels"] == ["cat", "dog"]
    table(Path("floats.csv"), IMAGES, [f"{label}.0" for label in LABELS], header=HEADER)
    assert is_same(whole("floats.csv"))


def test_kaggles_folder_is_read_and_asked(recipes: Run, caplog: pytest.LogCaptureFixture) -> None:
    Path("digit-recognizer").mkdir()
    table(Path("digit-recognizer/train.csv"), IMAGES, LABELS, header=HEADER)
    table(Path("digit-recognizer/test.csv"), OTHERS, None, header=PIXELS)
    Path("digit-recognizer/sample_submission.csv").write_text("ImageId,Label\n1,0\n2,0\n")
    zipped(Path("digit-recognizer.zip"), Path("digit-recognizer"))
    for name in ("digit-recognizer", "digit-recognizer.zip"):
        data = digits.load([name], validation=0.0, seed=0)
        assert (len(data.train), len(data.test)) == (20, 10)  # its test part has no labels
        assert np.array_equal(answered(name), OTHERS)
    result = recipes("predict", "lenet5", "digit-recognizer/test.csv", "--format", "csv")
    assert result.stdout.splitlines()[1].startswith("digit-recognizer/test.csv[0],")
    refused = recipes("evaluate", "lenet5", "--data", "digit-recognizer/test.csv")
    assert refused.exit_code == 2
    assert "test.csv: expected images with labels, received images only" in refused.stderr


def test_two_tables_that_are_parts_are_one_data_set(empty_folder: Path) -> None:
    Path("own").mkdir()
    table(Path("own/mnist_train.csv"), IMAGES, LABELS)
    table(Path("own/mnist_test.csv"), OTHERS, THEIRS)
    assert is_same(whole("own"), OTHERS, THEIRS)
    table(Path("own/other_train.csv"), OTHERS, THEIRS)
    with pytest.raises(InputError, match=r"own: has 2 data sets, with the files mnist_train\.csv"):
        whole("own")


def test_emnists_tables_are_turned_upright(empty_folder: Path) -> None:
    table(Path("emnist-digits-train.csv"), IMAGES.transpose(0, 2, 1), LABELS)
    assert is_same(whole("emnist-digits-train.csv"))


ROW = "7," + ",".join(["0"] * 784)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{ROW}\n{ROW[:-1]}x\n", r"own.csv: line 2, column 785: expected a number.*received 'x'"),
        (f"{ROW}\n\n{ROW[:-2]}\n", "own.csv: line 3: expected 785 columns, received 784"),
        (f"{ROW[:-1]}\n", "own.csv: line 1, column 785: expected a number"),
        (f"{ROW}\n{ROW[:-1]}nan\n", "own.csv: line 2, column 785: expected a number.*'nan'"),
        (f"{HEADER}\n,{ROW[2:]}\n", "own.csv: line 2, column 1: expected a label, received ''"),
        (f"{HEADER}\n", "own.csv: expected rows of pixels, received none"),
        ("1,2,3\n", "own.csv: expected 784 columns of pixels and one of labels, received 3"),
        (f"{HEADER},label\n", "own.csv: expected one column of labels, received label, label"),
        (f"200,{ROW[2:-1]}99\n", "expected labels in the first or the last column, received 200"),
        (f"5,{ROW[2:-1]}4\n7,{ROW[2:-1]}3\n", "numbers that could be labels in both; add a header"),
        (f"7,{ROW[2:-1]}300\n", "expected brightness 0 to 255"),
        ("", "own.csv: expected 784 columns"),
    ],
    ids=lambda v: v[-40:],
)
def test_a_fault_in_a_table_is_named_with_its_place(
    empty_folder: Path, text: str, complaint: str
) -> None:
    Path("own.csv").write_text(text)
    with pytest.raises(InputError, match=complaint) as refused:
        whole("own.csv")
    assert "float32" not in str(refused.value)
    assert "could not convert" not in str(refused.value)


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_test": IMAGES, "y_test": LABELS, "x_train": OTHERS, "y_train": THEIRS},
        {"test_images": IMAGES, "test_labels": LABELS[:, None], "train_images": OTHERS,
         "train_labels": THEIRS[:, None], "val_images": OTHERS, "val_labels": THEIRS[:, None]},
        {"X": IMAGES.reshape(-1, 784), "Y": np.eye(10)[LABELS]},
        {"images": IMAGES[:, None] / 255, "labels": LABELS},
        {"data": IMAGES[..., None].astype("float32"), "target": LABELS.astype(str)},
    ],
    ids=lambda arrays: next(iter(arrays)),
)  # fmt: skip
def test_arrays_are_read_under_the_names_that_people_use(
    empty_folder: Path, arrays: dict[str, np.ndarray]
) -> None:
    np.savez("own.npz", **arrays)
    assert is_same(whole("own.npz"))
    assert np.array_equal(answered("own.npz"), IMAGES)
    Path("folder").mkdir()
    for name, array in arrays.items():
        np.save(f"folder/{name}.npy", array)
    assert is_same(whole("folder"))


def test_names_as_labels_are_matched_between_the_parts(empty_folder: Path) -> None:
    np.savez(
        "own.npz", x_train=IMAGES[:9], y_train=[*"aaabbbccc"], x_test=IMAGES[:2], y_test=[*"ac"]
    )
    data = whole("own.npz")
    assert [data.learned["labels"][i] for i in data.test.y.argmax(axis=1)] == ["a", "c"]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float32"])
def test_pixels_that_are_0_or_1_are_black_and_white(empty_folder: Path, dtype: str) -> None:
    np.savez("own.npz", x=(IMAGES > 127).astype(dtype), y=LABELS)
    assert is_same(whole("own.npz"), (IMAGES > 127) * np.uint8(255))


def test_one_array_of_one_image_is_asked_about(empty_folder: Path) -> None:
    np.save("one.npy", IMAGES[7])
    assert np.array_equal(answered("one.npy"), IMAGES[7:8])
    np.save("objects.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match="it holds Python objects; save numbers only"):
        answered("objects.npy")


def test_images_that_are_dark_on_light_are_said(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.savez("own.npz", x=255 - IMAGES, y=LABELS)
    whole("own.npz")
    assert "own.npz: its images look dark on light" in caplog.text


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def parquet(path: Path, images: np.ndarray, labels: np.ndarray, names: list[str] | None) -> None:
    """Write a table as Hugging Face's `datasets` does."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    pictures = [{"bytes": png(image), "path": f"{i}.png"} for i, image in enumerate(images)]
    made = pa.table({"image": pictures, "label": pa.array(labels, pa.int64())})
    feature = {"names": names, "_type": "ClassLabel"} if names else {"_type": "Value"}
    info = {"info": {"features": {"image": {"_type": "Image"}, "label": feature}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(made.replace_schema_metadata({"huggingface": json.dumps(info)}), path)


def test_parquet_as_hugging_face_publishes_it_is_read(empty_folder: Path) -> None:
    names = list("0123456789")
    parquet(Path("hf/mnist/train-00000-of-00002.parquet"), IMAGES[:20], LABELS[:20], names)
    parquet(Path("hf/mnist/train-00001-of-00002.parquet"), IMAGES[20:], LABELS[20:], names)
    parquet(Path("hf/mnist/test-00000-of-00001.parquet"), OTHERS, THEIRS, names)
    data = whole("hf")
    assert is_same(data, OTHERS, THEIRS)
    assert np.array_equal(data.train.x[..., 0], IMAGES)
    assert np.array_equal(answered("hf"), OTHERS)
    assert is_same(whole("hf/mnist/test-00000-of-00001.parquet"), OTHERS, THEIRS)


def test_parquet_has_its_names_of_classes_from_the_file(empty_folder: Path) -> None:
    clothes = [f"cloth {i}" for i in range(10)]
    parquet(Path("own.parquet"), IMAGES, LABELS, clothes)
    assert whole("own.parquet").learned["labels"] == clothes
    Path("damaged.parquet").write_bytes(Path("own.parquet").read_bytes()[:-9])
    with pytest.raises(InputError, match=r"damaged\.parquet: expected Parquet that can be read"):
        whole("damaged.parquet")


@pytest.mark.parametrize("kind", ["idx", "csv", "npz", "parquet"])
@pytest.mark.parametrize("archive", ["own.zip", "own.tar.gz"])
def test_an_archive_of_any_file_is_read(empty_folder: Path, kind: str, archive: str) -> None:
    Path("raw").mkdir()
    if kind == "idx":
        idx(Path("raw/train-images-idx3-ubyte.gz"), IMAGES)
        idx(Path("raw/train-labels-idx1-ubyte.gz"), LABELS)
    elif kind == "csv":
        table(Path("raw/own.csv"), IMAGES, LABELS)
    elif kind == "npz":
        np.savez("raw/own.npz", x=IMAGES, y=LABELS)
    else:
        parquet(Path("raw/own.parquet"), IMAGES, LABELS, None)
    (zipped if archive.endswith("zip") else tarred)(Path(archive), Path("raw"))
    assert is_same(whole(archive))
    assert np.array_equal(answered(archive), IMAGES)


def test_data_next_to_folders_of_pictures_is_refused(empty_folder: Path) -> None:
    folders(Path("own"), IMAGES, map(str, LABELS))
    np.savez("own/other.npz", x=IMAGES, y=LABELS)
    with pytest.raises(InputError, match=r"has folders of pictures and the file own/other\.npz"):
        whole("own")


def test_a_pickle_is_refused(empty_folder: Path) -> None:
    Path("mnist.pkl.gz").write_bytes(b"\x80\4.")
    with pytest.raises(InputError, match="received a pickle, which can run a program"):
        whole("mnist.pkl.gz")
