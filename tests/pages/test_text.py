"""What the README quotes is what the program prints, and what it links to is there."""

import os
import re
import shlex

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
    assert current == README.read_text(), "run UPDATE_README=1 pytest tests/pages/test_text.py"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_and_pictures_are_there(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
