"""The perceptron for MNIST has the article's size whatever it sees, and learns by either loss."""

import numpy as np
import pytest

from keras_recipes import build_mnist_mlp, fit
from keras_recipes.digits import data as digits

PARAMETERS = (784 * 16 + 16) + (16 * 10 + 10)


@pytest.mark.parametrize("features", ["pixels", "hog"])
def test_the_net_has_the_articles_parameters_whatever_it_sees(features: str) -> None:
    assert build_mnist_mlp(features=features, deskew=True).count_params() == 12_730


def test_its_classes_are_as_many_as_the_data_has() -> None:
    assert build_mnist_mlp(classes=26).output_shape == (None, 26)


def test_it_learns_digits_with_the_squared_error_too() -> None:
    losses = ("categorical_crossentropy", "mean_squared_error")
    data = digits.load(["digits"], seed=0).train
    for loss in losses:
        fitted = fit("mnist-mlp", "digits", loss=loss, epochs=20, show_progress=False)
        assert fitted.card.metrics["accuracy"] > 0.85
        # The loss of the last epoch is near the one that the final weights give.
        outputs = fitted.model.predict(data.x, verbose=0)
        squared = ((outputs - data.y) ** 2).mean()
        entropy = -np.log((outputs * data.y).sum(axis=1)).mean()
        expected = squared if loss == "mean_squared_error" else entropy
        assert fitted.history.values["loss"][-1] == pytest.approx(expected, rel=0.1)
