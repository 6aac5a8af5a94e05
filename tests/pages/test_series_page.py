"""The page on series says what is read and what is refused, and this is true."""

import itertools
import math
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from keras_recipes.data import time_series
from keras_recipes.data.time_series import MONDAY
from keras_recipes.errors import InputError
from tests.checkout import ROOT
from tests.data.series_members import KINDS

PAGE = (ROOT / "docs/data/series.md").read_text(encoding="utf-8")
MEMBERS = dict(itertools.chain.from_iterable(kind.items() for kind in KINDS.values()))


def rows(header: str, after: str) -> Iterator[list[str]]:
    """Yield the rows of the first table with this header behind a text of the page."""
    lines = PAGE[PAGE.index(header, PAGE.index(after)) :].splitlines()
    for line in itertools.takewhile(lambda line: line.startswith("|"), lines[2:]):
        yield [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


NUMBERS = list(rows("| Cell | Beside it |", "### Numbers"))
TIMES = list(rows("| Cell | Beside it |", "## Columns and times"))
PROGRAMS = list(rows("| Made by |", "### Reports and exports"))


@pytest.mark.parametrize(("cell", "beside", "read_as"), NUMBERS)
def test_a_number_is_read_as_the_page_says(cell: str, beside: str, read_as: str) -> None:
    content = "".join(f"2024-03-01 {n:02}:00;{cell if n % 2 else beside}\n" for n in range(20))
    Path("m.csv").write_text(f"time;value\n{content}", encoding="utf-8")
    if read_as == "refused":
        with pytest.raises(InputError, match=re.escape(repr(cell))):
            list(time_series.read("m.csv").records)
        return
    value = list(time_series.read("m.csv").records)[1].values[0]
    assert value == pytest.approx(float(read_as)) if read_as != "missing" else math.isnan(value)


@pytest.mark.parametrize(("cell", "beside", "read_as"), TIMES)
def test_a_time_is_read_as_the_page_says(cell: str, beside: str, read_as: str) -> None:
    Path("m.csv").write_text(f'time,value\n"{cell}",1\n"{beside}",2\n')
    found = time_series.read("m.csv")
    if read_as.startswith("no time"):
        assert found.time is None
        assert any(warning and cell in note for warning, note in found.notes)
        return
    seconds = next(found.records).seconds
    assert seconds is not None
    assert f"{MONDAY + timedelta(seconds=round(seconds)):%Y-%m-%d %H:%M}" == read_as


@pytest.mark.parametrize(("program", "columns"), PROGRAMS)
def test_an_export_has_the_columns_that_the_page_says(program: str, columns: str) -> None:
    member = MEMBERS[program]
    Path(member.name).write_text(member.text, encoding="utf-8")
    assert time_series.read(member.name).columns == tuple(re.split("`, `", columns))


def test_no_table_of_the_page_was_missed() -> None:
    assert min(len(table) for table in (NUMBERS, TIMES, PROGRAMS)) >= 15
