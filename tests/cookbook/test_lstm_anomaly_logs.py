"""The recipe learns what is normal in a log, answers, streams, and continues its training."""

import csv
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from keras_recipes import atomic, build_lstm_anomaly, evaluate, fit, load, options, predict, save
from keras_recipes.anomaly.logs.kind import LOGS
from keras_recipes.cookbook import lstm_anomaly
from keras_recipes.data import demonstration
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import CorruptModelError, InputError, RecipeError
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Row
from tests.command_line import Run
from tests.report.legible import check
from tests.shared_data import shared_data
from tests.without_keras import run_without_keras


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fitted = fit("lstm-anomaly", epochs=30, show_progress=False)
    return save(fitted, tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="module")
def fitted(model: Path) -> Fitted:
    return load(model)


@pytest.fixture
def broken(empty_folder: Path) -> Path:
    path = empty_folder / "broken.log"
    path.write_bytes(b"\n".join(demonstration.broken()) + b"\n")
    return path


def drawn(fitted: Fitted, data: Path) -> Iterator[tuple[str, Figure]]:
    recipe = lstm_anomaly.RECIPE
    return recipe.answers.draw(recipe, fitted.card, [str(data)])(fitted)


def normal_log() -> Dataset:
    recipe = lstm_anomaly.RECIPE
    return recipe.answers.data_set([], options.resolve(recipe, None, {}), None)


