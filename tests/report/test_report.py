"""Output for people fits the screen, is explained, and compares only results of the same data."""

import json
import os
import shlex
from pathlib import Path

import pytest
from rich.cells import cell_len

from keras_recipes import catalog
from keras_recipes.cli import commands, next_steps
from keras_recipes.commands import raw
from keras_recipes.commands.doctor import Finding
from keras_recipes.models.fitted import Fitted
from keras_recipes.report import findings, metrics, tables
from tests.command_line import Run

NAMES = catalog.names()
PRINTING = [["list"], ["doctor"], *(["show", name] for name in NAMES), ["--help"]]
HELPING = [[name, "--help"] for name in sorted(commands.commands)]


def widest(text: str) -> int:
    return max(map(cell_len, text.splitlines()))


@pytest.mark.parametrize("arguments", PRINTING + HELPING, ids=" ".join)
@pytest.mark.parametrize("columns", ["80", "120"])
def test_nothing_is_wider_than_the_screen(
    recipes: Run, saved: Path, arguments: list[str], columns: str
) -> None:
    result = recipes(*arguments, env={"COLUMNS": columns}, terminal_width=int(columns))
    assert result.exit_code == 0, result.stderr
    assert 40 < widest(result.stdout) <= int(columns)


def test_a_name_with_control_characters_is_spelt_out_whole() -> None:
    assert tables.cell("\x1b[2J.png") == "\\x1b[2J.png"
    assert tables.cell("\U000e0001" * 9) == "\\U000e0001" * 9


def test_words_of_a_table_stay_whole_and_numbers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    rows = [{"name": "a", "text": "several words that have to go on below", "number": 0.123456}]
    lines = tables.text(rows).splitlines()
    assert widest("\n".join(lines)) <= 40
    assert len(lines) == 3
    first, second = lines[1].split(), lines[2].split()
    assert (first[0], first[-1]) == ("a", "0.1235")
    assert [*first[1:-1], *second] == rows[0]["text"].split()


def test_predictions_that_do_not_fit_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "x" * 300
    text = tables.text([{"file": name, "word": "w", **{f"out_{i}": 1 / 3 for i in range(6)}}])
    assert text.count("0.3333") == 6
    assert text.count("x") == 300
    assert widest(text) <= 80
    assert "…" not in text


def test_a_table_of_too_many_columns_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = [{"true": label, **{f"class {i}": i for i in range(26)}} for label in "ab"]
    pieces = tables.text(rows).split("\n\n")
    assert all(widest(piece) <= 80 for piece in pieces)
    assert all(piece.startswith("true") for piece in pieces)
    assert sum(piece.count("class ") for piece in pieces) == 26


def test_rows_that_are_watched_fit_the_screen_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = [{"session": "a" * 30, "score": 0.123456, "observed": "many words " * 9, "line": n}
            for n in range(2)]  # fmt: skip
    tables.write(iter(rows), "table", live=True)
    printed = capsys.readouterr().out
    assert widest(printed) <= 80
    assert printed.count("session") == 1
    assert printed.count("a" * 12) == 4
    assert printed.split().count("many") == printed.split().count("words") == 18


