"""Cases of wrong input that the command line once met with an unexpected error, or hung on.

Cases of streams, of outputs, of resumed fits and of threads are with the tests of these.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command_line import Run
from tests.shared_data import shared_data

CASES = "cases/robustness"


@pytest.mark.parametrize("name", ["bad1.csv", "bad2.csv", "bad3.csv", "bad5.csv"])
def test_a_table_that_is_none_of_pixels_is_named(name: str, recipes: Run) -> None:
    shutil.copy(shared_data(f"{CASES}/31-digits-csv-unexpected/{name}"), name)
    result = recipes("fit", "lenet5", "--data", name, "--out", "m")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"error: {name}: expected ")
    assert not Path("m").exists()


def test_sizes_whose_product_overflows_are_named(recipes: Run) -> None:
    name = "a-images-idx3-ubyte"
    shutil.copy(shared_data(f"{CASES}/31-digits-csv-unexpected/{name}"), name)
    result = recipes("predict", "lenet5", name)
    assert result.exit_code == 2
    assert f"error: {name}: expected 18,446,744,073,709,551,616 values" in result.stderr


def test_strings_without_end_take_no_time(recipes: Run) -> None:
    case = shared_data(f"{CASES}/15-json-quadratic/make.py")
    subprocess.run([sys.executable, str(case)], check=True)
    begin = time.process_time()
    result = recipes("predict", "model.json", "--weights", "w.h5", "x.npy")
    assert result.exit_code == 4
    assert "model.json: damaged, not JSON" in result.stderr
    assert time.process_time() - begin < 2  # it was 12
