"""Test data that lies outside the project, below the folder KERAS_RECIPES_TEST_DATA."""

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """Where the data of this name lies; skips the test where it does not."""
    folder = os.environ.get("KERAS_RECIPES_TEST_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"KERAS_RECIPES_TEST_DATA names no folder with {name}")
    return Path(folder) / name
