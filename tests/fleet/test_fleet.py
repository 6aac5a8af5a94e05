"""A fleet on a cluster of this machine, which all tests of this file share."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import keras_recipes
from keras_recipes import extras
from keras_recipes.cli import commands
from keras_recipes.fleet import answering, cluster, running
from keras_recipes.fleet.running import Report
from tests.command_line import Run
from tests.fleet.tables import lost_once, table
from tests.shared_data import shared_data

pytestmark = [
    pytest.mark.full,
    # Not by importing Ray, which reads its settings when it is imported.
    pytest.mark.skipif(
        not extras.is_here("ray"), reason="needs Ray: pip install 'keras_recipes[fleet]'"
    ),
]

QUICK = ("--set", "epochs=1", "--set", "length=16")


@pytest.fixture(scope="module", autouse=True)
def shared_cluster() -> Iterator[None]:
    with cluster.connected():
        yield


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two good tables and a bad one."""
    folder = tmp_path_factory.mktemp("fleet")
    table(folder / "metrics" / "web.csv", 7)
    table(folder / "metrics" / "db.csv", 11)
    (folder / "metrics" / "bad.csv").write_text("timestamp,cpu\n1,2\n")
    return folder


def fleet(here: Path, *arguments: str) -> Result:
    before = Path.cwd()
    os.chdir(here)
    try:
        return CliRunner().invoke(commands, ["fleet", *arguments])
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def first(here: Path) -> Result:
    """The first run: two models and a failure."""
    return fit(here)


def fit(here: Path, *more: str) -> Result:
    return fleet(
        here, "fit", "lstm-anomaly", "--data", "metrics/*.csv", "--out", "models", *QUICK, *more
    )


