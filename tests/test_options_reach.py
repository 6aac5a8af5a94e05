"""Every option that a command accepts reaches the function that uses it; others are refused."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from keras_recipes import catalog, evaluate, fit, options, predict
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from keras_recipes.options import Option
from keras_recipes.recipe import Answers, Command, Learned, Recipe, Step

# The data and the inputs with which each recipe is tried; `lstm-anomaly` has two kinds of records.
CASES = {
    "xor": ("xor", None, [[0, 1]]),
    "mnist-mlp": ("mnist-mlp", "digits", None),
    "lenet5": ("lenet5", "digits", None),
    "logs": ("lstm-anomaly", "demo", "demo-anomalies"),
    "series": ("lstm-anomaly", "demo-metrics", "demo-metrics-anomalies"),
}

Calls = dict[str, list[dict[str, Any]]]


def recorded(value: Any, calls: Calls) -> Any:
    """Return the same recipe, or part of one, whose functions record the options they get."""
    if isinstance(value, dict):
        return {name: recorded(item, calls) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        mine = {f.name: recorded(getattr(value, f.name), calls) for f in fields(value)}
        return replace(value, **mine)
    if not inspect.isfunction(value) or not options.taken(value):
        return value

    @functools.wraps(value)
    def noted(*arguments: Any, **given: Any) -> Any:
        calls.setdefault(value.__qualname__, []).append(given)
        return value(*arguments, **given)

    return noted


def names_read(function: Callable[..., Any]) -> set[str]:
    """Return the names whose values a function's body reads."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    body = ast.Module(definition.body, [])
    loads = (n for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return {node.id for node in loads}


def every_step() -> Iterator[tuple[str, Step]]:
    for name in catalog.names():
        yield from ((name, step) for step in options.steps(catalog.get(name)))


@pytest.mark.parametrize("name", catalog.names())
def test_no_function_takes_an_option_that_it_does_not_read(name: str) -> None:
    for step in options.steps(catalog.get(name)):
        unread = options.taken(step.function) - names_read(inspect.unwrap(step.function))
        assert not unread, f"{step.function.__qualname__} takes {unread} and ignores it"


def other_than_default(option: Option) -> Any:
    """Return a valid value that is not the default, if there is one that is quick to try."""
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    if option.kind is bool:
        return not option.default
    if option.kind is str:
        return None
    for value in (2, 0.5, 0.25) if option.kind is int else (0.02, 0.03):
        if value != option.default:
            try:
                return option.check(value)
            except InputError:
                continue
    return None


# These options decide what the data or the net is, so another value fits another model; `frozen`
# needs a model to start from.
LEFT_ALONE = {
    *("kind", "log_format", "classes", "variant", "cell", "encoding", "features", "deskew"),
    "frozen",
}


def tried(recipe: Recipe, command: Command, learned: Learned | None) -> dict[str, Any]:
    known = options.of(recipe, command, learned)
    found = {name: other_than_default(o) for name, o in known.items() if name not in LEFT_ALONE}
    return {name: value for name, value in found.items() if value is not None}


def assert_arrived(
    recipe: Recipe, command: Command, given: dict[str, Any], learned: Learned, calls: Calls
) -> None:
    steps = [s for s in options.steps(recipe, learned) if command in s.commands]
    for step in steps:
        name = inspect.unwrap(step.function).__qualname__
        expected = {n: given[n] for n in options.taken(step.function) & given.keys()}
        if step.function.__name__ == "watch":
            continue  # only for standard input, which has its own test
        if expected:
            got = calls.get(name, [])
            assert any({n: c[n] for n in expected} == expected for c in got), f"{name}: {got}"


@pytest.fixture(scope="module")
def fits() -> dict[str, tuple[Recipe, Fitted, dict[str, Any], Calls]]:
    return {}


@pytest.fixture
def fitted_with_everything(
    request: pytest.FixtureRequest,
    fits: dict[str, tuple[Recipe, Fitted, dict[str, Any], Calls]],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Recipe, Fitted, dict[str, Any], Calls]:
    """Fit the case with other values of all options; return what its functions got."""
    case = request.getfixturevalue("case")
    if case not in fits:
        name, data, _ = CASES[case]
        calls: Calls = {}
        recipe = recorded(catalog.get(name), calls)
        kind = {"kind": "metrics" if case == "series" else "logs"}
        learned = kind if name == "lstm-anomaly" else None
        given = {**tried(recipe, "fit", learned), "epochs": 1, "batch_size": 32}
        if "updates" in given:
            given["updates"] = "minibatch"  # the others contradict a batch size
        given = {n: v for n, v in given.items() if n not in ("units", "length", "first")}
        if name == "xor":
            # A seed that reaches the goal; most nets of two units do not.
            given |= {"hidden_units": 12, "learning_rate": 0.5, "epochs": 20_000, "restarts": 3}
        with monkeypatch.context() as patched:
            patched.setattr(catalog, "get", lambda asked: recipe)
            model = fit(name, data, show_progress=False, **given)
        fits[case] = recipe, model, given, calls
    return fits[case]


@pytest.fixture
def picture(empty_folder: Path) -> Path:
    image = Image.new("L", (28, 28), 255)
    image.paste(0, (13, 4, 16, 24))
    image.save("one.png")
    return Path("one.png")


cases = pytest.mark.parametrize("case", CASES)


@pytest.mark.full
@cases
def test_every_option_of_fit_arrives(case: str, fitted_with_everything: Any) -> None:
    recipe, model, given, calls = fitted_with_everything
    assert model.card is not None
    assert_arrived(recipe, "fit", given, model.card.learned, calls)
    assert {n: model.card.options[n] for n in given} == given


@pytest.mark.full
@cases
def test_every_option_of_predict_arrives(
    case: str, fitted_with_everything: Any, monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    recipe, model, _, calls = fitted_with_everything
    calls.clear()
    given = tried(recipe, "predict", model.card.learned)
    given = {n: v for n, v in given.items() if n not in ("timeout", "open_sessions")}
    monkeypatch.setattr(catalog, "get", lambda asked: recipe)
    assert predict(model, CASES[case][2] or str(picture), **given) is not None
    assert_arrived(recipe, "predict", given, model.card.learned, calls)


@pytest.mark.full
@cases
def test_every_option_of_evaluate_arrives(
    case: str, fitted_with_everything: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, model, _, calls = fitted_with_everything
    calls.clear()
    given = tried(recipe, "evaluate", model.card.learned)
    monkeypatch.setattr(catalog, "get", lambda asked: recipe)
    evaluate(model, CASES[case][1], **given)
    assert_arrived(recipe, "evaluate", given, model.card.learned, calls)


@pytest.mark.parametrize("command", options.COMMANDS)
@pytest.mark.parametrize("name", catalog.names())
def test_what_a_command_does_not_use_is_refused(name: str, command: Command) -> None:
    recipe = catalog.get(name)
    accepted = options.of(recipe, command)
    for option in options.of(recipe).values():
        if option.name not in accepted:
            with pytest.raises(InputError, match=rf"^{option.name}: .*; give it to `recipes "):
                options.check(recipe, {option.name: option.default}, command)


def test_answers_have_no_step_that_no_command_calls() -> None:
    for name, step in every_step():
        assert isinstance(catalog.get(name).answers, Answers)
        assert step.commands or step.function.__name__ in ("check", "figures")
