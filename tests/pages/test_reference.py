"""The pages of reference are what the program says of itself, and leave nothing out."""

import re
from collections.abc import Callable

import pytest

import keras_recipes
from tests.checkout import ROOT
from tests.pages import generated, reference

FOLDER = ROOT / "docs" / "reference"


@pytest.mark.generated
@pytest.mark.parametrize(
    ("name", "today"),
    [("commands.md", reference.commands_page), ("options.md", reference.options_page)],
)
def test_what_a_program_writes_is_of_today(name: str, today: Callable[[], str]) -> None:
    assert generated.text_of(FOLDER / name, today()) == today(), generated.ADVICE


def test_every_name_of_the_package_is_on_the_python_page_once() -> None:
    shown = re.findall(r"^::: keras_recipes\.(\w+)$", (FOLDER / "python.md").read_text(), re.M)
    assert sorted(shown) == sorted({*keras_recipes.__all__} - {"__version__"})
