"""The functions of the package take a model, a recipe's name or a path, and refuse the others."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from keras_recipes import evaluate, export, fit, load, open_model, plot, predict, save
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from tests.command_line import Run
from tests.digits.drawn import seven_on_paper
from tests.exports import exported

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]]
CLASSES = [0, 1, 1, 0]


def classes(rows: list[dict[str, Any]]) -> list[int]:
    return [row["class"] for row in rows]


@pytest.fixture(params=["fitted", "name", "folder", "text", "model.json", "export"])
def model(request: pytest.FixtureRequest, fitted: Fitted, saved: Path) -> Any:
    """Return the same model in each way to name it."""
    if request.param == "export":
        return export(fitted, "keras").path
    ways = {"fitted": fitted, "name": "xor", "folder": saved, "text": str(saved)}
    return ways.get(request.param, saved / "model.json")


def test_a_model_may_be_named_in_any_way(model: Any) -> None:
    assert classes(predict(model, XOR)) == CLASSES
    assert evaluate(model)["largest_error"] <= 0.01
    assert load(model).card.recipe == "xor"
    assert open_model(model).card.recipe == "xor"
    assert {"surface.png"} <= {path.name for path in plot(model, "pictures")}
    assert load(save(model, "copy")).card.recipe == "xor"
    assert export(model, "json-h5", "pair").largest_difference == 0


def test_what_is_open_is_not_opened_again(fitted: Fitted) -> None:
    assert load(fitted) is fitted
    assert open_model(fitted) is fitted
    opened = open_model(export(fitted, "keras").path)
    assert open_model(opened) is opened


@pytest.mark.parametrize("points", ["0,1", ["0,1"], "points.csv", Path("points.csv"), [0, 1]])
def test_points_are_values_texts_or_files(fitted: Fitted, points: Any) -> None:
    Path("points.csv").write_text("0,1\n")
    assert classes(predict(fitted, points)) == [1]


@pytest.mark.parametrize("name", ["seven.png", Path("seven.png"), ["seven.png", Path("seven.png")]])
def test_pictures_are_read_from_files(lenet: Fitted, name: Any) -> None:
    seven_on_paper("seven.png")
    rows = predict(lenet, name)
    assert {row["prediction"] for row in rows} == {"7"}
    assert len(rows) == (len(name) if isinstance(name, list) else 1)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28), (1, 28, 28, 1)])
def test_a_single_image_needs_no_axis_for_the_batch(lenet: Fitted, shape: tuple[int, ...]) -> None:
    (row,) = predict(lenet, np.zeros(shape, "uint8"))
    assert row["file"] == "0"


def test_plot_writes_under_the_models_name_and_says_what(fitted: Fitted, saved: Path) -> None:
    names = [f"plots/xor/{name}.png" for name in ("loss", "surface", "hidden")]
    for named in (fitted, saved):
        assert list(map(str, plot(named))) == names
    assert all(Path(name).is_file() for name in names)


def test_what_was_fitted_on_arrays_is_drawn_with_them(fitted: Fitted) -> None:
    own = replace(fitted, card=replace(fitted.card, data={**fitted.card.data, "paths": None}))
    with pytest.raises(InputError, match="name the data with --data"):
        plot(own)
    assert len(plot(own, data=(XOR, CLASSES))) == 3


def test_an_export_is_named_after_the_model(fitted: Fitted, saved: Path) -> None:
    assert export(fitted, "keras").path == Path("xor.keras")
    assert export(saved.rename("mine"), "json-h5").path == Path("mine-json-h5")
    assert export(replace(fitted, card=None), "keras").path == Path("model.keras")


def test_a_model_goes_on_training_with_its_weights_and_data(fitted: Fitted) -> None:
    table = Path("and.csv")
    table.write_text("0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    one = fit("xor", table, show_progress=False)
    save(one, "and")
    for start in (one, "./and"):
        more = fit(start, show_progress=False)
        assert more.card.data["name"] == "and.csv"
        assert more.card.training["epochs"] < one.card.training["epochs"]
    save(fitted, "saved_models/xor")
    more = fit("xor", start="xor", show_progress=False)
    assert more.card.training["epochs"] < fitted.card.training["epochs"]
    assert np.array_equal(more.first_weights[0], fitted.model.get_weights()[0])


def test_a_recipes_name_starts_anew_although_it_is_fitted_here(saved: Path) -> None:
    again, before = fit("xor", show_progress=False), load(saved)
    assert again.card.training["epochs"] == before.card.training["epochs"]


VERBS: list[Callable[[Any], Any]] = [
    fit,
    evaluate,
    lambda model: predict(model, XOR),
    plot,
    lambda model: export(model, "keras"),
    load,
    lambda model: save(model, "copy"),
    open_model,
    lambda model: fit("xor", start=model or {}),
]


@pytest.mark.parametrize("model", [None, {}, 5, [], object()])
def test_what_is_no_model_is_refused_in_one_line(model: Any) -> None:
    for verb in VERBS:
        with pytest.raises(InputError, match=r"expected .*, received ") as refused:
            verb(model)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("model", ["nope", "saved_models/nope", Path("nope"), ""])
def test_a_model_that_is_not_there_is_an_input_error(model: Any) -> None:
    for verb in VERBS[:-1]:
        with pytest.raises(InputError, match=r"no such folder or file|no recipe is called"):
            verb(model)


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        ([0, 1, 1], "expected points of shape (N, 2), received shape (3,)"),
        (np.zeros((3, 5)), "expected points of shape (N, 2), received shape (3, 5)"),
        (np.zeros((2, 2), complex), "received complex128 of shape (2, 2)"),
        (None, "expected points of shape (N, 2), received None"),
        ({"a": 1}, "expected points of shape (N, 2), received {'a': 1}"),
        (5, "expected points of shape (N, 2), received 5"),
        ([[0, 1], [2]], "expected points of shape (N, 2), received [[0, 1], [2]]"),
        ([["0", "1"]], "expected points of shape (N, 2), received [['0', '1']]"),
        (pd.DataFrame({"a": [0.0], "b": [None]}), "expected finite numbers, received NaN"),
        ("nope.csv", "nope.csv: no such file; expected values like 0,1, a CSV file, or -"),
        ("", "received an empty text"),
        (b"0,1", "expected points of shape (N, 2), received b'0,1'"),
    ],
)
def test_what_is_no_point_is_named_as_it_was_given(
    fitted: Fitted, points: Any, complaint: str
) -> None:
    with pytest.raises(InputError, match=re.escape(complaint)) as refused:
        predict(fitted, points)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (np.zeros((3, 5)), "expected images of shape (N, 28, 28), received (3, 5)"),
        (np.zeros((2, 28, 28, 3)), "received (2, 28, 28, 3)"),
        (np.full((28, 28), "a"), "received <U1 of shape (28, 28)"),
        (np.full((28, 28), np.nan), "expected finite numbers, received NaN"),
        (None, "expected images of shape (N, 28, 28), received None"),
        ({}, "expected images of shape (N, 28, 28), received {}"),
        (5, "expected images of shape (N, 28, 28), received 5"),
        (["seven.png", None], "expected images of shape (N, 28, 28), received ['seven.png', None]"),
        ("missing.png", "missing.png: no such file"),
    ],
)
def test_what_is_no_image_is_named_as_it_was_given(
    lenet: Fitted, images: Any, complaint: str
) -> None:
    with pytest.raises(InputError, match=re.escape(complaint)) as refused:
        predict(lenet, images)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (5, "data: expected paths or a pair (x, y), received 5"),
        ({}, "data: expected paths or a pair (x, y), received {}"),
        ([1, 2, 3], "data: expected paths or a pair (x, y), received [1, 2, 3]"),
        ((None, None), "expected points of shape (N, 2), received None"),
        (([[0, 1]], ["a"]), "expected targets 0 or 1, received ['a']"),
        ("nope.csv", "nope.csv: no such file"),
    ],
)
def test_data_that_is_none_is_refused_by_fit_and_evaluate(
    fitted: Fitted, data: Any, complaint: str
) -> None:
    for verb in (lambda: fit("xor", data), lambda: evaluate(fitted, data)):
        with pytest.raises(InputError, match=re.escape(complaint)):
            verb()


@pytest.mark.parametrize("path", [5, {}, ""])
def test_what_is_no_path_to_write_is_refused(fitted: Fitted, path: Any) -> None:
    for verb in (save, plot, lambda model, path: export(model, "keras", path)):
        with pytest.raises(InputError, match="path: expected a folder or a file, received"):
            verb(fitted, path)


def test_wrong_words_are_input_errors(fitted: Fitted) -> None:
    for call, complaint in (
        (lambda: export(fitted, {}), "format: expected one of json-h5"),
        (lambda: predict(fitted, XOR, foo=1), "xor has no option 'foo' here"),
        (lambda: predict(replace(fitted, card=None), XOR, foo=1), "foo: a model without a card"),
        (lambda: fit(fitted, start=fitted), "start: expected one model"),
        (lambda: fit(fitted, droput=1), "xor has no option 'droput' here"),
        (lambda: fit(replace(fitted, card=None)), "received a model without a card"),
        (lambda: plot(replace(fitted, card=None)), "has no card, so no recipe"),
        (lambda: fit("lenet5", start=fitted), "expected a fitted lenet5"),
    ):
        with pytest.raises(InputError, match=complaint):
            call()


def test_a_model_without_a_card_takes_arrays_and_files(fitted: Fitted) -> None:
    bare = replace(fitted, card=None)
    np.save("points.npy", np.array(XOR, "float32"))
    expected = predict(bare, XOR)
    assert list(expected[0]) == ["row", "output_0"]
    assert predict(bare, "points.npy") == expected
    rows = predict(bare, ["0,0", "0,1", "1,0", "1,1"])
    assert [row["output_0"] for row in rows] == pytest.approx([x["output_0"] for x in expected])
    with pytest.raises(
        InputError, match="expected an array of inputs for the model, received None"
    ):
        predict(bare, None)


def test_a_model_says_in_two_lines_what_it_is_and_where_from(fitted: Fitted, saved: Path) -> None:
    what, origin = repr(fitted).splitlines()
    assert what == "xor, 41 parameters, fitted on the four points of XOR: accuracy 1"
    assert origin.startswith(f"fitted here; {fitted.card.training['epochs']:,} epochs in ")
    loaded, where = repr(load("xor")).splitlines()
    assert (loaded, where.partition(";")[0]) == (what, "from saved_models/xor")
    bare, origin = repr(replace(fitted, card=None)).splitlines()
    assert (bare, origin) == ("a model, 41 parameters", "fitted here; without a card")


def test_an_export_says_what_computes_it(fitted: Fitted) -> None:
    what, origin = repr(open_model(exported(fitted, "saved-model").path)).splitlines()
    assert what == "xor, fitted on the four points of XOR: accuracy 1"
    assert re.fullmatch(r"from it-saved-model; computed by TensorFlow [\d.]+", origin)


def test_what_a_card_says_does_no_harm_in_a_notebook(fitted: Fitted) -> None:
    evil = "<script>alert(1)</script>\n\x1b[2J"
    data, metrics = {**fitted.card.data, "name": evil}, {evil: 1.0}
    harmed = replace(fitted, card=replace(fitted.card, data=data, metrics=metrics, preset=evil))
    assert len(repr(harmed).splitlines()) == 2
    assert "\x1b" not in repr(harmed)
    page = harmed._repr_html_()
    assert "&lt;script&gt;" in page
    assert set(re.findall(r"<(\w+)", page)) == {"div", "strong", "br", "small"}


PROGRAM = """
from keras_recipes import evaluate, export, fit, load, plot, predict, save

fitted = fit("xor")
save(fitted, "saved_models/xor")
load("xor"), evaluate("xor"), export("xor", "keras"), plot("xor"), predict("lenet5", "seven.png")
print(predict(fitted, [[0, 1]])[0]["class"])
"""


@pytest.mark.full
def test_nothing_is_printed_but_results_and_python_warns_of_nothing() -> None:
    seven_on_paper("seven.png")
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_the_command_line_names_what_plot_returns(recipes: Run, saved: Path) -> None:
    printed = recipes("plot", "xor", "--output", "here").stdout.splitlines()
    assert printed == list(map(str, plot("xor", "here")))


def test_a_model_is_not_measured_on_examples_that_it_may_have_learned_from(lenet: Fitted) -> None:
    # Scikit-learn's digits have no test part, so the seed decides what is held out.
    seed = lenet.card.options["seed"]
    evaluate(lenet, seed=seed)
    with pytest.raises(InputError, match=f"^seed: expected {seed}, as in the fit, .* received"):
        evaluate(lenet, seed=seed + 1)
    evaluate(lenet, "digits", seed=seed + 1)
