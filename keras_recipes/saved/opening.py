"""Open a model to be asked: in the runtime of an export, in that of its runnable form, or in Keras.

onnxruntime and ai-edge-litert compute ONNX and LiteRT files. Neither Keras nor TensorFlow is
imported for them, and nothing that opens a model in Keras is imported before it is needed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import extras
from keras_recipes.models.fitted import Fitted, Opened
from keras_recipes.saved.locate import RUNNABLE, Located, in_message, locate
from keras_recipes.saved.read import Contents, read
from keras_recipes.untrusted import budget, files, limits

if TYPE_CHECKING:
    from keras_recipes.models.formats.format import Members
    from keras_recipes.models.formats.litert import LayerOutputs
    from keras_recipes.models.net import Net
    from keras_recipes.models.runtime import Runtime

log = logging.getLogger(__name__)


def staged(path: Path) -> Fitted | Opened:
    """Open content that is staged for publishing, in the way users will open it.

    Args:
        path: The staged folder or file.
    """
    return opened(read(locate(path)))


def opened(found: Contents) -> Fitted | Opened:
    """Open a model to be asked; Keras opens it only if nothing else can."""
    if found.located.format:
        return in_runtime(found)
    return without_keras(found) if found.kind == "folder" else in_keras(found)


def in_runtime(found: Contents) -> Opened:
    """Open an export."""
    place, format = found.located.path, found.located.format
    assert format
    return Opened(format.open(found.members, str(place)), found.card, place)


def without_keras(found: Contents) -> Opened:
    """Open a folder with a card in the runtime of its runnable form, if it has one."""
    return Opened(_runtime(found), found.card, found.located.path, _Files(found))


def _runtime(found: Contents) -> "Runtime | None":
    if RUNNABLE not in found.members:
        return None
    where = in_message(found.located.path / RUNNABLE)
    if not extras.is_here("ai-edge-litert"):
        log.debug("%s: ai-edge-litert is not installed, so Keras answers", where)
        return None
    from keras_recipes.models.formats import litert

    return litert.Interpreter(_runnable(found), where)


def _runnable(found: Contents) -> "Members":
    from keras_recipes.models.formats import litert

    where = in_message(found.located.path / RUNNABLE)
    members, _ = litert.split({litert.MEMBER: found.members[RUNNABLE]}, where)
    return members


def in_keras(found: Contents) -> Fitted:
    """Open a model in Keras."""
    from keras_recipes.saved import in_keras as keras_models

    return keras_models.opened(found)


@dataclass(frozen=True)
class _Files:
    """The members of a folder with a card."""

    found: Contents

    def in_keras(self) -> Fitted:
        with within_limits(self.found.located):
            return in_keras(self.found)

    def net(self) -> "Net":
        from keras_recipes.saved import pair

        with within_limits(self.found.located):
            return pair.net(self.found)

    def layer_outputs(self) -> "LayerOutputs | None":
        if RUNNABLE not in self.found.members or not extras.is_here("ai-edge-litert"):
            return None
        from keras_recipes.models.formats import litert

        with within_limits(self.found.located):
            layers = [str(layer.settings["name"]) for layer in self.net().layers]
            return litert.LayerOutputs(_runnable(self.found), layers)


@contextmanager
def within_limits(located: Located) -> Iterator[None]:
    """Work in the block within the limits that the size of a model's files implies."""
    size = sum(files.size(path) for path in (located.path, located.weights) if path)
    with limits.implied_by(size), budget.without_waiting():
        yield
