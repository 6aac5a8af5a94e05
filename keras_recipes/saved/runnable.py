"""A saved model's runnable form, LiteRT, which answers without importing Keras or TensorFlow.

It is made from the model when the model is saved, and it is kept only if it computes the same
outputs. Architecture and weights remain the model of record.
"""

import logging

import numpy as np

from keras_recipes import backend, catalog, extras
from keras_recipes.errors import RecipeError, first_line
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.formats import litert
from keras_recipes.saved import comparison
from keras_recipes.saved.locate import RUNNABLE

MOST_INPUTS = 1_000
"""The most inputs on which outputs are compared."""

log = logging.getLogger(__name__)


def members(fitted: Fitted, examples: np.ndarray | None = None) -> dict[str, bytes]:
    """Return the runnable form of a model by its file's name, or nothing if there is none.

    Args:
        fitted: The model.
        examples: Inputs to compare the outputs on, shape (N, ...); None means those of an export.
    """
    if fitted.card is None or catalog.get(fitted.card.recipe).answers.needs_keras:
        return {}
    if backend.name() != "tensorflow" or not extras.is_here("ai-edge-litert"):
        log.debug("only TensorFlow writes the runnable form; without it, Keras answers")
        return {}
    try:
        made = litert.converted(fitted.model)
        x = comparison.inputs(fitted) if examples is None else examples
        _check(fitted, made[litert.MEMBER], x[:: -(-len(x) // MOST_INPUTS)])
    except Exception as error:  # each stage of the converter raises its own exception
        log.debug("no runnable form, so Keras answers: %s", first_line(error))
        return {}
    return {RUNNABLE: made[litert.MEMBER]}


def _check(fitted: Fitted, content: bytes, x: np.ndarray) -> None:
    runtime = litert.Interpreter({litert.MEMBER: content}, RUNNABLE)
    difference = comparison.difference(fitted.runtime.outputs(x), runtime.outputs(x))
    if not difference <= comparison.OTHER_RUNTIME:
        raise RecipeError(
            f"{RUNNABLE}: outputs differ by {difference:.3g}, expected at most "
            f"{comparison.OTHER_RUNTIME:g}"
        )
