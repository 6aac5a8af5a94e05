"""Requirements for every recipe in the catalog."""

import ast
import inspect
import re
from importlib import import_module

import numpy as np
import pytest

import keras_recipes
from keras_recipes import catalog, options
from keras_recipes.answers.per_input import PerInput
from keras_recipes.errors import InputError
from keras_recipes.recipe import Plan, Recipe
from tests.checkout import ROOT

RECIPES = [catalog.get(name) for name in catalog.names()]
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=catalog.names())


def by_hand(recipe: Recipe) -> int:
    """Return the number of parameters that the recipe's own test computes from the article."""
    name = recipe.name.replace("-", "_")
    parameters: int = import_module(f"tests.cookbook.test_{name}").PARAMETERS
    return parameters


@every_recipe
def test_its_file_has_its_name(recipe: Recipe) -> None:
    module = inspect.getmodule(recipe.build)
    assert module.__name__.rpartition(".")[2] == recipe.name.replace("-", "_")


@every_recipe
def test_its_builder_is_public(recipe: Recipe) -> None:
    name = recipe.build.__name__
    assert name == f"build_{recipe.name.replace('-', '_')}"
    assert getattr(keras_recipes, name) is recipe.build
    assert name in dir(keras_recipes)


@every_recipe
def test_its_net_is_the_one_that_show_prints(recipe: Recipe) -> None:
    model = recipe.build()
    built = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape), layer.count_params())
        for layer in model.layers
    ]
    declared = [(x.name, x.kind, x.output_shape, x.parameters) for x in recipe.layers]
    assert built == declared
    assert model.count_params() == recipe.parameters == by_hand(recipe)
    assert model.compiled


@every_recipe
def test_its_options_have_bounds_or_choices(recipe: Recipe) -> None:
    for option in options.of(recipe).values():
        assert option.check(option.default) == option.default


# An explanation begins with a noun phrase ("Number of units.") or with a verb that says what the
# option does. A text that begins with one of these words needs the option's name before it.
FRAGMENT = re.compile(
    r"(Of|At|In|As|With|Without|After|Before|For|From|By|Whether|So|To|On|And|Or|If|The|A|An)\b"
)


@every_recipe
def test_what_it_says_of_options_and_metrics_are_sentences(recipe: Recipe) -> None:
    said = {
        **options.descriptions(recipe),
        **{f"metric {name}": metric.meaning for name, metric in recipe.metrics.items()},
    }
    for name, text in said.items():
        assert not FRAGMENT.match(text), f"{name}: {text}"
        assert text[:1].isupper(), f"{name}: {text}"
        assert text.endswith("."), f"{name}: {text}"
        assert len(text.split()) >= 3, f"{name}: {text}"
        assert text.count("`") % 2 == 0, f"{name}: {text}"


def test_what_leans_on_a_name_is_told_from_a_sentence() -> None:
    for fragment in ("Of the LSTM.", "At most.", "Whether to go on.", "With today's layers."):
        assert FRAGMENT.match(fragment)
    for sentence in ("Number of LSTM units.", "Adds a column.", "How strongly it shrinks."):
        assert not FRAGMENT.match(sentence)


@every_recipe
def test_its_presets_are_options_it_has(recipe: Recipe) -> None:
    for preset in (None, *recipe.presets):
        values = options.resolve(recipe, preset, {})
        assert isinstance(options.call(recipe.training, options=values), Plan)


@every_recipe
def test_it_reports_only_what_it_measures(recipe: Recipe) -> None:
    if recipe.source.reported:
        perfect = np.eye(2, dtype="float32")
        assert set(recipe.source.reported) <= set(recipe.measure(perfect, perfect))
        assert recipe.source.data


@every_recipe
def test_it_says_what_its_metrics_mean(recipe: Recipe) -> None:
    if isinstance(recipe.answers, PerInput):
        targets = outputs = np.eye(2, dtype="float32")
    else:  # the next of three token ids at each of two steps
        targets, outputs = np.array([[1, 2]]), np.full((1, 2, 3), 1 / 3)
    assert set(recipe.measure(targets, outputs)) <= set(recipe.metrics)


@every_recipe
def test_its_docstring_tells_its_source(recipe: Recipe) -> None:
    module = inspect.getmodule(recipe.build)
    assert "«" in module.__doc__ or "*" in module.__doc__
    assert recipe.source.article


@every_recipe
def test_there_is_a_script_that_walks_through_its_article(recipe: Recipe) -> None:
    script = (ROOT / "recipes" / f"{recipe.name.replace('-', '_')}.py").read_text()
    # The script shows the layers, and compares the builder with them.
    assert "keras.Sequential(" in script
    assert f"{recipe.build.__name__}(" in script


def test_no_recipe_imports_another() -> None:
    for path in (ROOT / "keras_recipes" / "cookbook").glob("*.py"):
        imported = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
        ]
        assert not [node for node in imported if "cookbook" in (node.module or "")], path


def test_an_unknown_recipe_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean xor"):
        catalog.get("xro")


def test_capitals_and_underscores_are_accepted_in_names() -> None:
    assert catalog.get("XOR") is catalog.get("xor")
