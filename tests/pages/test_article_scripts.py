"""The walk-through scripts, run as a user runs them, show what their articles do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes import backend, build_xor, catalog
from tests.checkout import ROOT

FORMULA = re.compile(r"# (\w+): (\([^=]+?) = (\d+)(?:, so [\dx ]+; (\([^=]+?) = (\d+))?")


def run(name: str) -> str:
    """What `python recipes/NAME.py` prints in an empty folder; it says nothing on stderr."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "recipes" / f"{name}.py")],
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
        # A GPU's libraries have warnings of their own.
        env={**os.environ, "COLUMNS": "120", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert not done.stderr
    return done.stdout


def answered(printed: str, line: str) -> tuple[list[float], list[int]]:
    outputs, classes = re.search(rf"^{line}: (.*) classes (.*)$", printed, re.MULTILINE).groups()
    return [float(x) for x in outputs.split()], [int(x) for x in classes.split()]


def test_xor_ends_as_good_as_the_article_prints_it() -> None:
    printed = run("xor")
    article, classes = answered(printed, "the article, 100 epochs")
    assert classes == [0, 1, 1, 0]
    after = re.findall(r"today, [\d,]+ epochs", printed)
    assert max(error(answered(printed, line)[0]) for line in after[:-1]) > error(article)
    assert error(answered(printed, after[-1])[0]) <= error(article)
    for line in (after[-1], "the saved net", r"build_xor\(\) with the saved weights"):
        assert answered(printed, line) == answered(printed, after[-1])
        assert answered(printed, line)[1] == classes
    assert sorted(p.name for p in Path().iterdir()) == ["basic.weights.h5", "basic_model.json"]


def error(outputs: list[float]) -> float:
    return max(abs(x - y) for x, y in zip(outputs, (0, 1, 1, 0), strict=True))


def test_xor_marks_the_lines_that_its_page_lists() -> None:
    script = (ROOT / "recipes" / "xor.py").read_text()
    page = (ROOT / "docs" / "recipes" / "xor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.*)` \| `(.*)` \|$", page, re.MULTILINE)
    assert len(rows) == 3
    for article, today in rows:
        assert re.search(rf"{re.escape(today)}.*# once: {re.escape(article)}", script), article


def test_these_lines_of_the_article_no_longer_run() -> None:
    backend.start()
    import keras

    model = build_xor()
    with pytest.raises(ValueError, match="lr"):
        keras.optimizers.SGD(lr=0.1)
    with pytest.raises(AttributeError, match="predict_classes"):
        model.predict_classes([[0, 1]])
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        model.save_weights("basic_weights.h5")


@pytest.mark.full
def test_the_articles_lstm_is_surprised_by_what_is_not_normal() -> None:
    printed = run("lstm_anomaly")
    found = re.findall(r"^(.*): surprise ([\d.]+) nats, (\w+)$", printed, re.MULTILINE)
    surprises = {name: float(surprise) for name, surprise, _ in found}
    verdicts = {name: verdict for name, _, verdict in found}
    assert verdicts.pop("normal") == "normal"
    assert set(verdicts.values()) == {"anomaly"}
    normal = surprises.pop("normal")
    assert len(surprises) == 2
    assert all(surprise > 2 * normal for surprise in surprises.values())
    assert "build_lstm_anomaly(cell='peephole', encoding='number') with these weights" in printed
    assert "the same: True" in printed
    assert re.search(r"lstm \(RNN\).* 510 ", printed)
    assert not list(Path().iterdir())


def test_the_formulas_in_lenet5_give_the_sizes_and_parameters_of_its_stages() -> None:
    script = (ROOT / "recipes" / "lenet5.py").read_text()
    stages = {layer.name: layer for layer in catalog.get("lenet5").layers}
    found = FORMULA.findall(script)
    assert [name for name, *_ in found] == ["C1", "S2", "C3", "S4", "C5", "F6", "output"]
    for name, side, result, parameters, count in found:
        stage = stages[name]
        assert eval(side) == int(result), name
        is_map = len(stage.output_shape) == 4
        assert int(result) == (stage.output_shape[1] if is_map else stage.parameters), name
        if parameters:
            assert eval(parameters) == int(count) == stage.parameters, name


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_the_articles_perceptron_reads_digits_with_either_loss() -> None:
    printed = run("mnist_mlp")
    right = dict(re.findall(r"^(\w+): ([\d.]+)% of the test images right", printed, re.MULTILINE))
    assert set(right) == {"binary_crossentropy", "mean_squared_error"}
    assert all(float(share) > 92.5 for share in right.values())
    assert "parameters: 12,730 here, 12,730 in build_mnist_mlp()" in printed
    assert "with these weights: 100.00% of the answers the same" in printed


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_lenet5_stage_by_stage_reads_digits() -> None:
    printed = run("lenet5")
    assert float(re.search(r"^right: ([\d.]+)% of the test", printed, re.MULTILINE)[1]) > 98
    assert "parameters: 61,706 here, 60,000 in the paper's net" in printed
    assert "with these weights: 100.00% of the answers the same" in printed


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_descent_by_hand_reads_digits_with_the_slopes_that_nudging_gives() -> None:
    printed = run("descent")
    slopes = re.search(r"by backpropagation (\S+), by nudging it (\S+)$", printed, re.MULTILINE)
    assert float(slopes[1]) == pytest.approx(float(slopes[2]), rel=0.01)
    found = re.findall(
        r"^([\w-]+): ([\d,]+) steps in .* s, ([\d.]+)% of the", printed, re.MULTILINE
    )
    steps = {way: int(count.replace(",", "")) for way, count, _ in found}
    right = {way: float(share) for way, _, share in found}
    assert steps == {"batch": 3, "stochastic": 3 * 54_000, "mini-batch": 3 * 422}
    assert right["batch"] < 80
    assert min(right["stochastic"], right["mini-batch"]) > 93
    assert "with these weights: the same: True" in printed


def test_only_a_net_that_also_reads_backwards_fills_gaps_that_a_later_name_decides() -> None:
    printed = run("bidirectional_tagger")
    found = re.findall(
        r"^(.*), ([\d,]+) parameters, names (\w+) .*: ([\d.]+)%", printed, re.MULTILINE
    )
    right = {(net, where): float(share) for net, _, where, share in found}
    assert right["forwards", "before"] > 99
    assert right["forwards", "after"] < 65
    assert min(right["both directions", where] for where in ("before", "after")) > 99
    sizes = {int(size.replace(",", "")) for _, size, *_ in found}
    assert max(sizes) < 1.05 * min(sizes)
    assert "here is Lucy happy; here are Lucy and Tom happy" in printed
    assert not list(Path().iterdir())
