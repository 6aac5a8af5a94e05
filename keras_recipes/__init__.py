"""Classic neural nets from popular articles as Keras 3 recipes.

Four of them: xor, mnist-mlp, lenet5 and lstm-anomaly.

A builder returns a compiled `keras.Model`, to do with what you like:

    from keras_recipes import build_lenet5

    model = build_lenet5(dropout=0.1)
    model.summary()

The verbs train, measure, ask, draw, convert and keep such nets:

    from keras_recipes import evaluate, export, fit, load, plot, predict, save

    fitted = fit("xor", seed=7)                 # or data="and.csv", or data=(x, y)
    predict(fitted, [[0, 1], [1, 1]])           # [{'input': '0,1', 'probability': 0.99, ...
    evaluate(fitted)                            # {'accuracy': 1.0, 'loss': 0.007, ...
    save(fitted, "saved_models/xor")            # fit alone saves nothing
    plot("xor", "pictures")                     # [PosixPath('pictures/loss.png'), ...
    export("xor", "onnx")                       # xor.onnx, read back and compared
    predict("lenet5", ["three.png", "scans/"])  # comes trained

What they take and return:

    fit(recipe, data)       a recipe's name, or a model that is to go on training  ->  Fitted
    evaluate(model, data)   metrics on its test data, or on data given             ->  dict
    predict(model, x)       arrays, lists, DataFrames, values as text, or files    ->  list of dicts
    plot(model, folder)     writes the recipe's pictures as PNG                    ->  list of paths
    export(model, format)   keras, json-h5, saved-model, onnx or litert            ->  Exported
    load(model)             opens a saved model, checked against its card          ->  Fitted
    save(model, folder)     writes a saved model, whole or not at all              ->  Path
    open_model(model)       as load, and exports in the runtime they are meant for

A `model` is what `fit`, `load` or `open_model` returned, a recipe's name (looked up in
./saved_models, then among the models that come with this package), or the path of a saved model's
folder or file. Keywords other than those named are the recipe's options, which
`recipes show NAME` lists; `names()` gives the recipes, `get(name)` what is known of one.

What is wrong with what was given raises InputError, a ValueError, in one line; a wrong option does
so before Keras is imported. UnsafeModelError and CorruptModelError refuse a model. All of them are
RecipeErrors.

Importing this package imports neither Keras nor NumPy; the first use of a name does.
"""

import importlib
from typing import TYPE_CHECKING, Any

__all__ = [
    "CorruptModelError",
    "Exported",
    "Fitted",
    "GoalNotReachedError",
    "InputError",
    "Opened",
    "RecipeError",
    "UnsafeModelError",
    "__version__",
    "build_lenet5",
    "build_linear_mnist",
    "build_lstm_anomaly",
    "build_mnist_mlp",
    "build_perceptron",
    "build_xor",
    "evaluate",
    "export",
    "fit",
    "generate",
    "get",
    "load",
    "names",
    "open_model",
    "plot",
    "predict",
    "save",
]

if TYPE_CHECKING:
    from keras_recipes.catalog import get, names
    from keras_recipes.commands.evaluate import evaluate
    from keras_recipes.commands.export import Exported, export
    from keras_recipes.commands.fit import fit
    from keras_recipes.commands.plot import plot
    from keras_recipes.commands.predict import generate, predict
    from keras_recipes.cookbook.lenet5 import build_lenet5
    from keras_recipes.cookbook.linear_mnist import build_linear_mnist
    from keras_recipes.cookbook.lstm_anomaly import build_lstm_anomaly
    from keras_recipes.cookbook.mnist_mlp import build_mnist_mlp
    from keras_recipes.cookbook.perceptron import build_perceptron
    from keras_recipes.cookbook.xor import build_xor
    from keras_recipes.errors import (
        CorruptModelError,
        GoalNotReachedError,
        InputError,
        RecipeError,
        UnsafeModelError,
    )
    from keras_recipes.models.fitted import Fitted, Opened
    from keras_recipes.saved.load import load, open_model
    from keras_recipes.saved.save import save

    __version__: str
else:
    # Type checkers do not see this, or they would believe that every name is here. A builder is in
    # the file of its recipe.
    _HOMES = {
        "CorruptModelError": "errors",
        "Exported": "commands.export",
        "Fitted": "models.fitted",
        "GoalNotReachedError": "errors",
        "InputError": "errors",
        "Opened": "models.fitted",
        "RecipeError": "errors",
        "UnsafeModelError": "errors",
        "evaluate": "commands.evaluate",
        "export": "commands.export",
        "fit": "commands.fit",
        "generate": "commands.predict",
        "get": "catalog",
        "load": "saved.load",
        "names": "catalog",
        "open_model": "saved.load",
        "plot": "commands.plot",
        "predict": "commands.predict",
        "save": "saved.save",
    }

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version(__name__)
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES.get(name) or f"cookbook.{name.removeprefix('build_')}"
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
