"""Which jobs data stands for, and wrong usage, which is refused without Ray."""

import sys
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes import InputError
from keras_recipes.cli.fleet import fleet
from keras_recipes.fleet import jobs, selection, storage
from tests.command_line import Run


def names(*data: str) -> list[str]:
    return [job.name for job in jobs.of_files(data)]


def touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("x")


def test_a_job_has_the_name_of_its_file_below_the_patterns_folder() -> None:
    touch("m/a.csv", "m/b.csv.gz", "m/inner/c.d.parquet")
    assert names("m/*.*") == ["a", "b"]
    assert names("m/**/*.parquet") == ["inner/c.d"]
    assert names("m/a.csv", "m/b.csv.gz") == ["a", "b"]
    assert names(str(Path("m").resolve() / "*.csv")) == ["a"]


def test_files_that_differ_only_in_their_suffixes_keep_them() -> None:
    touch("a.csv", "a.parquet", "b.csv")
    assert names("*.*") == ["a.csv", "a.parquet", "b"]


def test_a_folder_is_one_data_set_and_a_pattern_stands_for_what_it_matches() -> None:
    touch("scans/one/0/x.png", "scans/two/0/x.png")
    assert names("scans") == ["scans"]
    assert names("scans/*") == ["one", "two"]


def test_two_files_of_one_name_are_refused() -> None:
    touch("a/x.csv", "b/x.csv")
    with pytest.raises(InputError, match="paths of different names"):
        names("a/*.csv", "b/*.csv")
    assert names("*/x.csv") == ["a/x", "b/x"]


def test_an_address_is_listed_as_addresses() -> None:
    pytest.importorskip("fsspec")
    touch("m/a.csv", "m/b.csv")
    address = Path("m").resolve().as_uri()
    assert [job.paths for job in jobs.of_files([f"{address}/*.csv"])] == [
        (f"{address}/a.csv",),
        (f"{address}/b.csv",),
    ]
    assert names(f"{address}/*.csv") == ["a", "b"]
    here = storage.fetched(f"{address}/a.csv", Path.cwd())
    assert here.read_text() == "x"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=5, unique=True))
def test_every_value_has_a_name_of_its_own_that_is_one_file_name(values: list[str]) -> None:
    made = [jobs.safe(value) for value in values]
    assert len(set(made)) == len(made)
    assert all("/" not in name and name not in ("", ".", "..") for name in made)


TABLES = {
    "t.csv": "timestamp,host,cpu\n1,web,0.5\n2,db,0.7\n3,web,0.6\n",
    "s.csv": "timestamp;host;cpu\n1;web;0,5\n2;db;0,7\n3;web;0,6\n",
    "t.jsonl": '{"t": 1, "host": "web", "cpu": 5}\n{"t": 2, "host": "db", "cpu": 7}\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_records_with_a_value_become_a_table_without_its_column(name: str) -> None:
    Path(name).write_text(TABLES[name])
    assert selection.values(Path(name), "host") == ["db", "web"]
    selection.write(Path(name), "host", "db", Path("out"))
    written = Path("out").read_text()
    assert "7" in written
    assert "web" not in written
    assert "host" not in written
    with pytest.raises(InputError, match="expected a column 'nope'"):
        selection.values(Path(name), "nope")


def test_records_of_parquet_with_a_value_keep_their_types() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"t": [1, 2, 3], "host": [7, 8, 7], "cpu": [0.1, 0.2, 0.3]})
    parquet.write_table(table, "t.parquet")
    assert selection.values(Path("t.parquet"), "host") == ["7", "8"]
    selection.write(Path("t.parquet"), "host", "7", Path("out.parquet"))
    assert parquet.read_table("out.parquet").to_pydict() == {"t": [1, 3], "cpu": [0.1, 0.3]}


@pytest.mark.parametrize("name", sorted(fleet.commands))
def test_every_command_of_the_group_has_an_example_and_explains_its_options(
    name: str, recipes: Run
) -> None:
    text = recipes("fleet", name, "--help").stdout
    assert f"recipes fleet {name}" in text.partition("Example:")[2]
    options = [p for p in fleet.commands[name].params if isinstance(p, click.Option)]
    assert [p.name for p in options if not p.help] == []


WRONG = {
    "fit lstm-anomaly --data none.csv --out m": "none.csv: no such file",
    "fit lstm-anomaly --out m": "--data: expected files, received none",
    "fit lstm-anomaly --data a.csv": "Missing option '--out'",
    "fit nope --data a.csv --out m": "no recipe is called 'nope'",
    "fit xor --data a.csv --out m --each column": "xor has no option columns",
    "fit lstm-anomaly --data a.csv --out m --each column --by h": "one way to divide the data",
    "fit lstm-anomaly --data a.csv --out m --set epochs=no": "epochs: expected a whole number",
    "fit lstm-anomaly --data a.csv --out m --preset no": "has no preset 'no'",
    "fit lstm-anomaly --data a.csv --out a.csv/b": "cannot be written",
    "predict none --data a.csv --output o": "expected a folder of saved models",
    "search xor --space hidden_units": "expected OPTION=LOW..HIGH or OPTION=A,B,C",
    "search xor --space hidden_units=4..2": "expected a lower and a higher end, received 4..2",
    "search xor --space hidden_units=1..many": "hidden_units: expected a whole number",
    "search xor --space nope=1..2": "xor has no option 'nope'",
    "search xor --space seed=1,2 --set seed=3": "seed: given twice, by --space and by --set",
}


@pytest.mark.parametrize(("command", "message"), WRONG.items())
def test_wrong_usage_is_one_line_and_starts_no_ray(
    command: str, message: str, recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch("a.csv")
    monkeypatch.setitem(sys.modules, "ray", None)  # an import of it would fail
    monkeypatch.setattr("keras_recipes.extras.is_here", lambda package: True)
    result = recipes("fleet", *command.split())
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_without_ray_one_line_names_the_extra(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch("a.csv")
    monkeypatch.setattr("keras_recipes.extras.is_here", lambda package: False)
    result = recipes("fleet", "fit", "lstm-anomaly", "--data", "a.csv", "--out", "m")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: fleet: needs ray, which is not installed: pip install 'keras_recipes[fleet]'\n"
    )
