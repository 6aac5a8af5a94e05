"""Options come from signatures and are checked before anything runs."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipes import catalog, options
from keras_recipes.errors import InputError
from keras_recipes.recipe import Count, Plan

XOR = catalog.get("xor")


@given(st.integers(min_value=1))
def test_every_whole_number_above_zero_is_a_number_of_epochs(epochs: int) -> None:
    assert options.parse(XOR, [f"epochs={epochs}"]) == {"epochs": epochs}


@given(st.floats())
def test_a_learning_rate_is_finite_and_positive(rate: float) -> None:
    if math.isfinite(rate) and rate > 0:
        assert options.parse(XOR, [f"learning_rate={rate!r}"]) == {"learning_rate": rate}
    else:
        with pytest.raises(InputError, match=r"learning_rate: expected a number > 0"):
            options.parse(XOR, [f"learning_rate={rate!r}"])


@given(st.text())
def test_no_text_whatever_gets_past_the_check(text: str) -> None:
    try:
        values = options.parse(XOR, [text])
    except InputError as error:
        assert str(error)
    else:
        assert options.check(XOR, values) == values


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("epochs", "expected key=value"),
        ("epochs=many", "epochs: expected a whole number >= 1, received 'many'"),
        ("epochs=0", "epochs: expected a whole number >= 1, received 0"),
        ("epochs=2.5", "epochs: expected a whole number >= 1"),
        ("activation=softplus", "activation: expected one of tanh, sigmoid, relu"),
        ("hiden_units=3", "did you mean 'hidden_units'"),
        ("colour=red", "it has hidden_units, activation, learning_rate, epochs"),
    ],
)
def test_a_wrong_assignment_is_answered_with_what_was_expected(
    assignment: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        options.parse(XOR, [assignment])


@pytest.mark.parametrize("value", [True, "5", 2.0, None, [1]])
def test_python_values_are_checked_too(value: Any) -> None:
    with pytest.raises(InputError, match="epochs: expected a whole number"):
        options.resolve(XOR, None, {"epochs": value})


def test_what_is_given_beats_the_preset_and_the_preset_the_default() -> None:
    values = options.resolve(XOR, "article", {"restarts": 3})
    assert (values["epochs"], values["restarts"], values["hidden_units"]) == (100, 3, 10)


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="article, three-regressions"):
        options.resolve(XOR, "best", {})


def test_one_name_for_two_things_is_a_mistake_in_the_recipe() -> None:
    def training(*, learning_rate: Count = 3) -> Plan:
        return Plan(epochs=learning_rate, batch_size=1, seed=0)

    with pytest.raises(TypeError, match="learning_rate means two things"):
        options.of(replace(XOR, training=training))
