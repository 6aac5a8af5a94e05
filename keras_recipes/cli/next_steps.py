"""What may be typed after a fit."""

import shlex
from pathlib import Path

from keras_recipes import catalog
from keras_recipes.models.card import Card
from keras_recipes.recipe import Recipe
from keras_recipes.saved import locate


def next_steps(recipe: Recipe, card: Card, folder: Path) -> list[str]:
    """What may be typed after a fit, to the letter; a word in capitals stands for a file."""
    model, paths = str(folder), card.data["paths"]
    if folder == locate.default_folder(recipe.name):
        model = recipe.name
    elif catalog.canonical(model) or model.startswith("-"):
        model = f"./{model}"
    model, example = shlex.quote(model), recipe.example(paths or [])
    capitals = any(letter.isupper() for letter in example)
    return [
        f"what to try next{' (in capitals: a file of yours)' * capitals}:",
        f"  recipes predict {model} {example}",
        # What came from a pipe or from Python cannot be read again.
        *([f"  recipes plot {model}"] if paths is not None else []),
        f"  recipes show {recipe.name}",
    ]
