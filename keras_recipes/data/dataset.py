"""Data sets of inputs and targets, and batches of inputs to predict on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Examples:
    """Inputs and their targets; the first axis of both is N."""

    x: "np.ndarray"
    y: "np.ndarray"

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The data of a recipe.

    Attributes:
        name: The name of the data in every table of results.
        train: The training data.
        test: The test data, used once, at the end.
        note: What was held out, or why nothing was, in words.
        validation: The validation data, for choices and for early stopping; not part of `train`.
        learned: What the recipe has to know about the data besides the weights, such as labels.
            JSON values, which are kept in the card.
        implied: The options that the data decides, such as the number of classes.
        sequences: What a recipe needs for its calibration besides the examples; it is not kept.
        known_as: The paths to read the data again, if they differ from the given ones.
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
        """The SHA-256 of the arrays in `train` and `test`, by which a card identifies its data."""
        import hashlib

        digest = hashlib.sha256()
        for part in (self.train, self.test):
            for array in (part.x, part.y):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Batch:
    """Inputs to predict on, and their names in the answer."""

    names: Sequence[str]
    x: "np.ndarray"
