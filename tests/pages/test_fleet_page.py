"""The page about many models: streams divided over two processes give the rows of one."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes import fit
from tests.checkout import ROOT

PAGE = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
RECIPES = "from keras_recipes.cli import main; main()"
KEY = r"order-\d+"


def program() -> str:
    (found,) = re.findall(r'^```py\n(""".*?shard.py.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    return found


def commands() -> list[list[str]]:
    """The commands of the shards: those of the program, and those of `recipes`."""
    return re.findall(r"^tail -n 0 -F app\.log \| (python shard.*) \| (recipes .*) >>", PAGE, re.M)


def order(number: int, *, odd: bool = False, minute: int = 0) -> list[str]:
    steps = ["created", "paid", "packed", "sent"]
    chosen = ["created", "lost in the cellar", "sent", "sent"] if odd else steps
    return [
        f"2026-01-01T{minute // 60:02}:{minute % 60:02}:{second:02} order-{number} {step}"
        for second, step in enumerate(chosen)
    ]


def test_the_page_shows_a_command_for_each_shard() -> None:
    numbers = [shlex.split(shard)[2:] for shard, _ in commands()]
    assert numbers == [["0", "2", KEY], ["1", "2", KEY]]


def test_every_line_belongs_to_one_shard() -> None:
    Path("shard.py").write_text(program())
    lines = [f"{line}\n" for number in range(50) for line in order(number)] + ["no key\n"]
    passed = []
    for number in ("0", "1"):
        command = [sys.executable, "shard.py", number, "2", KEY]
        done = subprocess.run(
            command, input="".join(lines), capture_output=True, text=True, check=True
        )
        assert done.stdout
        passed += done.stdout.splitlines(keepends=True)
    assert sorted(passed) == sorted(lines)


@pytest.mark.full
def test_two_processes_with_their_states_give_the_rows_of_one() -> None:
    Path("shard.py").write_text(program())
    normal = [line for number in range(100, 160) for line in order(number, minute=number)]
    Path("normal.log").write_text("\n".join(normal) + "\n")
    fit("lstm-anomaly", ["normal.log"], out="model", epochs=3, session=KEY, show_progress=False)
    pairs = zip(order(1), order(2, odd=True), strict=True)
    mixed = [line for pair in pairs for line in pair]
    # Later lines close the sessions of earlier ones, in each shard.
    mixed += [line for n in range(3, 20) for line in order(n, minute=5 * n)]
    # Cut in the middle of sessions: the processes are stopped there, and started again.
    parts = ["".join(f"{line}\n" for line in part) for part in (mixed[:5], mixed[5:])]
    alone = ["predict", "model", "-", "--set", "state=alone.state", "--format", "jsonl"]
    whole = by_session(rows(alone, "".join(parts)))
    divided = []
    for shard, asked in commands():
        for part in parts:
            command = [sys.executable, *shlex.split(shard)[1:]]
            mine = subprocess.run(command, input=part, capture_output=True, text=True, check=True)
            divided += rows(shlex.split(asked)[1:], mine.stdout)
    assert whole["order-2"]["anomaly"] == 1
    # The last sessions of each process are still open, and kept in its state.
    closed = {key: row for key, row in by_session(divided).items() if key in whole}
    assert closed == {key: row for key, row in whole.items() if key in closed}
    assert len(closed) > 12


def rows(command: list[str], lines: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", RECIPES, *command], input=lines, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_session(found: list[dict[str, object]]) -> dict[object, dict[str, object]]:
    """The rows by session, without the number of a line in its shard."""
    kept = {
        row["session"]: {key: value for key, value in row.items() if key != "line"} for row in found
    }
    assert len(kept) == len(found)
    return kept
