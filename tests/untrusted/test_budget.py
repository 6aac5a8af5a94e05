"""The program `recipes` is held to a budget while it works on a model from elsewhere."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import bomb_exports
from keras_recipes import backend, build_mnist_mlp, load, save
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate, own_fits
from keras_recipes.untrusted import budget, building, files, limits
from tests.exports import needs
from tests.shared_data import shared_data

COMMAND = [sys.executable, "-c", "from keras_recipes.cli import main; main()"]
CASES = "cases/robustness"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nothing is watched on Windows")


def process(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env={**os.environ, **extra}
    )


def case(number: str) -> Path:
    """Copy a case to the current folder, where its program writes its files."""
    (folder,) = shared_data(CASES).glob(f"{number}-*")
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, path.name)
    if Path("make.py").exists():
        subprocess.run([sys.executable, "make.py"], check=True, capture_output=True)
    return folder


@pytest.mark.full
@pytest.mark.parametrize("number", ["01", "02", "04", "05", "07", "08", "10", "12", "13"])
def test_what_no_count_has_foreseen_is_refused(number: str) -> None:
    case(number)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    pair = ["model.json", "--weights", "model.weights.h5", "input.npy"]
    done = process("predict", *pair, "--format", "csv", "--output", os.devnull)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 3, done.stderr
    assert last.startswith("error: model.json: refused, ")
    # Keras itself takes up to ten seconds of processor time to start.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 40


@pytest.mark.full
@pytest.mark.parametrize(
    ("number", "model"),
    [("18", "loop.onnx"), ("20", "sm-loop"), ("20", "sm-fill"), ("20", "sm-loop.tflite")],
)
def test_exports_are_held_to_it_too(number: str, model: str) -> None:
    case(number)
    if not Path(model).exists():
        pytest.skip(f"{model} was not made: an extra is missing")
    done = process("predict", model, "x.npy", "--output", os.devnull)
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"error: {model}: refused, ")


@pytest.mark.full
def test_an_export_that_asks_for_more_memory_than_there_is_is_refused(empty_folder: Path) -> None:
    needs("onnx")
    shape = {"shape": np.array([9_000_000_000_000])}
    arguments = bomb_exports.summed(Path(), "ConstantOfShape", shape)
    done = process("predict", *arguments)
    assert done.returncode == 3, done.stderr
    assert "error: m.onnx: refused, it needs more memory than there is" in done.stderr


@pytest.mark.full
def test_a_net_of_this_package_opens_in_half_the_time_it_has(empty_folder: Path) -> None:
    backend.start()
    net = build_mnist_mlp(deskew=True, features="hog", tta_degrees=15.0)
    Path("slow.json").write_text(net.to_json())
    net.save_weights("slow.weights.h5")
    load("slow.json", weights="slow.weights.h5")
    begin = time.thread_time()
    load("slow.json", weights="slow.weights.h5")
    assert time.thread_time() - begin < building.SECONDS / 2


@pytest.mark.full
def test_what_a_backend_cannot_compute_is_one_line_with_the_file() -> None:
    case("14")
    pair = ["model.json", "--weights", "model.weights.h5", "input.npy"]
    done = process("predict", *pair)
    assert done.returncode == 4
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: model.json: cannot compute these inputs (")
    assert "\x1b" not in last


# The models below are numbers in a program of their own, because Keras would only slow them down.
HELD = """
import time
from keras_recipes.untrusted import budget
budget.hold(budget.Budget(memory=200e6, seconds=1.0, wall=1.5), "it")
"""


def held(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that is held to 200 MB and one second."""
    command = [sys.executable, "-c", HELD + program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_too_much_memory_ends_with_status_3_and_one_line() -> None:
    done = held("kept = []\nwhile True: kept.append(b'x' * 10_000_000)")
    assert done.returncode == 3
    assert done.stderr == (
        "error: it: refused, it needs more than 0.2 GB of memory; if you trust it, set "
        f"{limits.VARIABLE} higher than {limits.ORDINARY:,}\n"
    )


def test_c_code_that_never_returns_ends_with_status_3() -> None:
    done = held("import re\nre.match('(a+)+$', 'a' * 50 + 'b')")
    assert done.returncode == 3
    assert "a step of it takes more than 1 seconds of processor time" in done.stderr


def test_progress_starts_the_time_anew() -> None:
    work = "begin = time.process_time()\nwhile time.process_time() - begin < 2.5: pass"
    assert held(work).returncode == 3
    steps = work.replace("pass", "budget.progress()")
    assert held(steps).returncode == 0


def test_a_backend_is_imported_outside_the_budget() -> None:
    program = (
        "with budget.importing(): kept = b'x' * 400_000_000\n"
        "time.sleep(0.3)\nmore = b'x' * {size}\ntime.sleep(0.5)"
    )
    assert held(program.format(size=100_000_000)).returncode == 0
    assert held(program.format(size=400_000_000)).returncode == 3


def test_work_that_hangs_without_computing_ends_with_status_3() -> None:
    done = held("with budget.without_waiting(): time.sleep(30)")
    assert done.returncode == 3
    assert done.stderr.startswith("error: it: stopped, a step of it takes more than 2 seconds;")
    inner = (
        "with budget.without_waiting():\n  with budget.without_waiting(): pass\n  time.sleep(30)"
    )
    assert held(inner).returncode == 3


def test_work_that_makes_progress_may_take_long() -> None:
    steps = (
        "with budget.without_waiting():\n  for _ in range(6): time.sleep(0.5); budget.progress()"
    )
    assert held(steps).returncode == 0
    importing = "with budget.without_waiting():\n  with budget.importing(): time.sleep(3)"
    assert held(importing).returncode == 0
    pauses = "for _ in range(3):\n  with budget.without_waiting(): pass\n  time.sleep(2)"
    assert held(pauses).returncode == 0


def test_a_process_that_was_stopped_may_go_on() -> None:
    program = HELD + "with budget.without_waiting(): print(1, flush=True); time.sleep(0.5)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        p.send_signal(signal.SIGSTOP)
        time.sleep(4)
        p.send_signal(signal.SIGCONT)
        assert p.wait(30) == 0


def test_a_process_that_waits_is_left_alone() -> None:
    assert held("time.sleep(3)").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_process_that_was_ended(number: signal.Signals) -> None:
    program = HELD + "print(budget._watchers[0].pid, flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as p:
        watcher = int(p.stdout.readline())
        p.send_signal(number)
    for _ in range(100):
        if not Path(f"/proc/{watcher}").exists():
            return
        time.sleep(0.05)
    pytest.fail("the watcher goes on")


def test_the_budget_follows_from_the_sizes_and_the_limit(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("model").mkdir()
    Path("model/weights").write_bytes(bytes(1_000_000))
    Path("model/link").symlink_to("/dev/zero")
    Path("input").write_bytes(bytes(500_000))
    small, large = budget.of_files([], []), budget.of_files([Path("model")], [Path("input")])
    assert large.memory - small.memory == 1_500_000 * budget.MEMORY_PER_BYTE
    seconds = 1_000_000 / budget.MODEL_RATE + 500_000 / budget.INPUT_RATE
    assert large.seconds - small.seconds == pytest.approx(seconds)
    monkeypatch.setenv(limits.VARIABLE, str(2 * limits.ORDINARY))
    raised = budget.of_files([], [])
    assert (raised.memory, raised.seconds) == (2 * small.memory, 2 * small.seconds)
    assert raised.wall > raised.seconds
    monkeypatch.setenv(limits.VARIABLE, "20")
    assert budget.of_files([], []) == small


def test_holes_in_a_file_count_as_nothing(empty_folder: Path) -> None:
    with Path("holes").open("wb") as file:
        file.truncate(1 << 40)
    assert budget.of_files([Path("holes")], []).memory < 2 * budget.of_files([], []).memory
    Path("whole").write_bytes(os.urandom(3 << 20))
    assert files.size(Path("whole")) == 3 << 20


def test_a_large_file_may_hold_as_many_parameters_as_it_has_room_for() -> None:
    with limits.implied_by(500_000_000):
        assert limits.current().parameters == 250_000_000
        assert limits.current().file_bytes > 500_000_000
    with limits.implied_by(1_000):
        assert limits.current() == limits.Limits()


def test_a_limit_that_was_lowered_stays_low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.VARIABLE, "1000")
    with limits.implied_by(500_000_000):
        assert limits.current().parameters == 1_000
    monkeypatch.setenv(limits.VARIABLE, "40000000")
    with limits.implied_by(500_000_000):
        assert limits.current().parameters == 250_000_000


BIG = """
import keras, numpy as np
net = keras.Sequential([keras.Input((64,)), keras.layers.Dense(6000), keras.layers.Dense(6000)])
net.save("big.keras")
np.save("x.npy", np.ones((2, 64), "float32"))
"""


@pytest.mark.full
def test_a_net_of_more_than_thirty_million_parameters_opens(empty_folder: Path) -> None:
    subprocess.run([sys.executable, "-c", BIG], check=True, capture_output=True)
    done = process("predict", "big.keras", "x.npy", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.full
def test_inputs_of_a_shipped_model_are_held_to_a_budget(empty_folder: Path) -> None:
    Image.new("L", (28, 28)).save("blank.png")
    done = process("predict", "lenet5", "blank.png", "-v")
    assert done.returncode == 2
    assert "lenet5 on these inputs: is held to" in done.stderr
    assert "is held to" not in process("predict", "xor", "0,1", "-v").stderr


def is_own(model: str | Path) -> bool:
    return own_fits.is_own(locate.locate(model))


def test_a_fit_of_this_machine_is_the_users_own(fitted: Fitted, empty_folder: Path) -> None:
    save(fitted, "mine")
    assert not is_own("mine")
    own_fits.record(Path("mine"))
    assert is_own("mine")
    shutil.copytree("mine", "copy")
    assert is_own("copy")
    card = Path("copy/card.json")
    card.write_text(card.read_text().replace('"xor"', '"xor" ', 1))
    assert not is_own("copy")


def test_a_list_that_others_can_write_counts_for_nothing(
    fitted: Fitted, empty_folder: Path
) -> None:
    save(fitted, "mine")
    own_fits.record(Path("mine"))
    place = own_fits._place()
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o622)
    assert not is_own("mine")


def test_a_shipped_model_is_the_users_own() -> None:
    assert is_own("lenet5")


@pytest.mark.full
def test_the_program_watches_foreign_models_only(empty_folder: Path) -> None:
    assert process("fit", "xor").returncode == 0
    watched = "is held to"
    assert watched not in process("predict", "xor", "0,1", "-v").stderr
    shutil.copytree("saved_models/xor", "theirs")
    card = Path("theirs/card.json")
    card.write_text(card.read_text().replace('"recipe"', ' "recipe"', 1))
    done = process("predict", "theirs", "0,1", "-v", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert watched in done.stderr
    np.savetxt("points.csv", np.random.default_rng(0).random((20_000, 2)), delimiter=",")
    done = process("predict", "theirs", "points.csv", "--format", "csv")
    assert len(done.stdout.splitlines()) == 20_001