def rows(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def answers(run: Run, model: Path, *asked: str, **more: object) -> list[Row]:
    result = run("predict", str(model), *asked, "--format", "csv", **more)
    assert result.exit_code == 0, result.stderr
    return rows(result.stdout)


def test_the_article_s_net_is_the_preset(fitted: Fitted) -> None:
    values = lstm_anomaly.RECIPE.presets["article"]
    net = build_lstm_anomaly(
        **{name: value for name, value in values.items() if name not in ("schedule", "seed")}
    )
    assert net.get_layer("lstm").count_params() == 510
    optimizer = net.optimizer
    assert (optimizer.momentum, optimizer.nesterov, optimizer.clipvalue) == (0.9, True, 0.5)
    assert float(optimizer.learning_rate) == pytest.approx(0.005)
    assert values["seed"] == 123


def test_gradients_are_summed_over_time_and_divided_by_the_batch() -> None:
    x, y = np.array([[1, 3, 4, 0]] * 8, "int32"), np.array([[3, 4, 2, 0]] * 8, "int32")
    keras.utils.set_random_seed(0)
    net = build_lstm_anomaly(summed_gradients=True, batch_size=8, classes=6)
    given = keras.ops.convert_to_numpy(net(x))
    steps = -np.log(np.take_along_axis(given, y[..., None].astype("int64"), -1)[..., 0])
    loss = float(net.compute_loss(x, y, net(x)))
    assert loss == pytest.approx(steps[:, :3].sum() / 8, rel=1e-5)


def test_what_goes_wrong_in_the_second_log_is_found(fitted: Fitted) -> None:
    measured = evaluate(fitted, demonstration.BROKEN)
    assert measured["recall"] >= 0.95
    assert measured["precision"] >= 0.95


def test_hardly_any_held_out_normal_session_is_called_an_anomaly(fitted: Fitted) -> None:
    assert fitted.card.metrics["held_out_sessions"] > 200
    assert fitted.card.metrics["false_alarms"] <= 0.005
    assert evaluate(fitted)["alarms"] == fitted.card.metrics["false_alarms"]


@pytest.mark.parametrize("given", [str, Path, lambda name: [name], lambda name: [Path(name)]])
def test_logs_are_named_by_texts_or_paths(fitted: Fitted, given: Callable[[str], object]) -> None:
    order = [line for line in demonstration.normal() if b"order-100000 " in line]
    Path("one.log").write_bytes(b"\n".join(order))
    (row,) = predict(fitted, given("one.log"))
    (same,) = predict(fitted, [line.decode() for line in order])
    assert {**row, "line": None} == {**same, "line": None}
    with pytest.raises(InputError, match=r"missing\.log: no such file"):
        predict(fitted, given("missing.log"))


@pytest.mark.parametrize("asked", [None, {}, 5, [], [1.0, 2.0], [None], np.zeros((3, 5))])
def test_what_is_no_log_is_named_as_it_was_given(fitted: Fitted, asked: object) -> None:
    with pytest.raises(InputError, match="expected paths of logs, or a list of their lines"):
        predict(fitted, asked)


def test_an_answer_says_what_was_there_and_what_was_expected(fitted: Fitted) -> None:
    order = [line for line in demonstration.normal() if b"order-100000 " in line]
    (good,) = predict(fitted, [line.decode() for line in order])
    (bad,) = predict(fitted, [line.decode() for line in order[:-3]])
    assert list(good) == list(LOGS.columns({}))
    assert (good["session"], good["anomaly"], bad["anomaly"]) == ("order-100000", 0, 1)
    assert bad["score"] >= 0.5 > good["score"]
    assert "(end of session)" in bad["observed"] or bad["observed"].startswith("0 x ")
    (new,) = predict(fitted, [*(x.decode() for x in order), "WARN fire: order-100000 on fire"])
    assert new["anomaly"] == 1
    assert "(never seen)" in new["observed"]
    assert "on fire" in new["observed"]
    assert new["line"] == len(order) + 1


def same_rows(file: list[Row], stream: list[Row]) -> None:
    """Compare scores up to rounding: sums for many sessions at once have another order."""
    scores, rest = [], []
    for some in (file, stream):
        some = sorted(some, key=lambda row: row["session"])
        scores.append([float(row["score"]) for row in some])
        rest.append([{**row, "score": ""} for row in some])
    assert rest[0] == rest[1]
    assert scores[0] == pytest.approx(scores[1], rel=1e-3, abs=1e-9)


def test_lines_that_arrive_get_the_answers_of_the_whole_file(
    recipes: Run, model: Path, broken: Path
) -> None:
    whole = answers(recipes, model, str(broken))
    assert {row["anomaly"] for row in whole} == {"0", "1"}
    same_rows(whole, answers(recipes, model, "-", input=broken.read_bytes()))


NORMAL = demonstration.normal()
STRANGE = [b"WARN fire: %s on fire", b"INFO cat: %s is asleep on the keyboard", b"FATAL: %s, no"]


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 20), st.sampled_from(STRANGE)), max_size=3),
        min_size=3,
        max_size=12,
    )
)
@example([[(0, STRANGE[0])], [(20, STRANGE[1])], [(3, STRANGE[2]), (2, STRANGE[0])]])
def test_new_events_are_explained_alike_in_files_and_streams(
    recipes: Run, model: Path, inserted: list[list[tuple[int, bytes]]]
) -> None:
    lines = []
    for number, strange in enumerate(inserted, 100_000):
        name = b"order-%d" % number
        order = [line for line in NORMAL if name + b" " in line]
        for position, form in strange:
            at = min(position, len(order))
            stamp = order[min(at, len(order) - 1)][:23]
            order.insert(at, stamp + b" " + form % name)
        lines += order
    lines.sort(key=lambda line: line[:23])
    text = b"\n".join(lines) + b"\n"
    Path("x.log").write_bytes(text)
    file = answers(recipes, model, "x.log")
    same_rows(file, answers(recipes, model, "-", input=text))
    by_name = {row["session"]: row for row in file}
    for number in (n for n, strange in enumerate(inserted, 100_000) if strange):
        own = [(i, line) for i, line in enumerate(lines, 1) if b"order-%d" % number in line]
        words = b"on fire", b"asleep", b"FATAL"
        strange_at = [any(word in line for word in words) for _, line in own].index(True)
        row = by_name[f"order-{number}"]
        assert row["observed"].startswith("1 x (never seen) ")
        assert (int(row["position"]), int(row["line"])) == (strange_at + 1, own[strange_at][0])


