"""The facts that `recipes show` prints about a recipe."""

from typing import Any

from keras_recipes import options
from keras_recipes.recipe import Recipe


def description(recipe: Recipe) -> dict[str, Any]:
    """Return the article, the layers, the options, the presets and the metrics of a recipe."""
    said, commands = options.descriptions(recipe), options.taken_by(recipe)
    parts = options.parts(recipe)
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "article": recipe.source.article,
        "reported": dict(recipe.source.reported),
        "data": recipe.data,
        "layers": [
            {
                "layer": layer.name,
                "type": layer.kind,
                "output shape": str(layer.output_shape),
                "parameters": layer.parameters,
            }
            for layer in recipe.layers
        ],
        "parameters": recipe.parameters,
        "options": [
            {
                "option": option.name,
                "default": option.default,
                "expected": option.expected + option.unset,
                "commands": commands[option.name],
                "part": parts[option.name],
                "meaning": said[option.name],
            }
            for option in options.of(recipe).values()
        ],
        "presets": {name: dict(values) for name, values in recipe.presets.items()},
        "metrics": {name: metric.meaning for name, metric in recipe.metrics.items()},
        "deviations": list(recipe.source.deviations),
    }
