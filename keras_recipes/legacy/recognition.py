"""Recognize by their content files that look like models and are not read, and say the way out."""

import re
import shlex
from typing import Any

from keras_recipes.errors import InputError, RecipeError, UnsafeModelError

YAML = (".yaml", ".yml")

_YAML = re.compile(rb"\A(?:---\s*\n)?(?:backend|class_name|config|keras_version):", re.MULTILINE)
_PAGE = re.compile(rb"\A\s*<(?:!doctype|html)", re.IGNORECASE)
_PICKLES = tuple(b"\x80" + bytes([version]) for version in range(2, 6))
_TO_JSON = (
    'import json, sys, yaml; text = sys.stdin.read().replace("!!python/tuple", ""); '
    "json.dump(yaml.safe_load(text), sys.stdout)"
)


def check(content: bytes, where: str) -> None:
    """Refuse content of a kind that is no model's JSON, if the kind is known.

    Args:
        content: The bytes of a file in which JSON is expected.
        where: The name of the file, for the message.

    Raises:
        InputError: It is YAML or a web page.
        UnsafeModelError: It is a pickle.
    """
    if content.startswith(_PICKLES) and content.endswith(b"."):
        raise UnsafeModelError(
            f"{where}: refused, a Python pickle, which could run code when it is opened; where the "
            "model is built, save the text that model.to_json() returns"
        )
    if _YAML.match(content):
        raise yaml(where)
    if _PAGE.match(content):
        raise InputError(
            f"{where}: a web page, not the file itself; download the file again (on GitHub: "
            "Download raw file)"
        )


def yaml(where: str) -> InputError:
    """Return the error for an architecture in YAML."""
    return InputError(
        f"{where}: an architecture in YAML, which is not read; turn it into JSON (needs PyYAML): "
        f"python -c {shlex.quote(_TO_JSON)} < {where} > model.json"
    )


def check_value(value: Any, where: str) -> None:
    """Refuse JSON of a known kind that is not an architecture of Keras 1 or later.

    Raises:
        InputError: It is a model of TensorFlow.js or of Keras 0.
    """
    if not isinstance(value, dict):
        return
    if "modelTopology" in value or "weightsManifest" in value:
        raise _of_tensorflow_js(value, where)
    if "class_name" not in value and value.get("name") in ("Sequential", "Graph"):
        raise InputError(
            f"{where}: a model of Keras 0, which is not read; open it in Keras 1.0 with its own "
            "weights, save both again, and convert these files"
        )


def _of_tensorflow_js(value: dict[str, Any], where: str) -> RecipeError:
    if value.get("format") == "graph-model":
        way = "a graph without layers; ask for the Keras model that it was made from"
    else:
        way = (
            "turn it back with the package tensorflowjs: tensorflowjs_converter --input_format "
            f"tfjs_layers_model --output_format keras {where} model.h5"
        )
    return InputError(f"{where}: a model of TensorFlow.js, which is not read; {way}")
