"""docs/models/old-layers.md: each layer of Keras 1 and 2 that is tried, and its successor."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from keras_recipes.legacy import architecture, convert, keras2, reading, weights
from keras_recipes.legacy.tree import Layer, leaves
from tests.checkout import ROOT
from tests.legacy.legacy_files import read, weights_file
from tests.legacy.test_keras1 import RECORDED, RECORDINGS
from tests.pages import generated

tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

from tests.legacy.test_keras2 import CASES, NODES, kept, node_layer  # noqa: E402

pytestmark = pytest.mark.full

PAGE = ROOT / "docs" / "models" / "old-layers.md"
HEAD = """# Old models, layer by layer

This page lists the layers of old models that the tests convert, and what `recipes convert` makes of
each. `tests/legacy/test_page_of_old_models.py` writes it. All converted models compute the same
outputs as before, to 1e-5 relative to max(1, |y|). Models of Keras 2 are compared with `tf-keras`,
which is Keras 2, still maintained. Models of Keras 1 and of Theano are compared with outputs that
Keras 1.0.8, 1.2.2 and 2.2.4 computed.

"""
REFUSED = """
## What is not converted

`recipes convert` refuses these layers. Its message names the layer, the reason, and what to do.

| Keras | layer | why not |
| --- | --- | --- |
| 1, 2 | `Lambda`, `Merge` with a function, activations that are functions | Python code that would run (exit status 3) |
| 1, 2 | custom layers and activations | only their code knows what they compute |
| 1 | `BatchNormalization` with `mode=2` | normalizes by the other inputs of a batch |
| 1 | `Graph` | rebuild it as a functional model |
| 1 | `Merge` with `mode="cos"` | its output had other axes than Keras 1 assumed |
| 1, 2 | pooling with padding `same` and pools other than 3, on Theano | the first pool begins outside of the input |
| 1, 2 | `ConvLSTM2D` with even kernels, on Theano | pads on the other side at every time step |
| 1, 2 | `LSTM` and `ConvLSTM` with `activation="hard_sigmoid"` | its old slope would be applied to the state |
| 2 | bilinear `UpSampling2D` on Theano, and on TensorFlow 1 by more than 2 | enlarged from another corner |
| 2 | recurrent layers with `time_major=True` | Keras 3 has no such inputs |
| 2 | `BatchNormalization` with several axes, `renorm` or virtual batches | Keras 3 has these settings in another form, or not at all |
| 2 | `LocallyConnected` with `implementation` 2 or 3 | weights arranged for the whole image |
| 2 | `StringLookup`, `IntegerLookup`, `TextVectorization` | an HDF5 file does not hold their tables |
| 2 | `SpectralNormalization` | Keras 3 stores its state differently |
| 2 | ragged inputs | Keras 3 does not have them |
| 2 | a model inside of `TimeDistributed` that uses the mask of its input | Keras 3 gives such a model one tensor |
| 2 | `Attention`, `MultiHeadAttention`, `Softmax` inside of `TimeDistributed`, with masks | the same |
| 2 | masked `ConvLSTM` with channels first | it becomes several layers, which lose the mask |
| 2 | TensorFlow functions other than those above | no counterpart among Keras 3's operations |

The setting `stateful=True` is left out: every call starts without state, as the first call did.
"""  # noqa: E501


def old_models() -> Iterator[tuple[str, reading.Old]]:
    """Yield the Keras that saved a model, and the model."""
    for keras, name in RECORDED:
        recording = RECORDINGS[keras]
        value = json.loads(str(recording[f"{name}/json"]))
        yield keras, read(value, recording[f"{name}/h5"].tobytes())
    for name in CASES:
        yield "Keras 2", read(json.loads(kept(name).json), kept(name).h5)
    for op, (constants, attributes, _) in NODES.items():
        yield "Keras 2", read(node_layer(op, constants, attributes), weights_file({}))


@functools.cache
def converted() -> list[tuple[str, Layer, Layer, list[tuple[str, str, str]]]]:
    """Return for each model: its Keras, the tree before and after, and the changed layers."""
    found = []
    for keras, old in old_models():
        before = architecture.tree(old.architecture)
        weights.attach(before, old.groups, old.version, "the file")
        found.append((origin(keras, old), before, *convert.modern(old)))
    return found


def unchanged(layer: Layer, after: Layer) -> str:
    """Return whether a layer that keeps its class also keeps its weights."""
    now = next((x for x in after.layers if (x.name, x.kind) == (layer.name, layer.kind)), layer)
    pairs = [[array for leaf in leaves(x) for array in leaf.arrays] for x in (layer, now)]
    same = len(pairs[0]) == len(pairs[1]) and all(map(np.array_equal, *pairs))
    return "the same" if same else "the same with its weights rearranged or scaled"


def origin(keras: str, old: reading.Old) -> str:
    return f"{old.version}" + (", Theano" if keras == "keras-2.2.4" else "")


def named(layer: Layer) -> str:
    """Return a layer's class, and the name of the function that it calls, if any."""
    function = layer.config.get("function") if layer.kind.endswith("OpLambda") else None
    node = layer.config.get("node_def")
    inside = json.loads(node)["op"] if node else function
    return f"`{layer.kind}`" + (f" `{inside}`" if inside else "")


def rows() -> list[str]:
    found: dict[tuple[str, str], set[str]] = {}
    for keras, before, after, changes in converted():
        becomes = {name: now for name, _, now in changes}
        for layer in before.layers:
            if layer.kind not in ("InputLayer", "Sequential"):
                now = becomes.get(layer.name) or unchanged(layer, after)
                found.setdefault((named(layer), keras), set()).add(now)
    return [
        f"| {layer} | {version} | {'; or '.join(sorted(made, key=_same_first))} |"
        for (layer, version), made in sorted(found.items())
    ]


def _same_first(text: str) -> tuple[bool, str]:
    return not text.startswith("the same"), text


def page() -> str:
    head = "| layer | of Keras | becomes |\n| --- | --- | --- |\n"
    return HEAD + head + "\n".join(rows()) + "\n" + REFUSED


@pytest.mark.generated
def test_the_page_says_what_is_done() -> None:
    current = page()
    assert generated.text_of(PAGE, current) == current, generated.ADVICE


def test_every_layer_that_keras_3_kept_is_tried() -> None:
    tried: set[str] = set()
    for _, _, after, _ in converted():
        tried |= set(_kinds(after))
    # Operations take the place of Masking in every model whose input has a shape.
    untried = set(keras2.SETTINGS) - tried - {"Masking"}
    assert not untried, sorted(untried)


def _kinds(tree: Any) -> Iterator[str]:
    yield tree.kind
    for inner in tree.layers:
        yield from _kinds(inner)
