"""The facts that `recipes list` prints about a recipe."""

from typing import Any

from keras_recipes.errors import RecipeError
from keras_recipes.recipe import Recipe
from keras_recipes.saved import locate


def entry(recipe: Recipe) -> dict[str, Any]:
    """Return the facts about a recipe; `measured` is empty until it was fitted here."""
    try:
        card = locate.card_of(recipe.name)
    except RecipeError:
        card = None
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "parameters": recipe.parameters,
        "data": recipe.data,
        "data_here": recipe.data_here(),
        "reported": dict(recipe.source.reported),
        "measured": card.metrics if card else {},
        "measured_on": card.data["name"] if card else None,
    }
