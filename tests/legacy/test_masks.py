"""Masks of Keras 2: random models with masked sequences compute what tf-keras computes."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

from keras_recipes import load  # noqa: E402
from keras_recipes.errors import InputError, UnsafeModelError  # noqa: E402
from keras_recipes.legacy import mask_graph  # noqa: E402
from tests.legacy import masked_models  # noqa: E402
from tests.legacy.keras2_files import saved  # noqa: E402
from tests.legacy.keras2_models import shuffle  # noqa: E402
from tests.legacy.legacy_files import answers, opened  # noqa: E402
from tests.shared_data import shared_data  # noqa: E402

TOLERANCE = 1e-5
MODELS = int(os.environ.get("KERAS_RECIPES_MASKED_MODELS", "60"))
"""The number of random models. A long run: KERAS_RECIPES_MASKED_MODELS=300 pytest FILE -k random"""


def difference(model: Any, x: list[np.ndarray]) -> float:
    """The largest difference after conversion; where Keras 2 gives NaN, so must Keras 3."""
    theirs = model(x, training=False)
    theirs = [np.asarray(y) for y in (theirs if isinstance(theirs, list) else [theirs])]
    ours = answers(opened(json.loads(model.to_json()), saved(model)), x if len(x) > 1 else x[0])
    ours = [np.asarray(y) for y in (ours if isinstance(ours, list) else [ours])]
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert np.array_equal(np.isnan(a), np.isnan(b))
    return max(
        float(np.nanmax(abs(a - b) / np.maximum(1, abs(b)), initial=0))
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.full
@settings(
    max_examples=MODELS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_random_models_compute_what_keras_2_computes(data: Any) -> None:
    tf_keras.backend.clear_session()

    def draw(items: list[Any]) -> Any:
        return items[data.draw(st.integers(0, len(items) - 1))]

    grower = masked_models.Grower(tf_keras, draw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = grower.model()
    note(" ".join(grower.made))
    random = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    shuffle(model, random)
    assert difference(model, masked_models.inputs(model, random)) <= TOLERANCE


L = tf_keras.layers


def embedded(zero: bool = True, shape: tuple[int, ...] = (5,)) -> tuple[Any, Any]:
    """An input of words, and its embedding."""
    ids = tf_keras.Input(shape, dtype="int32")
    return ids, L.Embedding(6, 3, mask_zero=zero)(ids)


def same(inputs: Any, outputs: Any) -> bool:
    """Whether a model computes after its conversion what it computed before."""
    model = tf_keras.Model(inputs, outputs)
    random = np.random.default_rng(3)
    shuffle(model, random)
    return difference(model, masked_models.inputs(model, random)) <= TOLERANCE


def test_a_decoder_keeps_the_mask_of_its_words() -> None:
    (a, x), (b, y) = embedded(), embedded()
    _, h, c = L.LSTM(4, return_state=True)(x)
    assert same([a, b], L.LSTM(4)(y, initial_state=[h, c]))
    assert same([a, b], L.GRU(4)(y, initial_state=[h]))


@pytest.mark.parametrize("merge", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
def test_a_merge_of_masked_sequences_is_masked_where_one_is(merge: str) -> None:
    (a, x), (b, y) = embedded(), embedded()
    assert same([a, b], L.LSTM(2)(getattr(L, merge)()([x, y])))


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_a_concatenation_is_masked_along_its_axis(axis: int) -> None:
    (a, x), (b, y) = embedded(), embedded()
    assert same([a, b], L.LSTM(2)(L.Concatenate(axis=axis)([x, y])))


def test_a_concatenation_with_an_unmasked_sequence_keeps_the_mask() -> None:
    (a, x), (b, y) = embedded(), embedded(zero=False)
    assert same([a, b], L.LSTM(2)(L.Concatenate()([x, y])))


@pytest.mark.parametrize(
    "name", ["concatenate", "embedding_mask", "lstm_bare", "not_equal", "any", "masking_kept"]
)
def test_names_of_added_operations_do_not_collide(name: str) -> None:
    tf_keras.backend.clear_session()
    a, x = embedded()
    y = L.Masking(0.5)(L.LSTM(3, return_sequences=True)(x))
    z = L.Concatenate(name=name)([x, y])
    assert same(a, L.Add()([L.LSTM(2)(z), L.LSTM(2)(y)]))


def test_layers_of_an_inner_model_may_have_names_of_outer_ones() -> None:
    a, x = embedded()
    within = tf_keras.Input((5, 3))
    inner = tf_keras.Model(within, L.LSTM(3, name="twice", return_sequences=True)(within))
    assert same(a, L.LSTM(2, name="twice")(inner(inner(x))))


def test_a_hierarchy_of_words_and_sentences_is_masked_twice() -> None:
    ids, x = embedded(shape=(4, 5))
    sentences = L.TimeDistributed(L.Bidirectional(L.LSTM(3)))(x)
    assert same(ids, L.GRU(2)(sentences))
    word = tf_keras.Input((5,), dtype="int32")
    encoder = tf_keras.Model(word, L.LSTM(3)(L.Embedding(6, 3, mask_zero=True)(word)))
    assert same(ids, L.GRU(2)(L.TimeDistributed(encoder)(ids)))


def test_a_mask_that_leaves_a_model_of_every_step_is_used() -> None:
    ids, word = tf_keras.Input((4, 5), dtype="int32"), tf_keras.Input((5,), dtype="int32")
    embedding = L.Embedding(6, 3, mask_zero=True)(word)
    encoder = tf_keras.Model(word, L.LSTM(3, return_sequences=True)(embedding))
    words = L.TimeDistributed(encoder)(ids)
    assert same(ids, L.TimeDistributed(L.GlobalAveragePooling1D())(words))


def test_masked_pictures_at_every_step_stay_masked_steps() -> None:
    x, picture = tf_keras.Input((4, 5, 5, 1)), tf_keras.Input((5, 5, 1))
    net = tf_keras.Model(picture, L.Flatten()(L.Conv2D(2, 3)(picture)))
    frames = L.TimeDistributed(net)(L.Masking(0.0)(x))
    assert same(x, L.LSTM(3)(frames))


def test_heads_pay_equal_attention_where_all_keys_are_masked() -> None:
    (a, x), (b, y) = embedded(), embedded()
    assert same([a, b], L.MultiHeadAttention(2, 2)(x, y, use_causal_mask=True))


@pytest.mark.parametrize(("version", "masked"), [("2.9.0", False), ("2.10.0", True)])
def test_heads_use_masks_since_keras_2_10(version: str, masked: bool) -> None:
    ids, x = embedded()
    model = tf_keras.Model(ids, L.MultiHeadAttention(2, 2)(x, x))
    value = {**json.loads(model.to_json()), "keras_version": version}
    words = np.array([[1, 2, 0, 0, 0]], "int32")
    ours = answers(opened(value, saved(model)), words)
    assert np.allclose(ours, model(words), atol=TOLERANCE) == masked


def test_a_mask_that_keras_3_cannot_express_is_named() -> None:
    x, inner = tf_keras.Input((4, 5, 3)), tf_keras.Input((5, 3))
    reader = tf_keras.Model(inner, L.LSTM(3)(inner))
    model = tf_keras.Model(x, L.TimeDistributed(reader, name="reads")(L.Masking(0.0)(x)))
    with pytest.raises(InputError, match=r"layer reads .*mask.*cannot be expressed"):
        opened(json.loads(model.to_json()), saved(model))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_mask_does_not_get_lost_in_layers_that_replace_one(wrapped: bool) -> None:
    ids, x = embedded(shape=(4, 5) if wrapped else (5,))
    rnn = L.SimpleRNN(3, activation=L.LeakyReLU(0.1))
    model = tf_keras.Model(ids, (L.TimeDistributed(rnn) if wrapped else rnn)(x))
    with pytest.raises(InputError, match="layer simple_rnn"):
        opened(json.loads(model.to_json()), saved(model))


def test_models_that_double_their_calls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_graph, "MOST_CALLS", 10)
    ids, x = embedded()
    inner = L.Dense(3)
    for _ in range(3):
        outer = tf_keras.Input((5, 3))
        inner = tf_keras.Model(outer, inner(inner(outer)))
    model = tf_keras.Model(ids, inner(x))
    with pytest.raises(UnsafeModelError, match="called more than"):
        opened(json.loads(model.to_json()), saved(model))


@pytest.mark.parametrize(
    "case",
    [
        "01-mask-lost-at-initial-state",
        "02-mask-lost-at-merge",
        "06-name-collision-of-mask-operation",
    ],
)
def test_the_cases_compute_what_keras_2_computed(case: str) -> None:
    folder = shared_data(f"cases/models/{case}")
    for path in sorted(folder.glob("*.h5")):
        x, want = recorded(path)
        assert np.allclose(load(path).model(x), want, atol=TOLERANCE), path.name


def recorded(path: Path) -> tuple[Any, np.ndarray]:
    """The input and the output of Keras 2 next to a model."""
    both = path.with_suffix(".npz")
    if both.exists():
        arrays = np.load(both)
        inputs = [arrays[name] for name in sorted(arrays) if name.startswith("x")]
        return inputs if len(inputs) > 1 else inputs[0], arrays["y"]
    beside = path.with_name(f"{path.stem}_x.npy")
    want = np.loadtxt(path.with_name(f"{path.stem}_want.csv"), delimiter=",")
    return np.load(beside), want
