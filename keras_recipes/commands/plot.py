"""Drawing the pictures of a model's recipe as files: all of them or none."""

import logging
from pathlib import Path
from typing import Any

from keras_recipes import atomic, catalog
from keras_recipes.data import files, never_replaced
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Model
from keras_recipes.report import plots
from keras_recipes.saved import locate
from keras_recipes.saved.load import find

DEFAULT_FOLDER = Path("plots")

MOST_NAMED = 5
"""The most pictures that a message names."""

log = logging.getLogger(__name__)


def plot(model: Model, folder: str | Path | None = None, *, data: Any = None) -> list[Path]:
    """Draw the pictures that belong to a model's recipe.

    Args:
        model: What `fit` or `load` returned; or a recipe's name, or the path of a saved model.
        folder: The folder for the pictures; None means `plots/` and the model's name.
        data: The data to draw, as for `evaluate`; None reads the model's training data again.

    Returns:
        The PNG files that were written, such as `plots/xor/loss.png`.

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
        raise InputError(
            f"{found.name}: has no card, so no recipe can draw it; name a fitted recipe"
        )
    recipe = catalog.get(card.recipe)
    target = DEFAULT_FOLDER / found.name if folder is None else locate.target(folder)
    plots.check_folder(target)
    draw = recipe.answers.draw(recipe, card, data)
    figures = list(draw(found.in_keras()))  # if one cannot be drawn, none is written
    paths = [target / f"{name}.png" for name, _ in figures]
    there = sum(path.exists() for path in paths)
    for path in paths:
        never_replaced.check(path, files.as_texts(data) or ())
        atomic.prepare_file(path)
    for path, (_, figure) in zip(paths, figures, strict=True):
        plots.save(figure, path)
    if there:
        log.info("replaced %d picture%s in %s", there, "s" * (there > 1), target)
    if left := sorted({path.name for path in target.glob("*.png")} - {path.name for path in paths}):
        named = ", ".join(left[:MOST_NAMED])
        log.info("%s also holds pictures that were not drawn now: %s", target, named)
    return paths
