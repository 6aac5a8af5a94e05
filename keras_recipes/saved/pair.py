"""A model's architecture and weights as bytes, and the checks of them that need no Keras."""

from dataclasses import dataclass

from keras_recipes.models.net import Net
from keras_recipes.saved.locate import ARCHITECTURE, WEIGHTS, in_message
from keras_recipes.saved.read import Contents
from keras_recipes.untrusted import architecture as architectures
from keras_recipes.untrusted import archive, hdf5, weights
from keras_recipes.untrusted.architecture import Architecture


@dataclass(frozen=True)
class Pair:
    """Architecture and weights as bytes, with their paths for messages."""

    json: bytes
    h5: bytes
    json_path: str
    h5_path: str


@dataclass(frozen=True)
class Checked:
    """A pair that passed every check that does not need Keras."""

    architecture: Architecture
    tree: hdf5.Tree
    pair: Pair


def pair_of(found: Contents) -> Pair:
    """Return the architecture and the weights among a model's files."""
    path = found.located.path
    if found.kind == "folder":
        json, h5 = found.members[ARCHITECTURE], found.members[WEIGHTS]
        json_path, h5_path = path / ARCHITECTURE, path / WEIGHTS
    elif found.kind == "keras":
        json, h5 = found.members[archive.CONFIG], found.members[archive.WEIGHTS]
        json_path, h5_path = path, path
    else:
        (json_path, json), (h5_path, h5) = found.files.items()
    return Pair(json, h5, in_message(json_path), in_message(h5_path))


def checked(pair: Pair) -> Checked:
    """Check the parts of a pair.

    Raises:
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: A part is damaged.
    """
    architecture = architectures.read(pair.json, pair.json_path)
    tree = hdf5.read(pair.h5, pair.h5_path, skip=weights.NOT_WEIGHTS)
    weights.check_values(tree, pair.h5_path)
    return Checked(architecture, tree, pair)


def net(found: Contents) -> Net:
    """Read a folder with a card as data.

    Raises:
        UnsafeModelError: The model could do more than compute, or exceeds the limits.
        CorruptModelError: The files are damaged.
        ValueError: The layers do not simply follow each other.
    """
    parts = checked(pair_of(found))
    return Net.of_files(parts.architecture.config, parts.tree)
