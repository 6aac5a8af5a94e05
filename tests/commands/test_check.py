"""`recipes check`: backpropagation against nudged weights, for every recipe and cell."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from keras_recipes import catalog, check
from keras_recipes.digits.lenet1998 import ScaledTanh
from keras_recipes.errors import InputError
from tests.command_line import Run

WITHOUT_GRADIENT = ("perceptron", "rosenblatt")
PRESETS = [
    (name, preset)
    for name in catalog.names()
    for preset in catalog.get(name).presets
    if (name, preset) != WITHOUT_GRADIENT
]
CELLS = ("simple", "gru", "lstm", "peephole", "coupled")
SMALL = {"char-rnn": {"units": 12, "window": 20, "layers": 2}}


def data_of(name: str) -> list[str] | None:
    """Return data that needs no download."""
    return ["digits"] if "MNIST" in catalog.get(name).data else None


@pytest.mark.parametrize("name", catalog.names())
def test_every_recipe_agrees(name: str) -> None:
    agrees(name, None)


@pytest.mark.full
@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_agrees(name: str, preset: str) -> None:
    agrees(name, preset)


def agrees(name: str, preset: str | None) -> None:
    checked = check(name, data_of(name), preset=preset, **SMALL.get(name, {}))
    assert checked.failure == ""
    assert checked.reached
    assert checked.largest_difference < checked.goal == 1e-6
    assert all(array.checked >= min(math.prod(array.shape), 5) for array in checked.arrays)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_agrees(cell: str) -> None:
    checked = check("char-rnn", cell=cell, **SMALL["char-rnn"])
    assert checked.reached, checked.failure
    layers = {array.layer for array in checked.arrays}
    assert layers == {"characters", f"{cell}_1", f"{cell}_2", "next"}


def test_it_prints_a_line_for_each_array_and_the_largest_difference(recipes: Run) -> None:
    result = recipes("check", "xor", "--sample", "6")
    assert result.exit_code == 0, result.stderr
    header, *rows, _, last = result.stdout.splitlines()
    assert header.split("  ")[0] == "layer"
    assert [row.split()[:2] for row in rows] == [
        ["hidden", "kernel"],
        ["hidden", "bias"],
        ["output", "kernel"],
        ["output", "bias"],
    ]
    assert [row.split()[-3] for row in rows] == ["6", "6", "6", "1"]
    assert last.startswith("largest relative difference: ")
    assert float(last.split()[-1]) < 1e-6


def test_programs_read_the_same_numbers(recipes: Run) -> None:
    options = ["--set", "hidden_units=3", "--seed", "4"]
    found = json.loads(recipes("check", "xor", *options, "--json").stdout)
    assert found["reached"]
    assert found["arrays"][0]["shape"] == [2, 3]
    assert found["largest_difference"] == check("xor", hidden_units=3, seed=4).largest_difference
    other = json.loads(recipes("check", "xor", "--json").stdout)
    assert other["largest_difference"] != found["largest_difference"]


def test_it_takes_data(recipes: Run) -> None:
    Path("and.csv").write_text("0,0,0\n0,1,0\n1,1,1\n")
    result = recipes("check", "xor", "--data", "and.csv")
    assert "checking xor on 3 examples of and.csv" in result.stderr
    assert result.exit_code == 0


def test_a_wrong_gradient_gives_exit_status_1_and_one_line(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @tf.custom_gradient
    def wrong(x: Any) -> Any:
        y = tf.tanh(x * (2 / 3))
        return 1.7159 * y, lambda upstream: 1.01 * upstream * 1.7159 * 2 / 3 * (1 - y * y)

    monkeypatch.setattr(ScaledTanh, "call", lambda layer, inputs: wrong(inputs))
    result = recipes("check", "lenet5", "--preset", "1998", "--data", "digits", "--sample", "2")
    assert result.exit_code == 1
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert "kernel of C1: expected a relative difference less than 1e-06, received" in error
    assert "largest relative difference: 0.0" in result.stdout


def test_the_perceptron_rule_has_no_gradient_to_check(recipes: Run) -> None:
    result = recipes("check", "perceptron", "--preset", "rosenblatt")
    assert result.exit_code == 2
    assert "received output, a step function: its gradient is 0" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["xo"], "did you mean xor"),
        (["xor", "--preset", "best"], "has no preset 'best'"),
        (["xor", "--set", "hidden_units=0"], "hidden_units: expected a whole number"),
        (["xor", "--sample", "0"], "0 is not in the range x>=1"),
        (["xor", "--data", "missing.csv"], "missing.csv"),
    ],
)
def test_wrong_arguments_are_refused(recipes: Run, arguments: list[str], expected: str) -> None:
    result = recipes("check", *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr


@pytest.mark.parametrize("sample", [0, -1, 1.5, True, "3"])
def test_a_wrong_sample_is_refused(sample: Any) -> None:
    with pytest.raises(InputError, match="sample: expected a whole number >= 1"):
        check("xor", sample=sample)


def test_another_backend_is_refused(recipes: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_recipes.backend.name", lambda: "jax")
    result = recipes("check", "xor")
    assert result.exit_code == 2
    assert "KERAS_BACKEND: expected tensorflow, received jax" in result.stderr
