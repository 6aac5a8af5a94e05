"""A stream of numbers goes on whatever its lines hold, and its state is kept however it ends."""

import csv
import io
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import fit, save
from keras_recipes.data import lines
from keras_recipes.recipe import Row
from tests.anomaly import junk
from tests.command_line import Run
from tests.shared_data import shared_data

COLUMNS = ("c0", "c1", "c2")


def table(rows: int, first: int = 0) -> list[str]:
    """Return rows as those of the cases: a time each minute, and three columns."""
    values = np.random.default_rng(0).uniform(10, 11, (first + rows, 3)).round(3)
    return [
        f"{1_700_000_000 + 60 * n}," + ",".join(map(str, values[n].tolist()))
        for n in range(first, first + rows)
    ]


HEADER = "timestamp," + ",".join(COLUMNS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    (folder / "three.csv").write_text("\n".join([HEADER, *table(300)]) + "\n")
    fitted = fit("lstm-anomaly", folder / "three.csv", epochs=2, show_progress=False)
    return save(fitted, folder / "three")


def answers(run: Run, model: Path, text: bytes, *asked: str, status: int = 0) -> list[Row]:
    result = run("predict", str(model), "-", "--format", "csv", *asked, input=text)
    assert result.exit_code == status, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def times(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["timestamp"] for row in rows))


def joined(some: list[str | bytes]) -> bytes:
    return b"".join((one.encode() if isinstance(one, str) else one) + b"\n" for one in some)


@pytest.mark.parametrize("junk", junk.ROWS.values(), ids=junk.ROWS.keys())
def test_whatever_a_line_holds_the_next_rows_are_answered(
    recipes: Run, model: Path, junk: bytes
) -> None:
    good = table(6, 300)
    expected = answers(recipes, model, joined([HEADER, *good]))
    asked = ("predict", str(model), "-", "--format", "csv")
    result = recipes(*asked, input=joined([HEADER, *good[:3], junk, *good[3:]]))
    assert result.exit_code == 0, result.stderr
    assert list(csv.DictReader(io.StringIO(result.stdout))) == expected
    assert "standard input line 5: expected" in result.stderr
    assert "row skipped" in result.stderr
    first = answers(recipes, model, joined([junk, HEADER, *good]))
    assert first == expected


@pytest.mark.parametrize("junk", junk.OBJECTS.values(), ids=junk.OBJECTS.keys())
def test_whatever_an_object_holds_the_next_objects_are_answered(
    recipes: Run, model: Path, junk: bytes
) -> None:
    good = table(6, 300)
    names = ("timestamp", *COLUMNS)
    objects = [
        "{"
        + ", ".join(f'"{name}": {cell}' for name, cell in zip(names, row.split(","), strict=True))
        + "}"
        for row in good
    ]
    expected = answers(recipes, model, joined([HEADER, *good]))
    asked = ("predict", str(model), "-", "--format", "csv")
    result = recipes(*asked, input=joined([*objects[:3], junk, *objects[3:]]))
    assert result.exit_code == 0, result.stderr
    assert list(csv.DictReader(io.StringIO(result.stdout))) == expected
    assert "row skipped" in result.stderr


def test_very_many_bad_rows_are_counted_and_few_are_told(recipes: Run, model: Path) -> None:
    text = joined([HEADER, *table(2, 300), *["what?"] * 5_000, *table(1, 302)])
    result = recipes("predict", str(model), "-", "--format", "csv", input=text)
    assert result.exit_code == 0
    assert result.stderr.count("row skipped") == 3
    assert "5,000 rows were skipped" in result.stderr
    assert len(result.stdout.splitlines()) == 1 + 3


def test_a_stream_that_is_none_of_this_table_is_refused_in_the_end(
    recipes: Run, model: Path
) -> None:
    result = recipes("predict", str(model), "-", input=b"a,b\n1,2\n3,4\n")
    assert result.exit_code == 2
    assert "expected a column 'timestamp'" in result.stderr


def test_a_time_that_no_calendar_has_is_named_with_its_line_in_a_file(
    recipes: Run, model: Path
) -> None:
    Path("x.csv").write_bytes(joined([HEADER, *table(4, 300), "-99000000000,1,2,3"]))
    for command in (["predict", str(model), "x.csv"], ["fit", "lstm-anomaly", "--data", "x.csv"]):
        result = recipes(*command)
        assert result.exit_code == 2
        assert "x.csv line 6: expected a time of the years 1 to 9999" in result.stderr


