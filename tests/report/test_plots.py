"""Pictures have titles and labels, and hide or cut off nothing."""

import itertools
import string
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_recipes import build_lenet5, build_xor, catalog
from keras_recipes.cookbook import xor
from keras_recipes.data.dataset import Examples
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.history import History
from keras_recipes.models.runtime import KerasRuntime
from keras_recipes.recipe import Row
from keras_recipes.report import plots
from keras_recipes.report.plots import canvas, classes, plane
from tests.report.legible import check

DATA = xor.read(())
LONG = "a name that goes on, and on, until $x_{$ nobody can read it any more " * 5


@pytest.fixture(scope="module")
def of_lenet(lenet: Fitted) -> dict[str, Figure]:
    """Return the pictures of the shipped LeNet-5 for scikit-learn's digits."""
    assert lenet.card is not None
    recipe = catalog.get("lenet5")
    return dict(recipe.answers.draw(recipe, lenet.card, ["digits"])(lenet))


def test_every_picture_has_a_title_and_named_axes(fitted: Fitted) -> None:
    figures = dict(catalog.get("xor").answers.figures(fitted, DATA))
    assert set(figures) == {"loss", "surface", "hidden"}
    for figure in figures.values():
        check(figure)
        for axes in figure.axes:
            assert axes.get_ylabel()
            assert axes.get_xlabel() or axes.get_label() == "<colorbar>"


def test_the_pictures_of_a_classifier_are_whole(of_lenet: dict[str, Figure]) -> None:
    names = {"loss", "accuracy", "confusion", "mistakes", "filters", "activations"}
    assert set(of_lenet) == names
    for figure in of_lenet.values():
        check(figure)


def history(**values: list[float]) -> History:
    columns = {name: np.array(column) for name, column in values.items()}
    return History(np.arange(1, len(columns["loss"]) + 1), columns)


def test_the_loss_curve_shows_the_history_it_is_given() -> None:
    given = History(np.array([10, 20, 30]), {"loss": np.array([0.7, 0.3, 0.1])}, stride=10)
    (line,) = plots.curve(given, "loss", "nats").axes[0].lines
    assert line.get_xdata().tolist() == [10, 20, 30]
    assert line.get_ydata().tolist() == [0.7, 0.3, 0.1]


@pytest.mark.parametrize(
    "values",
    [
        {"loss": [0.5]},
        {"loss": [0.5] * 9, "val_loss": [0.5] * 9},
        {"loss": [1e3, 1.0, 1e-5], "val_loss": [2e3, 1.0, 1e-4]},
        {"loss": [0.7, 0.0, np.nan], "val_loss": [np.nan] * 3},
    ],
)
def test_a_curve_of_any_values_can_be_drawn(values: dict[str, list[float]]) -> None:
    figure = plots.curve(history(**values), "loss", "nats", note=LONG)
    check(figure)
    (axes,) = figure.axes
    ticks = [tick for tick in axes.get_xticks() if tick <= axes.get_xlim()[1]]
    assert all(float(tick).is_integer() for tick in ticks)


def test_a_validation_loss_known_now_and_then_is_one_line() -> None:
    some = history(loss=[3.0, 2.0, 1.0, 0.5], val_loss=[np.nan, 2.0, np.nan, 1.0])
    _, line = plots.curve(some, "loss", "nats").axes[0].lines
    assert line.get_xdata().tolist() == [2, 4]


def test_the_loss_says_what_makes_training_harder_than_answering(lenet: Fitted) -> None:
    def notes(**options: object) -> list[str]:
        assert lenet.card is not None
        card = replace(lenet.card, options=options)
        recipe = catalog.get("mnist-mlp")
        found = dict(recipe.answers.draw(recipe, card, ["digits"])(replace(lenet, card=card)))
        return [found[name].axes[0].get_title() for name in ("loss", "accuracy")]

    assert notes() == ["", ""]
    smoothed = "training with label smoothing 0.05; validation without"
    assert notes(label_smoothing=0.05, dropout=0.0, warp=0.0) == [smoothed, ""]
    loss, accuracy = notes(label_smoothing=0.1, dropout=0.4, warp=1.0)
    said = "training with label smoothing 0.1, warped images, dropout 0.4; validation without"
    assert loss.replace("\n", " ") == said
    assert accuracy == "training with warped images, dropout 0.4; validation without"
    loss, _ = notes(loss="mean_squared_error")
    assert loss == "training: mean squared error; validation: cross-entropy"


def answers(wrong: int, labels: list[str], count: int = 60) -> tuple[Examples, np.ndarray]:
    """Make images and outputs with `wrong` wrong answers of different probability."""
    random = np.random.default_rng(0)
    truth = np.arange(count) % len(labels)
    said = (truth + (np.arange(count) < wrong)) % len(labels)
    outputs = np.full((count, len(labels)), 0.01)
    outputs[np.arange(count), said] = np.linspace(0.6, 0.9, count)
    images = random.integers(0, 256, (count, 28, 28, 1), "uint8")
    return Examples(images, np.eye(len(labels))[truth]), outputs


