"""Readers of untrusted files take time in proportion to the size of a file, however it is made."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_recipes.errors import CorruptModelError, RecipeError, UnsafeModelError
from keras_recipes.models.formats import zipped
from keras_recipes.untrusted import archive, strict_json
from tests.command_line import Run

SIZES = (1 << 18, 1 << 20)
"""The second file is four times as large; a quadratic reader takes sixteen times as long."""


def seconds(read: Callable[[], object]) -> float:
    """Return the processor time of a reader that refuses the file."""
    begin = time.process_time()
    with pytest.raises(RecipeError):
        read()
    return time.process_time() - begin


@pytest.mark.parametrize("piece", [b'"a', b'"', b'\\"', b'"\\', b"[", b"{", b'{"a":', b'"]'])
def test_json_that_never_ends_is_refused_at_once(piece: bytes) -> None:
    small, large = (
        seconds(lambda size=size: strict_json.parse(b'{"' + piece * (size // len(piece)), "it"))
        for size in SIZES
    )
    assert large < 8 * small + 0.2


def with_names(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for number in range(count):
            opened.writestr(str(number), b"")
    return file.getvalue()


@pytest.fixture(scope="module")
def many_names() -> bytes:
    return with_names(60_000)


def test_an_archive_of_many_names_is_refused_before_they_are_read(
    many_names: bytes, recipes: Run, empty_folder: Path
) -> None:
    begin = time.process_time()
    with pytest.raises(UnsafeModelError, match="too many files"):
        archive.members(many_names, "it", 1 << 30)
    with pytest.raises(UnsafeModelError, match="too many files"):
        zipped.found(many_names, "it")
    assert time.process_time() - begin < 0.2
    Path("m.keras").write_bytes(many_names)
    result = recipes("predict", "m.keras", "0,1")
    assert result.exit_code == 3
    assert "too many files" in result.stderr


def test_an_archive_of_a_few_names_is_read() -> None:
    assert len(archive.members(with_names(9), "it", 100)) == 9


def test_content_that_looks_like_entries_is_no_entry() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("0", b"PK\x01\x02" * 50)
    assert set(archive.members(file.getvalue(), "it", 1_000)) == {"0"}


def test_json_in_which_brackets_are_text_is_read() -> None:
    text = b'{"a": "' + b"[" * 500 + b'", "b\\"": ["\\\\", "]"]}'
    assert strict_json.parse(text, "it") == {"a": "[" * 500, 'b"': ["\\", "]"]}
    with pytest.raises(CorruptModelError, match="levels deep"):
        strict_json.parse(b"[" * 101 + b'"' + b"]" * 5 + b'"' + b"]" * 101, "it")
