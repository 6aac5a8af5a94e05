"""The perceptron for MNIST has the article's size with every choice of features."""

import pytest

from keras_recipes import build_mnist_mlp

PARAMETERS = (784 * 16 + 16) + (16 * 10 + 10)


@pytest.mark.parametrize("features", ["pixels", "hog"])
def test_the_net_has_the_articles_parameters_whatever_it_sees(features: str) -> None:
    assert build_mnist_mlp(features=features, deskew=True).count_params() == 12_730


def test_its_classes_are_as_many_as_the_data_has() -> None:
    assert build_mnist_mlp(classes=26).output_shape == (None, 26)
