"""A mutated file opens or is refused in one line; benchmarks/fuzz.py tries many more."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipes import load
from keras_recipes.errors import RecipeError
from keras_recipes.models.card import Card
from keras_recipes.untrusted import architecture, hdf5
from tests.checkout import SHIPPED
from tests.untrusted import mutations

pytestmark = pytest.mark.full

LENET5 = SHIPPED / "lenet5"
JSON, WEIGHTS, CARD = "model.json", "model.weights.h5", "card.json"
FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def outcome(read: object, content: bytes) -> object:
    """Return what is read, or None if it is refused correctly."""
    started = time.process_time()
    try:
        found = read(content, "file")
    except RecipeError as refusal:
        assert str(refusal).isprintable()
        found = None
    assert time.process_time() - started < 2
    return found


@FEW
@given(data=st.data())
def test_a_configuration_opens_or_is_refused(data: st.DataObject) -> None:
    content = data.draw(mutations.mutated_json((LENET5 / JSON).read_bytes()))
    found = outcome(architecture.read, content)
    if found:  # then JSON can express everything in it
        assert json.loads(json.dumps(found.config)) == found.config


@FEW
@given(data=st.data())
def test_a_card_opens_or_is_refused(data: st.DataObject) -> None:
    outcome(Card.from_json, data.draw(mutations.mutated_json((LENET5 / CARD).read_bytes())))


@FEW
@given(data=st.data())
def test_weights_open_or_are_refused(data: st.DataObject, small: bytes) -> None:
    found = outcome(hdf5.read, data.draw(mutations.mutated_hdf5(small)))
    if found:
        assert all(isinstance(array, np.ndarray) for array in found.arrays.values())


@settings(FEW, max_examples=40)
@given(data=st.data())
def test_of_a_model_with_a_card_no_change_goes_unnoticed(saved: Path, data: st.DataObject) -> None:
    member = data.draw(st.sampled_from([JSON, WEIGHTS]))
    whole = (saved / member).read_bytes()
    mutate = mutations.mutated_json if member == JSON else mutations.mutated_hdf5
    changed = data.draw(mutate(whole))
    (saved / member).write_bytes(changed)
    try:
        if changed != whole:
            with pytest.raises(RecipeError):
                load(saved)
    finally:
        (saved / member).write_bytes(whole)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from tests.untrusted import hostile_cases

    folder = tmp_path_factory.mktemp("small")
    hostile_cases.good_pair(folder)
    return (folder / WEIGHTS).read_bytes()
