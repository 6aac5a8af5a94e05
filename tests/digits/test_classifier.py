"""The answers and the metrics of classifiers."""

import re

import numpy as np
import pytest

from keras_recipes.data.dataset import Batch, Dataset, Examples
from keras_recipes.digits import classifier
from keras_recipes.errors import CorruptModelError

TARGETS = np.eye(3, dtype="float32")[[0, 0, 1, 2]]
OUTPUTS = np.array([[0.8, 0.2, 0], [0.3, 0.6, 0.1], [0, 1, 0], [0.2, 0.3, 0.5]], "float32")
LEARNED = {"labels": ["ant", "bee", "cow"]}


def answers(**options: object) -> list[dict[str, object]]:
    batch = Batch(["a.png", "b.png", "c.png", "d.png"], np.zeros((4, 28, 28)))
    return list(classifier.interpret(batch, OUTPUTS, LEARNED, **options))


def test_accuracy_and_cross_entropy_are_the_textbooks() -> None:
    measured = classifier.measure(TARGETS, OUTPUTS)
    assert measured["accuracy"] == 0.75
    assert measured["loss"] == pytest.approx(-np.log([0.8, 0.3, 1, 0.5]).mean(), rel=1e-5)


def test_guessing_is_answering_the_commonest_class_of_the_training_part() -> None:
    images = np.zeros((4, 28, 28, 1), "uint8")
    train, test = np.array([2, 2, 1, 0]), np.array([2, 1, 1, 0])
    parts = [Examples(images, np.eye(3, dtype="float32")[part]) for part in (train, test)]
    guess = classifier.guess(Dataset(name="x", train=parts[0], test=parts[1], note=""))
    assert (guess.metric, guess.value) == ("accuracy", 0.25)
    assert guess.is_as_good_as(0.25)
    assert guess.is_as_good_as(0.1)
    assert not guess.is_as_good_as(0.26)


def test_where_nothing_can_be_told_apart_the_right_answer_is_no_guess() -> None:
    one = Examples(np.zeros((2, 28, 28, 1), "uint8"), np.eye(3, dtype="float32")[[1, 1]])
    assert not classifier.guess(Dataset(name="x", train=one, test=one, note="")).is_as_good_as(1.0)


@pytest.mark.parametrize(
    ("before", "kept", "said"),
    [
        (["ant", "bee", "cow"], None, None),
        (["bee", "ant"], (1, 0, None), r"x: has 3 classes \(ant, bee, cow\), the model has 2 "),
        (["cow", "ant", "bee", "cat"], (1, 2, 0), "some are left out"),
        (["x", "y"], (None,) * 3, r"the outputs for 3 classes \(ant, bee, cow\) start from random"),
        ([str(n) for n in range(100)], (None,) * 3, r"the model has 100 classes .*, 11, \.\.\.\):"),
    ],
)
def test_outputs_are_kept_by_the_name_of_their_class(
    before: list[str], kept: object, said: str | None, messages: list[str]
) -> None:
    examples = Examples(np.zeros((4, 28, 28, 1), "uint8"), TARGETS)
    data = Dataset(name="x", train=examples, test=examples, note="", learned=LEARNED)
    assert classifier.outputs_kept({"labels": before}, data) == kept
    assert [bool(re.search(said or "", message)) for message in messages] == [True] * bool(said)


def test_an_answer_has_the_label_and_the_second_thought() -> None:
    first = answers()[0]
    assert tuple(first) == classifier.COLUMNS
    assert (first["file"], first["prediction"], first["second"]) == ("a.png", "ant", "bee")
    assert first["probability"] == pytest.approx(0.8)


def test_below_the_threshold_the_answer_is_unsure() -> None:
    said = [row["prediction"] for row in answers(unsure_below=0.55)]
    assert said == ["ant", "bee", "bee", "unsure"]


def test_all_probabilities_are_given_when_asked_for() -> None:
    row = answers(all_probabilities=True)[3]
    assert [row[f"p_{label}"] for label in LEARNED["labels"]] == pytest.approx([0.2, 0.3, 0.5])


def test_details_count_each_class() -> None:
    tables = classifier.details(TARGETS, OUTPUTS, LEARNED)
    assert tables["confusion"] == [
        {"true": "ant", "ant": 1, "bee": 1, "cow": 0},
        {"true": "bee", "ant": 0, "bee": 1, "cow": 0},
        {"true": "cow", "ant": 0, "bee": 0, "cow": 1},
    ]
    (bee,) = [row for row in tables["classes"] if row["class"] == "bee"]
    assert (bee["precision"], bee["recall"], bee["examples"]) == (0.5, 1.0, 1)


@pytest.mark.parametrize(
    "learned",
    [
        {},
        {"labels": 3},
        {"labels": ["a"]},
        {"labels": ["a" * 1_000, "b"]},
        {"labels": ["\x1b[2J", "b"]},
    ],
)
def test_labels_of_a_card_are_not_trusted(learned: dict) -> None:
    batch = Batch(["one"], np.zeros((1, 2)))
    with pytest.raises(CorruptModelError, match="its card: "):
        list(classifier.interpret(batch, np.array([[0.2, 0.8]]), learned))