def test_what_occurs_too_often_explains_it_and_not_what_is_yet_to_come(
    recipes: Run, model: Path
) -> None:
    begin = next(line for line in NORMAL if b"order-100000 " in line)
    packed = begin[:23] + b" INFO depot.north: order-100000 label printed"
    text = b"\n".join([begin, *[packed] * 30]) + b"\n"
    Path("x.log").write_bytes(text)
    # Only the counts may decide here, so the net's own features get large p-values.
    card = load(model).card.learned
    far = {**card["tails"]["surprise"], "scale": 1e6, "beyond": 1.0}
    learned = {**card, "tails": {**card["tails"], "surprise": far, "order": far}}
    fitted = load(model)
    fitted = replace(fitted, card=replace(fitted.card, learned=learned))
    (row,) = predict(fitted, Path("x.log"))
    assert row["anomaly"] == 1
    assert "label printed" in row["observed"]
    count, usual = (int(row[name].split(" x ")[0]) for name in ("observed", "expected"))
    assert count > usual
    assert row["line"] == row["position"] == 1 + count


def test_the_line_of_a_new_event_has_the_name_of_its_file(recipes: Run, model: Path) -> None:
    order = [line for line in NORMAL if b"order-100000 " in line]
    Path("first.txt").write_bytes(b"\n".join(order[:3]) + b"\n")
    strange = [order[3][:23] + b" " + form % b"order-100000" for form in STRANGE]
    Path("second.txt").write_bytes(b"\n".join([order[3], *strange, *order[4:]]) + b"\n")
    (row,) = answers(recipes, model, "first.txt", "second.txt")
    assert (row["position"], row["line"]) == ("5", "second.txt:2")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_encoding_is_detected_on_standard_input_as_in_a_file(
    recipes: Run, model: Path, encoding: str
) -> None:
    order = [line for line in NORMAL if b"order-100000 " in line]
    text = b"\n".join(order).decode().encode(encoding)
    Path("x.log").write_bytes(text)
    same_rows(answers(recipes, model, "x.log"), answers(recipes, model, "-", input=text))


