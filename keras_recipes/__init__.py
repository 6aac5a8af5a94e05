"""Classic neural nets from popular articles as Keras 3 recipes.

    from keras_recipes import build_xor, evaluate, export, fit, load, predict, save

    fitted = fit("xor")
    predict(fitted, [[0, 1], [1, 1]])
    save(fitted, "saved_models/xor")

Importing this package imports neither Keras nor its backend; the first use of a name does.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_recipes.catalog import get as get
    from keras_recipes.catalog import names as names
    from keras_recipes.cookbook.xor import build_xor as build_xor
    from keras_recipes.exporting import export as export
    from keras_recipes.opening import open_model as open_model
    from keras_recipes.prediction import predict as predict
    from keras_recipes.recipe import Fitted as Fitted
    from keras_recipes.storage import load as load
    from keras_recipes.storage import save as save
    from keras_recipes.training import evaluate as evaluate
    from keras_recipes.training import fit as fit

_HOMES = {
    "Fitted": "recipe",
    "evaluate": "training",
    "export": "exporting",
    "fit": "training",
    "get": "catalog",
    "load": "storage",
    "names": "catalog",
    "open_model": "opening",
    "predict": "prediction",
    "save": "storage",
}


def _builders() -> dict[str, str]:
    from keras_recipes import catalog

    modules = [name.replace("-", "_") for name in catalog.names()]
    return {f"build_{module}": f"cookbook.{module}" for module in modules}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name) or (_builders().get(name) if name.startswith("build_") else None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_builders()})
