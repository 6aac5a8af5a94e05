"""Runs the steps of a page in the present folder: python page_steps.py STEPS.json RESULTS.json.

Commands of `recipes` run in this one process, which imports Keras once for all of them, as in
CliRunner tests; with --processes each is a process of its own, as at a prompt. What a shell has to
take apart (pipes, other programs) is always left to a shell.
"""

import contextlib
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

SHELL_ONLY = set("|<>;&*'\"")


def run(step: dict[str, str], *, processes: bool) -> dict[str, Any]:
    """Exit status and output of one step."""
    if step["kind"] == "python":
        return (
            _program(step["text"])
            if not processes
            else _process([sys.executable, "-c", step["text"]])
        )
    words = shlex.split(step["text"], comments=True)
    if processes or words[0] != "recipes" or SHELL_ONLY & set(step["text"].partition(" #")[0]):
        return _process(["bash", "-o", "pipefail", "-c", step["text"]])
    from click.testing import CliRunner

    from keras_recipes.cli import commands

    result = CliRunner().invoke(commands, words[1:])
    return {"status": result.exit_code, "stdout": result.stdout, "stderr": result.stderr}


def _process(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def _program(text: str) -> dict[str, Any]:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "<page>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        return {"status": 1, "stdout": printed.getvalue(), "stderr": repr(error)}
    return {"status": 0, "stdout": printed.getvalue(), "stderr": ""}


def main(steps: Path, results: Path, *, processes: bool) -> None:
    """Runs all steps, keeping what came out of those that are done."""
    done: list[dict[str, Any]] = []
    for step in json.loads(steps.read_text()):
        done.append(run(step, processes=processes))
        results.write_text(json.dumps(done))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), processes="--processes" in sys.argv)
