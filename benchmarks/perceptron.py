"""How often one neuron learns AND, OR and XOR: python benchmarks/perceptron.py [SEEDS].

Each seed is a fit from other random weights, with the recipe's defaults. Prints the share of seeds
from which all four points are right. If that is all of them, it also prints the margin: the
distance from the line to the nearest point. A support vector machine draws the line with the
largest margin.
"""

import logging
import sys

import numpy as np

from keras_recipes import evaluate, fit
from keras_recipes.cookbook import perceptron
from keras_recipes.data.dataset import Examples


def margin(weights: np.ndarray, bias: float, points: Examples) -> float:
    """Return the distance from the line to the nearest point; below 0 if a point is wrong."""
    sums = (points.x @ weights + bias) * (2 * points.y[:, 0] - 1)
    return float(sums.min() / np.linalg.norm(weights))


def largest_margin(points: Examples) -> float:
    """Return the margin of a linear support vector machine without slack."""
    from sklearn.svm import SVC

    machine = SVC(kernel="linear", C=1e6).fit(points.x, points.y[:, 0])
    return margin(machine.coef_[0], machine.intercept_[0], points)


def main(seeds: int) -> None:
    for preset in (None, "rosenblatt"):
        for table in ("and", "or", "xor"):
            points = perceptron.read((), table=table).train
            right, margins = [], []
            for seed in range(seeds):
                fitted = fit(
                    "perceptron", preset=preset, table=table, seed=seed, show_progress=False
                )
                right.append(evaluate(fitted)["accuracy"])
                kernel, bias = fitted.model.get_weights()
                margins.append(margin(kernel[:, 0], bias[0], points))
            learned = sum(share == 1 for share in right)
            print(
                f"{preset or 'gradient descent'}, {table.upper()}: {learned} of {seeds} seeds, "
                f"points right {min(right):.0%} to {max(right):.0%}",
                flush=True,
            )
            if learned == seeds:
                print(
                    f"  margin: mean {np.mean(margins):.3f}, {min(margins):.3f} to "
                    f"{max(margins):.3f}; support vector machine {largest_margin(points):.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # each fit on XOR warns
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
