"""Few examples: the default training reaches enough updates, and goes on from a trained net."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_recipes import catalog, fit, load
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.saved import locate
from tests.command_line import Run
from tests.shared_data import shared_data

MNIST = {"batch_size": 128, "warp": 0.0, "patience": 0}


def chosen(name: str, count: int, validation: int = 0, **given: object) -> tuple[dict, str]:
    """Return the options that a recipe chooses for so many images, and what it says."""

    def images(count: int) -> Examples:
        return Examples(np.zeros((count, 1, 1, 1), "uint8"), np.ones((count, 10), "float32"))

    data = Dataset(
        name="x",
        train=images(count),
        test=images(1),
        note="",
        validation=images(validation) if validation else None,
    )
    unset = dict.fromkeys(("batch_size", "epochs", "warp", "patience"))
    course = catalog.get(name).course({**unset, **given}, data)
    return dict(course.options), course.note


@pytest.mark.parametrize("count", [54_000, 58_800, 60_000, 600_000])
def test_mnist_and_larger_data_have_six_epochs_without_a_word(count: int) -> None:
    assert chosen("lenet5", count, validation=6_000) == ({**MNIST, "epochs": 6}, "")


@pytest.mark.parametrize(("name", "epochs"), [("mnist-mlp", 60), ("linear-mnist", 30)])
def test_the_other_nets_have_their_epochs(name: str, epochs: int) -> None:
    assert chosen(name, 54_000) == ({**MNIST, "epochs": epochs}, "")


@pytest.mark.parametrize("count", [3, 50, 300, 2_999, 9_999, 10_000, 30_000])
def test_fewer_images_have_more_epochs_and_enough_updates(count: int) -> None:
    options, said = chosen("lenet5", count)
    updates = options["epochs"] * -(-count // options["batch_size"])
    assert updates >= 1_000
    assert options["warp"] == (count < 10_000)
    assert bool(said) == (count < 10_000)


def test_what_was_chosen_is_said_in_one_line() -> None:
    assert chosen("lenet5", 3_000, validation=300)[1] == (
        "only 3,000 training images: epochs=20, which are 1,880 updates; warp=1, which varies them "
        "at random; patience=7, which may end the training early"
    )


def test_options_that_are_given_stay() -> None:
    options, said = chosen("lenet5", 300, 100, epochs=3, warp=0.0, patience=0, batch_size=7)
    assert (options, said) == ({}, "")


def test_a_dozen_validation_images_do_not_end_a_training() -> None:
    assert chosen("lenet5", 300, validation=12)[0]["patience"] == 0
    assert chosen("lenet5", 300, validation=60)[0]["patience"] == 60


def signs(folder: str, names: str) -> str:
    """Write ten pictures of each of a few signs into a folder for each."""
    strokes = {"A": (30, 170, 100, 20), "B": (40, 20, 40, 180), "7": (40, 30, 160, 30)}
    for name in names:
        for number in range(10):
            picture = Image.new("L", (200, 200), 240)
            pen = ImageDraw.Draw(picture)
            pen.line(strokes[name], 20, 14 + number)
            pen.line((160, 30, 90, 150 + number), 20, 14)
            path = Path(folder, name, f"{number}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    return folder


@pytest.mark.parametrize(("name", "layer"), [("lenet5", "F6"), ("mnist-mlp", "hidden")])
def test_other_classes_get_a_new_head_on_frozen_layers(recipes: Run, name: str, layer: str) -> None:
    data = signs("signs", "AB7")
    options = ("--epochs", "2", "--set", f"frozen={layer}", "--out", "out")
    result = recipes("fit", name, "--from", name, "--data", data, *options)
    assert result.exit_code == 0, result.stderr
    assert "the outputs for 2 classes (A, B) start from random weights" in result.stderr
    assert ("warp=1, which varies them at random" in result.stderr) == (name == "lenet5")
    before = load(locate.shipped(name)).model.get_weights()
    after = load("out").model.get_weights()
    assert all((a == b).all() for a, b in zip(before[:-2], after[:-2], strict=True))
    assert after[-2].shape[-1] == 3
    # The seven's output goes on from where it was, at a small rate.
    assert np.abs(after[-2][:, 0] - before[-2][:, 7]).max() < 0.1
    assert "false" not in Path("out/model.json").read_text().split("trainable")[1][:12]
    assert json.loads(Path("out/card.json").read_text())["learned"]["labels"] == ["7", "A", "B"]


def test_frozen_layers_need_a_model_to_start_from(recipes: Run) -> None:
    result = recipes("fit", "lenet5", "--data", signs("signs", "AB"), "--set", "frozen=F6")
    assert result.exit_code == 2
    assert "frozen: expected a model to start from" in result.stderr
    assert not Path("saved_models").exists()


def test_a_fit_from_a_model_of_other_data_says_what_it_learns_from(messages: list[str]) -> None:
    x, y = np.zeros((40, 28, 28), "uint8"), np.arange(40) % 10
    mine = fit("linear-mnist", (x, y), epochs=1, show_progress=False)
    messages.clear()
    fit("linear-mnist", start=mine, epochs=1, show_progress=False)
    (said,) = [message for message in messages if message.startswith("--from")]
    assert "was fitted on arrays from Python; without --data, this fit learns from " in said


@pytest.mark.full
@pytest.mark.parametrize(("name", "rate"), [("lenet5", "1"), ("lenet5", "30"), ("mnist-mlp", "99")])
def test_a_net_that_learned_nothing_says_so(recipes: Run, name: str, rate: str) -> None:
    options = ("--learning-rate", rate, "--epochs", "4", "--out", "out")
    result = recipes("fit", name, "--data", "digits", *options)
    assert "no better than guessing: accuracy " in result.stderr
    assert "try a smaller learning_rate" in result.stderr


@pytest.mark.full
def test_three_hundred_scans_are_learned_with_the_defaults(recipes: Run) -> None:
    data = str(shared_data("datasets/images/mnist_test_png"))
    result = recipes("fit", "lenet5", "--data", data, "--out", "out")
    assert result.exit_code == 0, result.stderr
    assert json.loads(Path("out/card.json").read_text())["metrics"]["accuracy"] >= 0.85
