"""Answers of models from elsewhere: each in a process of its own, which is held to a budget.

The process is the program `recipes predict`, as it holds itself to the budget. What exceeds it ends
this process, and not the worker, which has other jobs to do.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_recipes.errors import RecipeError, printable
from keras_recipes.recipe import Options

MARKS = ("error: ", "warning: ")

log = logging.getLogger(__name__)


def answer(
    name: str, model: Path, data: Sequence[str], given: Options, form: str, answers: Path
) -> None:
    """Write the answers of a model to a file; pass its warnings on.

    Args:
        name: What messages call the model.
        model: The folder of the model.
        data: The paths of the data.
        given: The options that were given.
        form: The form of the answers.
        answers: The file to write.

    Raises:
        RecipeError: The program refused the model or the data, or it exceeded its budget.
    """
    # Nothing is imported from the working folder, where downloaded models may lie.
    program = [sys.executable, "-P", "-m", "keras_recipes", "predict"]
    settings = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    output = ["--format", form, "--output", str(answers)]
    ended = subprocess.run(
        [*program, *settings, *output, "--", str(model), *data],
        env={**os.environ, "PYTHONPATH": _import_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        check=False,
    )
    said = [line.replace(str(model), name) for line in ended.stderr.splitlines()]
    error, warning = MARKS
    for line in said:
        if line.startswith(warning):
            log.warning("%s", line.removeprefix(warning))
    if ended.returncode:
        errors = [line.removeprefix(error) for line in said if line.startswith(error)]
        reason = errors[-1] if errors else f"the program ended with status {ended.returncode}"
        raise RecipeError(printable(reason, 500))


def _import_path() -> str:
    """Return this package's folder and those of PYTHONPATH, but for relative ones."""
    given = map(Path, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    return os.pathsep.join(map(str, [Path(__file__).parents[2], *filter(Path.is_absolute, given)]))