def test_an_anomaly_is_answered_before_its_session_is_over(
    recipes: Run, model: Path, broken: Path
) -> None:
    live = answers(recipes, model, "-", input=broken.read_bytes())
    order = [row["anomaly"] for row in live]
    assert "1" in order[: len(order) // 2]


def test_a_run_that_was_cut_in_two_gives_the_same_answers(
    recipes: Run, model: Path, broken: Path
) -> None:
    content = broken.read_bytes()
    middle = content.index(b"\n", len(content) // 2) + 1
    at_once = answers(recipes, model, "-", input=content)
    first = answers(recipes, model, "-", "--set", "state=s.npz", input=content[:middle])
    second = answers(recipes, model, "-", "--set", "state=s.npz", input=content[middle:])
    # A session that is open at the end stays open if a state is kept.
    still = answers(recipes, model, "-", "--set", "state=s.npz", "--set", "timeout=1",
                    input=b"2030-01-01 00:00:00 INFO order-999999 x\n" * 3)  # fmt: skip
    together = [*first, *second, *still]
    cut = {row["session"]: row for row in together}
    for row in at_once:
        if row["session"] in cut:
            assert cut[row["session"]] == row
    assert len(first) + len(second) > 0.9 * len(at_once)


def test_a_state_of_another_model_or_a_damaged_one_is_refused(
    recipes: Run, model: Path, broken: Path
) -> None:
    Path("s.npz").write_bytes(b"no state")
    result = recipes("predict", str(model), "-", "--set", "state=s.npz", input=b"x\n")
    assert result.exit_code == 4
    assert "damaged" in result.stderr


def test_silent_sessions_are_over_after_the_timeout(recipes: Run, model: Path) -> None:
    lines = [line for line in demonstration.normal() if b"order-100000 " in line]
    later = b"2026-01-06 08:00:00.000 INFO shop.Basket: order-%d created by customer 5"
    stream = b"\n".join([*lines, *(later % n for n in (1, 2, 3))]) + b"\n"
    live = answers(recipes, model, "-", "--set", "timeout=600", input=stream)
    assert live[0]["session"] == "order-100000"
    assert live[0]["anomaly"] == "0"


def test_no_more_sessions_are_open_than_allowed(recipes: Run, model: Path) -> None:
    stream = b"".join(
        b"2026-01-06 08:00:00.000 INFO shop.Basket: order-%d created by customer 5\n" % n
        for n in range(50)
    )
    live = answers(recipes, model, "-", "--set", "open_sessions=10", input=stream)
    assert [row["session"] for row in live] == [f"order-{n}" for n in range(50)]


def test_only_anomalies_on_request_and_a_header_where_there_is_none(
    recipes: Run, model: Path, broken: Path
) -> None:
    some = answers(recipes, model, str(broken), "--set", "only_anomalies=true")
    assert some
    assert {row["anomaly"] for row in some} == {"1"}
    normal = b"\n".join(x for x in demonstration.normal() if b"order-100000 " in x)
    Path("good.log").write_bytes(normal)
    result = recipes(
        "predict", str(model), "good.log", "--format", "csv", "--set", "only_anomalies=yes"
    )
    assert result.stdout == ",".join(LOGS.columns({})) + "\n"


@pytest.mark.parametrize("by_stream", [False, True])
def test_where_no_session_is_an_anomaly_it_is_said_how_many_were_looked_at(
    recipes: Run, model: Path, by_stream: bool
) -> None:
    orders = (f"order-{100_000 + number} ".encode() for number in range(40))
    some = tuple(orders)
    Path("good.log").write_bytes(
        b"\n".join(line for line in demonstration.normal() if any(name in line for name in some))
    )
    asked = ["-"] if by_stream else ["good.log"]
    given = Path("good.log").read_bytes()
    only = ("--set", "only_anomalies=true", "--set", "false_alarm_rate=1e-12")
    result = recipes("predict", str(model), *asked, *only, input=given)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "no anomalies among 40 sessions"
    everything = recipes("predict", str(model), *asked, "--format", "csv", input=given)
    assert len(everything.stdout.splitlines()) == 41
    assert "no anomalies" not in everything.stderr


def test_anomalies_that_are_found_are_all_that_is_said(
    recipes: Run, model: Path, broken: Path
) -> None:
    result = recipes("predict", str(model), str(broken), "--set", "only_anomalies=true")
    assert "no anomalies" not in result.stderr


def test_how_often_the_next_event_is_guessed_is_not_called_accuracy(
    recipes: Run, model: Path, fitted: Fitted
) -> None:
    metrics = fitted.card.metrics
    assert metrics["next_event_accuracy"] > 0.5
    assert "accuracy" not in metrics
    assert set(metrics) <= set(lstm_anomaly.RECIPE.metrics)
    assert set(evaluate(fitted, demonstration.BROKEN)) <= set(lstm_anomaly.RECIPE.metrics)
    assert {"next_event_accuracy", "val_next_event_accuracy"} & set(fitted.history.values)


def test_a_card_from_before_that_calls_it_accuracy_still_opens(
    recipes: Run, model: Path, broken: Path, empty_folder: Path
) -> None:
    folder = Path(shutil.copytree(model, empty_folder / "saved_models" / "lstm-anomaly"))
    card = (folder / "card.json").read_text()
    (folder / "card.json").write_text(card.replace('"next_event_accuracy"', '"accuracy"'))
    history = (folder / "history.csv").read_text()
    assert "next_event_accuracy" in card
    assert "next_event_accuracy" in history
    assert answers(recipes, folder, str(broken))
    assert "false_alarms" in recipes("list").stdout


def test_the_threshold_can_be_moved_without_training(
    recipes: Run, model: Path, broken: Path
) -> None:
    def found(share: str) -> int:
        some = answers(recipes, model, str(broken), "--set", f"false_alarm_rate={share}")
        return sum(row["anomaly"] == "1" for row in some)

    assert found("1e-9") < found("0.0002") < found("0.2")


def test_labels_give_precision_and_recall(recipes: Run, model: Path, broken: Path) -> None:
    truth = demonstration.truth()
    Path("labels.csv").write_text(
        "session,anomaly\n" + "".join(f"{name},{label}\n" for name, label in truth.items())
    )
    result = recipes(
        "evaluate", str(model), "--data", str(broken), "--labels", "labels.csv", "--json"
    )
    metrics = json.loads(result.stdout)["metrics"]
    assert {"precision", "recall", "f1", "auc_pr"} <= set(metrics)
    assert metrics["f1"] >= 0.95
    Path("labels.csv").write_text("session,anomaly\norder-200000,0\n")
    result = recipes("evaluate", str(model), "--data", str(broken), "--labels", "labels.csv")
    assert result.exit_code == 2
    assert "no label for 1,199 of 1,200 sessions" in result.stderr


def test_training_is_continued_with_new_normal_data_and_new_templates(
    recipes: Run, model: Path
) -> None:
    log = []
    for line in demonstration.normal()[:9_000]:
        log.append(line)
        if b"label printed" in line:
            log.append(line.replace(b"label printed", b"insured against loss at sea"))
    Path("new.log").write_bytes(b"\n".join(log))
    assert {row["anomaly"] for row in answers(recipes, model, "new.log")[:500]} == {"1"}
    result = recipes("fit", "lstm-anomaly", "--from", str(model), "--data", "new.log", "--epochs",
                     "10", "--out", "more")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    before, after = load(model), load("more")
    old = before.card.learned["templates"]["patterns"]
    assert after.card.learned["templates"]["patterns"][: len(old)] == old
    some = answers(recipes, Path("more"), "new.log")
    assert sum(row["anomaly"] == "1" for row in some) < 0.01 * len(some) + 5


def test_pictures_show_the_scores_and_the_session_with_the_highest_score(
    recipes: Run, model: Path, broken: Path
) -> None:
    result = recipes("plot", str(model), "--data", str(broken), "--output", "plots")
    assert result.exit_code == 0, result.stderr
    assert {path.stem for path in Path("plots").iterdir()} == {"loss", "scores", "session"}
    figures = dict(drawn(load(model), broken))
    for figure in figures.values():
        check(figure)
    rows_of_all = answers(recipes, model, str(broken))
    strangest = max(rows_of_all, key=lambda row: float(row["score"]))
    assert strangest["session"] in figures["session"].get_suptitle()
    said = figures["session"].get_supxlabel()
    assert f"expected: {strangest['expected']}" in said
    assert f"decided by event {strangest['position']}" in said


def test_the_loss_says_where_training_sums_what_validation_takes_the_mean_of(
    fitted: Fitted, broken: Path
) -> None:
    def note(**options: object) -> str:
        card = replace(fitted.card, options={**fitted.card.options, **options})
        name, figure = next(drawn(replace(fitted, card=card), broken))
        assert name == "loss"
        check(figure)
        return figure.axes[0].get_title()

    assert note() == ""
    assert note(summed_gradients=True).startswith("training: summed over a sequence; validation: ")
    assert note(dropout=0.2) == "training with dropout 0.2, validation without"


@pytest.mark.parametrize(
    ("damage", "value"),
    [("templates", {}), ("tails", {"order": 1}), ("counts", None), ("layout", []), ("silence", -1)],
)
def test_a_damaged_card_is_refused(fitted: Fitted, damage: str, value: object) -> None:
    card = replace(fitted.card, learned={**fitted.card.learned, damage: value})
    with pytest.raises(CorruptModelError):
        list(predict(replace(fitted, card=card), ["a line"]))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "at least 30 sessions"),
        (b"2026-01-05 10:00:00 only one line\n", "at least 30 sessions"),
        (b"\x00\xff\xfe" * 100, "at least 30 sessions"),
    ],
)
def test_too_little_to_learn_from_is_said(recipes: Run, content: bytes, complaint: str) -> None:
    Path("x.log").write_bytes(content)
    result = recipes("fit", "lstm-anomaly", "--data", "x.log")
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_arrays_are_refused_kindly() -> None:
    with pytest.raises(InputError, match="expected paths"):
        fit("lstm-anomaly", data=([[1]], [1]))


