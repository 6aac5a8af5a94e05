"""The classes that a model's configuration may name: Keras' public ones, with their arguments.

The table itself is `allowed.json`. `tests/untrusted/allowed_table.py` generates it from Keras, and
holds the reasons for the classes that are left out. This package's custom layers are registered
here, in `OWN`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OWN: dict[str, dict[str, str]] = {
    "ScaledTanh": {},
    "Step": {},
    "TrainableSubsampling2D": {},
    "TableConv2D": {},
    "DistanceToCodes": {},
    "Deskew": {},
    "OrientedGradients": {},
    "Standardization": {"divide": "bool"},
    "PrincipalComponents": {"components": "count", "whiten": "bool", "as_image": "bool"},
    "TurnedViews": {"degrees": "number"},
    "MeanOfViews": {},
    "CoupledLSTMCell": {
        "units": "count",
        "kernel_initializer": "initializer",
        "recurrent_initializer": "initializer",
    },
    "PeepholeLSTMCell": {
        "units": "count",
        "kernel_initializer": "initializer",
        "recurrent_initializer": "initializer",
        "peephole_initializer": "initializer",
    },
}
"""Custom layers of this package: the kinds of the arguments besides `LAYER`'s, by class name.

`keras_recipes/layers.py` names them. They are registered with Keras as "keras_recipes>...".
"""
OWN_MODULE = "keras_recipes.layers"
OWN_PACKAGE = "keras_recipes"

# Keras' own ready-made nets contain one layer that is not public.
_APPLICATIONS = {
    ("keras.src.applications.convnext", "LayerScale"): {
        "init_values": "number",
        "projection_dim": "count",
    }
}

LAYER = {"name": "name", "trainable": "bool", "dtype": "dtype"}

_MODULES = {
    "layers": ("keras.layers",),
    "initializers": ("keras.initializers",),
    "regularizers": ("keras.regularizers",),
    "constraints": ("keras.constraints",),
    "optimizers": ("keras.optimizers",),
    "schedules": ("keras.optimizers.schedules",),
    "losses": ("keras.losses",),
    "metrics": ("keras.metrics",),
}
DTYPES = frozenset(
    {"bool", "string", "bfloat16", "mixed_float16", "mixed_bfloat16"}
    | {f"float{bits}" for bits in (16, 32, 64)}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)


@dataclass(frozen=True)
class Allowed:
    """A class that a configuration may name.

    Attributes:
        group: "layers", "operations", "initializers", ...
        module: The module in which Keras finds it.
        name: The name of the class.
        arguments: The kind of each argument; `values` defines what a kind accepts.
        registered_name: The name that Keras looks up if the class is not its own.
    """

    group: str
    module: str
    name: str
    arguments: dict[str, str]
    registered_name: str | None = None


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(Path(__file__).with_name("allowed.json").read_bytes())
    return table


@cache
def _classes() -> dict[tuple[str, str], Allowed]:
    found = {}
    for group, modules in _MODULES.items():
        for name, arguments in _table()[group].items():
            for module in modules:
                found[module, name] = Allowed(group, module, name, arguments)
    for part, operations in _table()["operations"].items():
        module = f"keras.src.ops.{part}"
        for name, arguments in operations.items():
            found[module, name] = Allowed("operations", module, name, arguments)
    for module in ("keras", "keras.models"):
        found[module, "Sequential"] = Allowed("models", "keras", "Sequential", {})
    for module in ("keras.src.models.functional", "keras.models", "keras"):
        place = ("models", "keras.src.models.functional", "Functional")
        found[module, "Functional"] = Allowed(*place, {})
    return {**found, **_few()}


def _few() -> dict[tuple[str, str], Allowed]:
    """Return layers that are not in the table because they are not public in Keras."""
    found = {}
    for (module, name), arguments in _APPLICATIONS.items():
        found[module, name] = Allowed("layers", module, name, {**LAYER, **arguments})
    for name, arguments in OWN.items():
        registered = f"{OWN_PACKAGE}>{name}"
        kinds = {**LAYER, **arguments}
        found[OWN_MODULE, name] = Allowed("layers", OWN_MODULE, name, kinds, registered)
    return found


def find(module: Any, name: Any) -> Allowed | None:
    """Return the class that a configuration names, or None if it is not allowed."""
    known = isinstance(module, str) and isinstance(name, str)
    return _classes().get((module, name)) if known else None


def names(kind: str) -> frozenset[str]:
    """Return the names that an argument of this kind accepts: "activation", "loss", ..."""
    return frozenset(_table()["names"].get(kind, ()))


def reason(name: str) -> str | None:
    """Return why a public class of Keras is left out, or None."""
    excluded: dict[str, dict[str, str]] = _table()["excluded"]
    return next((group[name] for group in excluded.values() if name in group), None)
