"""LiteRT (TensorFlow Lite): written by Keras' exporter, computed by ai-edge-litert.

The card is a file in a ZIP archive after the model's flatbuffer. TensorFlow Lite's metadata tools
put associated files such as labels there. Interpreters ignore it, and `unzip lenet5.tflite`
extracts it.

A file holds built-in operations only. The interpreter supports neither TensorFlow's operations
(Flex) nor custom ones, which would need a library.
"""

import re
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError
from keras_recipes.models import runtime
from keras_recipes.models.endings import ENDINGS
from keras_recipes.models.formats import zipped
from keras_recipes.models.formats.format import Format, Members

if TYPE_CHECKING:
    import keras

MEMBER = "model.tflite"


def converted(model: "keras.Model") -> Members:
    """Convert a Keras model to LiteRT, with built-in operations only.

    The export takes batches of any size if built-in operations allow that. Otherwise it takes one
    input at a time: recurrent layers need to know the number of sequences.

    Args:
        model: A Keras model on TensorFlow.
    """
    import keras

    with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
        path = Path(scratch) / MEMBER
        try:
            _export(model, path)
        except Exception:  # each stage of the converter raises its own exception
            one = keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype=model.inputs[0].dtype)
            _export(model, path, input_signature=[one])
        return {MEMBER: path.read_bytes()}


def _export(model: "keras.Model", path: Path, **settings: Any) -> None:
    import tensorflow as tf

    builtins = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    model.export(path, format="litert", verbose=False, target_spec=builtins, **settings)


def joined(members: Members, card: bytes) -> Members:
    """Return the file with the card added."""
    return {MEMBER: zipped.added(members[MEMBER], card)}


def split(members: Members, where: str) -> tuple[Members, bytes | None]:
    """Return the file without the card, and the card's text or None.

    Raises:
        CorruptModelError: The content is not LiteRT, or what follows the model is damaged.
    """
    content = members[MEMBER]
    if content[4:8] != b"TFL3":
        raise CorruptModelError(f"{where}: damaged, or not a LiteRT file; export it again")
    found = zipped.found(content, where)
    return ({MEMBER: content[: found[0]]}, found[1]) if found else (members, None)


class Interpreter:
    """A LiteRT model in ai-edge-litert.

    Args:
        members: The members that `split` returned.
        where: The model's path, for the messages.

    Raises:
        CorruptModelError: ai-edge-litert cannot open it.
    """

    def __init__(self, members: Members, where: str) -> None:
        from ai_edge_litert import interpreter

        try:
            with backend.suppressed_output():  # it prints the name of its delegate
                self._interpreter = interpreter.Interpreter(model_content=members[MEMBER])
                takes = self._interpreter.get_input_details()
                gives = self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise CorruptModelError(f"{where}: ai-edge-litert cannot open it: {error}") from None
        runtime.check_ends([len(one["shape"]) for one in takes], len(gives), where)
        self._takes, self._gives, self._where = takes[0], gives[0], where
        # Memory is allocated for the first batch: before it, free axes have no length.
        self._laid_out_for: tuple[int, ...] = ()
        self.name = f"ai-edge-litert {version('ai-edge-litert')}"

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis."""
        return tuple(None if n < 0 else int(n) for n in self._takes["shape_signature"][1:])

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Compute the model's outputs for a batch, shape (N, ...)."""
        x = runtime.as_input(x, self.input_shape, self._takes["dtype"])
        batch = int(self._takes["shape_signature"][0])
        with backend.suppressed_output():
            return runtime.in_batches(self._computed, x, self._where, batch if batch > 0 else None)

    def _computed(self, piece: np.ndarray) -> np.ndarray:
        try:
            self._lay_out(piece.shape)
            self._interpreter.set_tensor(self._takes["index"], piece)
            self._interpreter.invoke()
            answer: np.ndarray = self._interpreter.get_tensor(self._gives["index"])
        except (ValueError, RuntimeError) as error:
            raise runtime.not_computed(self._where, "ai-edge-litert", error) from None
        return answer

    def _lay_out(self, shape: tuple[int, ...]) -> None:
        if self._laid_out_for == shape:
            return
        if (self._takes["shape_signature"] < 0).any():
            self._interpreter.resize_tensor_input(self._takes["index"], shape, strict=True)
        self._interpreter.allocate_tensors()
        self._laid_out_for = shape


class LayerOutputs:
    """The outputs of each layer of a LiteRT model, for pictures of what a net computes.

    Args:
        members: The members that `split` returned.
        layers: The names of the layers, as in the Keras model.
    """

    def __init__(self, members: Members, layers: Sequence[str]) -> None:
        from ai_edge_litert import interpreter

        with backend.suppressed_output(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that this takes memory
            self._interpreter = interpreter.Interpreter(
                model_content=members[MEMBER], experimental_preserve_all_tensors=True
            )
            self._interpreter.allocate_tensors()
        (self._takes,) = self._interpreter.get_input_details()
        (gives,) = self._interpreter.get_output_details()
        places = {name: self._place(name) for name in layers}
        found = {name: place for name, place in places.items() if place is not None}
        self._places = {**found, layers[-1]: int(gives["index"])}

    def of(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs for one input by the layers' names, each without the batch axis.

        Args:
            x: One input, shape (1, ...).
        """
        shape = tuple(int(n) for n in self._takes["shape"][1:])
        piece = runtime.as_input(x, shape, self._takes["dtype"])
        with backend.suppressed_output():
            self._interpreter.set_tensor(self._takes["index"], piece)
            self._interpreter.invoke()
            return {
                name: self._interpreter.get_tensor(place)[0] for name, place in self._places.items()
            }

    def _place(self, layer: str) -> int | None:
        """Return the last tensor that a layer computes; the converter names it after the layer."""
        named = re.compile(rf"/{re.escape(layer)}(_\d+)?/")
        tensors = [
            int(tensor["index"])
            for tensor in self._interpreter.get_tensor_details()
            if named.search(tensor["name"]) and len(tensor["shape"]) > 1 and tensor["shape"][0] == 1
        ]
        return max(tensors, default=None)


FORMAT = Format(
    name="litert",
    ending=ENDINGS["litert"],
    members=(MEMBER,),
    computing=("ai-edge-litert",),
    converted=converted,
    joined=joined,
    split=split,
    open=Interpreter,
)
