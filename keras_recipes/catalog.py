"""The catalog of recipes: each file in `cookbook/` is one recipe and has its name."""

import importlib
import pkgutil
from pathlib import Path

from keras_recipes.errors import InputError, described
from keras_recipes.recipe import Recipe

_COOKBOOK = Path(__file__).parent / "cookbook"


def names() -> list[str]:
    """Return the names of all recipes, sorted. No recipe is imported."""
    modules = pkgutil.iter_modules([str(_COOKBOOK)])
    return sorted(module.name.replace("_", "-") for module in modules)


def canonical(name: str) -> str | None:
    """Return the recipe's name in its usual spelling, or None if there is no such recipe."""
    name = name.lower().replace("_", "-")
    return name if name in names() else None


def get(name: str) -> Recipe:
    """Return a recipe.

    Args:
        name: One of `names()`; underscores and capitals are accepted too.

    Raises:
        InputError: There is no such recipe. The message suggests similar names.
    """
    if not isinstance(name, str):
        raise InputError(f"recipe: expected a recipe's name, received {described(name)}")
    known = canonical(name)
    if known is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), names()) or names()
        raise InputError(f"no recipe is called {name!r}; did you mean {' or '.join(near)}?")
    module = importlib.import_module(f"keras_recipes.cookbook.{known.replace('-', '_')}")
    recipe: Recipe = module.RECIPE
    return recipe
