"""The option `updates` decides how many examples one update of the weights uses."""

import json
import math

import keras
import pytest

from keras_recipes import fit, load
from tests.command_line import Run


def trained(recipes: Run, name: str, *arguments: str) -> tuple[int, int, int]:
    """Fit on the command line; return the training examples, the epochs and the updates."""
    result = recipes("fit", name, "--json", "--out", "here", *arguments)
    assert result.exit_code == 0, result.stderr
    training = json.loads(result.stdout)["training"]
    card = load("here").card
    assert card.training == training
    return card.data["examples"], training["epochs"], training["updates"]


@pytest.mark.parametrize(
    ("arguments", "per_epoch"),
    [
        (("updates=batch",), 1),
        (("updates=stochastic",), 4),
        (("updates=stochastic", "batch_size=1"), 4),
        (("updates=minibatch", "batch_size=2"), 2),
        (("updates=minibatch",), 1),  # 32 is more than the four points
        ((), 1),
    ],
)
def test_updates_of_xor_are_counted(
    recipes: Run, arguments: tuple[str, ...], per_epoch: int
) -> None:
    settings = (part for argument in arguments for part in ("--set", argument))
    examples, epochs, updates = trained(recipes, "xor", *settings)
    assert examples == 4
    assert updates == per_epoch * epochs


@pytest.mark.parametrize(
    ("updates", "size"), [("batch", math.inf), ("stochastic", 1), ("minibatch", 128)]
)
def test_updates_of_the_perceptron_are_counted(recipes: Run, updates: str, size: float) -> None:
    settings = ("--data", "digits", "--epochs", "2", "--set", f"updates={updates}")
    examples, epochs, made = trained(recipes, "mnist-mlp", *settings)
    assert examples > 1_000
    assert epochs == 2
    assert made == 2 * max(1, math.ceil(examples / size))


def test_the_default_is_minibatch_with_the_batch_size_as_before(recipes: Run) -> None:
    settings = ("--data", "digits", "--epochs", "1")
    assert (
        trained(recipes, "mnist-mlp", *settings)[2]
        == trained(recipes, "mnist-mlp", *settings, "--batch-size", "128", "--fresh")[2]
    )


@pytest.mark.parametrize("name", ["xor", "mnist-mlp"])
@pytest.mark.parametrize(
    ("updates", "size", "reason"),
    [("stochastic", "128", "uses one example"), ("batch", "4", "uses all training examples")],
)
def test_a_batch_size_that_contradicts_is_refused_with_the_reason(
    recipes: Run, name: str, updates: str, size: str, reason: str
) -> None:
    result = recipes("fit", name, "--set", f"updates={updates}", "--batch-size", size)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: batch_size: expected none with updates={updates}")
    assert reason in result.stderr
    assert f"received {size}" in result.stderr


def test_a_model_with_a_batch_size_goes_on_stochastically_without_it(recipes: Run) -> None:
    trained(recipes, "xor", "--batch-size", "2")
    refused = recipes("fit", "xor", "--from", "here", "--set", "updates=stochastic")
    assert refused.exit_code == 2
    assert "or set batch_size=none" in refused.stderr
    settings = ("--set", "updates=stochastic", "--set", "batch_size=none")
    _, epochs, updates = trained(recipes, "xor", "--from", "here", *settings)
    assert updates == 4 * epochs


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 0.02),
        ({"batch_size": 64}, 0.02),
        ({"updates": "batch"}, 0.1),
        ({"updates": "stochastic"}, 0.001),
        ({"updates": "stochastic", "learning_rate": 0.003}, 0.003),
    ],
)
def test_the_perceptron_has_a_learning_rate_for_each_kind(
    options: dict[str, object], expected: float
) -> None:
    rates = []

    class Noted(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    fit("mnist-mlp", "digits", epochs=1, callbacks=[Noted()], show_progress=False, **options)
    assert rates == pytest.approx([expected])
