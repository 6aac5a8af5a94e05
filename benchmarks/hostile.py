"""Count the tests' hostile and damaged files that plain Keras opens: python -m benchmarks.hostile.

Each file is tried in a separate folder. Files that harm the machine when they are opened are left
out. The right outcome is a refusal. `recipes` refuses all of them:
tests/untrusted/test_hostile_files.py.
"""

import shutil
import tempfile
from pathlib import Path

from keras_recipes import backend
from keras_recipes.report import tables
from tests.untrusted import hostile_cases


def row(case: hostile_cases.Case, folder: Path) -> dict[str, str]:
    """Return one row of the table."""
    case.make(folder)
    wrong = hostile_cases.plain_keras(folder, case.arguments)
    return {"case": case.name, "plain Keras": wrong or "refused"}


def main() -> None:
    """Print each case, and how many of them Keras handles wrongly."""
    backend.start()
    with tempfile.TemporaryDirectory() as scratch:
        good = Path(scratch) / "good"
        good.mkdir()
        hostile_cases.good_pair(good)
        rows = [
            row(case, Path(shutil.copytree(good, Path(scratch) / case.name)))
            for case in hostile_cases.CASES
            if case.plain
        ]
    print(tables.text(rows))
    wrong = [found for found in rows if found["plain Keras"] != "refused"]
    print(f"{len(wrong)} of {len(rows)} wrong")


if __name__ == "__main__":
    main()