@pytest.mark.parametrize("wrong", [1, 2, 7, 23, 24, 40])
@pytest.mark.parametrize("labels", [list("0123456789"), ["yes $x_{$", LONG]])
def test_only_mistakes_are_shown_as_mistakes(wrong: int, labels: list[str]) -> None:
    figure = plots.mistakes(*answers(wrong, labels), labels)
    check(figure)
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == min(wrong, classes.WORST)
    assert not any(axes.axison for axes in figure.axes)
    assert figure.get_suptitle().startswith("The 24 worst of 40" if wrong == 40 else f"{wrong} ")
    for axes in shown:
        truth, said = axes.get_title().replace("\n", " ").split(", answer ")
        assert truth != said


def test_where_there_is_no_mistake_the_picture_says_so() -> None:
    figure = plots.mistakes(*answers(0, ["a", "b"]), ["a", "b"])
    check(figure)
    assert figure.get_suptitle() == "No mistakes on 60 test images"
    assert not figure.axes


@pytest.mark.parametrize(
    "labels",
    [
        ["only"],
        ["true", "false"],
        [f"class {number} of $\\many" for number in range(12)],
        [LONG[number:] for number in range(13)],
        list(string.digits + string.ascii_letters),
        list(range(300)),
    ],
    ids=["one", "two", "twelve", "long", "letters", "hundreds"],
)
def test_a_confusion_matrix_of_any_size_has_labels_and_a_legend(labels: list[object]) -> None:
    counts = np.diag(np.arange(len(labels)) + 100_000)
    figure = plots.confusion(counts, labels, LONG)
    check(figure)
    axes, bar = figure.axes
    assert np.array_equal(axes.images[0].get_array(), counts)
    assert bar.get_ylabel() == "images"
    assert len(axes.texts) == (len(labels) ** 2 if len(labels) <= canvas.COUNTED else 0)


def test_the_surface_is_the_nets_answer(fitted: Fitted) -> None:
    axes = plots.decision_surface(fitted.model, DATA.train).axes[0]
    (mesh,) = [c for c in axes.collections if hasattr(c, "get_coordinates")]
    values = np.asarray(mesh.get_array()).reshape(161, 161)
    # The grid goes from -0.5 to 1.5: a quarter and three quarters of it are 0 and 1.
    corners = [values[40, 40], values[40, 120], values[120, 40], values[120, 120]]
    assert np.round(corners).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("units", [2, 10])
def test_after_training_one_line_separates_the_points(units: int) -> None:
    from keras_recipes import fit

    fitted = fit("xor", hidden_units=units, activation="tanh", seed=1, show_progress=False)
    drawn = plane._Plane(*hidden(fitted))
    points, _ = hidden(fitted)
    lifted = drawn.lifted(drawn.flat(points)).astype("float32")
    answers = np.asarray(fitted.model.layers[-1](lifted))
    assert (answers >= 0.5).tolist() == (DATA.train.y >= 0.5).tolist()


def hidden(fitted: Fitted) -> tuple[np.ndarray, np.ndarray]:
    first, last = fitted.model.layers
    return np.asarray(first(DATA.train.x)), np.asarray(last.kernel)[:, 0]


@pytest.mark.parametrize("units", [1, 2, 3])
def test_a_hidden_layer_of_any_size_can_be_drawn(units: int) -> None:
    model = build_xor(hidden_units=units)
    same = Examples(np.full((3, 2), 1e6, "float32"), np.ones((3, 1), "float32"))
    for points in (DATA.train, same):
        check(plots.hidden_layer(model, tuple(model.get_weights()), points))
        check(plots.decision_surface(model, points))


def test_points_that_coincide_share_a_label() -> None:
    where = np.array([[0.0, 0.0], [1.0, 1.0], [1.001, 1.0]])
    labels = plane._labels(where, [(0, 0), (0, 1), (1, 0)])
    assert list(labels.values()) == ["(0, 0)", "(0, 1) (1, 0)"]


def test_many_points_are_drawn_without_labels() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    figure = plots.decision_surface(build_xor(), Examples(x, (x[:, :1] > 0).astype("float32")))
    assert not figure.axes[0].texts


def test_one_digit_is_shown_on_its_way_through_every_layer() -> None:
    model = build_lenet5()
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 1), dtype="uint8")
    figure = plots.activations(model, image, ("C1", "S4", "F6"), list("abcdefghij"), "c")
    check(figure)
    panels = [[a for a in row.axes if a.images] for row in figure.subfigs]
    assert [len(row) for row in panels] == [1, 6, 16, 1, 1]
    named = [row[0].get_ylabel().splitlines()[:2] for row in panels]
    assert named == [
        ["input", "28 x 28 x 1"],
        ["C1", "28 x 28 x 6"],
        ["S4", "5 x 5 x 16"],
        ["F6", "84 values"],
        ["answer", "10 values"],
    ]
    for row in panels:
        low, high = row[0].get_ylabel().splitlines()[2].split(" to ")
        assert {axes.images[0].get_clim() for axes in row} == {row[0].images[0].get_clim()}
        assert row[0].images[0].get_clim() == pytest.approx((float(low), float(high)), rel=1e-2)
    answer = KerasRuntime(model).outputs(image[None])[0]
    shown = np.asarray(panels[-1][0].images[0].get_array()).ravel()
    assert np.allclose(shown, answer, atol=1e-6)
    assert "class c" in figure.get_suptitle()
    assert figure.get_suptitle().endswith("abcdefghij"[answer.argmax()])
    assert "black" in figure.get_supxlabel()