def test_the_case_of_a_stray_quotation_mark(recipes: Run, model: Path) -> None:
    text = shared_data("cases/robustness/27-stray-quote-silences-a-stream/quote.csv").read_bytes()
    good = [one.split(b",")[0].decode() for one in text.splitlines()[1:] if one[:1] != b'"']
    assert times(answers(recipes, model, text)) == good
    assert len(good) == 99


def test_the_case_of_a_time_out_of_range(recipes: Run, model: Path) -> None:
    text = shared_data("cases/robustness/29-time-out-of-range-ends-a-stream/overflow.csv")
    good = [one.split(",")[0] for one in text.read_text().splitlines()[1:] if one[0] != "-"]
    assert times(answers(recipes, model, text.read_bytes())) == good
    assert len(good) == 7


def test_the_case_of_a_state_that_was_lost(recipes: Run, model: Path) -> None:
    text = shared_data("cases/robustness/30-state-lost-when-a-stream-fails/cr.csv").read_bytes()
    rows = answers(recipes, model, text, "--set", "state=s.state")
    assert len(times(rows)) == text.count(b"\n") - 2
    assert Path("s.state").exists()


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_the_case_of_names_that_multiply_takes_no_gigabytes(model: Path) -> None:
    case = shared_data("cases/robustness/21-json-lines-flatten-bomb")
    subprocess.run([sys.executable, str(case / "make.py")], check=True)
    cells = dict(zip(("timestamp", *COLUMNS), table(1, 300)[0].split(","), strict=True))
    row = "{" + ", ".join(f'"{name}": {cell}' for name, cell in cells.items()) + "}\n"
    content = row + Path("flat.jsonl").read_text() + row
    Path("flat.jsonl").write_text(content)
    command = [sys.executable, "-m", "keras_recipes", "predict", str(model), "-", "--format", "csv"]
    with Path("flat.jsonl").open("rb") as source, Path("rows.csv").open("wb") as out:
        process = subprocess.Popen(command, stdin=source, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert Path("rows.csv").read_text().splitlines()[-1].startswith("1700018000,")
    # In kB, 840,000 of them for TensorFlow. A child's figure begins with that of its parent.
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert used.ru_maxrss <= max(1_800_000, parent)


def test_any_error_keeps_the_state(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = table(6, 300)
    whole = answers(recipes, model, joined([HEADER, *good]))

    def broken(tick: float) -> Iterator[list[bytes]]:
        yield [one.encode() for one in [HEADER, *good[:3]]]
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(lines, "from_standard_input", broken)
        before = answers(recipes, model, b"", "--set", "state=s.npz", status=1)
    after = answers(recipes, model, joined(good[3:]), "--set", "state=s.npz")
    assert before + after == whole


def test_a_script_learns_of_anomalies_in_a_stream(recipes: Run, model: Path) -> None:
    good = joined([HEADER, *table(20, 300)])
    asked = ("--fail-on-anomaly", "--set", "threshold=50")
    answers(recipes, model, good, *asked)
    bad = good + joined([f"{1_700_000_000 + 60 * n},9000,9000,9000" for n in range(320, 330)])
    answers(recipes, model, bad, "--fail-on-anomaly", status=10)


def test_only_records_after_the_first_are_judged(recipes: Run, model: Path) -> None:
    Path("x.csv").write_text("\n".join([HEADER, *table(9, 300)]) + "\n")
    asked = ("predict", str(model), "x.csv", "--format", "csv", "--set")
    rows = list(csv.DictReader(io.StringIO(recipes(*asked, "after=6").stdout)))
    assert times(rows) == [line.partition(",")[0] for line in table(3, 306)]
    none = recipes(*asked, "after=9")
    assert none.exit_code == 2
    assert "x.csv: expected records after the first 9, received none" in none.stderr


def test_a_stream_has_no_first_records(recipes: Run, model: Path) -> None:
    refused = recipes("predict", str(model), "-", "--set", "after=3", input=b"")
    assert refused.exit_code == 2
    assert refused.stderr == "error: after: is an option for files; leave it out\n"
