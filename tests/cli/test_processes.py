"""`recipes` in its own process: signals, pipes, full disks, backends and imports."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_recipes import load

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


def test_an_unknown_backend_is_named_with_those_there_are() -> None:
    done = subprocess.run(
        [*COMMAND, "fit", "xor"],
        env={**os.environ, "KERAS_BACKEND": "nope"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "expected tensorflow, jax, torch, received 'nope'" in done.stderr.splitlines()[-1]


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
    assert "use the kept ones with --resume, or discard it with --fresh" in other.stderr


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
