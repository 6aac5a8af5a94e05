"""A page in Chinese shows the same commands, tables, pictures and headings as its English one."""

import re
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import pages
from tests.pages.pages import Step

REQUIRED = [
    ROOT / "README.md",
    ROOT / "docs" / "index.md",
    *sorted(p for p in (ROOT / "docs" / "recipes").glob("*.md") if not p.name.endswith(".zh.md")),
]
"""Pages that must have one in Chinese."""

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
TABLE = re.compile(r"(?:^\|.*\|$\n?)+", re.MULTILINE)
CELLS = re.compile(r"(?<!\\)\|")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def in_chinese(page: Path) -> Path:
    return page.with_suffix(".zh.md")


BOTH = [page for page in pages.PAGES if in_chinese(page).exists()]
both = pytest.mark.parametrize("page", BOTH, ids=pages.name)


@pytest.mark.parametrize("page", REQUIRED, ids=pages.name)
def test_there_is_one_in_chinese(page: Path) -> None:
    translated = in_chinese(page)
    assert translated.exists(), f"write {pages.name(translated)}"
    assert CHINESE.search(translated.read_text(encoding="utf-8"))


def test_each_has_one_in_english() -> None:
    chinese = {*ROOT.glob("*.zh.md"), *(ROOT / "docs").rglob("*.zh.md")}
    assert chinese == set(map(in_chinese, BOTH))


def texts(page: Path) -> tuple[str, str]:
    """The page in English and in Chinese."""
    return page.read_text(encoding="utf-8"), in_chinese(page).read_text(encoding="utf-8")


def without_comments(step: Step) -> Step:
    """The step without what may be translated."""
    lines = [re.sub(r"(^|\s+)# .*$", "", line) for line in step.text.splitlines()]
    text = "\n".join(line.rstrip() for line in lines if line.strip())
    return Step(step.kind, text, step.printed, step.notes)


@both
def test_the_commands_are_the_same(page: Path) -> None:
    english, chinese = (
        [without_comments(step) for step in pages.steps(p)] for p in (page, in_chinese(page))
    )
    assert chinese == english


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table."""
    found = TABLE.findall(FENCE.sub("", text))
    return [[CELLS.split(row.strip())[1:-1] for row in table.splitlines()] for table in found]


def facts(cell: str) -> list[str]:
    """The numbers and the code in a cell, sorted: Chinese may name them in another order."""
    # An address is no text.
    return sorted(re.findall(r"`[^`]*`|\d[\d,.]*\d|\d", re.sub(r"\]\([^)]*\)", "", cell)))


@both
def test_the_tables_are_the_same(page: Path) -> None:
    english, chinese = map(tables, texts(page))
    assert [[len(row) for row in table] for table in chinese] == [
        [len(row) for row in table] for table in english
    ]
    for ours, theirs in zip(english, chinese, strict=True):
        for row, other in zip(ours, theirs, strict=True):
            for cell, translated in zip(row, other, strict=True):
                assert facts(translated) == facts(cell), (cell, translated)


@both
def test_the_pictures_are_the_same_with_words_of_their_own(page: Path) -> None:
    english, chinese = map(PICTURE.findall, texts(page))
    assert [picture for _, picture in chinese] == [picture for _, picture in english]
    assert all(CHINESE.search(words) for words, _ in chinese)


@both
def test_the_headings_are_the_same(page: Path) -> None:
    english, chinese = (
        re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE) for text in texts(page)
    )
    assert chinese == english
