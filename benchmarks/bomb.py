"""A bomb: a small file that would take much memory or time; `bombs` asks `recipes` about each."""

import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LARGE = 1_000_000_000
Arguments = list[str]
Make = Callable[[Path], Arguments]

kept = Path(tempfile.gettempdir())
"""The folder of what several bombs have in common; `bombs` sets it."""


@dataclass(frozen=True)
class Bomb:
    """A bomb.

    Attributes:
        kind: The kind of file or of computation.
        name: What it does.
        make: Writes its files to a folder; returns the arguments of `recipes`, or of `recipes
            predict` if the first is not a command.
        answered: Whether an answer is right as well, because one record is passed over and the
            others are answered.
    """

    kind: str
    name: str
    make: Make
    answered: bool = False


def zipped(folder: Path, name: str, members: dict[str, bytes], level: int = 9) -> Arguments:
    """Write an archive and an input for it."""
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for member, content in members.items():
            file.writestr(member, content)
    np.save(folder / "x.npy", np.ones((2, 4), "float32"))
    return [name, "x.npy"]
