"""Fits in several threads."""

import threading

from keras_recipes import backend, fit


def test_a_fit_in_a_thread_is_the_fit_of_its_seed_alone() -> None:
    backend.start()
    seeds = (1, 2)

    def weights(seed: int) -> bytes:
        return b"".join(w.tobytes() for w in fit("xor", seed=seed).model.get_weights())

    alone = {seed: weights(seed) for seed in seeds}
    together: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: weights(seed)}))
        for seed in seeds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