def test_the_filters_are_the_kernels_on_one_scale() -> None:
    model = build_lenet5()
    figure = plots.filters(model, "C1")
    check(figure)
    *panels, bar = figure.axes
    assert bar.get_ylabel() == "weight"
    kernels = np.asarray(model.get_layer("C1").kernel)[:, :, 0]
    assert len(panels) == 6
    for number, axes in enumerate(panels):
        assert np.array_equal(axes.images[0].get_array(), kernels[:, :, number])
        assert axes.images[0].get_clim() == panels[0].images[0].get_clim()


def rows(values: list[float | None], times: list[str], scores: list[float]) -> list[Row]:
    """Return rows whose records from 0.5 on are incidents."""
    inside = [score >= 0.5 for score in scores]
    begins = [now and not before for before, now in itertools.pairwise([False, *inside])]
    numbers = itertools.accumulate(begins)
    return [
        {
            "timestamp": time,
            "value": value,
            "score": score,
            "anomaly": int(begin),
            "incident": number if score >= 0.5 else 0,
            "expected_low": 0.0,
            "expected_high": 1.0,
        }
        for time, value, score, begin, number in zip(
            times, values, scores, begins, numbers, strict=True
        )
    ]


SECONDS = [f"10:05:{second:02}" for second in range(40)]


@pytest.mark.parametrize(
    "drawn",
    [
        rows([5.0], ["0"], [0.1]),
        rows([500.0] * 40, [f"2024-01-01 {time}" for time in SECONDS], [0.5] + [0.3] * 39),
        rows([0.0] * 40, [f"17/May/2015:{time} +0000" for time in SECONDS], [0.9] * 40),
        rows([None] * 40, [f"2024-01-01T{time}.000Z" for time in SECONDS], [0.0] * 40),
        rows([1e15, 1e-9] * 20, [str(number) for number in range(40)], [0.1] * 40),
    ],
    ids=["one", "constant", "anomalous", "missing", "huge"],
)
def test_any_series_can_be_drawn(drawn: list[Row]) -> None:
    figure = plots.watched(drawn, LONG, LONG)
    check(figure)
    top, bottom = figure.axes
    assert top.get_ylabel()
    numbered = drawn[0]["timestamp"] == "0"
    assert bottom.get_xlabel() == ("record" if numbered else "time")
    assert len({label.get_text() for label in bottom.get_xticklabels()}) == len(bottom.get_xticks())


def test_an_incident_is_shaded_for_its_own_length() -> None:
    scores = [0.1, 0.6, 0.6, 0.6, 0.2, 0.1, 0.7, 0.1]
    drawn = rows([1.0] * 8, [str(number) for number in range(8)], scores)
    figure = plots.watched(drawn, "a", "b")
    spans = [(patch.get_x(), patch.get_width()) for patch in figure.axes[0].patches]
    assert spans == [(0.5, 3), (5.5, 1)]
    assert figure.get_suptitle() == "a in b: 2 anomalies among 8 records"


@pytest.mark.parametrize("values", [[0.2], [0.7], [0.2, 0.5], list(np.linspace(0, 1, 20_000))])
def test_scores_of_any_number_of_sessions_can_be_drawn(values: list[float]) -> None:
    figure = plots.scores(np.array(values), LONG)
    check(figure)
    (legend,) = figure.legends
    expected = {"threshold"}
    expected |= {"normal"} if min(values) < 0.5 else set()
    expected |= {"anomaly"} if max(values) >= 0.5 else set()
    assert {text.get_text() for text in legend.get_texts()} == expected


@pytest.mark.parametrize(
    ("events", "strangest"), [(1, 0), (59, 30), (500, 3), (500, 321), (500, 499)]
)
def test_of_a_session_the_strangest_event_is_always_shown(events: int, strangest: int) -> None:
    nats = np.zeros(events, "float32")
    nats[strangest] = 9
    texts = [f"event {LONG}" for _ in range(events)]
    figure = plots.surprises(texts, nats, LONG, f"score 1\nobserved: {LONG}")
    check(figure)
    (axes,) = figure.axes
    assert len(axes.patches) == min(events, plots.LONGEST_SESSION)
    (marked,) = [label for bar, label in zip(axes.patches, axes.get_yticklabels(), strict=True)
                 if bar.get_width() == 9]  # fmt: skip
    assert marked.get_text().endswith(f" {strangest + 1}")


def test_an_empty_sessions_surprise_is_nothing() -> None:
    check(plots.surprises(["(end of session)"], np.zeros(1), "s"))
