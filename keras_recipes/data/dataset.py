"""Data as nets take it: inputs with targets, and what is to be asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Examples:
    """Inputs and targets that belong together, first axis N."""

    x: "np.ndarray"
    y: "np.ndarray"

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Data as a recipe trains on it.

    Attributes:
        name: Stands in every table of results.
        train: To learn from.
        test: To measure on, once, at the end.
        note: Says in words what was held out, or why nothing was.
        validation: To choose settings by, and to watch while training; no part of `train`.
        learned: What the recipe has to know of the data besides the weights, such as labels; JSON
            values, kept in the card.
        implied: Options that the data decides, such as the number of classes.
        sequences: What a recipe needs of the data after training besides the examples; not kept.
        known_as: What `read` has to be given to read it again, where that is not what was given.
    """

    name: str
    train: Examples
    test: Examples
    note: str
    validation: Examples | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)
    implied: Mapping[str, Any] = field(default_factory=dict)
    known_as: tuple[str, ...] = ()
    sequences: Any = None

    @property
    def sha256(self) -> str:
        """Digest over the bytes of all arrays, so that a card can tell which data it saw."""
        import hashlib

        digest = hashlib.sha256()
        for part in (self.train, self.test):
            for array in (part.x, part.y):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Batch:
    """Inputs to predict on, and what to call each of them in the answer."""

    names: Sequence[str]
    x: "np.ndarray"
