"""docs/contributing/house.md lists every room and file, in the words of its own docstring."""

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import generated

PACKAGE, PAGE = ROOT / "keras_recipes", ROOT / "docs" / "contributing" / "house.md"
TOP = """# The house, file by file

This page helps you find the code that does something. It lists the rooms of `keras_recipes` and
then every file, each with the first sentence of its docstring. `make pages` writes it.

## The rooms, from the roof down

A room is a file or a folder at the top of the package. Imports run down only: a room may import
the rooms of a lower floor, but none of its own floor or of a higher one. `setup.cfg` holds this
list, and `make lint` checks it.

| floor | room | what it is |
| --- | --- | --- |"""
FILES = """
## The files
"""


def first_sentence(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    paragraph = " ".join(said.split("\n\n")[0].split())
    return paragraph.replace("|", "\\|")


def layers() -> list[list[str]]:
    """The rooms as import-linter holds them to their order, from the roof down."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["importlinter:contract:rooms"]["layers"].split("\n")
    return [[room.strip() for room in line.split("|")] for line in lines if line.strip()]


def room(name: str) -> Path:
    """The file that says what a room is."""
    folder = PACKAGE / name
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def rooms() -> Iterator[str]:
    for floor, names in zip(range(len(layers()) - 1, -1, -1), layers(), strict=True):
        for file in map(room, names):
            shown = f"{file.parent.name}/" if file.stem == "__init__" else file.name
            yield f"| {floor} | `{shown}` | {first_sentence(file)} |"


def page() -> str:
    lines = [TOP, *rooms(), FILES]
    folders = sorted({path.parent for path in PACKAGE.rglob("*.py")})
    for folder in folders:
        lines.append(f"### {'/'.join(folder.relative_to(ROOT).parts)}/\n")
        if folder != PACKAGE:
            lines.append(first_sentence(folder / "__init__.py") + "\n")
        files = sorted(p for p in folder.glob("*.py") if not p.name.startswith("__"))
        lines.append("| file | what it is |\n| --- | --- |")
        lines += [f"| `{path.name}` | {first_sentence(path)} |" for path in files]
        lines.append("")
    return "\n".join(lines)


@pytest.mark.generated
def test_the_house_is_described_file_by_file() -> None:
    assert generated.text_of(PAGE, page()) == page(), generated.ADVICE


def test_every_file_says_what_it_is() -> None:
    assert not [path for path in PACKAGE.rglob("*.py") if not first_sentence(path)]
