"""One file: the model learns from its first part, and judges the rest."""

import json
from pathlib import Path

import pytest

from keras_recipes import fit, save
from keras_recipes.anomaly.logs import dataset
from keras_recipes.errors import InputError
from tests.anomaly.logs.test_stream import joined, line, session
from tests.command_line import Run

FIRST = 300


def orders() -> bytes:
    """Return 140 orders, two of which are open at every moment, the last of them with an error."""
    lines = [one for n in range(140) for one in session(2 * n, 10_000 + n)]
    wrong = line(2 * 139 + 1.5, 10_139, b"disk full").replace(b"INFO", b"ERROR")
    return joined(sorted([*lines, wrong]))


def read(path: Path, first: int | None) -> dataset.Parts:
    settings = {"session": r"order-\d+", "log_format": "auto", "length": 64, "seed": 0}
    unset = dict.fromkeys(("session_field", "window", "time", "time_format"))
    parts: dict[str, object] = {**unset, **settings}
    return dataset.read([str(path)], None, first=first, **parts).sequences  # type: ignore[arg-type]


def test_a_session_that_goes_on_after_the_first_lines_is_not_learned_from() -> None:
    Path("shop.log").write_bytes(orders())
    found = read(Path("shop.log"), FIRST)
    parts = (found.train, found.validation, found.test)
    names = {name for part in parts for name in part.names}
    lines = orders().splitlines()
    told = {name for name in names for text in lines[FIRST:] if name.encode() in text}
    assert told == set()
    whole = [n for n in range(10_000, 10_140) if joined(lines[:FIRST]).count(b"-%d " % n) == 4]
    assert names == {f"order-{n}" for n in whole}


def test_nothing_is_learned_from_the_later_lines() -> None:
    Path("shop.log").write_bytes(orders())
    Path("begin.log").write_bytes(b"".join(orders().splitlines(True)[:FIRST]))
    later, alone = read(Path("shop.log"), FIRST), read(Path("begin.log"), None)
    assert not any(b"disk full" in message for message in later.train.messages)
    assert set(later.train.messages) == set(alone.train.messages)


def test_lines_are_counted_in_one_log_only() -> None:
    for name in ("a.log", "b.log"):
        Path(name).write_bytes(orders())
    with pytest.raises(InputError, match="first: expected one log"):
        dataset.read(
            ["a.log", "b.log"], None, first=3, log_format="auto", session=None, seed=0, length=64,
            session_field=None, window=None, time=None, time_format=None,
        )  # fmt: skip


@pytest.mark.full
def test_the_rest_of_a_file_is_judged(recipes: Run, tmp_path: Path) -> None:
    Path("shop.log").write_bytes(orders())
    save(
        fit("lstm-anomaly", "shop.log", session=r"order-\d+", epochs=2, first=FIRST), tmp_path / "m"
    )
    asked = ("predict", str(tmp_path / "m"), "shop.log", "--format", "jsonl", "--set")
    rows = [json.loads(row) for row in recipes(*asked, f"after={FIRST}").stdout.splitlines()]
    before = joined(orders().splitlines()[:FIRST])
    later = {f"order-{n}" for n in range(10_000, 10_140) if b"-%d " % n not in before}
    assert {row["session"] for row in rows} == later
    assert [row["session"] for row in rows if row["anomaly"]] == ["order-10139"]
    none = recipes(*asked, "after=3000")
    assert none.exit_code == 2
    assert "that begin after line 3,000, received none" in none.stderr
