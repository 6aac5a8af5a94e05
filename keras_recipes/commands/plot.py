"""Drawing a model: its recipe's pictures, all of them or none, as files."""

import logging
from pathlib import Path
from typing import Any

from keras_recipes import catalog
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Model
from keras_recipes.report import plots
from keras_recipes.saved import locate
from keras_recipes.saved.load import find

DEFAULT_FOLDER = Path("plots")

MOST_NAMED = 5
"""So many pictures are named in a message."""

log = logging.getLogger(__name__)


def plot(model: Model, folder: str | Path | None = None, *, data: Any = None) -> list[Path]:
    """Draws the pictures that belong to a model's recipe.

    Args:
        model: From `fit` or `load`; a recipe's name, or a saved model's path.
        folder: Where to write them; None means `plots/` and the model's name.
        data: What is to be drawn, as for `evaluate`; None reads again what the model was fitted on.

    Returns:
        The PNG files written, such as `plots/xor/loss.png`.

    Raises:
        InputError: The model has no card, the folder cannot be written, or the data cannot be
            read.
        RecipeError: A picture could not be written.
        UnsafeModelError: As for `load`.
        CorruptModelError: As for `load`.
    """
    found = find(model)
    found.check_keras()
    card = found.card
    if card is None:
        raise InputError(f"{found.name}: has no card, so no recipe that draws it")
    recipe = catalog.get(card.recipe)
    target = DEFAULT_FOLDER / found.name if folder is None else locate.target(folder)
    plots.check_folder(target)
    draw = recipe.answers.draw(recipe, card, data)
    figures = list(draw(found.in_keras()))  # all or, if one cannot be drawn, none
    paths = [target / f"{name}.png" for name, _ in figures]
    there = sum(path.exists() for path in paths)
    for path, (_, figure) in zip(paths, figures, strict=True):
        plots.save(figure, path)
    if there:
        log.info("replaced %d picture%s in %s", there, "s" * (there > 1), target)
    if left := sorted({path.name for path in target.glob("*.png")} - {path.name for path in paths}):
        log.info("%s holds other pictures, not drawn now: %s", target, ", ".join(left[:MOST_NAMED]))
    return paths
