"""docs/cells.md says how many parameters each cell has, and shows pictures that are there."""

import inspect
import re
from typing import get_args

import pytest

from keras_recipes import build_char_rnn
from tests.checkout import ROOT

PAGE = ROOT / "docs" / "cells.md"
FORMULAS = dict(
    re.findall(r"^\| `(\w+)` \|.*\| `([^`]+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
)


def test_it_has_a_formula_for_every_cell_that_char_rnn_offers() -> None:
    cells = get_args(inspect.signature(build_char_rnn).parameters["cell"].annotation)
    assert list(FORMULAS) == list(cells)


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_gives_the_parameters_of_the_built_cell(cell: str) -> None:
    layer = build_char_rnn(cell=cell, units=7, embedding=3, classes=5).layers[1]
    assert eval(FORMULAS[cell], {"u": 7, "d": 3}) == layer.count_params()


def test_its_pictures_are_drawn_by_the_script() -> None:
    script = (ROOT / "docs" / "scripts" / "draw_gradients.py").read_text()
    pictures = re.findall(r"\((pictures/cells/(\w+)\.png)\)", PAGE.read_text(encoding="utf-8"))
    assert [name for _, name in pictures] == ["vanishing", "exploding"]
    for path, name in pictures:
        assert (ROOT / "docs" / path).exists()
        assert f'"{name}"' in script
