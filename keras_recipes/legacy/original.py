"""Compare a converted model with Keras 2 itself, if tf-keras is installed.

tf-keras gets what was accepted already: the architecture without the settings that matter to
training only, which could name classes of any module, and weights that are written anew.
"""

import contextlib
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.legacy import architecture
from keras_recipes.legacy.reading import Old
from keras_recipes.legacy.tree import Layer
from keras_recipes.untrusted import budget, hdf5

if TYPE_CHECKING:
    import keras

EXAMPLES, UNKNOWN_SIZE = 4, 7
_FOR_TRAINING = ("_initializer", "_regularizer", "_constraint")
_NEW_FORM = {"module", "registered_name", "build_config", "compile_config", "shared_object_id"}


def difference(old: Old, h5: bytes, model: "keras.Model") -> tuple[float, str] | None:
    """Return the largest difference from Keras 2's outputs, and what computed these.

    Args:
        old: The old model, which was converted.
        h5: The content of its file with the weights.
        model: The new model.

    Returns:
        The difference relative to max(1, |output|) on random inputs with zeros among them; None
        if Keras 2 is not here, or cannot open the model.
    """
    if old.version != 2 or old.theano or backend.name() != "tensorflow":
        return None
    if importlib.util.find_spec("tf_keras") is None:
        return None
    # Whatever goes wrong in the other Keras is no fault of the conversion.
    with contextlib.suppress(Exception), backend.suppressed_output():
        theirs = _opened(old, h5)
        x = _inputs(old, theirs)
        pairs = zip(_flat(model(x, training=False)), _flat(theirs(x, training=False)), strict=True)
        largest = max(_largest(np.asarray(a), np.asarray(b)) for a, b in pairs)
        return largest, f"tf-keras {version('tf-keras')}"
    return None


def _opened(old: Old, h5: bytes) -> Any:
    with budget.importing():
        import tf_keras

    text = json.dumps(_without_training(old.architecture))
    model = tf_keras.models.model_from_json(text)
    with tempfile.TemporaryDirectory() as scratch:
        # The ending tells tf-keras the form.
        name = "model.h5" if old.arrays is None else "model.weights.h5"
        path = Path(scratch) / name
        _write(hdf5.read(h5, old.where), path)
        model.load_weights(path)
    return model


def _write(tree: hdf5.Tree, path: Path) -> None:
    """Write a file anew from what was read safely: h5py shall not see the old one's bytes."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in tree.arrays.items():
            file[name] = array
        for name, attributes in tree.attributes.items():
            place = (
                file.require_group(name) if name not in tree.arrays and name else file[name or "/"]
            )
            for key, value in attributes.items():
                place.attrs[key] = value


def _without_training(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_training(item)
            for key, item in value.items()
            if key not in _NEW_FORM and not key.endswith(_FOR_TRAINING)
        }
    return [_without_training(item) for item in value] if isinstance(value, list) else value


def _inputs(old: Old, model: Any) -> Any:
    """Return random inputs: whole numbers where words are looked up, and zeros in places."""
    random, words = np.random.default_rng(0), _most_words(architecture.tree(old.architecture))
    arrays = []
    for tensor in model.inputs:
        shape = [EXAMPLES, *(size or UNKNOWN_SIZE for size in tensor.shape[1:])]
        x = random.integers(0, words, shape) if words else random.normal(size=shape)
        if len(shape) > 1:
            x = x * (random.random(shape[:2]) < 0.8).reshape(*shape[:2], *[1] * (len(shape) - 2))
        arrays.append(x.astype(tensor.dtype.as_numpy_dtype))
    if isinstance(model.input, dict):
        return dict(zip(model.input_names, arrays, strict=True))
    return arrays if len(arrays) > 1 else arrays[0]


def _most_words(model: Layer) -> int:
    """Return how many words every Embedding knows; 0 if there is none."""
    return min(_sizes(model), default=0)


def _sizes(layer: Layer) -> Iterator[int]:
    if layer.kind == "Embedding":
        yield int(layer.config["input_dim"])
    for inner in layer.layers:
        yield from _sizes(inner)


def _flat(outputs: Any) -> list[Any]:
    import keras

    return list(keras.tree.flatten(outputs))


def _largest(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape or not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return float("inf")
    return float(np.nanmax(abs(ours - theirs) / np.maximum(1, abs(theirs)), initial=0))
