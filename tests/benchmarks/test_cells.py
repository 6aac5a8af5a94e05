"""The benchmark of cells sets tasks that need memory, for nets of the same size."""

import keras
import numpy as np
import pytest

from benchmarks import cells
from benchmarks.cells import Kind
from keras_recipes.data.dataset import Examples

MANY = 4_000


def answer_is_the_first_symbol(data: Examples) -> bool:
    return bool(np.array_equal(data.x[:, :1], data.y))


@pytest.mark.parametrize("distance", [0, 1, 7, 40])
def test_the_answer_is_so_many_other_symbols_before_the_mark(distance: int) -> None:
    data = cells.copying(50, distance, seed=1)
    assert answer_is_the_first_symbol(data)
    assert data.x.shape == (50, distance + 2)
    assert (data.x[:, -1] == cells.MARK).all()
    others = data.x[:, 1:-1]
    assert ((others > cells.SYMBOLS) & (others <= 2 * cells.SYMBOLS)).all()
    assert set(data.y.ravel()) <= set(range(1, cells.SYMBOLS + 1))


@pytest.mark.parametrize("seen", [1, 2])
def test_what_comes_later_says_nothing_about_the_answer(seen: int) -> None:
    """The best guess from the last `seen` + 1 inputs, learned by heart, is right by chance only."""
    learned, asked = (cells.copying(MANY, 6, seed) for seed in (1, 2))
    counts: dict[bytes, np.ndarray] = {}
    for row, (answer,) in zip(learned.x[:, -seen - 1 :], learned.y, strict=True):
        counts.setdefault(row.tobytes(), np.zeros(cells.SYMBOLS + 1))[answer] += 1
    guesses = [counts[row.tobytes()].argmax() for row in asked.x[:, -seen - 1 :]]
    assert np.mean(guesses == asked.y.ravel()) == pytest.approx(1 / cells.SYMBOLS, abs=0.03)


def test_sequences_with_another_seed_are_new() -> None:
    one, other = ({row.tobytes() for row in cells.copying(1_000, 10, s).x} for s in (2, 3))
    assert not one & other


def test_a_net_that_forgets_stays_at_chance_where_one_that_remembers_does_not() -> None:
    shares = []
    for remembers in (True, False):
        keras.utils.set_random_seed(0)
        model = cells.copying_net(Kind("gru"), units=24, distance=2, rate=0.02)
        recurrent = model.layers[0].layers[1]
        if not remembers:  # without the last output, each step knows its own input only
            recurrent.cell.call = forgetful(recurrent.cell.call)
        data, new = cells.copying(2_000, 2, seed=0), cells.copying(500, 2, seed=1)
        model.fit(data.x, data.y, epochs=3, verbose=0)
        shares.append(model.evaluate(new.x, new.y, verbose=0)[1])
    assert shares[0] > 0.9
    assert shares[1] < 0.25


def forgetful(call):
    def step(inputs, states, training=False):
        return call(inputs, [state * 0 for state in states], training=training)

    return step


@pytest.mark.parametrize("kind", cells.kinds([0.0, 1.0]), ids=str)
def test_every_kind_has_the_same_number_of_parameters_within_two_percent(kind: Kind) -> None:
    parameters = cells.size(Kind("lstm"), 50, cells.COPYING_NET)
    units = cells.matched_units(kind, parameters, cells.COPYING_NET)
    assert cells.size(kind, units, cells.COPYING_NET) == pytest.approx(parameters, rel=0.02)


def test_sizes_that_cannot_be_matched_are_refused() -> None:
    with pytest.raises(SystemExit, match="choose more units"):
        cells.matched_units(Kind("coupled"), 500, cells.COPYING_NET)


def test_the_net_answers_at_the_mark_alone() -> None:
    model = cells.copying_net(Kind("simple"), units=4, distance=5, rate=0.01)
    data = cells.copying(3, 5, seed=1)
    assert model(data.x).shape == (3, 1, cells.COPYING_NET["classes"])


def test_the_forget_gate_starts_at_the_bias_of_its_kind() -> None:
    model = cells.copying_net(Kind("lstm", 3.0), units=4, distance=5, rate=0.01)
    bias = np.asarray(model.layers[0].layers[1].cell.bias)
    assert bias.tolist() == [0] * 4 + [3] * 4 + [0] * 8
