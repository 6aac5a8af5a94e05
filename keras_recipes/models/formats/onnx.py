"""ONNX: written by tf2onnx through Keras' exporter, computed by onnxruntime.

The card is an entry of the model's `metadata_props`, which every ONNX tool keeps and shows.

A file is looked through before onnxruntime sees it, without the package onnx: it may hold neither
references to other files (external data) nor operations other than ONNX's own, and libraries of
further operations are never loaded. Field numbers are those of onnx.proto.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, RecipeError, UnsafeModelError
from keras_recipes.models import runtime
from keras_recipes.models.formats import protobuf
from keras_recipes.models.formats.format import Format, Members

if TYPE_CHECKING:
    import keras
    import numpy as np

CARD_KEY = "keras_recipes.card"
MEMBER = "model.onnx"

# Messages by the fields that hold them; what is not here holds neither tensors nor nodes.
_HOLDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_DOMAIN = 7  # of a node
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor
_METADATA = 14  # of a model
_KEY, _VALUE = 1, 2  # of an entry in it
_INSIDE = b"\0"
_OWN_DOMAINS = (b"", b"ai.onnx", b"ai.onnx.ml")


def converted(model: "keras.Model") -> Members:
    """A Keras model as ONNX, with any number of inputs in a batch.

    Args:
        model: On TensorFlow, called at least once.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, backend.silenced():
        path = Path(scratch) / MEMBER
        model.export(path, format="onnx", verbose=False)
        return {MEMBER: path.read_bytes()}


def joined(members: Members, card: bytes) -> Members:
    """The file with the card in it: protobuf messages merge when their bytes are joined."""
    entry = protobuf.field(_KEY, CARD_KEY.encode()) + protobuf.field(_VALUE, card)
    return {MEMBER: members[MEMBER] + protobuf.field(_METADATA, entry)}


def split(members: Members, where: str) -> tuple[Members, bytes | None]:
    """The file without the card, and the card's text, if it has one.

    Raises:
        CorruptModelError: It is no ONNX file.
        UnsafeModelError: It refers to other files, or holds operations that are not ONNX's own.
    """
    content = members[MEMBER]
    if content[4:8] == b"ORTM":
        raise CorruptModelError(f"{where}: expected ONNX, received onnxruntime's own format")
    try:
        model, card = _split(content, where)
    except ValueError as error:
        raise CorruptModelError(f"{where}: damaged, or no ONNX file: {error}") from None
    return {MEMBER: model}, card


class Session:
    """An ONNX model in onnxruntime.

    Args:
        members: As `split` gave them.
        where: Its path, for the messages.

    Raises:
        CorruptModelError: onnxruntime does not open it.
    """

    def __init__(self, members: Members, where: str) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # what is fatal is raised
        settings.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            with backend.silenced():  # of some errors it prints more than it raises
                self._session = onnxruntime.InferenceSession(
                    members[MEMBER], settings, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # onnxruntime has an exception for each status
            raise CorruptModelError(
                f"{where}: onnxruntime does not open it: {_line(error)}"
            ) from None
        takes, gives = self._session.get_inputs(), self._session.get_outputs()
        if len(takes) != 1 or len(gives) != 1 or len(takes[0].shape) < 2:
            raise CorruptModelError(
                f"{where}: expected one input with a batch axis and one output, "
                f"received {len(takes)} and {len(gives)}"
            )
        self._input, self._where = takes[0], where
        self.name = f"onnxruntime {onnxruntime.__version__}"

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis; names of lengths mean any."""
        return tuple(n if isinstance(n, int) else None for n in self._input.shape[1:])

    def outputs(self, x: "np.ndarray") -> "np.ndarray":
        """The model's outputs for a batch, shape (N, ...)."""
        x = runtime.as_input(x, self.input_shape, _dtype(self._input.type))
        batch = self._input.shape[0]
        fixed = batch if isinstance(batch, int) and batch > 0 else None
        with backend.silenced():
            return runtime.piecewise(self._computed, x, self._where, fixed)

    def _computed(self, piece: "np.ndarray") -> "np.ndarray":
        try:
            answer: np.ndarray = self._session.run(None, {self._input.name: piece})[0]
        except Exception as error:  # onnxruntime has an exception for each status
            raise RecipeError(f"{self._where}: onnxruntime: {_line(error)}") from None
        return answer


def _line(error: Exception) -> str:
    """The first line of a message that may have many."""
    return str(error).partition("\n")[0]


def _dtype(name: str) -> str:
    """NumPy's name for what onnxruntime calls `tensor(float)`."""
    inner = name.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)


def _split(content: bytes, where: str) -> tuple[bytes, bytes | None]:
    card, rest, kept = None, b"", 0
    found = [("model", 0, len(content))]
    while found:  # and no recursion: how deep a file is nested is its author's choice
        kind, start, end = found.pop()
        for field in protobuf.fields(content, start, end):
            _check(kind, field, content, where)
            inner = _HOLDS[kind].get(field.number) if field.wire == protobuf.BYTES else None
            if inner:
                found.append((inner, field.start, field.end))
            elif kind == "model" and (text := _card_in(content, field)) is not None:
                card, rest, kept = text, rest + content[kept : field.begin], field.end
    return (rest + content[kept:] if card is not None else content), card


def _check(kind: str, field: protobuf.Field, content: bytes, where: str) -> None:
    if kind == "tensor" and (
        field.number == _EXTERNAL_DATA
        or (field.number == _DATA_LOCATION and content[field.start : field.end] != _INSIDE)
    ):
        raise UnsafeModelError(f"{where}: refused, it reads other files (external data)")
    if kind == "node" and field.number == _DOMAIN:
        domain = content[field.start : field.end]
        if domain not in _OWN_DOMAINS:
            raise UnsafeModelError(
                f"{where}: refused, it holds an operation of "
                f"{domain[:60].decode(errors='replace')!r}; only ONNX's own are known only to "
                "compute"
            )


def _card_in(content: bytes, field: protobuf.Field) -> bytes | None:
    if field.number != _METADATA or field.wire != protobuf.BYTES:
        return None
    inside = protobuf.fields(content, field.start, field.end)
    entry = {part.number: content[part.start : part.end] for part in inside}
    return entry.get(_VALUE, b"") if entry.get(_KEY) == CARD_KEY.encode() else None


FORMAT = Format(
    name="onnx",
    ending=".onnx",
    members=(MEMBER,),
    extra="onnx",
    computing=("onnxruntime",),
    converted=converted,
    joined=joined,
    split=split,
    open=Session,
)
