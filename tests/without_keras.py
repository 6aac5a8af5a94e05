"""Running command lines in a process in which importing Keras fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.checkout import ROOT

PROGRAM = """
import json, sys
from click.testing import CliRunner
from keras_recipes import cli
for arguments in json.load(sys.stdin):
    result = CliRunner().invoke(
        cli.commands, arguments, input=b"", prog_name="recipes"
    )
    print(json.dumps([result.exit_code, result.stderr, result.stdout]))
"""


def run_without_keras(here: Path, cases: list[list[str]]) -> list[tuple[int, str, str]]:
    """Return exit status, stderr and stdout of command lines that cannot import Keras."""
    stubs = here.parent / f"{here.name}-stubs"
    for name in ("keras", "tensorflow", "jax", "torch"):
        (stubs / name).mkdir(parents=True)
        (stubs / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')")
    known = [str(stubs), str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        cwd=here,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(known)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
