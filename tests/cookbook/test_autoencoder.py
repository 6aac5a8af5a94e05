"""A net draws its input again; where it cannot, the input is unlike what it learned."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_recipes import build_autoencoder, evaluate, fit, load, open_model, plot, predict, save
from keras_recipes.commands.export import FORMATS
from keras_recipes.cookbook import autoencoder
from keras_recipes.cookbook.autoencoder import encoder_of
from keras_recipes.digits import data as digits
from keras_recipes.digits import reconstruction
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.report import plots
from tests.checkout import ROOT
from tests.command_line import Run
from tests.exports import exported

PARAMETERS = (784 + 1) * 128 + (128 + 1) * 32 + (32 + 1) * 128 + (128 + 1) * 784

SMALL = {"hidden_units": 32, "code_units": 8, "show_progress": False}


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit("autoencoder", "digits", epochs=40, batch_size=32, show_progress=False)


def some_digits(count: int = 60) -> np.ndarray:
    return digits.load(["digits"], seed=0).train.x[:count, ..., 0]


def sheet(name: str, *lines: list[tuple[int, int]]) -> str:
    """Write a picture of dark lines on paper."""
    image = Image.new("L", (200, 200), 235)
    pen = ImageDraw.Draw(image)
    for points in lines:
        pen.line(points, fill=30, width=16, joint="curve")
    image.save(name)
    return name


def test_the_number_of_its_parameters_follows_from_its_sizes() -> None:
    model = build_autoencoder(hidden_units=20, code_units=5)
    assert model.count_params() == 785 * 20 + 21 * 5 + 6 * 20 + 21 * 784
    assert encoder_of(build_autoencoder()).count_params() == 785 * 128 + 129 * 32


@pytest.mark.parametrize("code", ["linear", "relu"])
def test_it_computes_four_weighted_sums(code: str) -> None:
    model = build_autoencoder(code_activation=code)
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), "uint8")
    values, weights = image.reshape(1, 784) / 255, model.get_weights()
    for layer in range(4):
        values = values @ weights[2 * layer] + weights[2 * layer + 1]
        if layer in (0, 2) or (layer == 1 and code == "relu"):
            values = np.maximum(values, 0)
    expected = 1 / (1 + np.exp(-values))
    assert model.predict(image, verbose=0) == pytest.approx(expected, abs=1e-5)


def test_an_encoder_shares_the_weights_of_its_autoencoder() -> None:
    model = build_autoencoder()
    encoder = encoder_of(model)
    codes = encoder.predict(some_digits(3), verbose=0)
    assert codes.shape == (3, 32)
    model.get_layer("code").bias.assign(np.full(32, 7.0))
    assert encoder.predict(some_digits(3), verbose=0) == pytest.approx(codes + 7, abs=1e-4)


def test_metrics_are_those_of_the_squared_differences() -> None:
    targets = np.array([[0.0, 0.0], [1.0, 1.0]])
    outputs = np.array([[0.5, 0.0], [1.0, 1.0]])
    assert reconstruction.measure(targets, outputs) == {
        "reconstruction_error": 0.0625,
        "variance_explained": 1 - 0.0625 / 0.25,
        "usual_error": 0.125,
    }
    hundred = np.arange(100.0)
    assert reconstruction.usual(hundred) == 98  # 99 of 100 do not exceed it
    equal = np.ones((3, 2))
    assert reconstruction.measure(equal, equal / 2)["variance_explained"] == 0


def test_guessing_is_the_mean_training_image() -> None:
    data = digits.load(["digits"], seed=0)
    images = reconstruction.load(["digits"], skip_bad=False, seed=0)
    assert np.array_equal(images.train.x, data.train.x)
    mean = data.train.x.mean(axis=0) / 255
    expected = np.mean((data.test.x / 255 - mean) ** 2)
    guess = reconstruction.guess(images)
    assert guess.value == pytest.approx(expected, rel=1e-4)
    assert guess.is_as_good_as(guess.value)
    assert not guess.is_as_good_as(guess.value * 0.99)


def test_it_learns_to_draw_digits(fitted: Fitted) -> None:
    found = evaluate(fitted)
    assert found["variance_explained"] > 0.7
    assert 0 < found["reconstruction_error"] < found["usual_error"]
    assert fitted.card.metrics == pytest.approx(found, rel=1e-4)


def test_the_error_of_a_picture_is_its_mean_squared_difference(fitted: Fitted) -> None:
    images = some_digits(5)
    drawn = fitted.model.predict(images, verbose=0).reshape(5, 28, 28)
    expected = np.mean((images / 255 - drawn) ** 2, axis=(1, 2))
    rows = predict(fitted, images)
    assert [row["file"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["reconstruction_error"] for row in rows] == pytest.approx(expected, rel=1e-3)


def test_what_is_no_digit_has_a_larger_error(fitted: Fitted, recipes: Run) -> None:
    save(fitted, "model")
    one = "one.png"  # in MNIST's form, so it is read as it is
    Image.fromarray(some_digits(2)[1]).save(one)
    ladder = sheet(
        "ladder.png",
        [(60, 30), (60, 170)],
        [(140, 30), (140, 170)],
        *([(60, y), (140, y)] for y in (60, 100, 140)),
    )
    printed = recipes("predict", "model", one, ladder, "--format", "csv").stdout
    header, *rows = csv.reader(io.StringIO(printed))
    assert header == ["file", "reconstruction_error"]
    errors = {name: float(error) for name, error in rows}
    assert errors[ladder] > fitted.card.metrics["usual_error"] > errors[one]


def test_a_picture_that_cannot_be_read_may_be_left_out(fitted: Fitted, recipes: Run) -> None:
    save(fitted, "model")
    Path("torn.png").write_bytes(b"torn")
    seven = sheet("seven.png", [(60, 50), (140, 50), (90, 160)])
    assert recipes("predict", "model", seven, "torn.png").exit_code == 2
    done = recipes("predict", "model", seven, "torn.png", "--set", "skip_bad=true")
    assert done.exit_code == 0
    assert "seven.png" in done.stdout
    assert "torn.png" not in done.stdout


def test_it_learns_pictures_without_labels(recipes: Run) -> None:
    folder = Path("pictures")
    folder.mkdir()
    for number, image in enumerate(some_digits()):
        Image.fromarray(image).save(folder / f"{number}.png")
    small = ("--set", "hidden_units=32", "--set", "code_units=8", "--epochs", "2")
    done = recipes("fit", "autoencoder", "--data", "pictures", *small)
    assert done.exit_code == 0, done.stderr
    assert recipes("evaluate", "autoencoder", "--data", "pictures").exit_code == 0
    done = recipes("plot", "autoencoder")
    assert done.exit_code == 0, done.stderr
    assert Path("plots/autoencoder/code.png").is_file()


@pytest.mark.parametrize("arrays", [("x",), ("one name",), ("x", "y")])
def test_labels_in_a_file_are_not_needed(empty_folder: Path, arrays: tuple[str, ...]) -> None:
    known = {"x": some_digits(), "one name": some_digits(), "y": np.arange(60) % 3}
    np.savez("own.npz", **{name: known[name] for name in arrays})
    data = reconstruction.load(["own.npz"], skip_bad=False, seed=0)
    assert len(data.train) + len(data.validation) + len(data.test) == 60
    assert data.train.y.shape[1:] == (784,)
    assert set(data.test_labels) == ({"0", "1", "2"} if "y" in arrays else set())


def test_a_classifier_still_needs_labels(empty_folder: Path) -> None:
    np.savez("own.npz", x=some_digits())
    with pytest.raises(InputError, match="expected images with labels, received images only"):
        digits.load(["own.npz"], seed=0)


@pytest.mark.usefixtures("empty_folder")
def test_arrays_may_be_their_own_targets() -> None:
    x = some_digits()
    fits = [fit("autoencoder", (x, y), epochs=1, **SMALL) for y in (x, None, np.arange(60) % 3)]
    assert {f.card.data["examples"] for f in fits} == {48}
    with pytest.raises(InputError, match="own targets"):
        fit("autoencoder", (x, x[::-1]), epochs=1, **SMALL)


def test_it_draws_loss_reconstructions_codes_and_errors(fitted: Fitted, tmp_path: Path) -> None:
    names = {path.stem for path in plot(fitted, tmp_path)}
    assert names == {"loss", "reconstructions", "code", "errors"}


@pytest.mark.parametrize(
    ("loss", "curves"),
    [("mean_squared_error", ["training", "validation"]), ("binary_crossentropy", ["training"])],
)
def test_the_loss_is_drawn_on_both_parts_if_it_is_the_error(loss: str, curves: list[str]) -> None:
    np.savez("own.npz", x=some_digits())
    f = fit("autoencoder", ["own.npz"], epochs=2, loss=loss, **SMALL)
    pictures = autoencoder.figures(f, reconstruction.load(["own.npz"], skip_bad=False, seed=0))
    _, first = next(pictures)
    assert [line.get_label() for line in first.axes[0].lines] == curves


def test_every_label_has_its_points() -> None:
    codes = np.random.default_rng(0).normal(size=(60, 4))
    figure = plots.in_two_dimensions(codes, [f"letter {row % 26}" for row in range(60)])
    assert sum(len(drawn.get_offsets()) for drawn in figure.axes[0].collections) == 60


def test_codes_are_drawn_by_what_varies_most() -> None:
    random = np.random.default_rng(0)
    strong, weak = random.normal(0, 5, 50), random.normal(0, 1, 50)
    directions = np.linalg.qr(random.normal(size=(6, 6)))[0]
    codes = 100 + np.outer(strong, directions[0]) + np.outer(weak, directions[1])
    figure = plots.in_two_dimensions(codes, ())
    points = figure.axes[0].collections[0].get_offsets().data
    across, up = (
        np.corrcoef(points[:, axis], column)[0, 1] for axis, column in enumerate((strong, weak))
    )
    assert abs(across) > 0.99
    assert abs(up) > 0.9
    assert "100% of the variance" in figure.get_suptitle()


def test_a_code_of_one_number_is_drawn_on_a_line() -> None:
    figure = plots.in_two_dimensions(np.arange(5.0)[:, None], list("ababa"))
    points = np.concatenate([drawn.get_offsets() for drawn in figure.axes[0].collections])
    assert np.ptp(points[:, 0]) == 4
    assert not points[:, 1].any()


@pytest.mark.parametrize("format", FORMATS)
def test_every_export_gives_the_same_errors(fitted: Fitted, format: str) -> None:
    done = exported(fitted, format)
    images = some_digits(4)
    there = predict(open_model(done.path), images)
    here = predict(fitted, images)
    assert [row["reconstruction_error"] for row in there] == pytest.approx(
        [row["reconstruction_error"] for row in here], rel=1e-3
    )


def test_a_card_of_another_net_is_refused(fitted: Fitted) -> None:
    classifier = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()])
    classifier.add(keras.layers.Dense(10))
    wrong = Fitted(model=classifier, card=fitted.card)
    with pytest.raises(CorruptModelError, match="reconstructions of 784 pixels"):
        predict(wrong, some_digits(1))


def test_a_saved_one_goes_on_training(fitted: Fitted) -> None:
    save(fitted, "model")
    further = fit("autoencoder", "digits", start=load("model"), epochs=5, show_progress=False)
    assert (
        evaluate(further)["reconstruction_error"] < 1.2 * evaluate(fitted)["reconstruction_error"]
    )


@pytest.mark.full
@pytest.mark.usefixtures("mnist")
def test_the_script_starts_a_perceptron_from_the_encoder() -> None:
    command = [sys.executable, str(ROOT / "recipes" / "autoencoder.py"), "1000"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    error, mean = (
        float(re.search(rf"{what}: (\S+)", printed)[1])
        for what in ("difference per pixel", "every answer")
    )
    assert error < 0.02 < 0.06 < mean
    assert "parameters: 209,968 here, 209,968 in build_autoencoder()" in printed
    assert "these weights: the same: True" in printed
    right = re.findall(r"1,000 labels, from .*: ([\d.]+)% of the test images right", printed)
    assert len(right) == 2
    assert all(float(share) > 80 for share in right)
