"""Options come from signatures and are checked before anything runs."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_recipes import catalog, fit, options
from keras_recipes.bounds import Count
from keras_recipes.errors import InputError
from keras_recipes.recipe import Plan
from keras_recipes.saved import locate
from keras_recipes.untrusted import strict_json
from tests.command_line import Run

XOR = catalog.get("xor")


@given(st.integers(min_value=1))
@example(2**53)
@example(2**53 + 1)
@example(10**5_000)
def test_a_number_of_epochs_is_one_that_a_card_can_keep(epochs: int) -> None:
    if epochs <= 2**53:
        assert options.parse(XOR, [f"epochs={epochs}"]) == {"epochs": epochs}
        assert strict_json.parse(json.dumps({"epochs": epochs}).encode(), "") == {"epochs": epochs}
    else:
        with pytest.raises(InputError, match=r"^epochs: expected a whole number.{,150}$"):
            options.check(XOR, {"epochs": epochs})


@pytest.mark.parametrize("recipe", catalog.names())
def test_no_option_of_any_recipe_takes_what_a_card_cannot_keep(recipe: str) -> None:
    huge = {int: 10**20, float: 10**400, str: "x" * 5_000, bool: 10**20}
    for option in options.of(catalog.get(recipe)).values():
        for value in (huge[option.kind], "\udcff"):
            with pytest.raises(InputError, match=rf"^{option.name}: expected .{{,400}}$"):
                option.check(value)


@pytest.mark.parametrize("name", ["labels", "state"])
def test_what_has_no_effect_in_a_fit_is_refused_from_python_too(name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: .*give it to `recipes "):
        fit("lstm-anomaly", **{name: "file"})


def test_each_command_takes_the_options_that_have_an_effect_there() -> None:
    taken = options.taken_by(catalog.get("lstm-anomaly"))
    assert taken["timeout"] == ["fit", "predict"]
    assert taken["state"] == ["predict"]
    assert taken["labels"] == ["evaluate"]
    assert taken["threshold"] == ["fit", "evaluate", "predict"]


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


def test_an_option_that_is_declared_twice_is_a_mistake_in_the_recipe() -> None:
    def training(*, learning_rate: Count = 3) -> Plan:
        return Plan(epochs=learning_rate, batch_size=1, seed=0)

    with pytest.raises(TypeError, match="learning_rate is declared twice"):
        options.of(replace(XOR, training=training))


def test_an_option_that_nothing_declares_is_a_mistake_in_the_recipe() -> None:
    def training(*, epochs: Count = 3, batch_size: int = 1, momentum: float) -> Plan:
        return Plan(epochs=epochs, batch_size=batch_size, seed=int(momentum))

    with pytest.raises(TypeError, match="nothing declares momentum"):
        options.of(replace(XOR, training=training))


@pytest.mark.parametrize(("text", "value"), [("none", None), ("", None), ("2", 2)])
def test_what_may_be_not_set_can_be_unset(text: str, value: int | None) -> None:
    assert options.parse(catalog.get("lstm-anomaly"), [f"first={text}"]) == {"first": value}


def test_what_older_cards_wrote_for_not_set_is_none() -> None:
    old = {"session": "", "false_alarms_a_day": 0.0, "first": 0, "dropout": 0.0}
    assert options.renamed(catalog.get("lstm-anomaly"), old) == {
        "session": None,
        "false_alarms_per_day": None,
        "first": None,
        "dropout": 0.0,
    }


def test_a_former_name_is_answered_with_todays(recipes: Run) -> None:
    result = recipes("fit", "lstm-anomaly", "--set", "bar=1")
    assert result.exit_code == 2
    assert "the option bar is now called threshold" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "now"),
    [
        (["mnist-mlp", "--preset", "gradients"], "preset=gradients is now called preset=hog"),
        (
            ["mnist-mlp", "--set", "features=gradients"],
            "features=gradients is now called features=hog",
        ),
        (["lenet5", "--set", "activation=swish"], "activation=swish is now called activation=silu"),
    ],
)
def test_a_former_value_is_answered_with_todays(
    recipes: Run, arguments: list[str], now: str
) -> None:
    result = recipes("fit", *arguments)
    assert result.exit_code == 2
    assert now in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_former_value_is_refused_from_python_too() -> None:
    with pytest.raises(InputError, match="features=gradients is now called features=hog"):
        fit("mnist-mlp", features="gradients")


def test_a_card_of_that_time_is_read_with_todays_names() -> None:
    card = json.loads((locate.shipped("mnist-mlp") / "card.json").read_text())
    card["options"]["features"] = card["preset"] = "gradients"
    read = locate.read_card(json.dumps(card).encode(), "card.json")
    assert read.options["features"] == read.preset == "hog"
    card = json.loads((locate.shipped("lenet5") / "card.json").read_text())
    card["options"]["activation"] = "swish"
    assert locate.read_card(json.dumps(card).encode(), "card.json").options["activation"] == "silu"
    old = {"false_alarms": 0.01, "false_alarms_a_day": 3.0, "bar": 1.2, "units": 10}
    assert options.renamed(catalog.get("lstm-anomaly"), old) == {
        "false_alarm_rate": 0.01,
        "false_alarms_per_day": 3.0,
        "threshold": 1.2,
        "units": 10,
    }