def test_training_ends_when_validation_gets_no_better_and_the_best_weights_are_kept() -> None:
    fitted = fit(
        "lstm-anomaly",
        learning_rate=0.3,
        schedule="constant",
        patience=2,
        epochs=60,
        show_progress=False,
    )
    losses = fitted.history.values["val_loss"]
    assert len(losses) < 60
    assert losses.argmin() == len(losses) - 3
    held = normal_log().validation
    outputs = keras.ops.convert_to_numpy(fitted.model(held.x))
    assert lstm_anomaly.measure(held.y, outputs)["loss"] == pytest.approx(losses.min(), rel=1e-4)


@pytest.mark.full
def test_hdfs_anomalies_are_found_with_the_default_settings() -> None:
    train = shared_data("datasets/hdfs/train.log")
    fitted = fit("lstm-anomaly", train, show_progress=False)
    measured = evaluate(
        fitted,
        shared_data("datasets/hdfs/dev.log"),
        labels=str(shared_data("datasets/hdfs/dev_labels.csv")),
    )
    assert measured["false_alarms"] <= 0.001
    assert measured["recall"] >= 0.97


def test_a_log_of_few_sessions_in_an_old_encoding_is_learned(recipes: Run) -> None:
    Path("few.log").write_bytes(b"INFO ouvert\nINFO ferm\xe9\n" * 2_000)
    result = recipes("fit", "lstm-anomaly", "--data", "few.log", "--epochs", "1", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["metrics"]["held_out_sessions"] > 0


def test_plot_draws_nothing_where_one_picture_cannot_be_drawn(recipes: Run, model: Path) -> None:
    refused = recipes("plot", str(model), "--data", "missing.log", "--output", "plots")
    assert refused.exit_code == 2
    assert not list(Path("plots").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["fit", "lstm-anomaly", "--from", "MODEL", "--set", "units=20"],
            "the layers that these options",
        ),
        (["fit", "lstm-anomaly", "--from", "MODEL", "--set", "window=5m"], "as before"),
        (["fit", "lstm-anomaly", "--set", "classes=5"], "which follows from the data"),
        (["fit", "lstm-anomaly", "--epochs", "5", "--set", "epochs=6"], "epochs: given twice"),
        (["predict", "MODEL", "demo-anomalies", "--set", "state=x"], "give - instead of files"),
        (["predict", "MODEL", "demo-anomalies", "--set", "false_alarm_rate=0"], "more than 0"),
        (["predict", "MODEL", ""], "received an empty text"),
    ],
)
def test_what_would_do_nothing_or_harm_is_refused(
    arguments: list[str], complaint: str, recipes: Run, model: Path
) -> None:
    result = recipes(*(str(model) if word == "MODEL" else word for word in arguments))
    assert result.exit_code == 2
    assert complaint in result.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def of_numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fitted = fit("lstm-anomaly", "demo-metrics", epochs=1, show_progress=False)
    return save(fitted, tmp_path_factory.mktemp("numbers") / "numbers")


