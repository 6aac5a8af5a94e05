"""The command line, used as people use it: results, messages, exit codes."""

import csv
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest

from keras_recipes import load
from keras_recipes.cli import commands
from keras_recipes.errors import StoppedError
from keras_recipes.models.history import epochs_in_words
from keras_recipes.train.checkpoint import Checkpoint, State
from tests.command_line import Run

POINTS = ("0,0", "0,1", "1,0", "1,1")


def test_fit_saves_a_model_and_prints_reported_beside_measured(recipes: Run) -> None:
    result = recipes("fit", "xor")
    assert result.exit_code == 0, result.stderr
    title, _, header, *rows = [line.split() for line in result.stdout.splitlines()]
    assert title == ["measured", "on", "the", "four", "points", "of", "XOR"]
    assert header == ["metric", "article", "measured", "meaning"]
    (accuracy,) = [row for row in rows if row[0] == "accuracy"]
    assert accuracy[:6] == ["accuracy", "100", "%", "100", "%", "Share"]
    assert "every output within 0.01" in result.stderr
    assert load("saved_models/xor").card.recipe == "xor"


def test_fit_in_json_has_one_stable_shape(recipes: Run) -> None:
    result = recipes("fit", "xor", "--json", "--seed", "4", "--out", "elsewhere/four")
    answer = json.loads(result.stdout)
    assert set(answer) == {
        "recipe", "data", "metrics", "reported", "model", "options", "training",
    }  # fmt: skip
    assert answer["options"]["seed"] == 4
    assert answer["model"] == "elsewhere/four"
    assert set(answer["metrics"]) == {"accuracy", "loss", "largest_error"}


