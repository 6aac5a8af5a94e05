"""The unit on the page about services is one that systemd takes, and runs commands that exist."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.command_line import Run

PAGE = (ROOT / "docs" / "data" / "service.md").read_text(encoding="utf-8")


def unit() -> str:
    (found,) = re.findall(r"^```ini\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_unit_without_a_complaint() -> None:
    Path("recipes-watch@app.service").write_text(unit())
    verify = ["systemd-analyze", "verify", "--man=no", "./recipes-watch@app.service"]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "recipes-watch" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def test_the_unit_s_command_is_one_that_recipes_understands(recipes: Run) -> None:
    (command,) = re.findall(r"^ExecStart=(.*)$", unit(), re.MULTILINE)
    shell, _, script = shlex.split(command.replace("%S", "/var/lib").replace("%i", "app"))
    assert shell == "/bin/sh"
    journal, _, asked = script.partition(" | exec /opt/recipes/bin/recipes ")
    assert journal == "journalctl -f -n 0 -o json -u app"
    result = recipes(*shlex.split(asked.replace("/opt/recipes/models/app", "lstm-anomaly")))
    # The command is understood up to the model, which was not fitted here.
    assert result.exit_code == 2
    assert "lstm-anomaly is not fitted here yet" in result.stderr


def test_a_line_of_cron_has_five_times_a_user_and_a_command() -> None:
    (line,) = re.findall(r"^\d+ \d+ \S+ \S+ \S+ app (.*)$", PAGE, re.MULTILINE)
    assert line.startswith("/opt/recipes/bin/recipes -q predict ")
    assert "%" not in line  # cron would take it for a line break
