"""Preprocessing by statistics of the training images: computed once, and saved with the net."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from keras_recipes import (
    backend,
    build_lenet5,
    build_linear_mnist,
    build_mnist_mlp,
    fit,
    load,
    open_model,
    predict,
    save,
)
from keras_recipes.commands.export import FORMATS
from keras_recipes.digits import data as digits
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from tests.command_line import Run
from tests.digits import drawn
from tests.exports import exported

RNG = np.random.default_rng(0)
KINDS = ("mean", "scale", "pca", "whitening")


@pytest.fixture(scope="module")
def whitened() -> Fitted:
    backend.start()
    return of_digits("linear-mnist", "whitening")


def of_digits(name: str, kind: str, **given: object) -> Fitted:
    return fit(name, "digits", preprocessing=kind, epochs=2, show_progress=False, **given)


def layer_of(fitted: Fitted):  # type: ignore[no-untyped-def]
    return fitted.model.get_layer("preprocessing")


def pixels() -> np.ndarray:
    """Return the images that a fit with seed 0 trains on, as rows of numbers from 0 to 1."""
    train = digits.load(["digits"], seed=0).train
    return train.x.reshape(len(train), -1) / 255


@pytest.mark.parametrize("kind", KINDS)
def test_the_statistics_are_those_of_the_training_images_alone(kind: str) -> None:
    mean, *others = layer_of(of_digits("linear-mnist", kind, components=20)).get_weights()
    rows = pixels()
    assert mean == pytest.approx(rows.mean(axis=0), abs=1e-6)
    data = digits.load(["digits"], seed=0)
    every = np.concatenate([p.x for p in (data.train, data.validation, data.test)])
    assert abs(mean - every.reshape(-1, 784).mean(axis=0) / 255).max() > 1e-3
    if kind == "scale":
        assert others[0] == pytest.approx(np.sqrt(rows.var(axis=0) + 0.01), abs=1e-5)
    if kind in ("pca", "whitening"):
        expected = PCA(20, svd_solver="full").fit(rows)
        alike = abs(np.sum(others[0].T * expected.components_, axis=1))
        assert alike == pytest.approx(np.ones(20), abs=1e-3)
    if kind == "whitening":
        variances = expected.explained_variance_ * (1 - 1 / len(rows))
        assert others[1] == pytest.approx(np.sqrt(variances + 0.01), abs=1e-4)


def test_whitened_coordinates_are_uncorrelated_and_alike_in_size(whitened: Fitted) -> None:
    together = np.cov(np.asarray(layer_of(whitened)(pixels())).T)
    assert abs(together - np.diag(np.diag(together))).max() < 1e-3
    assert np.diag(together).max() < 1.01
    assert np.diag(together)[:20].min() > 0.9


def test_a_pixel_that_is_always_black_in_training_is_not_magnified() -> None:
    layer = layer_of(of_digits("linear-mnist", "scale"))
    assert not pixels()[:, 0].any()
    corner = np.zeros((1, 784), "float32")
    corner[0, 0] = 1
    assert np.asarray(layer(corner))[0, 0] == pytest.approx(10)


@pytest.mark.parametrize(("whiten", "kind"), [(False, "pca"), (True, "whitening")])
def test_a_convolutional_net_receives_images(whiten: bool, kind: str) -> None:
    layer = layer_of(of_digits("lenet5", kind, components=30))
    mean, axes, *deviations = layer.get_weights()
    rows = pixels()[:5].astype("float32")
    coordinates = (rows - mean) @ axes / (deviations[0] if whiten else 1)
    images = np.asarray(layer(rows.reshape(-1, 28, 28, 1)))
    assert images.shape == (5, 28, 28, 1)
    assert images.reshape(5, -1) == pytest.approx(coordinates @ axes.T, abs=1e-4)


def test_a_net_is_built_without_data_and_its_size_is_said_by_the_components() -> None:
    assert build_linear_mnist().count_params() == 7_850
    model = build_linear_mnist(preprocessing="pca", components=30)
    assert model.layers[-1].count_params() == 31 * 10
    assert model.get_layer("preprocessing").trainable_weights == []
    image = RNG.integers(0, 256, (1, 28, 28), "uint8")
    seen = model.get_layer("preprocessing")(image.reshape(1, -1) / 255)
    assert np.asarray(seen)[0] == pytest.approx(image.ravel()[:30] / 255, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_with_every_other_way_to_see_a_digit(kind: str) -> None:
    images = RNG.integers(0, 256, (3, 28, 28), "uint8")
    for model in (
        build_linear_mnist(preprocessing=kind, deskew=True),
        build_mnist_mlp(preprocessing=kind, features="hog", deskew=True, tta_degrees=10.0),
        build_lenet5(preprocessing=kind, variant="1998", tta_degrees=10.0),
    ):
        assert model.predict_on_batch(images[..., None]).sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_deskewed_images_are_deskewed_before_their_statistics_are_computed() -> None:
    means = [
        layer_of(of_digits("linear-mnist", "mean", deskew=deskew)).get_weights()[0]
        for deskew in (False, True)
    ]
    columns = [mean.reshape(28, 28).sum(axis=0) for mean in means]
    spreads = [np.average((np.arange(28) - 13.5) ** 2, weights=c) for c in columns]
    assert spreads[1] < 0.95 * spreads[0]


def test_test_time_augmentation_does_not_count_in_the_statistics() -> None:
    turned = layer_of(of_digits("mnist-mlp", "mean", tta_degrees=15.0)).get_weights()[0]
    assert turned == pytest.approx(pixels().mean(axis=0), abs=1e-6)


def test_the_statistics_are_saved_with_the_net(whitened: Fitted) -> None:
    asked = RNG.integers(0, 256, (5, 28, 28), "uint8")
    read = load(save(whitened, "model")).model
    assert np.array_equal(read.predict_on_batch(asked), whitened.model.predict_on_batch(asked))
    assert "mean" not in json.dumps(json.loads(Path("model/model.json").read_text())["config"])


@pytest.mark.parametrize("format", FORMATS)
def test_every_export_carries_the_statistics(format: str, whitened: Fitted) -> None:
    asked = RNG.integers(0, 256, (5, 28, 28), "uint8")
    opened = open_model(exported(whitened, format).path)
    expected = whitened.model.predict(asked, verbose=0)
    assert opened.runtime.outputs(asked) == pytest.approx(expected, abs=2e-5)
    assert predict(opened, asked) == [
        pytest.approx(row, abs=1e-4) for row in predict(whitened, asked)
    ]


def test_a_model_that_continues_its_training_keeps_its_statistics(whitened: Fitted) -> None:
    data = (RNG.integers(0, 256, (60, 28, 28), dtype="uint8"), np.arange(60) % 10)
    more = fit(whitened, data, epochs=1, show_progress=False)
    before, after = (layer_of(model).get_weights() for model in (whitened, more))
    for mine, theirs in zip(before, after, strict=True):
        assert np.array_equal(mine, theirs)
    with pytest.raises(InputError, match="preprocessing: a model that continues training keeps"):
        fit(whitened, data, preprocessing="mean", show_progress=False)


def test_it_is_fitted_asked_and_drawn_from_the_command_line(recipes: Run) -> None:
    drawn.seven().save("seven.png")
    fitted = ["--data", "digits", "--epochs", "2", "--set", "preprocessing=pca"]
    done = recipes("fit", "linear-mnist", *fitted, "--set", "components=20")
    assert done.exit_code == 0, done.stderr
    answer = recipes("predict", "linear-mnist", "seven.png", "--format", "csv")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout.splitlines()[1].startswith("seven.png,")
    assert recipes("plot", "linear-mnist", "--output", "plots").exit_code == 0
    for name in ("preprocessed", "components", "weights"):
        with Image.open(f"plots/{name}.png") as picture:
            assert picture.width > 300


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("components=785", "components: expected a whole number >= 1 and <= 784, received 785"),
        ("preprocessing=zca", "expected one of mean, scale, pca, whitening or none, received"),
    ],
)
def test_what_cannot_be_is_refused(wrong: str, complaint: str, recipes: Run) -> None:
    refused = recipes("fit", "mnist-mlp", "--set", wrong)
    assert refused.exit_code == 2
    assert complaint in refused.stderr


def test_gradients_are_no_image_to_draw() -> None:
    fitted = of_digits("mnist-mlp", "pca", features="hog")
    data = digits.load(["digits"], seed=0)
    from keras_recipes.digits import classifier

    assert "preprocessed" not in dict(classifier.figures(fitted, data))