EARLY = [
    ("predict LOGS empty.log", "expected sessions by"),
    ("predict LOGS blank.log", "expected sessions by"),
    ("predict LOGS missing.log", "no such file"),
    ("predict LOGS folder", "folder: no file there"),
    ("predict LOGS - empty.log", "or - alone"),
    ("predict LOGS - --set state=/nowhere/x", "state: /nowhere is not a folder"),
    ("predict LOGS - --set state=/proc/x", "cannot be written"),
    ("predict LOGS blank.log --set state=x", "give - instead of files"),
    ("predict LOGS blank.log --set timeout=5", "give - instead of files"),
    ("predict LOGS blank.log --set open_sessions=5", "give - instead of files"),
    ("predict LOGS - --set threshold=2", "threshold: is an option for numbers"),
    ("predict LOGS demo-anomalies --set false_alarm_rate=0", "more than 0"),
    ("evaluate LOGS --set timeout=5", "timeout: has no effect here"),
    ("evaluate LOGS --set state=x", "state: has no effect here"),
    ("evaluate LOGS --set only_anomalies=true", "only_anomalies: has no effect here"),
    ("evaluate LOGS --labels missing.csv", "missing.csv: cannot be read"),
    ("evaluate LOGS --labels blank.log", "blank.log"),
    ("evaluate LOGS --data blank.log", "expected sessions by"),
    ("evaluate LOGS --set threshold=2", "threshold: is an option for numbers"),
    ("plot LOGS --data missing.log", "no such file"),
    ("predict NUMBERS empty.csv", "empty.csv: expected rows of numbers"),
    ("predict NUMBERS blank.log", "blank.log: expected rows of numbers"),
    ("predict NUMBERS missing.csv", "no such file"),
    ("predict NUMBERS folder", "folder: no file there"),
    ("predict NUMBERS - --set state=/nowhere/x", "state: /nowhere is not a folder"),
    ("predict NUMBERS - --set timeout=5", "timeout: is an option for logs"),
    ("predict NUMBERS demo-metrics --set false_alarm_rate=0.1", "is an option for logs"),
    ("evaluate NUMBERS --data demo-metrics --labels missing.csv", "missing.csv: cannot be read"),
    ("evaluate NUMBERS --set false_alarm_rate=0.1", "false_alarm_rate: is an option for logs"),
    ("fit lstm-anomaly --from xor", "run `recipes fit xor`"),
    ("fit lstm-anomaly --from lenet5", "expected a fitted lstm-anomaly, received a lenet5"),
    ("fit lstm-anomaly --from LOGS --set window=5m", "as before, None"),
    ("fit lstm-anomaly --data blank.log", "expected at least 30 sessions"),
]