def test_list_puts_beside_the_articles_figure_only_what_is_of_the_same_data(
    recipes: Run, empty_folder: Path
) -> None:
    def xor() -> list[str]:
        lines = recipes("list").stdout.split("\n\n")[1].splitlines()
        return [" ".join(line.split()) for line in lines if line.startswith("xor")]

    assert "xor accuracy 100 % not yet the four points of XOR" in xor()
    (empty_folder / "and.csv").write_text("0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    assert recipes("fit", "xor", "--data", "and.csv").exit_code == 0
    assert "xor accuracy 100 % the four points of XOR" in xor()
    assert "xor accuracy 100 % and.csv" in xor()
    assert recipes("fit", "xor").exit_code == 0
    assert "xor accuracy 100 % 100 % the four points of XOR" in xor()


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_on_own_data_no_figure_of_the_article_is_printed(
    recipes: Run, saved: Path, empty_folder: Path, command: str
) -> None:
    (empty_folder / "own.csv").write_text("0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    own = recipes(command, "xor", "--data", "own.csv")
    assert own.exit_code == 0, own.stderr
    assert "article" not in own.stdout
    assert "measured on own.csv" in own.stdout
    assert (
        json.loads(recipes(command, "xor", "--data", "own.csv", "--json").stdout)["reported"] == {}
    )
    assert "article" in recipes("fit", "xor").stdout
    assert json.loads(recipes("evaluate", "xor", "--json").stdout)["reported"]


def test_digits_that_are_not_mnist_are_not_compared_with_the_article(
    recipes: Run, lenet: Fitted
) -> None:
    result = recipes("evaluate", "lenet5", "--data", "digits")
    assert "measured on digits" in result.stdout
    assert "99.05" not in result.stdout
    assert catalog.get("lenet5").source.reported_on(lenet.card.data["name"]) == {"accuracy": 0.9905}


def test_many_files_are_counted(recipes: Run, empty_folder: Path) -> None:
    names = [f"part-{number}.csv" for number in range(12)]
    for name in names:
        (empty_folder / name).write_text("0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    given = [word for name in names for word in ("--data", name)]
    result = recipes("fit", "xor", *given, "--out", "many")
    assert result.stdout.startswith("measured on part-0.csv and 11 more\n")
    assert "part-11.csv" not in result.stderr
    assert json.loads((empty_folder / "many" / "card.json").read_text())["data"]["paths"] == names


def test_every_metric_is_explained_where_it_is_printed(recipes: Run, saved: Path) -> None:
    text = " ".join(recipes("evaluate", "xor").stdout.split())
    for name in ("accuracy", "loss", "largest_error"):
        words = catalog.get("xor").metrics[name].meaning.split()
        assert f"{words[0]} {words[1]}" in text
    perfect = metrics.beside_reported({"accuracy": 0.5, "old": 0.25}, raw.METRICS, "x.npz", {})
    assert "50 %" in perfect
    assert "0.25" in perfect


def test_shares_counts_and_numbers_are_written_as_what_they_are() -> None:
    known = catalog.get("lstm-anomaly").metrics
    written = metrics.beside_reported(
        {"false_alarms": 0.00021234, "sessions": 12_345.0, "loss": 0.123456}, known, "x", {}
    )
    words = written.split()
    assert {"0.02123", "12,345", "0.1235"} <= set(words)
    # False alarms are counted for series with labels.
    assert " 3 " in metrics.beside_reported({"false_alarms": 3}, known, "x", {})


@pytest.mark.parametrize("folder", [None, "elsewhere/a model"])
def test_a_fit_says_what_to_try_next_and_that_works(
    recipes: Run, empty_folder: Path, folder: str | None
) -> None:
    out = ["--out", folder] if folder else []
    lines = recipes("fit", "xor", *out).stderr.splitlines()
    begin = lines.index("what to try next:")
    steps = lines[begin + 1 :]
    assert [shlex.split(step)[1] for step in steps] == ["predict", "plot", "show"]
    for step in steps:
        program, *words = shlex.split(step)
        assert program == "recipes"
        result = recipes(*words)
        assert result.exit_code == 0, result.stderr
        assert result.stdout


def test_a_folder_named_like_a_recipe_is_told_from_it(recipes: Run, fitted: Fitted) -> None:
    def asked(folder: str) -> str:
        return next_steps.next_steps(catalog.get("xor"), fitted.card, Path(folder))[1]

    assert asked("lenet5") == "  recipes predict ./lenet5 0,1 1,1"
    assert asked("-x") == "  recipes predict ./-x 0,1 1,1"
    assert asked("saved_models/xor") == "  recipes predict xor 0,1 1,1"


def test_what_came_through_a_pipe_is_not_to_be_drawn(recipes: Run) -> None:
    result = recipes("fit", "xor", "--data", "-", input="0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    assert result.exit_code == 0, result.stderr
    assert "recipes predict xor" in result.stderr
    assert "recipes plot" not in result.stderr


def test_every_command_is_told_in_a_whole_sentence(recipes: Run) -> None:
    told = recipes("--help").stdout.partition("Commands:")[2].split("\n\n")[0].splitlines()[1:]
    assert len(told) == len(commands.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in told)


@pytest.mark.parametrize("switch", ["--json", "-q"])
def test_programs_are_told_nothing_to_try(recipes: Run, switch: str) -> None:
    assert "to try next" not in recipes("fit", "xor", switch).stderr


def test_a_model_of_a_synthetic_log_is_tried_on_the_one_with_anomalies() -> None:
    example = catalog.get("lstm-anomaly").example
    assert example(["demo"]) == "demo-anomalies --set only_anomalies=true"
    assert example(["demo-metrics"]) == "demo-metrics-anomalies --set only_anomalies=true"
    assert example(["a.log", "b.log"]) == "TODAY --set only_anomalies=true"


def test_doctor_ends_with_a_verdict(recipes: Run) -> None:
    header, *_, last = recipes("doctor").stdout.splitlines()
    assert header.split() == ["what", "found", "fix"]
    assert last == "all is well: everything that a fit needs is here"
    missing = Finding("keras", "missing", "pip install keras", broken=True)
    verdict = findings.findings([vars(missing)]).splitlines()[-1]
    assert verdict == "a fit cannot run: fix keras; the column fix says how"


def test_show_names_expected_values_and_the_commands_that_take_them(recipes: Run) -> None:
    shown = " ".join(recipes("show", "lstm-anomaly").stdout.split())
    assert "Options of the net (--set of fit):" in shown
    assert "Options of the answers (--set of fit, evaluate and predict):" in shown
    assert "Expected: one of lstm, peephole." in shown
    assert "Expected: a whole number >= 1." in shown


@pytest.mark.parametrize(
    ("name", "begin"),
    [("a.csv", "input,probability"), ("a.jsonl", '{"input"'), ("a.NDJSON", '{"input"'),
     ("a.txt", "input  probability"), ("a", "input  probability")],
)  # fmt: skip
def test_a_files_ending_says_how_rows_are_written(
    recipes: Run, saved: Path, empty_folder: Path, name: str, begin: str
) -> None:
    assert recipes("predict", "xor", "0,1", "--output", name).exit_code == 0
    assert (empty_folder / name).read_text().startswith(begin)


def test_a_format_that_is_named_counts_more_than_the_ending(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    recipes("predict", "xor", "0,1", "--output", "a.csv", "--format", "jsonl")
    assert (empty_folder / "a.csv").read_text().startswith('{"input"')


@pytest.mark.parametrize("where", ["before", "behind"])
def test_quiet_leaves_only_errors(recipes: Run, saved: Path, where: str) -> None:
    def run(switch: str, *words: str) -> str:
        return recipes(*([switch, *words] if where == "before" else [*words, switch])).stderr

    # One epoch is too short, so that it warns and trains longer.
    wordy = ("fit", "xor", "--epochs", "1")
    assert run("-q", *wordy).strip() == ""
    assert run("--quiet", "fit", "xro").startswith("error: ")


def test_verbose_says_what_is_read_where_the_model_is_and_how_epochs_go(
    recipes: Run, saved: Path
) -> None:
    fit = recipes("fit", "xor", "-v").stderr
    assert "read the four points of XOR: 4 training, 0 validation and 4 test examples" in fit
    assert "epoch 250 of 5,000: loss " in fit
    assert "versions: python" in fit
    predict = recipes("-v", "predict", "xor", "0,1").stderr
    assert "model: saved_models/xor, xor fitted on the four points of XOR" in predict
    assert "rows: 1 in " in predict
    evaluate = recipes("evaluate", "xor", "--verbose").stderr
    assert "measured on 4 examples" in evaluate
    assert "epoch" not in recipes("fit", "xor").stderr.partition("epochs in")[0]


def test_quiet_and_verbose_exclude_each_other(recipes: Run) -> None:
    result = recipes("list", "-q", "-v")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_values_behind_two_dashes_are_no_switches(recipes: Run, saved: Path) -> None:
    result = recipes("predict", "xor", "--", "-q")
    assert result.exit_code == 2
    assert "-q: no such file" in result.stderr


def test_where_nobody_knows_the_width_it_is_80(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: (_ for _ in ()).throw(OSError))
    assert tables.width() == 80
