"""From how many random starts XOR is learned as well as in the article.

    python benchmarks/xor_seeds.py [SEEDS]

Three nets are trained: the default net with 200 consecutive seeds, the net of three logistic
regressions (preset three-regressions, with restarts) with 100, and the article's own 100 epochs
with 200. A net is solved if every output is within 0.01 of its target, as for `recipes fit xor`.
The article's own program never gets there, so its nets are counted if all four points are
classified correctly.
"""

import logging
import statistics
import sys

from keras_recipes import backend, evaluate, fit
from keras_recipes.catalog import get
from keras_recipes.errors import GoalNotReachedError
from keras_recipes.train import compiled_loop


def solved(seeds: range, preset: str | None) -> None:
    epochs, restarts, missed = [], [], []
    for seed in seeds:
        try:
            fitted = fit("xor", preset=preset, seed=seed, show_progress=False)
        except GoalNotReachedError as error:
            missed.append(f"seed {seed}: {error}")
            continue
        assert fitted.card is not None
        assert evaluate(fitted)["largest_error"] <= 0.01
        epochs.append(fitted.card.training["epochs"])
        restarts.append(fitted.card.training["restarts"])
    print(
        f"preset {preset}: {len(epochs)} of {len(seeds)} seeds solved; epochs of the last start "
        f"median {statistics.median(epochs):,.0f}, worst {max(epochs):,}; "
        f"restarts mean {statistics.mean(restarts):.2f}, worst {max(restarts)}, "
        f"needed by {sum(r > 0 for r in restarts)}"
    )
    print(*missed, sep="\n", end="\n" * bool(missed))


def classified_after_the_articles_epochs(seeds: range) -> None:
    import keras

    recipe, count = get("xor"), 0
    data = recipe.answers.data_set((), {}, None).train
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        model = recipe.build()
        compiled_loop.compile_epochs(model, data, batch_size=32, seed=seed, jit_compile=True)(
            0, 100
        )
        count += recipe.measure(data.y, model.predict_on_batch(data.x))["accuracy"] == 1
    print(f"the article's 100 epochs: {count} of {len(seeds)} seeds classify all four points")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    backend.start()
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    solved(range(seeds), None)
    solved(range(max(1, seeds // 2)), "three-regressions")
    classified_after_the_articles_epochs(range(seeds))
