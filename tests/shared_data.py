"""Test data outside the project, in the folder that KERAS_RECIPES_TEST_DATA names."""

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """Return the path of the data of this name; skip the test if there is none."""
    folder = os.environ.get("KERAS_RECIPES_TEST_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"KERAS_RECIPES_TEST_DATA names no folder with {name}")
    return Path(folder) / name
