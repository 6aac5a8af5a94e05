"""What a unit of a net sees of a picture: exactly the pixels that can change its value."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipes.models.net import Net
from keras_recipes.models.receptive_fields import receptive_fields

SIDE = 12

layers = st.one_of(
    st.builds(
        keras.layers.Conv2D,
        st.just(1),
        st.integers(1, 3),
        strides=st.integers(1, 2),
        padding=st.sampled_from(["valid", "same"]),
        kernel_initializer=st.just("ones"),
    ),
    st.builds(keras.layers.AveragePooling2D, st.integers(1, 2)),
    st.builds(keras.layers.ZeroPadding2D, st.integers(0, 2)),
    st.builds(keras.layers.Rescaling, st.just(2.0)),
)


@pytest.mark.full
@given(st.lists(layers, min_size=1, max_size=3), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_unit_sees_the_pixels_that_can_change_it(some: list[keras.Layer], flat: bool) -> None:
    end = [keras.layers.Flatten(), keras.layers.Dense(1, kernel_initializer="ones")]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), *some, *(end if flat else [])])
    # A picture with one pixel, for every pixel: all weights are positive, so none is hidden.
    pixels = np.eye(SIDE * SIDE, dtype="float32").reshape(-1, SIDE, SIDE, 1)
    changed = model(pixels).numpy() > 0
    fields = receptive_fields(Net.of(model).layers, SIDE, SIDE)[model.layers[-1].name]
    maps = changed.reshape(SIDE, SIDE, len(fields.rows), len(fields.columns), -1).any(-1)
    for row, rows in enumerate(fields.rows):
        for column, columns in enumerate(fields.columns):
            seen = np.argwhere(maps[:, :, row, column])
            if rows is None or columns is None:
                assert not len(seen)
                continue
            assert (seen.min(0).tolist(), seen.max(0).tolist()) == (
                [rows[0], columns[0]], [rows[1], columns[1]],
            )  # fmt: skip


def test_layers_that_may_see_anything_are_refused() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Permute((2, 1, 3), name="turn")])
    with pytest.raises(ValueError, match="turn: it is unknown what the units of a Permute see"):
        receptive_fields(Net.of(model).layers, 4, 4)