def test_what_cannot_be_judged_is_refused_before_keras_is_imported(
    model: Path, of_numbers: Path, empty_folder: Path
) -> None:
    for name in ("empty.log", "empty.csv"):
        Path(name).touch()
    Path("blank.log").write_text("\n \n\n")
    Path("folder").mkdir()
    names = {"LOGS": str(model), "NUMBERS": str(of_numbers)}
    lines = [[names.get(word, word) for word in line.split()] for line, _ in EARLY]
    for (line, complaint), (code, messages, output) in zip(
        EARLY, run_without_keras(empty_folder, lines), strict=True
    ):
        assert (line, code, output) == (line, 2, ""), messages
        assert "was imported" not in messages
        assert complaint in messages.splitlines()[-1], line


def test_a_fit_that_does_no_better_than_guessing_says_so(recipes: Run) -> None:
    done = recipes("fit", "lstm-anomaly", "--epochs", "1", "--learning-rate", "30", "--json")
    assert done.exit_code == 0
    (said,) = [line for line in done.stderr.splitlines() if "no better than guessing" in line]
    loss = json.loads(done.stdout)["metrics"]["loss"]
    assert f"loss {loss:.3g}, and expecting each event as often as it occurs gives" in said
    held = normal_log()
    token_ids = held.test.y[held.test.y > 0]
    often = np.bincount(held.train.y[held.train.y > 0], minlength=int(token_ids.max()) + 1)
    by_frequency = -np.log(often[token_ids] / often.sum()).mean()
    assert f"gives {by_frequency:.3g};" in said


