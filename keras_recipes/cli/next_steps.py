"""The commands that `recipes fit` suggests at its end."""

import shlex
from pathlib import Path

from keras_recipes import catalog
from keras_recipes.models.card import Card
from keras_recipes.recipe import Recipe
from keras_recipes.saved import locate


def next_steps(recipe: Recipe, card: Card, folder: Path) -> list[str]:
    """Return the lines that suggest commands to try; a word in capitals stands for a file."""
    model, paths = str(folder), card.data["paths"]
    if folder == locate.default_folder(recipe.name):
        model = recipe.name
    elif catalog.canonical(model) or model.startswith("-"):
        model = f"./{model}"
    model, example = shlex.quote(model), recipe.example(paths or [])
    capitals = any(letter.isupper() for letter in example)
    return [
        f"what to try next{' (put a file of yours for the word in capitals)' * capitals}:",
        f"  recipes predict {model} {example}",
        # Data from a pipe or from Python cannot be read again for the pictures.
        *([f"  recipes plot {model}"] if paths is not None else []),
        f"  recipes show {recipe.name}",
    ]
