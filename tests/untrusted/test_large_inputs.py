"""Inputs that expand are read within bounds, by models of the user's own as well."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes.data import time_series
from keras_recipes.data.series import parquet as columns
from keras_recipes.digits import pictures
from keras_recipes.errors import InputError, no_memory
from tests.shared_data import shared_data
from tests.untrusted.measuring import Measured, measured

PEAK = 700e6
"""Bytes of memory for a picture of a hundred megapixels, 400 of them for its pixels."""

READ = """
import sys
from pathlib import Path
from keras_recipes.digits import pictures
print(pictures.decode(Path(sys.argv[1])).shape, file=sys.stderr)
"""
ROWS = """
import sys
from keras_recipes.data.series import parquet
from pathlib import Path
print(sum(1 for _ in parquet.rows(Path(sys.argv[1])).rows), file=sys.stderr)
"""


def program(text: str, *arguments: str) -> Measured:
    return measured([sys.executable, "-c", text, *arguments])


@pytest.mark.full
@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_a_picture_of_a_hundred_megapixels_takes_bounded_memory(
    mode: str, empty_folder: Path
) -> None:
    Image.new(mode, (9_990, 9_990)).save("large.png", compress_level=1)
    done = program(READ, "large.png")
    assert done.last == "(999, 999)"
    assert done.peak < PEAK


@pytest.mark.full
def test_the_case_of_a_picture_takes_less_than_a_gigabyte(empty_folder: Path) -> None:
    folder = shared_data("cases/robustness/24-picture-of-100-megapixels")
    shutil.copy(folder / "make.py", "make.py")
    subprocess.run([sys.executable, "make.py"], check=True)
    done = measured([sys.executable, "-m", "keras_recipes", "predict", "lenet5", "rgba100.png"])
    assert done.status == 2
    assert "blank" in done.last
    assert done.peak < PEAK


@pytest.mark.parametrize(("name", "settings"), [("a.webp", {}), ("a.jpg", {"progressive": True})])
def test_formats_that_are_decoded_in_copies_may_have_fewer_pixels(
    name: str, settings: dict[str, bool], empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_HEAVY", 9_000)
    Image.new("L", (100, 100)).save(name, **settings)
    with pytest.raises(InputError, match="expected at most 0 megapixels"):
        pictures.decode(Path(name))
    Image.new("L", (100, 100)).save("a.png")
    assert pictures.decode(Path("a.png")).shape == (100, 100)


def test_a_picture_of_very_many_rows_is_refused(empty_folder: Path) -> None:
    Image.new("L", (1, 70_000)).save("long.png")
    with pytest.raises(InputError, match="65,535 pixels a side, received 1 x 70000"):
        pictures.decode(Path("long.png"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "F", "P"])
def test_a_large_picture_is_the_same_in_every_mode(mode: str, empty_folder: Path) -> None:
    random = np.random.default_rng(0)
    small = random.integers(0, 2, (11, 9), dtype=np.uint8) * 255
    grey = Image.fromarray(small).resize((2_700, 3_300), Image.Resampling.NEAREST)
    as_numbers = {
        "I;16": lambda: Image.fromarray(np.asarray(grey, np.uint16) * 257),
        "F": lambda: Image.fromarray(np.asarray(grey, np.float32) - 3),
    }
    picture = as_numbers.get(mode, lambda: grey.convert("RGB").convert(mode))()
    picture.save("large.tiff")
    grey.save("grey.tiff")
    found, want = pictures.decode(Path("large.tiff")), pictures.decode(Path("grey.tiff"))
    assert found.shape == want.shape
    assert np.abs(found - want).max() < 0.01


def test_a_parquet_table_is_read_in_bounded_memory(empty_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    text = pa.array(["x" * 100_000])
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), text)
    v = pa.array(np.arange(100_000.0))
    parquet.write_table(pa.table({"v": v, "s": texts}), "dict.parquet")
    two = pa.array(["y" * 20_000_000, "z"])
    parquet.write_table(pa.table({"v": v[:2], "s": two}), "long.parquet", compression="zstd")
    for name, count in (("dict.parquet", "100000"), ("long.parquet", "2")):
        done = program(ROWS, name)
        assert done.last == count
        assert done.peak < 500e6


def test_texts_of_a_parquet_table_are_times_and_numbers_as_before(empty_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    days = [f"2024-01-{day:02}" for day in range(1, 32)]
    table = {"time": days, "v": [str(n / 2) for n in range(31)], "list": [[1, 2]] * 31}
    parquet.write_table(pa.table(table), "t.parquet")
    rows = [row for _, row in columns.rows(Path("t.parquet")).rows]
    assert rows == [{"time": day, "v": str(n / 2)} for n, day in enumerate(days)]


@pytest.mark.parametrize("number", ["dict", "str"])
def test_the_cases_of_parquet_are_read(number: str) -> None:
    pytest.importorskip("pyarrow")
    case = shared_data("cases/robustness/23-parquet-bombs")
    done = program(ROWS, str(case / f"{number}.parquet"))
    assert done.last == {"dict": "200000", "str": "2"}[number]
    assert done.peak < 500e6


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
    ],
)
def test_short_memory_is_called_so(error: Exception) -> None:
    said = no_memory(error, "to start Keras")
    assert said is not None
    assert said.exit_code == 1
    assert str(said).startswith("not enough memory to start Keras")
    assert no_memory(ImportError("No module named 'keras'"), "") is None


@pytest.mark.full
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
@pytest.mark.parametrize(
    ("gigabytes", "enough"),
    [("0.25", False), ("0.26", False), ("0.4", False), ("0.6", True), ("1.5", True)],
)
def test_a_process_with_little_memory_answers_or_says_so(
    gigabytes: str, enough: bool, empty_folder: Path
) -> None:
    limited = (
        "import resource; from keras_recipes.cli import main; "
        f"resource.setrlimit(resource.RLIMIT_AS, ({float(gigabytes) * 1e9:.0f},) * 2); main()"
    )
    array = np.zeros((28, 28))
    array[4:24, 12:16] = 255
    Image.fromarray(array.astype(np.uint8)).save("picture.png")
    done = measured([sys.executable, "-c", limited, "predict", "lenet5", "picture.png"], timeout=60)
    assert done.seconds < 10
    if enough:
        assert done.status == 0, done.stderr
        return
    assert done.status == 1, done.stderr
    assert done.last.startswith("error: not enough memory")


@pytest.mark.parametrize(
    "more", [b"5" * 17_000_000, b"\n" * 2_000_000], ids=["line", "empty lines"]
)
def test_a_packed_table_is_not_read_to_its_end_for_one_record(
    more: bytes, empty_folder: Path
) -> None:
    Path("t.csv.gz").write_bytes(gzip.compress(b"time,value\n2026-01-05T00:00,5\n" + more))
    with pytest.raises(InputError, match=r"t\.csv\.gz: expected lines of at most"):
        list(time_series.read("t.csv.gz").records)
    Path("t.csv.gz").write_bytes(gzip.compress(b"time,value\n\n\n2026-01-05T00:00,5\n\n\n"))
    assert len(list(time_series.read("t.csv.gz").records)) == 1
