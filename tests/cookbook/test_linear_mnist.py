"""Ten neurons without a hidden layer: what each of them weighs can be looked at."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_recipes import build_linear_mnist, evaluate, fit, plot
from tests.checkout import ROOT

PARAMETERS = 784 * 10 + 10


@pytest.mark.parametrize("deskew", [False, True])
def test_it_has_a_weight_for_each_pixel_and_class(deskew: bool) -> None:
    model = build_linear_mnist(deskew=deskew)
    assert model.count_params() == PARAMETERS
    assert build_linear_mnist(classes=26).count_params() == 784 * 26 + 26


def test_what_it_puts_out_is_a_softmax_of_weighted_sums() -> None:
    model = build_linear_mnist()
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), "uint8")
    kernel, bias = model.get_weights()
    sums = image.reshape(784) / 255 @ kernel + bias
    expected = np.exp(sums) / np.exp(sums).sum()
    assert model.predict(image, verbose=0)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.usefixtures("empty_folder")
def test_it_reads_digits_and_draws_what_it_weighs(tmp_path: Path) -> None:
    digits = load_digits()
    images = np.kron(digits.images * 15.9, np.ones((3, 3))).astype("uint8")
    np.savez("own.npz", x=np.pad(images, ((0, 0), (2, 2), (2, 2))), y=digits.target)
    fitted = fit("linear-mnist", "own.npz", epochs=10, show_progress=False)
    assert evaluate(fitted)["accuracy"] > 0.9
    assert "weights.png" in {path.name for path in plot(fitted, tmp_path)}


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_the_script_checks_a_gradient_and_reads_digits() -> None:
    command = [sys.executable, str(ROOT / "recipes" / "linear_mnist.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    derived, nudged = re.search(r"derived (\S+), by nudging it (\S+)", printed).groups()
    assert float(derived) == pytest.approx(float(nudged), rel=0.02, abs=2e-4)
    assert float(re.search(r"([\d.]+)% of the test images right", printed)[1]) > 91
    assert "parameters: 7,850 here, 7,850 in build_linear_mnist()" in printed
    assert "100.00% of the answers the same" in printed
