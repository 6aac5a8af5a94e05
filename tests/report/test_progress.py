"""A progress bar is shown in terminals and notebooks only, and disturbs no message."""

import subprocess
import sys

import pytest

BAR = """
import logging, sys
from keras_recipes.cli import output
from keras_recipes.report import progress

sys.modules["ipywidgets"] = None  # as if it were not installed
output.log_to_stderr(())
with progress.bar("xor", 5000, {shown}) as update:
    update(250, "loss 0.5", 5000)
    logging.getLogger("keras_recipes.train.attempts").warning("training longer")
    update(3000, "loss 0.1", 5000)
print("end", file=sys.stderr)
"""


def drawn(shown: bool | None, before: str = "") -> str:
    """Return what is written to stderr if it is a file."""
    command = [sys.executable, "-W", "error", "-c", before + BAR.format(shown=shown)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stderr.decode()


def left(text: str) -> list[str]:
    """Return the lines that a terminal shows of a text with carriage returns."""
    return [line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n")]


def test_no_bar_goes_into_a_file() -> None:
    assert drawn(None) == "warning: training longer\nend\n"


def test_a_bar_moves_out_of_the_way_of_messages_and_is_gone_in_the_end() -> None:
    text = drawn(True)
    assert "3000/3000" in text
    assert "loss 0.1" in text
    assert left(text) == ["warning: training longer", "end", ""]


def test_in_a_notebook_the_bar_is_text_that_stays() -> None:
    kernel = "import sys, types; sys.modules['ipykernel'] = types.ModuleType('ipykernel')\n"
    text = drawn(None, kernel)
    warning, bar, end, _ = left(text)
    assert (warning, end) == ("warning: training longer", "end")
    assert bar.startswith("xor: 100%")
    assert "3000/3000" in bar


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # of nbclient and what it stands on
def test_a_notebook_shows_the_bar_and_the_model() -> None:
    pytest.importorskip("ipykernel", reason="ipykernel not installed: pip install ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="nbclient not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat not installed")
    cells = ["from keras_recipes import fit, predict\nfitted = fit('xor')", "fitted"]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    nbclient.NotebookClient(notebook, timeout=300, coalesce_streams=True).execute()
    (progress,), (shown,) = (cell.outputs for cell in notebook.cells)
    assert progress.name == "stderr"
    assert progress.text.startswith("xor: 100%")
    assert "Warning" not in progress.text
    assert "xor, 41 parameters" in shown.data["text/html"]
