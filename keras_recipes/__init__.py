"""Classic neural nets from popular articles as Keras 3 recipes.

There are four recipes: xor, mnist-mlp, lenet5 and lstm-anomaly.

A builder returns a compiled `keras.Model`, which you can train and change as you like:

    from keras_recipes import build_lenet5

    model = build_lenet5(dropout=0.1)
    model.summary()

Functions train, measure, ask, draw, export and save these nets:

    from keras_recipes import check, evaluate, export, fit, load, plot, predict, save

    fitted = fit("xor", seed=7)                 # or data="and.csv", or data=(x, y)
    predict(fitted, [[0, 1], [1, 1]])           # [{'input': '0,1', 'probability': 0.99, ...
    evaluate(fitted)                            # {'accuracy': 1.0, 'loss': 0.007, ...
    save(fitted, "saved_models/xor")            # fit alone saves nothing
    plot("xor", "pictures")                     # [PosixPath('pictures/loss.png'), ...
    export("xor", "onnx")                       # xor.onnx, read back and compared
    check("xor").largest_difference             # 1e-11: backpropagation against nudged weights
    predict("lenet5", ["three.png", "scans/"])  # a trained LeNet-5 comes with the package

Their arguments and results:

    fit(recipe, data)       trains a recipe, or a model further                    ->  Fitted
    evaluate(model, data)   measures on the model's test data, or on data of yours ->  dict
    predict(model, x)       asks about arrays, lists, DataFrames, texts or files   ->  list of dicts
    plot(model, folder)     writes the recipe's pictures as PNG files              ->  list of paths
    export(model, format)   writes keras, json-h5, saved-model, onnx or litert     ->  Exported
    load(model)             opens a saved model and checks it against its card     ->  Fitted
    save(model, folder)     saves a model, completely or not at all                ->  Path
    check(recipe, data)     compares backpropagation with nudged weights           ->  Checked
    repeat(model)           fits a model again from its card, and compares the two ->  Repeated
    open_model(model)       opens a saved model or an export in its own runtime

A `model` is what `fit`, `load` or `open_model` returned, or a recipe's name, or the path of a saved
model's folder or file. A recipe's name stands for its model in ./saved_models or, if there is none,
for the trained model that comes with this package. All other keywords are options of the recipe,
which `recipes show NAME` lists. `names()` returns the names of the recipes, and `get(name)` returns
a recipe.

Wrong arguments raise InputError, which is a ValueError, with a message of one line. Wrong options
are refused before Keras is imported. UnsafeModelError and CorruptModelError refuse a model. All
these errors are RecipeErrors.

Importing this package does not import Keras or NumPy; they are imported when they are needed.
"""

import importlib
from typing import TYPE_CHECKING, Any

__all__ = [
    "Checked",
    "CorruptModelError",
    "Exported",
    "Fitted",
    "GoalNotReachedError",
    "InputError",
    "Opened",
    "RecipeError",
    "Repeated",
    "UnsafeModelError",
    "__version__",
    "build_autoencoder",
    "build_char_rnn",
    "build_lenet5",
    "build_linear_mnist",
    "build_lstm_anomaly",
    "build_mnist_mlp",
    "build_perceptron",
    "build_xor",
    "check",
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
    "repeat",
    "save",
]

if TYPE_CHECKING:
    from keras_recipes.catalog import get, names
    from keras_recipes.commands.check import Checked, check
    from keras_recipes.commands.evaluate import evaluate
    from keras_recipes.commands.export import Exported, export
    from keras_recipes.commands.fit import fit
    from keras_recipes.commands.plot import plot
    from keras_recipes.commands.predict import generate, predict
    from keras_recipes.commands.repeat import Repeated, repeat
    from keras_recipes.cookbook.autoencoder import build_autoencoder
    from keras_recipes.cookbook.char_rnn import build_char_rnn
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
    # Type checkers must not see `__getattr__`, or they would accept any name. A builder is in the
    # file of its recipe.
    _HOMES = {
        "Checked": "commands.check",
        "CorruptModelError": "errors",
        "Exported": "commands.export",
        "Fitted": "models.fitted",
        "GoalNotReachedError": "errors",
        "InputError": "errors",
        "Opened": "models.fitted",
        "RecipeError": "errors",
        "Repeated": "commands.repeat",
        "UnsafeModelError": "errors",
        "check": "commands.check",
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
        "repeat": "commands.repeat",
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
