"""Answers of models from elsewhere: each in a process of its own, which is held to a budget.

The process is the program `recipes predict`, as it holds itself to the budget. What exceeds it ends
this process, and not the worker, which has other jobs to do.
"""

import logging
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from keras_recipes.errors import RecipeError, printable
from keras_recipes.recipe import Options
from keras_recipes.untrusted import starting

ERROR, WARNING = "error: ", "warning: "
"""How lines of the program begin."""

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
    settings = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    output = ["--format", form, "--output", str(answers)]
    program = [*starting.command("keras_recipes"), "predict"]
    ended = subprocess.run(
        [*program, *settings, *output, "--", str(model), *data],
        env=starting.environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        check=False,
    )
    said = [line.replace(str(model), name) for line in ended.stderr.splitlines()]
    for line in said:
        if line.startswith(WARNING):
            log.warning("%s", line.removeprefix(WARNING))
    if ended.returncode:
        errors = [line.removeprefix(ERROR) for line in said if line.startswith(ERROR)]
        reason = errors[-1] if errors else f"the program ended with status {ended.returncode}"
        raise RecipeError(printable(reason, 500))
