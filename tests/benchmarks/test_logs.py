"""The benchmark of logs measures what the commands do, and its other ways do what they say."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import log_data, log_generators, log_peers, log_promises, logs
from benchmarks.log_data import Labelled, NormalLog, Sessions
from benchmarks.log_fits import Fit, fit, interval, measure
from keras_recipes.anomaly.logs import source
from keras_recipes.commands import evaluate as evaluation
from keras_recipes.data.logs.sessions import Sequences

CRON = next(log for log in log_data.generated() if log.name.startswith("cron"))
LEARNED, JUDGED, ANOMALIES = 300, 60, 20
ONCE = (b"reloaded", b"jitter of the clock corrected", b"new table read by the daemon at start")
"""Messages that occur in one session of the training log only."""


def lines_of(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """Make a log of cron, of which some sessions have a line of a new kind."""
    folder = tmp_path_factory.mktemp("cron")
    found = Sessions(log_generators.cron(JUDGED, 1), CRON.key)
    spoiled = found.write(np.arange(ANOMALIES), folder / "spoiled.log")
    spoiled_lines = log_promises.with_new_lines(CRON, spoiled, 0)
    normal = found.write(np.arange(ANOMALIES, JUDGED), folder / "normal.log")
    once = [b"Jan  5 00:00:00 gate01 CRON[%d]: %s" % (9_000 + n, x) for n, x in enumerate(ONCE)]
    labels = [f"CRON[{10_000 + n}],{int(n < ANOMALIES)}" for n in range(JUDGED)]
    (folder / "labels.csv").write_text("\n".join(["session,anomaly", *labels]) + "\n")
    return Labelled(
        "cron",
        lines_of(folder / "train.log", [*once, *log_generators.cron(LEARNED - len(once), 0)]),
        lines_of(folder / "test.log", [*spoiled_lines, *normal.read_bytes().splitlines()]),
        folder / "labels.csv",
    )


@pytest.fixture(scope="module")
def fitted(log: Labelled) -> Fit:
    return fit(log.train, seed=0, epochs=1)


def judged(fitted: Fit, path: Path) -> Sequences:
    return source.sessions_of(fitted.detector, [path])[1]


def test_the_recipes_row_is_what_the_commands_say(log: Labelled, fitted: Fit) -> None:
    _, alarms, found = logs.by_recipe(log, fitted)
    said = evaluation.evaluate(fitted.fitted, log.test, labels=str(log.labels))
    assert alarms.sum() == said["anomalies"]
    for name in ("precision", "recall", "f1", "auc_pr", "false_alarms"):
        assert getattr(found, name) == pytest.approx(said[name])


def test_the_table_has_the_recipe_and_every_other_way(
    log: Labelled, fitted: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.table(log, [fitted, fitted], log_peers.PEERS)
    heading, *rows = capsys.readouterr().out.splitlines()
    assert f"{LEARNED} normal sessions" in heading
    assert f"{JUDGED} judged, {ANOMALIES} of them anomalies" in heading
    cells = [row.split(" | ") for row in rows if row.startswith("| ")]
    assert [row[0][2:] for row in cells] == [
        "What judges",
        "---",
        logs.RECIPE,
        *log_peers.PEERS,
    ]
    assert {len(row) for row in cells} == {7}


def test_an_unseen_template_is_a_line_of_a_new_kind_and_nothing_else(
    log: Labelled, fitted: Fit
) -> None:
    found = logs.by_rule(log, fitted, log_peers.unseen_template)
    assert found.recall == 1
    assert found.false_alarms <= 0.1


@pytest.mark.parametrize(
    "name", ["unseen template", "unseen bigram", "unseen trigram", "counts out of range"]
)
def test_sessions_that_were_learned_are_not_unusual(name: str, log: Labelled, fitted: Fit) -> None:
    rule = log_peers.PEERS[name](fitted)
    assert sum(part.new_events.sum() for part in fitted.known) > 0
    for part in fitted.known:
        assert not (rule.score(part) > rule.threshold).any()


def test_another_order_is_an_unseen_bigram_but_not_an_unseen_count(
    tmp_path: Path, log: Labelled, fitted: Fit
) -> None:
    found = Sessions(log.train.read_bytes().splitlines(), CRON.key)
    backwards = [found.lines[number] for number in reversed(found.numbers[len(ONCE)])]
    # The time is the same, so that the order is that of the lines.
    path = lines_of(tmp_path / "backwards.log", [backwards[0][:15] + x[15:] for x in backwards])
    judges = {
        name: log_peers.PEERS[name](fitted) for name in ("unseen bigram", "counts out of range")
    }
    alarms = {
        name: bool((rule.score(judged(fitted, path)) > rule.threshold)[0])
        for name, rule in judges.items()
    }
    assert alarms == {"unseen bigram": True, "counts out of range": False}


@pytest.mark.parametrize("way", [log_peers.pca, log_peers.deeplog(None)])
def test_thresholds_allow_the_promised_share_of_the_validation_sessions(way, fitted: Fit) -> None:
    rule = way(fitted)
    flagged = rule.score(fitted.parts.validation) > rule.threshold
    assert flagged.mean() <= fitted.rate


def test_precision_is_given_at_the_logs_prevalence() -> None:
    truth = np.array([1] * 50 + [0] * 50)
    alarms = np.array([1] * 40 + [0] * 10 + [1] * 5 + [0] * 45)
    log = Labelled("made up", Path(), Path(), Path(), prevalence=0.01)
    found = measure(log, truth, alarms.astype(float), alarms)
    assert found.recall == pytest.approx(0.8)
    assert found.false_alarms == pytest.approx(0.1)
    assert found.precision == pytest.approx(0.01 * 0.8 / (0.01 * 0.8 + 0.99 * 0.1))
    low, high = interval(log, truth, alarms)
    assert low < found.f1 < high


@pytest.mark.parametrize("log", log_data.generated(), ids=lambda log: log.name)
def test_a_synthetic_log_is_made_anew_by_its_seed(log: NormalLog) -> None:
    lines = log.read(50, 0)
    assert lines == log.read(50, 0) != log.read(50, 1)
    assert len(Sessions(lines, log.key)) == 50


@pytest.mark.parametrize("log", log_data.generated(), ids=lambda log: log.name)
def test_a_new_line_is_in_every_session_and_nowhere_else(log: NormalLog, tmp_path: Path) -> None:
    path = lines_of(tmp_path / "a.log", log.read(50, 0))
    before, after = (
        Sessions(lines, log.key)
        for lines in (path.read_bytes().splitlines(), log_promises.with_new_lines(log, path, 0))
    )
    assert [len(n) for n in after.numbers] == [len(n) + 1 for n in before.numbers]
    assert sum(any(text in line for text in log.new) for line in after.lines) == 50
    assert not any(text in line for text in log.new for line in before.lines)


@pytest.mark.parametrize("log", [x for x in log_data.generated() if x.status], ids=lambda x: x.name)
def test_one_line_of_each_session_fails_and_normal_sessions_do_not(
    log: NormalLog, tmp_path: Path
) -> None:
    path = lines_of(tmp_path / "a.log", log.read(50, 0))
    before, after = path.read_bytes().splitlines(), log_promises.with_failures(log, path)
    changed = [new for old, new in zip(before, after, strict=True) if new != old]
    assert len(changed) == 50
    assert all(re.search(log.status, line)[0] == b"500" for line in changed)


@pytest.mark.full
def test_the_tables_of_promises_have_a_row_for_each_log_and_number_of_sessions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_promises.injected([CRON], seeds=(0,), learned=100, asked=50)
    log_promises.promise([CRON], sizes=(30, 40), seeds=(0,), pool=2_000)
    rows = [x.split(" | ") for x in capsys.readouterr().out.splitlines() if CRON.name in x]
    assert [len(row) for row in rows] == [6, 7, 7, 7, 7]
    assert [row[1] for row in rows[1:]] == ["30", "30", "40", "40"]
    told = rows[0][2]
    assert told == "100.0 %"
