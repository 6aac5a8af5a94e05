"""Pictures that say what they show."""

import numpy as np
import pytest

from keras_recipes import build_lenet5, build_xor, catalog, plotting
from keras_recipes.cookbook import xor
from keras_recipes.history import History
from keras_recipes.recipe import Examples, Fitted
from keras_recipes.runtime import KerasRuntime

DATA = xor.read(())


def test_every_picture_has_a_title_and_named_axes(fitted: Fitted) -> None:
    figures = dict(catalog.get("xor").figures(fitted, DATA))
    assert set(figures) == {"loss", "surface", "hidden"}
    for figure in figures.values():
        for axes in figure.axes:
            if axes.get_label() == "<colorbar>":
                continue
            assert axes.get_title()
            assert axes.get_xlabel()
            assert axes.get_ylabel()


def test_the_loss_curve_shows_the_history_it_is_given() -> None:
    history = History(np.array([10, 20, 30]), {"loss": np.array([0.7, 0.3, 0.1])}, stride=10)
    (line,) = plotting.curve(history, "loss", "nats").axes[0].lines
    assert line.get_xdata().tolist() == [10, 20, 30]
    assert line.get_ydata().tolist() == [0.7, 0.3, 0.1]


def test_the_surface_is_the_nets_answer(fitted: Fitted) -> None:
    axes = plotting.decision_surface(fitted.model, DATA.train).axes[0]
    (mesh,) = [c for c in axes.collections if hasattr(c, "get_coordinates")]
    values = np.asarray(mesh.get_array()).reshape(161, 161)
    # The grid goes from -0.5 to 1.5: a quarter and three quarters of it are 0 and 1.
    corners = [values[40, 40], values[40, 120], values[120, 40], values[120, 120]]
    assert np.round(corners).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("units", [2, 10])
def test_after_training_one_line_separates_the_points(units: int) -> None:
    from keras_recipes import fit

    fitted = fit("xor", hidden_units=units, activation="tanh", seed=1, show_progress=False)
    plane = plotting._Plane(*hidden(fitted))
    points, _ = hidden(fitted)
    lifted = plane.lifted(plane.flat(points)).astype("float32")
    answers = np.asarray(fitted.model.layers[-1](lifted))
    assert (answers >= 0.5).tolist() == (DATA.train.y >= 0.5).tolist()


def hidden(fitted: Fitted) -> tuple[np.ndarray, np.ndarray]:
    first, last = fitted.model.layers
    return np.asarray(first(DATA.train.x)), np.asarray(last.kernel)[:, 0]


def test_points_that_coincide_share_a_label() -> None:
    where = np.array([[0.0, 0.0], [1.0, 1.0], [1.001, 1.0]])
    labels = plotting._labels(where, [(0, 0), (0, 1), (1, 0)])
    assert list(labels.values()) == ["(0, 0)", "(0, 1) (1, 0)"]


def test_many_points_are_drawn_without_labels() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    figure = plotting.decision_surface(build_xor(), Examples(x, (x[:, :1] > 0).astype("float32")))
    assert not figure.axes[0].texts


def test_one_digit_is_shown_on_its_way_through_every_layer() -> None:
    model = build_lenet5()
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 1), dtype="uint8")
    figure = plotting.activations(model, image, ("C1", "S4", "F6", "output"))
    panels = [[a for a in row.axes if a.images] for row in figure.subfigs]
    assert [len(row) for row in panels] == [1, 6, 16, 1, 1]
    assert [row[0].get_ylabel() for row in panels] == ["input", "C1", "S4", "F6", "output"]
    shown = np.asarray(panels[-1][0].images[0].get_array()).ravel()
    assert np.allclose(shown, KerasRuntime(model).outputs(image[None])[0], atol=1e-6)


def test_the_filters_are_the_kernels_on_one_scale() -> None:
    model = build_lenet5()
    panels = plotting.filters(model, "C1").axes
    kernels = np.asarray(model.get_layer("C1").kernel)[:, :, 0]
    assert len(panels) == 6
    for number, axes in enumerate(panels):
        assert np.array_equal(axes.images[0].get_array(), kernels[:, :, number])
        assert axes.images[0].get_clim() == panels[0].images[0].get_clim()
