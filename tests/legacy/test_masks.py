"""Masks of Keras 2: random models with masked sequences compute what tf-keras computes."""

import json
import os
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
tf_keras = pytest.importorskip("tf_keras", reason="Keras 2 itself is the measure")

from keras_recipes.errors import InputError  # noqa: E402
from tests.legacy import masked_models  # noqa: E402
from tests.legacy.keras2_files import saved  # noqa: E402
from tests.legacy.keras2_models import shuffle  # noqa: E402
from tests.legacy.legacy_files import answers, opened  # noqa: E402

TOLERANCE = 1e-5


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
    max_examples=300,
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
