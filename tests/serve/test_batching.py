"""What arrives while a model computes is computed together; a fault harms only its request."""

import threading

import numpy as np
import pytest

from keras_recipes.errors import RecipeError
from keras_recipes.serve.batching import SIZES, Batcher


class Doubler:
    """A runtime that waits until it may compute, and refuses negative numbers."""

    name, input_shape = "doubler", (2,)

    def __init__(self) -> None:
        self.may, self.begun, self.sizes = threading.Event(), threading.Event(), []

    def outputs(self, x: np.ndarray) -> np.ndarray:
        self.begun.set()
        assert self.may.wait(30)
        self.sizes.append(len(x))
        if (x < 0).any():
            raise RecipeError("negative")
        return 2 * x


def together(inputs: list[np.ndarray]) -> tuple[list[object], list[int], list[int]]:
    """Ask for the first input, and for all others while it is computed."""
    runtime, counted = Doubler(), []
    batcher = Batcher(runtime, "doubler", counted.append)
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            found[number] = batcher.outputs(inputs[number])
        except RecipeError as error:
            found[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(inputs))]
    threads[0].start()
    assert runtime.begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    while batcher.waiting < len(inputs) - 1:
        pass
    runtime.may.set()
    for thread in threads:
        thread.join()
    batcher.close()
    return [found[number] for number in range(len(inputs))], runtime.sizes, counted


def test_what_waits_is_computed_together_and_filled_up_to_a_usual_size() -> None:
    inputs = [np.full((1, 2), number, "float32") for number in range(6)]
    found, sizes, counted = together(inputs)
    for x, outputs in zip(inputs, found, strict=True):
        np.testing.assert_array_equal(outputs, 2 * x)
    assert counted == [1, 5]
    assert sizes == [1, 8]


def test_a_fault_of_one_request_is_not_told_to_the_others() -> None:
    found, _, _ = together([np.full((1, 2), number, "float32") for number in (0, 1, -1, 2)])
    assert isinstance(found[2], RecipeError)
    np.testing.assert_array_equal(np.concatenate([found[1], found[3]])[:, 0], [2, 4])


def test_large_batches_are_computed_alone() -> None:
    large = np.ones((SIZES[-1] + 1, 2), "float32")
    found, sizes, _ = together([np.zeros((1, 2), "float32"), large, large])
    assert sizes == [1, len(large), len(large)]
    assert [len(outputs) for outputs in found] == [1, len(large), len(large)]


@pytest.mark.parametrize("size", SIZES)
def test_a_usual_size_is_not_filled_up(size: int) -> None:
    _, sizes, _ = together([np.zeros((size, 2), "float32")])
    assert sizes == [size]
