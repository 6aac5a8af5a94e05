"""Figures, drawn with Matplotlib. The functions return a figure and do not show it."""

from keras_recipes.report.plots.canvas import ONE, ZERO, check_folder, save
from keras_recipes.report.plots.classes import confusion, mistakes
from keras_recipes.report.plots.images import (
    activations,
    components,
    error_histogram,
    filters,
    in_two_dimensions,
    preprocessed,
    reconstructions,
    weight_images,
)
from keras_recipes.report.plots.plane import decision_surface, hidden_layer, moving_line
from keras_recipes.report.plots.sequences import LONGEST_SESSION, scores, surprises, watched
from keras_recipes.report.plots.training import curve

__all__ = [
    "LONGEST_SESSION",
    "ONE",
    "ZERO",
    "activations",
    "check_folder",
    "components",
    "confusion",
    "curve",
    "decision_surface",
    "error_histogram",
    "filters",
    "hidden_layer",
    "in_two_dimensions",
    "mistakes",
    "moving_line",
    "preprocessed",
    "reconstructions",
    "save",
    "scores",
    "surprises",
    "watched",
    "weight_images",
]
