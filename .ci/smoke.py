"""Uses an installed keras_recipes as a new user does, without data and without make.

python .ci/smoke.py
"""

import json
import os
import subprocess
import sysconfig
import tempfile
from pathlib import Path

RECIPES = Path(sysconfig.get_path("scripts")) / "recipes"


def recipes(*arguments: str) -> str:
    """Runs `recipes ARGUMENTS...` and returns what it prints."""
    print("$ recipes", *arguments, flush=True)
    printed = subprocess.run(
        [RECIPES, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    print(printed.encode("ascii", "replace").decode(), flush=True)
    return printed


def answers(*arguments: str) -> list[dict[str, object]]:
    """The rows of `recipes predict`."""
    printed = recipes("predict", *arguments, "--format", "jsonl")
    return [json.loads(line) for line in printed.splitlines()]


def draw_a_zero(path: Path) -> None:
    """Writes a picture of a digit: dark ink on light paper, 128 x 128 pixels."""
    import matplotlib.pyplot as plt
    import numpy as np
    from sklearn.datasets import load_digits

    plt.imsave(path, np.kron(load_digits().images[0], np.ones((16, 16))), cmap="Greys")


def main() -> None:
    """Runs the commands of the first ten minutes, and stops at the first that fails."""
    import keras_recipes

    assert recipes("--version").split()[-1] == keras_recipes.__version__
    recipes("list")
    recipes("doctor")
    recipes("fit", "xor")
    rows = answers("xor", "0,0", "0,1", "1,0", "1,1")
    assert [row["class"] for row in rows] == [0, 1, 1, 0], rows
    draw_a_zero(Path("digit.png"))
    (row,) = answers("lenet5", "digit.png")
    assert row["prediction"] == "0", row
    print("works:", keras_recipes.__file__)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        main()
        os.chdir(Path(__file__).parent)
