"""The models that come with the package can be used at once, in any folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes import load
from keras_recipes.saved import locate
from tests.checkout import SHIPPED
from tests.command_line import Run
from tests.shared_data import shared_data

NAMES = ["lenet5", "mnist-mlp"]


@pytest.mark.parametrize("name", NAMES)
def test_it_was_trained_on_mnist_by_its_recipe(name: str, empty_folder: Path) -> None:
    card = load(name).card
    assert card.recipe == name
    assert card.data["name"] == "mnist"


@pytest.mark.parametrize(("name", "at_least"), [("lenet5", 0.98), ("mnist-mlp", 0.93)])
def test_it_reads_digits_in_an_empty_folder(recipes: Run, name: str, at_least: float) -> None:
    folder = shared_data("datasets/images/mnist_test_png")
    result = recipes("predict", name, str(folder), "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = [line.split(",")[:2] for line in result.stdout.splitlines()[1:]]
    right = [Path(file).parent.name == said for file, said in rows]
    assert len(right) == 300
    assert sum(right) / len(right) >= at_least


@pytest.mark.parametrize("out", ["saved_models/shipped", "saved_models/shipped/lenet5"])
def test_no_fit_takes_the_place_of_what_is_shipped(recipes: Run, out: str) -> None:
    result = recipes("fit", "xor", "--out", out)
    assert result.exit_code == 2
    assert "reserved for the models that come with this package" in result.stderr
    assert not Path("saved_models").exists()


def test_a_fit_in_the_checkout_leaves_what_is_shipped_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = locate.shipped("lenet5")
    monkeypatch.chdir(ours.parent.parent.parent)
    assert locate.default_folder("lenet5").resolve() != ours.resolve()
    locate.check_own(locate.default_folder("lenet5"))


def test_what_is_fitted_here_comes_first(saved: Path) -> None:
    assert locate.locate("xor").path.resolve() == saved.resolve()
    assert locate.shipped("xor") is None


def test_plain_keras_opens_what_is_shipped() -> None:
    program = """
import sys, keras, numpy
for folder in sys.argv[1:]:
    model = keras.models.model_from_json(open(folder + "/model.json").read())
    model.load_weights(folder + "/model.weights.h5")
    assert "keras_recipes" not in sys.modules
    blank = numpy.zeros((2, *model.input_shape[1:]), "uint8")
    assert model.predict(blank, verbose=0).shape == (2, 10)
"""
    folders = [str(SHIPPED / name) for name in NAMES]
    subprocess.run([sys.executable, "-c", program, *folders], check=True, capture_output=True)
