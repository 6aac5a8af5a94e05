"""The notebook runs without a network, and its stored outputs are those of today's program.

`UPDATE_PAGES=1 pytest tests/pages/test_notebook.py` stores them anew.
"""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.checkout import ROOT

NOTEBOOK = ROOT / "recipes" / "xor_and_lenet5.ipynb"
NUMBER = re.compile(r"\d[\d,]*\.?\d*")


def stored() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(here: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in that folder, where no data has been downloaded."""
    notebook = stored()
    alone = {"KERAS_HOME": str(here / "keras"), "CUDA_VISIBLE_DEVICES": "-1"}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=300,
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(here)}},
    )
    client.execute(env={**os.environ, **alone})
    notebook.metadata.language_info = {"name": "python"}  # without the version of this Python
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> list[tuple[str, nbformat.NotebookNode]]:
    return [(cell.id, output) for cell in notebook.cells for output in cell.get("outputs", ())]


def shape(notebook: nbformat.NotebookNode) -> list[tuple[Any, ...]]:
    """Which cell gives which kinds of outputs in which words, numbers aside."""
    return [
        (cell, output.output_type, *output.get("data", ()), NUMBER.sub("0", output.get("text", "")))
        for cell, output in outputs(notebook)
    ]


def numbers(notebook: nbformat.NotebookNode) -> list[float]:
    texts = (output.get("text", "") for _, output in outputs(notebook))
    return [float(n.replace(",", "")) for text in texts for n in NUMBER.findall(text)]


def test_the_stored_outputs_are_those_of_a_run(empty_folder: Path) -> None:
    today = executed(empty_folder)
    if os.environ.get("UPDATE_PAGES"):
        nbformat.write(today, NOTEBOOK)
    advice = "run UPDATE_PAGES=1 pytest tests/pages/test_notebook.py"
    assert shape(stored()) == shape(today), advice
    assert numbers(stored()) == pytest.approx(numbers(today), rel=0.05, abs=0.005), advice


def test_it_has_ten_cells_run_in_order() -> None:
    notebook = stored()
    nbformat.validate(notebook)
    assert len(notebook.cells) == 10
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code)


def test_it_stores_no_warnings_and_no_paths_of_a_machine() -> None:
    for cell, output in outputs(stored()):
        assert output.output_type in {"stream", "display_data"}, cell
        assert output.get("name", "stdout") == "stdout", cell
        assert not re.search(r"(?<![\w.])/\w+/|[A-Z]:\\", output.get("text", "")), cell


def test_its_pictures_have_alternative_texts() -> None:
    pictures = [
        x.metadata["image/png"] for _, x in outputs(stored()) if x.output_type == "display_data"
    ]
    assert len(pictures) == 4
    assert all(picture.alt for picture in pictures)
