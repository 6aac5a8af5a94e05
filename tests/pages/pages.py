"""What a page shows to be typed: commands and programs out of its fences, in order.

A fence marked `sh` holds commands, one marked `console` commands after `$ ` with what they print,
one marked `python` a program. A table whose last column is called Command holds commands for
`make test-all`. A comment before a fence tells the tests about it:

    <!-- test: setup -->  makes an environment, which the one that runs the tests already has
    <!-- test: full -->   needs MNIST, or more than ten seconds: for `make test-all`
    <!-- test: fails -->  shows commands that end with an error
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.checkout import ROOT

PAGES = tuple(
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not page.name.endswith(".zh.md")
)
"""Every page in English. A page in Chinese has the same commands; see test_chinese."""

_PLACE = re.compile(
    r"^(?:<!-- test: (?P<notes>[a-z ]+) -->\n)?"
    r"(?:```(?P<kind>sh|console|python)\n(?P<text>.*?)^```$"
    r"|\|[^\n]* (?:Command|命令) \|\n\| ---[^\n]*\n(?P<rows>(?:\|[^\n]*\n)+))",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """One thing that a reader types.

    Attributes:
        kind: "sh" or "python".
        text: The command line, or the program.
        printed: The lines that the page shows for it; none where it shows none.
        notes: What a comment before the fence says of it: "setup", "full", "fails".
    """

    kind: str
    text: str
    printed: tuple[str, ...] = ()
    notes: frozenset[str] = frozenset()

    @property
    def quick(self) -> bool:
        return not self.notes & {"setup", "full"}


def name(page: Path) -> str:
    """A page as tests and messages call it."""
    return page.relative_to(ROOT).as_posix()


def steps(page: Path) -> list[Step]:
    """Everything that the page shows to be typed."""
    text = page.read_text(encoding="utf-8")
    return [step for place in _PLACE.finditer(text) for step in _steps_of(place)]


def _steps_of(place: re.Match[str]) -> Iterator[Step]:
    notes, text = frozenset((place["notes"] or "").split()), place["text"]
    if place["rows"]:
        for cell in re.findall(r"\| `(recipes .*|tail .*)` \|$", place["rows"], re.MULTILINE):
            yield Step("sh", cell.replace(r"\|", "|"), notes=notes | {"full"})
    elif place["kind"] == "python":
        yield Step("python", text, notes=notes)
    elif place["kind"] == "sh":
        for command in text.replace("\\\n", " ").splitlines():
            if command.strip() and not command.startswith("#"):
                yield Step("sh", command, notes=notes)
    else:
        for block in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *printed = block.replace("\\\n", " ").strip().splitlines()
            yield Step("sh", command, tuple(printed), notes)


def similar(shown: str, printed: str) -> bool:
    """Equal words, and numbers to a thousandth or five per cent: backends round differently."""
    one, other = shown.split(), printed.split()
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        try:
            if float(a) != pytest.approx(float(b), rel=0.05, abs=0.001):
                return False
        except ValueError:
            if a != b:
                return False
    return True


def differs_between_machines(line: str) -> bool:
    """Whether a line names versions, devices or seconds."""
    return bool(re.search(r"tensorflow|\d s\b|Python 3", line))
