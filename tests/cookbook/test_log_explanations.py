"""An anomaly is explained in words to act on, alike in files and streams."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keras_recipes import fit, load, save
from keras_recipes.recipe import Row
from tests.command_line import Run

STEPS = ("accepted", "checked", "stored", "answered")


def service(seed: int, requests: int, strange: "dict[int, str] | None" = None) -> bytes:
    """Return the log of a service, some of whose requests are strange in one of several ways."""
    drawn, now, lines = random.Random(seed), datetime(2026, 1, 5, tzinfo=UTC), []
    for number in range(requests):
        way = (strange or {}).get(number, "")
        taken = 90_000 if way == "slow" else int(20 + min(1_180, drawn.expovariate(1 / 200)))
        queue = 512 if way == "queue" else int(drawn.expovariate(1 / 6))
        begin = f"INFO api accepted from port {drawn.randint(1_024, 60_000)} queue={queue}"
        events = [begin, "INFO api checked"] + ["INFO db row written"] * drawn.randint(1, 2)
        events += [f"INFO db stored in {taken} ms", "INFO api answered"]
        if way == "new":
            events.insert(3, "FATAL kernel segfault in auth module")
        if way == "once":
            events.insert(3, "WARN db vacuum of all tables")
        if way == "cut":
            events.pop()
        if way == "often":
            events[2:3] = ["INFO db row written"] * 60
        if way == "order":
            events[0], events[-1] = events[-1], events[0]
        for event in events:
            now += timedelta(seconds=drawn.expovariate(2))
            stamp = now.isoformat(timespec="milliseconds")
            lines.append(f"{stamp} {event} request=r{seed}{number:05d}x")
    return "\n".join(lines).encode() + b"\n"


WAYS = {5: "slow", 25: "queue", 45: "new", 65: "cut", 85: "often", 105: "order"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    (folder / "train.log").write_bytes(service(1, 600))
    fitted = fit("lstm-anomaly", folder / "train.log", epochs=15, show_progress=False)
    return save(fitted, folder / "m")


@pytest.fixture(scope="module")
def forgiving(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same model with a card of a log whose normal sessions are all kinds of strange."""
    fitted = load(model)
    learned = fitted.card.learned
    for tail in learned["tails"].values():
        tail |= {"scale": 1e6, "beyond": 1.0}
    learned["new_events"] = {"sessions": 541, "at_least": [541] * 254, "by_level": True}
    return save(fitted, tmp_path_factory.mktemp("forgiving") / "m")


def rows(run: Run, model: Path, *asked: str, **more: object) -> dict[str, Row]:
    result = run("predict", str(model), *asked, "--format", "jsonl", **more)
    assert result.exit_code == 0, result.stderr
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {row["session"]: row for row in found}


def test_each_way_of_being_strange_has_its_sentence(recipes: Run, model: Path) -> None:
    text = service(2, 200, WAYS)
    Path("today.log").write_bytes(text)
    found = rows(recipes, model, "today.log")
    strange = {WAYS[n]: found[f"request=r2{n:05d}x"] for n in WAYS}
    assert all(row["anomaly"] for row in strange.values())
    said = {way: row["explanation"] for way, row in strange.items()}
    assert said["slow"].startswith("in 90000 ms, normally at most ")
    assert said["queue"].startswith("queue=512, normally at most ")
    assert said["new"].startswith("never seen: FATAL kernel segfault in auth module")
    assert said["cut"] == "ended without INFO api answered"
    assert said["often"].endswith(" x INFO db row written, normally at most 2")
    assert said["order"].startswith(("expected INFO api accepted", "many unlikely events"))
    lines = text.decode().splitlines()
    for way, word in (("slow", "90000 ms"), ("queue", "queue=512"), ("new", "segfault")):
        assert word in lines[strange[way]["line"] - 1]
    normal = [
        row for name, row in found.items() if name not in {r["session"] for r in strange.values()}
    ]
    assert sum(row["anomaly"] for row in normal) <= 2
    assert {row["explanation"] for row in normal if not row["anomaly"]} == {""}
    live = rows(recipes, model, "-", input=text)
    for name, row in found.items():
        assert {**live[name], "score": 0} == {**row, "score": 0}
        assert live[name]["score"] == pytest.approx(row["score"], rel=1e-3, abs=1e-9)


def test_an_event_of_one_normal_session_is_not_new(recipes: Run, tmp_path: Path) -> None:
    Path("train.log").write_bytes(service(1, 200, {100: "once"}))
    fitted = fit("lstm-anomaly", Path("train.log"), epochs=1, show_progress=False)
    save(fitted, tmp_path / "m")
    text = service(6, 60, {7: "once", 30: "new"})
    Path("today.log").write_bytes(text)
    found, live = (
        rows(recipes, tmp_path / "m", "today.log"),
        rows(recipes, tmp_path / "m", "-", input=text),
    )
    for row in (found["request=r600007x"], live["request=r600007x"]):
        assert row["new_events"] == 0
        assert "never seen" not in row["explanation"] + row["observed"]
    for row in (found["request=r600030x"], live["request=r600030x"]):
        assert row["new_events"] == 1
        assert "never seen: FATAL" in row["explanation"]


def test_what_was_seen_before_a_stop_is_explained_after_it(recipes: Run, forgiving: Path) -> None:
    lines = service(3, 1, {0: "new"}).splitlines(keepends=True)
    options = ("--set", "state=s.npz", "--set", "false_alarm_rate=1e-9")
    rows(recipes, forgiving, "-", *options, input=b"".join(lines[:-1]))
    far = b"2030-01-01T00:00:00.000 INFO api checked request=r9x\n"
    found = rows(recipes, forgiving, "-", *options, input=lines[-1] + far + far)
    row = found["request=r300000x"]
    assert (row["anomaly"], row["new_events"]) == (0, 1)
    assert row["explanation"] == "never seen: FATAL kernel segfault in auth module (line 4)"


def test_new_events_of_a_normal_session_are_told_with_their_file_and_line(
    recipes: Run, forgiving: Path
) -> None:
    lines = service(4, 40, {7: "new"}).splitlines(keepends=True)
    Path("a.log").write_bytes(b"".join(lines[:20]))
    Path("b.log").write_bytes(b"".join(lines[20:]))
    found = rows(recipes, forgiving, "a.log", "b.log", "--set", "false_alarm_rate=1e-9")
    row = found["request=r400007x"]
    at = next(i for i, line in enumerate(lines[20:], 1) if b"segfault" in line)
    assert (row["anomaly"], row["new_events"]) == (0, 1)
    assert row["explanation"].endswith(f"(line b.log:{at})")
    assert "never seen: FATAL kernel segfault" in row["explanation"]


def test_a_card_from_before_measurements_and_levels_still_answers(
    recipes: Run, model: Path, tmp_path: Path
) -> None:
    fitted = load(model)
    learned = fitted.card.learned
    for later in ("ranges",):
        del learned[later]
    learned["tails"].pop("measurements")
    learned["layout"]["masking"].pop("measures")
    learned["templates"].pop("head")
    learned["new_events"] = {"sessions": 541, "at_least": []}
    save(fitted, tmp_path / "old")
    Path("today.log").write_bytes(service(2, 120, WAYS))
    found = rows(recipes, tmp_path / "old", "today.log")
    assert found["request=r200005x"]["anomaly"] == 0  # slow
    assert found["request=r200045x"]["anomaly"] == 1  # new
    assert found["request=r200045x"]["explanation"].startswith("never seen: FATAL")
