"""Whole texts are read from any file or folder in UTF-8."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_recipes.data import demonstration_source, texts
from keras_recipes.errors import InputError


def test_files_are_read_one_after_the_other(empty_folder: Path) -> None:
    Path("a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r")
    Path("b.java").write_text("dré漢", encoding="utf-8")
    assert texts.read(["a.txt", "b.java"]) == "one\ntwo\n\ndré漢"
    assert texts.read(["*.java"]) == "dré漢"


def test_of_a_folder_what_holds_text_is_read(empty_folder: Path, messages: list[str]) -> None:
    for name, content in {
        "src/b.java": b"b",
        "src/a.py": b"a",
        "src/picture.png": b"\x89PNG\0",
        "src/.git/config": b"hidden",
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    assert texts.read(["src"]) == "a\nb"
    assert any("2 of 3 files hold text" in message for message in messages)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "latin.txt",
            "drü".encode("latin-1"),
            "expected text in UTF-8, received another byte at 2",
        ),
        ("zero.txt", b"a\0b", "received a zero byte"),
    ],
)
def test_what_is_no_text_is_refused(
    name: str, content: bytes, message: str, empty_folder: Path
) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        texts.read([name])


def test_a_missing_file_and_a_folder_without_text_are_refused(empty_folder: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        texts.read(["missing.txt"])
    Path("empty").mkdir()
    with pytest.raises(InputError, match="found none"):
        texts.read(["empty"])


def test_a_text_that_is_too_long_is_refused(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST_BYTES", 10)
    Path("long.txt").write_text("12345678901")
    with pytest.raises(InputError, match="expected at most 10 bytes"):
        texts.read(["long.txt"])


def test_standard_input_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b" public \n")))
    assert texts.read(["-"]) == " public \n"


def test_the_synthetic_source_is_always_the_same_and_closes_its_brackets() -> None:
    text = demonstration_source.text()
    assert text == demonstration_source.text()
    assert 250_000 < len(text) < 350_000
    assert text.isascii()
    opened: list[str] = []
    for character in text:
        if character in "([{":
            opened.append(character)
        elif character in ")]}":
            assert opened.pop() + character in ("()", "[]", "{}")
    assert not opened