def members(folder: Path) -> dict[str, Any]:
    """The files of a model, without the time that the fit took."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    found["card.json"] = json.loads(found["card.json"])
    found["card.json"]["training"].pop("seconds")
    return found


def test_a_bad_file_fails_alone(here: Path, first: Result) -> None:
    assert first.exit_code == 1
    assert sorted(path.name for path in (here / "models").iterdir()) == ["db", "web"]
    summary, failure, advice = first.stderr.splitlines()[-3:]
    assert summary.startswith("fitted 2 in ")
    assert failure.startswith("error: bad: metrics/bad.csv: expected a column with at least 30")
    assert advice.startswith("error: 1 of 3 failed")


def test_the_models_equal_those_of_single_fits(
    here: Path, first: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.chdir(here)
    keras.backend.clear_session()
    keras_recipes.fit("lstm-anomaly", ["metrics/web.csv"], out="one", epochs=1, length=16)
    assert members(here / "one") == members(here / "models" / "web")


def test_a_second_run_does_only_what_is_new(here: Path, first: Result) -> None:
    written = {path: path.stat().st_mtime_ns for path in (here / "models").glob("*/card.json")}
    again = fit(here, "--json")
    assert json.loads(again.stdout)["earlier"] == ["db", "web"]
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    table(here / "metrics" / "db.csv", 11, records=140)
    changed = fit(here, "--json")
    assert json.loads(changed.stdout)["done"] == ["db"]
    assert json.loads(changed.stdout)["earlier"] == ["web"]


def test_each_file_is_judged_by_the_model_of_its_name(
    here: Path, first: Result, recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("predict", "models", "--data", "metrics/*.csv", "--output", "answers", "--json")
    result = fleet(here, *command)
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert sorted(found["done"]) == ["db", "web"]
    assert found["failed"] == {"bad": "models/bad: no such model; fit it first"}
    monkeypatch.chdir(here)
    single = recipes("predict", "models/web", "metrics/web.csv", "--format", "csv")
    assert (here / "answers" / "web.csv").read_text() == single.stdout
    assert json.loads(fleet(here, *command).stdout)["earlier"] == ["db", "web"]
    again = json.loads(fleet(here, *command, "--set", "threshold=5").stdout)
    assert again["done"] == ["db", "web"]


def test_a_model_from_elsewhere_answers_as_an_own_one(
    here: Path, first: Result, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = ("predict", "models/web", "--data", "metrics/web.csv", "--set", "threshold=5")
    assert fleet(here, *command, "--output", "own").exit_code == 0
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # without the list of the user's fits
    # A module beside the data is not imported, as it may have come with the model.
    (here / "click.py").write_text("raise SystemExit('imported from the working folder')")
    try:
        result = fleet(here, *command, "--output", "foreign", "--json")
    finally:
        (here / "click.py").unlink()
    assert json.loads(result.stdout)["done"] == ["web"], result.output
    assert (here / "foreign" / "web.csv").read_bytes() == (here / "own" / "web.csv").read_bytes()


def test_a_folder_of_a_recipe_s_name_is_not_the_shipped_model(
    here: Path, first: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(here / "models" / "web", here / "lenet5")
    monkeypatch.chdir(here)
    questions = []

    def run(work: Any, orders: list[Any], *_: Any, **__: Any) -> Report:
        questions.extend(order for _, order in orders)
        return Report()

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "nobody"))
    answering.predict("lenet5", "metrics/web.csv", "unused")
    assert [question.own for question in questions] == [False]


def test_a_model_from_elsewhere_is_held_to_a_budget(here: Path, first: Result) -> None:
    case = next(shared_data("cases/robustness").glob("12-*"))
    bomb = shutil.copytree(case, here / "bomb")
    if (bomb / "make.py").exists():
        subprocess.run([sys.executable, "make.py"], check=True, capture_output=True, cwd=bomb)
    command = ("predict", "bomb", "--data", "bomb/input.npy", "--output", "refused", "--json")
    result = fleet(here, *command)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failed"]["input"].startswith("input: refused, ")


def test_a_search_stops_worse_trials_and_saves_the_best(here: Path) -> None:
    space = ("--space", "learning_rate=1e-5..1e-2", "--space", "hidden_units=8,16")
    options = ("--set", "epochs=3", "--trials", "4", "--out", "best", "--json")
    result = fleet(here, "search", "mnist-mlp", "--data", "digits", *space, *options)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    rows = list(csv.DictReader((here / "trials.csv").read_text().splitlines()))
    assert len(rows) == 4
    assert {row["status"] for row in rows} == {"finished", "stopped"}
    finished = [row for row in rows if row["status"] == "finished"]
    best = min(finished, key=lambda row: float(row["val_loss"]))
    assert float(best["learning_rate"]) == found["best"]["learning_rate"]
    saved = keras_recipes.load(here / "best")
    assert saved.card.options["learning_rate"] == found["best"]["learning_rate"]
    # The model is fitted anew, and the same options give the same validation loss. On so few
    # images, the best weights are kept.
    assert min(saved.history.values["val_loss"]) == found["val_loss"]


def test_each_value_of_a_column_has_a_model(here: Path) -> None:
    web, db = ((here / "metrics" / f"{name}.csv").read_text() for name in ("web", "db"))
    rows = [f"{line},{host}" for host, text in (("a/1", web), ("b", db)) for line in text.split()]
    header = rows[0].replace("a/1", "host")
    (here / "all.csv").write_text("\n".join([header, *(r for r in rows if "cpu" not in r)]) + "\n")
    result = fleet(
        here, "fit", "lstm-anomaly", "--data", "all.csv", "--by", "host", "--out", "by", *QUICK
    )
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (here / "by").iterdir()) == ["a%2F1", "b"]
    card = json.loads((here / "by" / "b" / "card.json").read_text())
    assert card["data"]["name"] == "all.csv, host b"
    assert card["learned"]["watch"]["layout"]["columns"] == ["cpu"]


def test_each_column_has_a_model_that_judges_it(here: Path) -> None:
    web, db = ((here / "metrics" / f"{name}.csv").read_text().split() for name in ("web", "db"))
    both = [f"{one},{other.split(',')[1]}" for one, other in zip(web, db, strict=False)]
    both[0] = "timestamp,cpu,disk"
    (here / "both.csv").write_text("\n".join(both) + "\n")
    asked = ("--data", "both.csv", "--each", "column")
    result = fleet(here, "fit", "lstm-anomaly", *asked, "--out", "each", *QUICK)
    assert result.exit_code == 0, result.stderr
    for name in ("cpu", "disk"):
        card = json.loads((here / "each" / "both" / name / "card.json").read_text())
        assert card["learned"]["watch"]["layout"]["columns"] == [name]
    result = fleet(here, "predict", "each", *asked, "--output", "judged", "--json")
    assert json.loads(result.stdout)["done"] == ["both/cpu", "both/disk"]
    rows = list(csv.DictReader((here / "judged" / "both" / "disk.csv").read_text().splitlines()))
    assert len(rows) == len(both) - 1


def test_a_lost_worker_s_job_is_done_elsewhere(tmp_path: Path) -> None:
    made: dict[str, str] = {}
    report = running.run(lost_once, [("job", str(tmp_path / "marker"))], made.__setitem__)
    assert report.failed == {}
    assert made == {"job": "done"}


def test_an_address_without_a_cluster_is_one_line(here: Path) -> None:
    script = "from keras_recipes.cli import main; main()"
    arguments = ["fleet", "fit", "xor", "--data", "a.csv", "--out", "m", "--address", "no:where"]
    (here / "a.csv").write_text("0,1,1\n")
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=here, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"error: --address no:where: no cluster answers there: .+\n", done.stderr)


def test_ctrl_c_ends_it_within_seconds(here: Path) -> None:
    # A shell lets the programs that it starts in the background ignore SIGINT.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heard}; from keras_recipes.cli import main; main()"
    endless = ("--set", "epochs=1000000", "--set", "patience=none")
    arguments = ["fleet", "fit", "lstm-anomaly", "--data", "metrics/web.csv", "--out", "endless"]
    arguments.append("--verbose")
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments, *endless],
        cwd=here,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while "1 jobs on" not in process.stderr.readline():
            pass
        begun = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all processes
        late = threading.Timer(60, process.kill)
        late.start()
        message = process.stderr.read()
        late.cancel()
    assert time.monotonic() - begun < 10
    assert process.returncode == 130, message
    assert "Traceback" not in message
