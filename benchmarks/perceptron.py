"""How often one neuron learns AND, OR and XOR: python benchmarks/perceptron.py [SEEDS].

Each seed is a fit from other random weights, with the recipe's defaults. Prints the share of seeds
from which all four points are right.
"""

import sys

from keras_recipes import evaluate, fit


def main(seeds: int) -> None:
    for preset in (None, "rosenblatt"):
        for table in ("and", "or", "xor"):
            right = [
                evaluate(
                    fit("perceptron", preset=preset, table=table, seed=seed, show_progress=False)
                )["accuracy"]
                for seed in range(seeds)
            ]
            learned = sum(share == 1 for share in right)
            print(
                f"{preset or 'gradient descent'}, {table.upper()}: {learned} of {seeds} seeds, "
                f"points right {min(right):.0%} to {max(right):.0%}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
