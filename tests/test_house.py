"""docs/contributing/house.md describes every file with the first sentence of its docstring."""

import ast
import os
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE, PAGE = ROOT / "keras_recipes", ROOT / "docs" / "contributing" / "house.md"
TOP = """# The house, file by file

Made by `UPDATE_HOUSE=1 pytest tests/test_house.py` out of the files' own first sentences. The
README shows the rooms in the order of their imports.
"""


def first_sentence(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    paragraph = " ".join(said.split("\n\n")[0].split())
    return paragraph.replace("|", "\\|")


def page() -> str:
    lines = [TOP]
    folders = sorted({path.parent for path in PACKAGE.rglob("*.py")})
    for folder in folders:
        name = "/".join(folder.relative_to(ROOT).parts)
        lines.append(f"## {name}/\n")
        if folder != PACKAGE:
            lines.append(first_sentence(folder / "__init__.py") + "\n")
        files = sorted(p for p in folder.glob("*.py") if not p.name.startswith("__"))
        lines.append("| file | |\n| --- | --- |")
        lines += [f"| `{path.name}` | {first_sentence(path)} |" for path in files]
        lines.append("")
    return "\n".join(lines)


def test_the_house_is_described_file_by_file() -> None:
    if os.environ.get("UPDATE_HOUSE"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "run UPDATE_HOUSE=1 pytest tests/test_house.py"


def test_every_file_says_what_it_is() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert first_sentence(path), path


def test_the_readme_shows_every_room() -> None:
    text = (ROOT / "README.md").read_text()
    files = [p.name for p in PACKAGE.glob("*.py") if not p.name.startswith("__")]
    rooms = [f"{p.parent.name}/" for p in PACKAGE.glob("*/__init__.py")]
    assert not [room for room in (*files, *rooms) if f"  {room} " not in text]
