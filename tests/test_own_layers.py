"""The custom layers compute what their papers say, and can be saved and loaded."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import ndimage

from keras_recipes import build_lenet5, build_lstm_anomaly, build_mnist_mlp, fit, load, save
from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell
from keras_recipes.digits import augmentation, lenet1998, preprocessing
from keras_recipes.errors import InputError

RNG = np.random.default_rng(0)


def of(layer: keras.Layer, x: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer(x))


def test_the_squashing_function_leaves_one_where_it_is() -> None:
    # LeCun et al. 1998, appendix A: the constants are chosen so that f(1) = 1 and f(-1) = -1.
    values = of(lenet1998.ScaledTanh(), np.array([-1.0, 0.0, 1.0, 100.0], "float32"))
    assert np.allclose(values, [-1, 0, 1, 1.7159], atol=1e-4)


def test_subsampling_adds_up_four_points_and_learns_two_numbers_a_map() -> None:
    layer, x = lenet1998.TrainableSubsampling2D(), RNG.normal(size=(2, 4, 6, 3)).astype("float32")
    layer.build(x.shape)
    assert layer.count_params() == 2 * 3
    coefficient, bias = RNG.normal(size=(2, 3)).astype("float32")
    layer.set_weights([coefficient, bias])
    sums = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    assert np.allclose(of(layer, x), coefficient * sums + bias, atol=1e-5)


def test_the_connection_table_is_a_convolution_with_kernels_left_out() -> None:
    layer, x = lenet1998.TableConv2D(), RNG.normal(size=(2, 14, 14, 6)).astype("float32")
    layer.build(x.shape)
    assert layer.count_params() == 1_500 + 16
    full = keras.layers.Conv2D(16, 5)
    full.build(x.shape)
    kernel = np.zeros((5, 5, 6, 16), "float32")
    seen = np.array([list(row) for row in lenet1998.C3_TABLE]) == "X"
    kernel[:, :, seen] = np.asarray(layer.kernel)
    full.set_weights([kernel, np.asarray(layer.bias)])
    assert np.allclose(of(layer, x), of(full, x), atol=1e-5)


def test_the_table_connects_as_the_paper_says() -> None:
    seen = np.array([list(row) for row in lenet1998.C3_TABLE]) == "X"
    # Six maps see three neighbours, six see four, three see four apart, one sees all.
    assert seen.sum(axis=0).tolist() == [3] * 6 + [4] * 9 + [6]
    assert seen.sum(axis=1).tolist() == [10] * 6


def test_a_code_is_nearest_to_itself() -> None:
    layer = lenet1998.DistanceToCodes()
    logits = of(layer, layer.codes.astype("float32"))
    assert np.allclose(np.diag(logits), 0)
    # Any two codes differ in at least five of their 84 points, by 2 in each.
    assert logits[~np.eye(10, dtype=bool)].max() <= -5 * 2**2 / 10


def test_the_net_of_1998_has_sixty_thousand_parameters_to_train() -> None:
    model = build_lenet5(variant="1998")
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == model.count_params() == 60_000


def test_the_net_of_1998_knows_ten_digits_only() -> None:
    with pytest.raises(InputError, match="expected ten classes"):
        build_lenet5(variant="1998", classes=26)


def test_the_net_of_1998_survives_being_saved(empty_folder: Path) -> None:
    images = RNG.integers(0, 256, (60, 28, 28), dtype="uint8")
    fitted = fit(
        "lenet5",
        (images, np.arange(60) % 10),
        variant="1998",
        epochs=1,
        show_progress=False,
    )
    answers = fitted.model.predict_on_batch(images[:4])
    read = load(save(fitted, "model")).model.predict_on_batch(images[:4])
    assert np.array_equal(answers, read)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)


def stroke(slant: float) -> np.ndarray:
    """Draw a straight stroke of 28 x 28 points that leans by `slant` points per row."""
    image = np.zeros((1, 28, 28, 1), "uint8")
    for row in range(6, 22):
        image[0, row, round(12 + slant * (row - 14)) : round(12 + slant * (row - 14)) + 3] = 255
    return image


def moments(image: np.ndarray) -> tuple[float, float, float]:
    """Return the centre of mass along x and y, and the slant of x over y."""
    mass = image[..., 0] / image.sum()
    y, x = np.mgrid[:28, :28]
    centre_x, centre_y = (mass * x).sum(), (mass * y).sum()
    return centre_x, centre_y, (mass * (x - centre_x) * (y - centre_y)).sum()


@pytest.mark.parametrize("slant", [-0.5, -0.2, 0.3, 0.5])
def test_deskewing_makes_a_leaning_stroke_stand_in_the_middle(slant: float) -> None:
    leaning = stroke(slant)
    assert abs(moments(leaning[0])[2]) > 2
    x, y, together = moments(of(preprocessing.Deskew(), leaning)[0])
    assert (x, y) == pytest.approx((13.5, 13.5), abs=0.1)
    assert abs(together) < 0.2


def test_deskewing_leaves_nothing_as_it_is() -> None:
    assert not of(preprocessing.Deskew(), np.zeros((2, 28, 28, 1), "uint8")).any()


@pytest.mark.parametrize("direction", range(16))
def test_a_slope_is_found_in_its_own_direction_alone(direction: int) -> None:
    angle = 2 * np.pi * direction / 16
    y, x = np.mgrid[:28, :28] - 13.5
    slope = (100 + 3 * (np.cos(angle) * x + np.sin(angle) * y))[None, ..., None]
    inside = of(preprocessing.OrientedGradients(), slope.astype("float32"))[0, 2:5, 2:5]
    assert inside[..., direction].min() > 0.1
    assert np.delete(inside, direction, axis=-1).max() < 1e-3


def test_gradients_hardly_see_how_bright_a_stroke_is() -> None:
    bright, dim = (of(preprocessing.OrientedGradients(), stroke(0.3) // by) for by in (1, 3))
    assert np.abs(bright - dim).max() < 0.05 * bright.max()
    assert bright.shape == (1, 7, 7, 16)
    assert (bright**2).mean() == pytest.approx(0.09, rel=0.01)


def test_gradients_stay_where_the_stroke_is() -> None:
    corner = np.zeros((1, 28, 28, 1), "uint8")
    corner[0, 9:11, 21:23] = 255
    seen = of(preprocessing.OrientedGradients(), corner).sum(axis=-1)[0]
    assert seen.argmax() == 2 * 7 + 5
    assert not seen[5:].any()
    assert not seen[:, :4].any()


def test_gradients_of_nothing_are_nothing() -> None:
    black, white = (np.full((2, 28, 28, 1), level, "uint8") for level in (0, 255))
    assert not of(preprocessing.OrientedGradients(), black).any()
    assert not of(preprocessing.OrientedGradients(), white)[:, 1:-1, 1:-1].any()


def edge(row: int, step: int, column: int = 0) -> np.ndarray:
    """Make a black image with brightness `step` from `row` down and from `column` to the right."""
    image = np.zeros((1, 28, 28, 1), "uint8")
    image[0, row:, column:] = step
    return image


def test_four_times_the_contrast_counts_about_twice() -> None:
    image = edge(14, 60)
    image[0, 14:, 14:] *= 4
    found = of(preprocessing.OrientedGradients(), image)[0, 3, :, 4]  # downwards, along the edge
    assert 1.9 < found[5] / found[1] < 2.4


def test_an_edge_passes_from_one_cell_to_the_next_by_and_by() -> None:
    shares = []
    for row in range(10, 15):  # from the middle of the third row of cells to that of the fourth
        found = of(preprocessing.OrientedGradients(), edge(row, 100))[0, :, 3, 4] ** 2
        shares.append(found[3] / (found[2] + found[3]))
    assert np.all(np.diff(shares) > 0.1)
    assert shares[0] < 0.1
    assert shares[-1] > 0.9


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 3), (28, 28), (None, None, 1)])
def test_what_gradients_cannot_be_taken_of_is_refused(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected images of shape \(N, H, W, 1\)"):
        preprocessing.OrientedGradients()(keras.KerasTensor((1, *shape)))


def test_a_perceptron_sees_gradients_without_deskewing_too() -> None:
    model = build_mnist_mlp(features="hog")
    assert model.count_params() == 12_730
    assert model.predict_on_batch(stroke(0.3)).sum() == pytest.approx(1, abs=1e-5)


def test_a_perceptron_of_gradients_has_the_articles_size_and_survives_being_saved(
    empty_folder: Path,
) -> None:
    data = (RNG.integers(0, 256, (60, 28, 28), dtype="uint8"), np.arange(60) % 10)
    fitted = fit("mnist-mlp", data, preset="hog", epochs=1, show_progress=False)
    assert fitted.model.count_params() == 12_730
    read = load(save(fitted, "model")).model
    assert any(isinstance(layer, preprocessing.OrientedGradients) for layer in read.layers)
    asked = data[0][:4, ..., None]
    assert np.array_equal(read.predict_on_batch(asked), fitted.model.predict_on_batch(asked))


def test_warping_changes_images_only_while_training() -> None:
    layer, image = augmentation.RandomWarp(1.0, seed=0), stroke(0.2)
    assert np.array_equal(of(layer, image), image)
    warped = keras.ops.convert_to_numpy(layer(np.repeat(image, 50, axis=0), training=True))
    assert len(np.unique(warped.reshape(50, -1), axis=0)) == 50
    # The stroke is still there, and has hardly moved.
    assert warped.sum(axis=(1, 2, 3)) == pytest.approx(image.sum(), rel=0.4)
    centres = np.array([moments(one)[:2] for one in warped])
    assert abs(centres - moments(image[0])[:2]).max() < 5


def test_warping_by_nothing_changes_nothing() -> None:
    layer, images = augmentation.RandomWarp(0.0, seed=0), stroke(0.2)
    assert np.allclose(keras.ops.convert_to_numpy(layer(images, training=True)), images, atol=1e-3)


def test_views_are_the_image_and_the_image_turned_either_way() -> None:
    image = stroke(0.3)
    views = of(augmentation.TurnedViews(10.0), image)
    turned = [
        ndimage.rotate(image.astype("float32"), angle, axes=(1, 2), reshape=False, order=1)
        for angle in (10, -10)
    ]
    assert np.allclose(views, np.concatenate([image, *turned]), atol=1e-2)


@pytest.mark.full
def test_a_net_with_views_answers_with_their_mean_and_trains_like_one_without(
    empty_folder: Path,
) -> None:
    images = np.zeros((60, 28, 28), "uint8")
    images[:, 5:23, 5:23] = RNG.integers(0, 256, (60, 18, 18))
    data = (images, np.arange(60) % 10)
    one, three = (
        fit("lenet5", data, tta_degrees=degrees, epochs=1, show_progress=False)
        for degrees in (0.0, 8.0)
    )
    assert three.model.count_params() == 61_706
    for mine, other in zip(three.model.get_weights(), one.model.get_weights(), strict=True):
        assert np.array_equal(mine, other)
    asked = images[:5, ..., None].astype("float32")
    turned = (ndimage.rotate(asked, a, axes=(1, 2), reshape=False, order=1) for a in (0, 8, -8))
    mean = np.mean([one.model.predict_on_batch(view) for view in turned], axis=0)
    assert np.allclose(three.model.predict_on_batch(asked), mean, atol=1e-5)
    read = load(save(three, "model")).model
    assert np.array_equal(read.predict_on_batch(asked), three.model.predict_on_batch(asked))


def by_hand(cell: PeepholeLSTMCell, x: np.ndarray) -> np.ndarray:
    kernel, recurrent, peephole, bias = (np.asarray(w, "float64") for w in cell.get_weights())
    outputs, h, c = [], np.zeros(cell.units), np.zeros(cell.units)

    def gate(value: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-value))

    for step in x:
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4)
        i, f = gate(i + peephole[0] * c), gate(f + peephole[1] * c)
        c = f * c + i * np.tanh(g)
        h = gate(o + peephole[2] * c) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def test_it_follows_its_equations_step_by_step() -> None:
    keras.utils.set_random_seed(1)
    layer = keras.layers.RNN(PeepholeLSTMCell(4), return_sequences=True)
    x = np.random.default_rng(1).normal(size=(1, 20, 3)).astype("float32")
    outputs = keras.ops.convert_to_numpy(layer(x))
    assert outputs[0] == pytest.approx(by_hand(layer.cell, x[0].astype("float64")), abs=1e-5)


def test_one_input_and_ten_units_have_the_articles_510_parameters() -> None:
    model = build_lstm_anomaly(cell="peephole", encoding="number", classes=33)
    assert model.get_layer("lstm").count_params() == 510
    assert model.count_params() == 510 + 11 * 33


def test_the_forget_gates_bias_starts_at_one() -> None:
    cell = PeepholeLSTMCell(3)
    cell.build((None, 2))
    assert np.asarray(cell.bias).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_the_articles_weights_have_xaviers_spread() -> None:
    keras.utils.set_random_seed(123)
    kernel, recurrent, peephole, _ = (
        build_lstm_anomaly(cell="peephole", encoding="number").get_layer("lstm").get_weights()
    )
    weights = np.concatenate([w.ravel() for w in (kernel, recurrent, peephole)])
    assert weights.std() == pytest.approx(np.sqrt(2 / 21), rel=0.1)
    assert np.abs(weights).max() > 2.1 * np.sqrt(2 / 21)  # no truncated normal reaches that


def test_a_net_with_it_is_read_back_from_its_json() -> None:
    model = build_lstm_anomaly(cell="peephole", units=5, classes=8)
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.array([[1, 4, 5, 2]], "int32")
    assert np.array_equal(
        keras.ops.convert_to_numpy(model(x)), keras.ops.convert_to_numpy(again(x))
    )
