"""Start modules of this package where files from elsewhere lie: none of those is imported."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def command(module: str) -> list[str]:
    """Return the command that runs a module without its working folder on the import path."""
    return [sys.executable, "-P", "-m", module]


def environment(of: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the same packages are found as in this process.

    Relative folders of PYTHONPATH are left out, as they would be in another working folder.

    Args:
        of: The environment variables to keep.
    """
    given = map(Path, filter(None, of.get("PYTHONPATH", "").split(os.pathsep)))
    folders = [Path(__file__).resolve().parents[2], *filter(Path.is_absolute, given)]
    return {**of, "PYTHONPATH": os.pathsep.join(map(str, folders))}