def test_fit_on_own_data(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "and.csv").write_text("a,b,both\n0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    assert recipes("fit", "xor", "--data", "and.csv", "--out", "and").exit_code == 0
    rows = recipes("predict", "and", *POINTS, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["class"] for row in rows] == [0, 0, 0, 1]
    assert "and.csv" in recipes("evaluate", "and").stdout


def test_a_fit_that_fails_exits_1_and_leaves_the_old_model(recipes: Run, saved: Path) -> None:
    before = (saved / "card.json").read_bytes()
    result = recipes("fit", "xor", "--preset", "article")
    assert result.exit_code == 1
    assert "largest error" in result.stderr
    assert (saved / "card.json").read_bytes() == before


def test_training_longer_and_starting_again_are_said(recipes: Run, empty_folder: Path) -> None:
    # Two answers to one question cannot be learned.
    (empty_folder / "odd.csv").write_text("0,1,0\n0,1,1\n")
    options = ("--set", "extra_epochs=1", "--set", "restarts=1")
    result = recipes("fit", "xor", "--data", "odd.csv", "--epochs", "1", *options)
    assert result.exit_code == 1
    assert "warning: not there yet (largest error" in result.stderr
    assert result.stderr.count("training longer") == 2
    assert result.stderr.count("starting again from other weights") == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_predictions_for_programs_have_the_documented_columns(
    recipes: Run, saved: Path, form: str
) -> None:
    text = recipes("predict", "xor", *POINTS, "--format", form).stdout
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [list(row) for row in rows] == [["input", "probability", "class"]] * 4
    assert [row["input"] for row in rows] == list(POINTS)
    assert [int(row["class"]) for row in rows] == [0, 1, 1, 0]


def test_values_files_and_stdin_are_answered_alike(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    text = "x1,x2\n0,1\n\n1,1\n"
    (empty_folder / "points.csv").write_text(text)
    ask = ("predict", "xor", "--format", "csv")
    typed = recipes(*ask, "0,1", "1,1")
    assert typed.exit_code == 0
    assert recipes(*ask, "points.csv").stdout == typed.stdout
    assert recipes(*ask, "-", input=text).stdout == typed.stdout


def test_negative_values_go_behind_two_dashes(recipes: Run, saved: Path) -> None:
    result = recipes("predict", "xor", "--format", "csv", "--", "-1,0.5")
    assert result.stdout.splitlines()[1].startswith('"-1,0.5",')


def test_a_long_file_is_answered_row_by_row(recipes: Run, saved: Path, empty_folder: Path) -> None:
    (empty_folder / "many.csv").write_text("0,1\n" * 10_000)
    result = recipes("predict", "xor", "many.csv", "--format", "csv")
    assert len(result.stdout.splitlines()) == 10_001


@pytest.mark.parametrize("content", ["", "\n \n\n", "x1,x2\n"])
def test_points_where_there_are_none_are_refused(recipes: Run, saved: Path, content: str) -> None:
    Path("none.csv").write_text(content)
    for asked, extra in (("none.csv", {}), ("-", {"input": content})):
        result = recipes("predict", "xor", asked, **extra)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"error: {asked}: expected points x1,x2, received none\n"


def test_data_whose_name_is_no_text_is_learned_and_the_model_kept(recipes: Run) -> None:
    name = os.fsdecode(b"\xff.csv")
    Path(name).write_text("0,0,0\n0,1,1\n")
    assert recipes("fit", "xor", "--data", name).exit_code == 0
    assert load("xor").card.data["name"] == "?.csv"


def test_output_goes_to_a_file_when_asked(recipes: Run, saved: Path, empty_folder: Path) -> None:
    result = recipes("predict", "xor", "0,1", "--format", "csv", "--output", "answers/a.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (empty_folder / "answers" / "a.csv").read_text().startswith("input,probability,class\n")


def test_bad_input_leaves_an_earlier_output_alone(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    (empty_folder / "a.csv").write_text("precious")
    (empty_folder / "in.csv").write_text("0,1\n" * 5_000 + "0,x\n")
    result = recipes("predict", "xor", "in.csv", "--format", "csv", "--output", "a.csv")
    assert result.exit_code == 2
    assert "in.csv line 5001" in result.stderr
    assert (empty_folder / "a.csv").read_text() == "precious"


def test_a_pair_without_a_recipe_gives_its_raw_outputs(recipes: Run, saved: Path) -> None:
    bare = saved.parent / "bare"
    bare.mkdir()
    for name in ("model.json", "model.weights.h5"):
        shutil.copy(saved / name, bare / name)
    pair = (str(bare / "model.json"), "--weights", str(bare / "model.weights.h5"))
    result = recipes("predict", *pair, "0,1", "1,1", "--format", "csv")
    assert result.stdout.splitlines()[0] == "row,output_0"
    assert len(result.stdout.splitlines()) == 3
    assert "warning: unverified" in result.stderr


def test_evaluate_prints_what_fit_measured(recipes: Run, saved: Path) -> None:
    answer = json.loads(recipes("evaluate", "xor", "--json").stdout)
    assert answer["metrics"] == pytest.approx(load("xor").card.metrics)


@pytest.mark.parametrize("form", ["keras", "json-h5"])
def test_an_export_opens_and_answers_alike(recipes: Run, saved: Path, form: str) -> None:
    exported = recipes("export", "xor", "--format", form)
    assert exported.exit_code == 0, exported.stderr
    path = exported.stdout.strip()
    original = recipes("predict", "xor", "0,1", "--format", "jsonl").stdout
    answer = json.loads(recipes("predict", path, "0,1", "--format", "jsonl").stdout)
    assert answer["probability"] == pytest.approx(json.loads(original)["probability"], abs=1e-6)


def test_plot_writes_the_recipes_pictures(recipes: Run, saved: Path, empty_folder: Path) -> None:
    result = recipes("plot", "xor")
    paths = result.stdout.split()
    assert [Path(p).name for p in paths] == ["loss.png", "surface.png", "hidden.png"]
    assert all((empty_folder / p).read_bytes().startswith(b"\x89PNG") for p in paths)


def test_list_compares_with_the_article_once_fitted(recipes: Run, saved: Path) -> None:
    (entry,) = [e for e in json.loads(recipes("list", "--json").stdout) if e["recipe"] == "xor"]
    assert entry["reported"] == {"accuracy": 1.0, "largest_error": 0.0091}
    assert entry["measured"]["accuracy"] == 1.0
    assert "xor" in recipes("list").stdout


def test_list_works_with_a_damaged_model_lying_there(recipes: Run, saved: Path) -> None:
    (saved / "card.json").write_text("{")
    assert recipes("list").exit_code == 0


def test_show_lists_every_option_with_its_default(recipes: Run) -> None:
    shown = json.loads(recipes("show", "xor", "--json").stdout)
    defaults = {option["option"]: option["default"] for option in shown["options"]}
    assert defaults["hidden_units"] == 10
    assert defaults["learning_rate"] == 0.1
    assert shown["parameters"] == 41
    text = recipes("show", "xor").stdout
    assert all(name in text for name in (*defaults, "three-regressions", "41 parameters"))


def test_show_says_which_command_takes_an_option(recipes: Run) -> None:
    shown = json.loads(recipes("show", "lenet5", "--json").stdout)
    commands = {option["option"]: option["commands"] for option in shown["options"]}
    assert commands["epochs"] == ["fit"]
    assert commands["unsure_below"] == ["fit", "predict"]
    assert commands["skip_bad"] == ["fit", "evaluate", "predict"]
    assert commands["seen"] == ["predict"]
    for option, value in {"epochs": 3, "seen": "pictures", "unsure_below": 0.5}.items():
        for command in {"fit", "evaluate", "predict"} - {*commands[option]}:
            given = ["missing.png"] if command == "predict" else []
            refused = recipes(command, "lenet5", *given, "--set", f"{option}={value}")
            assert f"no option {option!r} here" in refused.stderr
            assert refused.exit_code == 2


@pytest.mark.parametrize(
    ("epochs", "text"), [(1, "1 epoch"), (np.int64(1), "1 epoch"), (2_750, "2,750 epochs")]
)
def test_one_epoch_is_spoken_of_as_one(epochs: int, text: str) -> None:
    assert epochs_in_words(epochs) == text


def test_doctor_names_versions_devices_and_fixes(recipes: Run) -> None:
    findings = json.loads(recipes("doctor", "--json").stdout)
    by_name = {finding["what"]: finding for finding in findings}
    assert by_name["keras"]["found"] == __import__("keras").__version__
    assert "tensorflow" in by_name["keras backend"]["found"]
    assert "gpu" in by_name
    assert all(set(finding) == {"what", "found", "fix", "broken"} for finding in findings)
    assert not any(finding["broken"] for finding in findings)


BAD = [
    (["predict", "xor", "-1,0"], 2, "go behind --: "),
    (["fit", "xor", "-1"], 2, "fit --help`"),
    (["fit", "mnist-mlp", "--from", "mnist-mlp", "--preset", "hog"], 2, "keeps its options"),
    (
        ["fit", "mnist-mlp", "--from", "mnist-mlp", "--set", "features=hog"],
        2,
        "keeps it as before, 'pixels'",
    ),
    (["fit", "xro"], 2, "did you mean xor"),
    (["fit", "xor", "--set", "colour=red"], 2, "it has hidden_units"),
    (["fit", "xor", "--set", "hidden_units=-3"], 2, "expected a whole number >= 1"),
    (["fit", "xor", "--epochs", "0"], 2, "expected a whole number >= 1"),
    (["fit", "xor", "--epochs", "ten"], 2, "not a valid integer"),
    (["fit", "xor", "--learning-rate", "nan"], 2, "expected a number > 0"),
    (["fit", "xor", "--preset", "best"], 2, "its presets"),
    (["fit", "xor", "--data", "missing.csv"], 2, "no such file"),
    (["fit", "xor", "--resume"], 2, "nothing to resume"),
    (["fit", "xor", "--resume", "--fresh"], 2, "give one"),
    (["fit", "xor", "--device", "gpu"], 2, "no GPU is seen here"),
    (["fit", "xor", "--out", "/proc/nowhere"], 2, "cannot be written"),
    (["fit"], 2, "Missing argument 'NAME'"),
    (["fly"], 2, "No such command 'fly'"),
    (["--wings"], 2, "No such option"),
    (["predict", "xor"], 2, "nothing to predict"),
    (["predict", "xor", "0,x"], 2, "received 'x'"),
    (["predict", "xor", "0,1,2"], 2, "expected 2 numbers, received 3"),
    (["predict", "xor", "nan,0"], 2, "finite"),
    (["predict", "xor", "missing.csv"], 2, "no such file"),
    (["predict", "xor", "saved_models/*.tsv"], 2, "no file there"),
    (["predict", "nowhere", "0,1"], 2, "no such folder or file"),
    (["predict", "xor", "x" * 300, "0,1"], 2, "File name too long"),
    (["predict", "xor", "0,1", "--output", ""], 2, "expected the name of a file"),
    (["predict", "xor", "0,1", "--output", "."], 2, "expected the name of a file"),
    (["predict", "xor", "0,1", "--set", "epochs=3"], 2, "has no option 'epochs'"),
    (["predict", "xor", "0,1", "--weights", "w.h5"], 2, "has its own weights"),
    (["predict", "saved_models", "0,1"], 2, "holds no saved model"),
    (["predict", "", "0,1"], 2, "no such folder or file"),
    (["predict", "xor", "1e39,0"], 2, "finite"),
    (["predict", "xor", "1_0,0"], 2, "finite"),
    (["fit", "xor", "--out", "."], 2, "cannot be replaced as a whole"),
    (["fit", "xor", "--seed", "4294967296"], 2, "expected a whole number >= 0 and < 4294967296"),
    (["evaluate", "xor", "--labels", "labels.csv"], 2, "no option 'labels'"),
    (["evaluate", "xor", "--set", "hidden_units=2"], 2, "no option 'hidden_units'"),
    (["export", "xor", "--format", "json-h5", "--output", "saved_models/xor"], 2, "holds"),
    (
        ["export", "xor", "--format", "papyrus"],
        2,
        "expected one of json-h5, keras, saved-model, onnx, litert",
    ),
    (["export", "xor", "--format", "keras", "--output", "xor.h5"], 2, "ends in .keras"),
    (["export", "xor", "--format", "litert", "--output", "xor.onnx"], 2, "ends in .tflite"),
    (["export", "xor", "--format", "saved-model", "--output", "saved_models"], 2, "holds xor"),
    (["predict", "missing.onnx", "0,1"], 2, "no such folder or file"),
]


@pytest.mark.parametrize(("arguments", "code", "complaint"), BAD, ids=lambda v: str(v)[:40])
def test_a_mistake_is_answered_in_one_line(
    recipes: Run, saved: Path, arguments: list[str], code: int, complaint: str
) -> None:
    result = recipes(*arguments)
    assert result.exit_code == code
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert complaint in errors[0]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    load("xor")


@pytest.mark.full  # TensorFlow looks for the memory for ten seconds.
def test_a_net_too_large_for_any_machine_is_refused(recipes: Run) -> None:
    result = recipes("fit", "xor", "--set", "hidden_units=1000000000000")
    assert result.exit_code == 2
    assert "no such net can be built" in result.stderr.splitlines()[-1]


def test_a_folder_with_somebodys_files_is_never_replaced(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    project = empty_folder / "project"
    (project / "source").mkdir(parents=True)
    (project / "card.json").write_text('{"name": "my game"}')
    (saved / "notes.txt").write_text("mine")
    for folder in (project, saved):
        result = recipes("fit", "xor", "--out", str(folder))
        assert result.exit_code == 2
        assert "name another folder" in result.stderr
    assert (project / "source").is_dir()
    assert (saved / "notes.txt").read_text() == "mine"


def test_own_data_may_be_a_folder_or_a_pattern(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "data").mkdir()
    (empty_folder / "data" / "low.csv").write_text("0,0,0\n0,1,1\n")
    (empty_folder / "data" / "high.csv").write_text("1,0,1\n1,1,1\n")
    for data in ("data", "data/*.csv"):
        result = recipes("fit", "xor", "--data", data, "--out", "or", "--json")
        assert json.loads(result.stdout)["metrics"]["accuracy"] == 1.0


def test_a_pipe_that_is_named_as_output_is_written_to(
    recipes: Run, saved: Path, empty_folder: Path
) -> None:
    os.mkfifo(empty_folder / "pipe")
    reader = os.open(empty_folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    result = recipes("predict", "xor", "0,1", "--format", "csv", "--output", "pipe")
    assert result.exit_code == 0, result.stderr
    assert os.read(reader, 1000).startswith(b"input,probability,class\n")
    os.close(reader)


def test_a_model_that_is_code_is_refused_as_unsafe(recipes: Run) -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save("code.keras")
    result = recipes("predict", "code.keras", "0,1")
    assert result.exit_code == 3
    assert "refused, Lambda is not opened: it holds code" in result.stderr.splitlines()[-1]


def test_a_checkpoint_of_other_data_or_damaged_is_not_resumed(
    recipes: Run, empty_folder: Path
) -> None:
    checkpoint = empty_folder / "saved_models" / ".xor.checkpoint.npz"
    checkpoint.parent.mkdir()
    for content in (b"", b"PK\3\4 and so on", b"text"):
        checkpoint.write_bytes(content)
        result = recipes("fit", "xor", "--resume")
        assert result.exit_code == 4
        assert "damaged; fit without --resume: --fresh drops it" in result.stderr.splitlines()[-1]
    np.savez(checkpoint, meta=np.array([print], dtype=object))
    result = recipes("fit", "xor", "--resume")
    assert result.exit_code == 3
    assert "holds Python objects" in result.stderr.splitlines()[-1]


def test_a_recipe_that_is_not_fitted_says_how_to(recipes: Run) -> None:
    result = recipes("predict", "xor", "0,1")
    assert result.exit_code == 2
    assert "run `recipes fit xor`" in result.stderr


@pytest.mark.parametrize("damage", ["remove", "truncate", "swap"])
@pytest.mark.parametrize("member", ["model.json", "model.weights.h5", "card.json"])
def test_a_damaged_model_exits_4_with_one_line(
    recipes: Run, saved: Path, member: str, damage: str
) -> None:
    path = saved / member
    if damage == "remove":
        path.unlink()
    elif damage == "truncate":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        shutil.copy(saved / "history.csv", path)
    result = recipes("predict", "xor", "0,1")
    if member == "card.json" and damage == "remove":
        assert "unverified" in result.stderr
        return
    assert result.exit_code == 4
    assert member in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("row", ["0,1,2", "", "zero", "0,1,1,1", "0,1,inf", '"0,1,1'])
def test_a_malformed_row_is_named_by_file_and_line(
    recipes: Run, empty_folder: Path, row: str
) -> None:
    (empty_folder / "bad.csv").write_text(f"x1,x2,target\n0,0,0\n{row}\n")
    result = recipes("fit", "xor", "--data", "bad.csv")
    if row:
        assert result.exit_code == 2
        assert "bad.csv" in result.stderr
    else:
        assert result.exit_code == 0


def test_a_binary_file_is_no_csv(recipes: Run, empty_folder: Path) -> None:
    (empty_folder / "bad.csv").write_bytes(b"\xff\xfe\x00\x01")
    result = recipes("fit", "xor", "--data", "bad.csv")
    assert result.exit_code == 2
    assert "bad.csv: expected CSV text in UTF-8" in result.stderr


def test_debug_shows_the_traceback(recipes: Run) -> None:
    assert "Traceback" in recipes("fit", "xro", "--debug").stderr


def test_control_characters_are_spelt_out(recipes: Run) -> None:
    result = recipes("predict", "\x1b[31mred\nalert", "0,1")
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_has_help_with_an_example(recipes: Run, name: str) -> None:
    text = recipes(name, "--help").stdout
    assert f"recipes {name}" in text.partition("Example:")[2]
    assert recipes(name, "-h").stdout == text


def test_every_option_is_explained() -> None:
    for command in commands.commands.values():
        options = [p for p in command.params if isinstance(p, click.Option)]
        assert [p.name for p in options if not p.help] == [], command.name


# What follows needs a process of its own.

COMMAND = [sys.executable, "-c", "from keras_recipes.cli import main; main()"]


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, **options)


HEAVY = {"tensorflow", "keras", "jax", "torch", "pandas", "matplotlib", "h5py"}


def test_data_that_is_missing_is_told_without_waiting_for_keras() -> None:
    script = (
        "import sys; from keras_recipes.cli import commands\n"
        "try: commands(sys.argv[1:])\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "fit", "xor", "--data", "missing.csv"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not set(result.stderr.splitlines()[-1].split()) & HEAVY


@pytest.mark.full
def test_a_fit_without_a_terminal_prints_plain_lines_and_none_of_tensorflows() -> None:
    result = process("fit", "xor", check=True)
    lines = result.stderr.splitlines()
    assert lines[0].startswith("fitting xor on the four points of XOR; tensorflow")
    assert lines[1] == "reached: every output within 0.01 of its target"
    assert lines[3] == "what to try next:"
    assert len(lines) == 7, result.stderr
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.full
def test_a_reader_that_goes_away_is_no_error(saved: Path) -> None:
    (saved.parent.parent / "many.csv").write_text("0,1\n" * 50_000)
    arguments = ["predict", "xor", "many.csv", "--format", "csv"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as p:
        assert p.stdout.readline() == b"input,probability,class\n"
        p.stdout.close()
        assert p.stderr.read() == b""
    assert p.returncode == 128 + signal.SIGPIPE


@pytest.mark.full
def test_a_fit_whose_messages_nobody_reads_is_still_saved(empty_folder: Path) -> None:
    fit = " ".join(shlex.quote(word) for word in [*COMMAND, "fit", "xor"])
    subprocess.run(["sh", "-c", f"{fit} 2>&1 >/dev/null | true"], check=True)
    assert load(empty_folder / "saved_models" / "xor").card.recipe == "xor"


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fit_that_is_stopped_can_be_resumed(number: signal.Signals, empty_folder: Path) -> None:
    # Restarts without end: contradictory targets cannot be learned.
    (empty_folder / "odd.csv").write_text("0,1,0\n0,1,1\n")
    endless = ["fit", "xor", "--data", "odd.csv", "--set", "restarts=1000000"]
    with subprocess.Popen([*COMMAND, *endless], stderr=subprocess.PIPE, text=True) as p:
        while "starting again" not in p.stderr.readline():
            pass
        p.send_signal(number)
        message = p.stderr.read()
    assert p.returncode == 128 + number
    assert "the same command with --resume goes on" in message.splitlines()[-1]
    assert "Traceback" not in message
    with subprocess.Popen([*COMMAND, *endless, "--resume"], stderr=subprocess.PIPE, text=True) as p:
        lines = [p.stderr.readline() for _ in range(2)]
        time.sleep(0.5)
        p.kill()
    assert lines[1].startswith("resumed after"), lines
    other = process(*endless, "--resume", "--seed", "9", check=False)
    assert other.returncode == 2
    assert "kept with other settings, seed=0, received 9" in other.stderr
    assert "take those with --resume, or drop it by --fresh" in other.stderr


@pytest.mark.full
def test_a_full_disk_is_said_in_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr


def test_no_color_is_asked_for_because_there_is_none(recipes: Run, saved: Path) -> None:
    for environment in ({"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}):
        result = recipes("predict", "xor", "0,1", env={**os.environ, **environment})
        assert "\x1b" not in result.output


def test_a_fit_that_cannot_be_kept_stops_when_asked_to(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "gone" / "model")
    kept.path = tmp_path / "gone" / "x.npz"
    state = State({}, 0, 0.0, [], [], {"loss": np.zeros(3)}, [])
    (tmp_path / "gone").write_text("a file where the folder should be")
    with kept.watching():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError, match="stopped after 3 epochs, now lost"):
            kept.boundary(lambda: state)


def test_pytorch_fits_quietly_what_tensorflow_opens(empty_folder: Path) -> None:
    pytest.importorskip("torch")
    done = subprocess.run(
        [*COMMAND, "fit", "xor", "--out", "model"],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stderr.splitlines()) == 7, done.stderr
    assert load("model").model.optimizer is not None


def test_an_unknown_backend_is_named_with_those_there_are() -> None:
    done = subprocess.run(
        [*COMMAND, "fit", "xor"],
        env={**os.environ, "KERAS_BACKEND": "nope"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "expected tensorflow, jax, torch, received 'nope'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["--out", "--from"])
def test_an_empty_text_is_no_place(recipes: Run, saved: Path, option: str) -> None:
    before = (saved / "card.json").read_bytes()
    result = recipes("fit", "xor", option, "")
    assert result.exit_code == 2
    assert (saved / "card.json").read_bytes() == before


def test_labels_for_a_model_that_has_no_use_for_them_are_refused(recipes: Run, saved: Path) -> None:
    (saved / "card.json").unlink()
    np.savez("xy.npz", x=np.eye(2), y=np.ones((2, 1)))
    asked = ("evaluate", str(saved / "model.json"), "--data", "xy.npz", "--labels", "none.csv")
    result = recipes(*asked)
    assert result.exit_code == 2
    assert "labels=none.csv" in result.stderr


def test_short_switches_may_be_typed_together(recipes: Run) -> None:
    assert "exclude each other" in recipes("-qv", "list").stderr
    assert recipes("list", "-qq").exit_code == 0
