"""Which recipes there are: the files in `cookbook/`, by their names; nothing is listed twice."""

import importlib
import pkgutil
from pathlib import Path

from keras_recipes.errors import InputError, described
from keras_recipes.recipe import Recipe

_COOKBOOK = Path(__file__).parent / "cookbook"


def names() -> list[str]:
    """Every recipe's name, sorted, without importing any of them."""
    modules = pkgutil.iter_modules([str(_COOKBOOK)])
    return sorted(module.name.replace("_", "-") for module in modules)


def canonical(name: str) -> str | None:
    """The recipe's name as it is written here, or None when there is no such recipe."""
    name = name.lower().replace("_", "-")
    return name if name in names() else None


def get(name: str) -> Recipe:
    """The recipe of that name.

    Args:
        name: As in `names()`; underscores and capitals are accepted.

    Raises:
        InputError: There is no such recipe; the nearest names are offered.
    """
    if not isinstance(name, str):
        raise InputError(f"recipe: expected a name, received {described(name)}")
    known = canonical(name)
    if known is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), names()) or names()
        raise InputError(f"no recipe is called {name!r}; did you mean {' or '.join(near)}?")
    module = importlib.import_module(f"keras_recipes.cookbook.{known.replace('-', '_')}")
    recipe: Recipe = module.RECIPE
    return recipe
