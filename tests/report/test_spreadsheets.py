"""CSV answers hold texts as texts: nothing that a spreadsheet computes or a terminal obeys."""

import csv
import io
import time
from pathlib import Path

import pytest

from keras_recipes.report import spreadsheets
from tests.command_line import Run
from tests.digits.drawn import seven

FORMULAS = {
    "=1+1": "'=1+1",
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    "+cmd": "'+cmd",
    "-1+cmd": "'-1+cmd",
    "@SUM(A1)": "'@SUM(A1)",
    "  =1": "'  =1",
    '"=1"': '\'"=1"',
    "\t=1": "'\\t=1",
    "\r=1": "'\\r=1",
    "\N{FULLWIDTH EQUALS SIGN}1": "'\N{FULLWIDTH EQUALS SIGN}1",
}
HARMLESS = ["", "order-5", "-5", "+4.5e-3", "-.5", "-1,0.5", "0,1", "a=b", "'quoted'", "blk_-1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert spreadsheets.cell(text) == FORMULAS[text]


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_and_numbers_stay_as_they_are(text: str) -> None:
    assert spreadsheets.cell(text) == text


@pytest.mark.parametrize("number", [-5, -0.25, float("-inf"), True])
def test_a_number_is_no_text(number: float) -> None:
    assert spreadsheets.cell(number) is number


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\x00b", "a\nb", "a\x7fb", "a\x9bb", "a\u202eb"])
def test_no_cell_has_control_characters(text: str) -> None:
    assert spreadsheets.cell(text) == f"a{ascii(text[1:-1])[1:-1]}b"


def test_a_long_cell_takes_no_long_time() -> None:
    begin = time.process_time()
    for text in ("-" + "1" * 1_000_000 + "x", "-" + "1," * 500_000, " " * 1_000_000):
        spreadsheets.cell(text)
    assert time.process_time() - begin < 5


def test_csv_is_safe_by_itself_and_raw_on_request(recipes: Run) -> None:
    name = "=1+cmd\x1b[2J.png"
    seven().save(name)

    def file(*asked: str) -> str:
        result = recipes("predict", "mnist-mlp", name, *asked)
        assert result.exit_code == 0, result.stderr
        text = Path("a.csv").read_text() if "--output" in asked else result.stdout
        return next(csv.DictReader(io.StringIO(text)))["file"]

    assert file("--format", "csv") == "'=1+cmd\\x1b[2J.png"
    assert file("--output", "a.csv") == "'=1+cmd\\x1b[2J.png"
    assert file("--format", "raw-csv") == name


def test_raw_csv_without_rows_has_its_header(recipes: Run, saved: Path) -> None:
    Path("none.csv").write_text("")
    asked = ("predict", "xor", "-", "--format")
    some = [recipes(*asked, form, input="0,1\n").stdout for form in ("csv", "raw-csv")]
    assert some[0] == some[1]


def test_points_below_zero_stay_numbers(recipes: Run, saved: Path) -> None:
    result = recipes("predict", "xor", "--format", "csv", "--", "-1,0.5")
    assert result.stdout.splitlines()[1].startswith('"-1,0.5",')