def test_a_fit_that_learned_does_better_than_guessing(model: Path) -> None:
    guess = lstm_anomaly.guess(normal_log())
    assert not guess.is_as_good_as(load(model).card.metrics["loss"])


def test_a_state_that_cannot_be_kept_is_a_failure(
    recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RecipeError("the disk is full")

    monkeypatch.setattr(atomic, "file", full)
    log = b"\n".join(demonstration.broken()[:50]) + b"\n"
    result = recipes("predict", str(model), "-", "--set", "state=kept.npz", input=log)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith("the state was not kept: the disk is full")


@pytest.fixture
def on_the_demo(model: Path, empty_folder: Path) -> Path:
    return Path(shutil.copytree(model, empty_folder / "m"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_log_that_can_be_read_only_once_is_judged(recipes: Run, on_the_demo: Path) -> None:
    Path("once.log").write_bytes(b"\n".join(demonstration.broken()) + b"\n")
    expected = recipes("predict", "m", "once.log", "--format", "csv").stdout
    os.mkfifo("pipe")
    with subprocess.Popen("cat once.log > pipe", shell=True):
        piped = recipes("predict", "m", "pipe", "--format", "csv")
    assert piped.exit_code == 0, piped.stderr
    assert piped.stdout == expected


def test_a_card_that_lacks_options_of_today_answers_with_their_defaults(
    recipes: Run, on_the_demo: Path
) -> None:
    expected = recipes("predict", "m", "demo-anomalies", "--format", "csv").stdout
    card = json.loads((on_the_demo / "card.json").read_text())
    card["options"] = {}
    (on_the_demo / "card.json").write_text(json.dumps(card))
    answered = recipes("predict", "m", "demo-anomalies", "--format", "csv")
    assert (answered.exit_code, answered.stdout) == (0, expected), answered.stderr
    assert recipes("evaluate", "m", "--data", "demo-anomalies").exit_code == 0


def test_python_refuses_options_without_effect_as_the_command_does(on_the_demo: Path) -> None:
    for asked in ("demo-anomalies", demonstration.broken()[:3]):
        texts = asked if isinstance(asked, str) else [line.decode() for line in asked]
        with pytest.raises(InputError, match="timeout: is an option for standard input"):
            predict("m", texts, timeout=5.0)
        with pytest.raises(InputError, match="threshold: is an option for numbers"):
            predict("m", texts, threshold=2.0)


def test_numbers_asked_of_a_model_of_logs_are_called_what_they_are(
    recipes: Run, on_the_demo: Path
) -> None:
    Path("cpu.csv").write_text("time,cpu\n2026-01-01,1\n2026-01-02,2\n")
    for asked in ("cpu.csv", "demo-metrics-anomalies"):
        result = recipes("predict", "m", asked)
        assert result.exit_code == 2
        assert f"{asked}: looks like numbers, and this model was fitted on a log" in result.stderr


def test_a_script_learns_by_the_status_whether_there_was_an_anomaly(
    recipes: Run, on_the_demo: Path
) -> None:
    asked = ("--fail-on-anomaly", "--format", "csv", "--set", "false_alarm_rate=1e-9")
    bad = recipes("predict", "m", "demo-anomalies", *asked)
    assert bad.exit_code == 10
    assert any(row.split(",")[2] == "1" for row in bad.stdout.splitlines())
    good = recipes("predict", "m", "demo", *asked)
    assert (good.exit_code, good.stderr) == (0, "")
    refused = recipes("predict", "lenet5", "--fail-on-anomaly", "x.png")
    assert refused.exit_code == 2
