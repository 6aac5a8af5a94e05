"""What the README quotes is what the program prints, and what it links to is there."""

import os
import re
import shlex
from configparser import ConfigParser

import pytest

from tests.checkout import ROOT
from tests.command_line import Run

README = ROOT / "README.md"
HELP = re.compile(r"<!-- help: recipes (.*?) -->\n```\n(.*?)```", re.DOTALL)


def test_help_texts_are_the_programs(recipes: Run) -> None:
    text = README.read_text()

    def today(quoted: re.Match[str]) -> str:
        printed = recipes(*shlex.split(quoted[1]), terminal_width=80, prog_name="recipes").stdout
        return f"<!-- help: recipes {quoted[1]} -->\n```\n{printed}```"

    current = HELP.sub(today, text)
    if os.environ.get("UPDATE_README"):
        README.write_text(current)
    assert current == README.read_text(), "run UPDATE_README=1 pytest tests/readme/test_text.py"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_and_pictures_are_there(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def test_the_house_is_described_room_by_room() -> None:
    text = README.read_text()
    rooms = [
        path.name
        for path in (ROOT / "keras_recipes").glob("*.py")
        if not path.stem.startswith("__")
    ]
    assert not [room for room in rooms if f"  {room} " not in text]


def test_every_package_is_in_the_wheel() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    packages = settings["options"]["packages"].split()
    folders = [p.parent.relative_to(ROOT) for p in (ROOT / "keras_recipes").rglob("__init__.py")]
    there = [".".join(folder.parts) for folder in folders]
    assert sorted(packages) == sorted([*there, "keras_recipes.shipped"])


def test_every_shipped_model_is_in_the_wheel() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    packed = settings["options.package_data"]["keras_recipes.shipped"].split()
    names = [card.parent.name for card in (ROOT / "saved_models/shipped").glob("*/card.json")]
    assert sorted(packed) == sorted(f"{name}/*" for name in names)
