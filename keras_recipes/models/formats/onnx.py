"""ONNX: written by tf2onnx through Keras' exporter, computed by onnxruntime.

The card is an entry of the model's `metadata_props`, which every ONNX tool keeps and shows.

A file is checked before onnxruntime opens it. It must not contain references to other files
(external data) or operations other than ONNX's own. Libraries of other operations are never
loaded. The package onnx supplies the names of the fields, but it does not parse the file: it
would create an object for every two bytes before anything could be counted, and it would
serialize the file without the card differently, so that the card's digest would no longer match.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, UnsafeModelError, first_line
from keras_recipes.models import runtime
from keras_recipes.models.endings import ENDINGS
from keras_recipes.models.formats import protobuf
from keras_recipes.models.formats.format import Format, Members

if TYPE_CHECKING:
    import keras

CARD_KEY = "keras_recipes.card"
MEMBER = "model.onnx"

MOST_FIELDS = 2_000_000
"""The most fields that a file may have; onnxruntime needs hundreds of bytes for some fields.

The numbers of a tensor count little: they are in a few fields."""

MOST_OPERATIONS = 20_000
"""The most operations; the time in which onnxruntime opens a chain of them grows with its square.
"""

_ALLOWED: dict[str, tuple[bytes, ...]] = {
    "TensorProto.external_data": (),
    "TensorProto.data_location": (b"\0",),  # in the file itself
    "NodeProto.domain": (b"", b"ai.onnx", b"ai.onnx.ml"),
}
"""Allowed values of the fields with which a model could do more than compute."""


def converted(model: "keras.Model") -> Members:
    """Convert a Keras model to ONNX, with batches of any size.

    Args:
        model: A Keras model on TensorFlow that was called at least once.
    """
    with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
        path = Path(scratch) / MEMBER
        model.export(path, format="onnx", verbose=False)
        return {MEMBER: path.read_bytes()}


def joined(members: Members, card: bytes) -> Members:
    """Return the file with the card added: concatenated protobuf messages merge."""
    import onnx

    entry = onnx.StringStringEntryProto(key=CARD_KEY, value=card.decode())
    return {MEMBER: members[MEMBER] + onnx.ModelProto(metadata_props=[entry]).SerializeToString()}


def split(members: Members, where: str) -> tuple[Members, bytes | None]:
    """Return the file without the card, and the card's text or None.

    Raises:
        CorruptModelError: The content is not ONNX.
        UnsafeModelError: It refers to other files, contains operations that are not ONNX's own, or
            exceeds the limits.
    """
    content = members[MEMBER]
    if content[4:8] == b"ORTM":
        raise CorruptModelError(
            f"{where}: expected ONNX, received onnxruntime's own format; export it again"
        )
    try:
        model, card = _split(content, where)
    except ValueError as error:
        raise CorruptModelError(
            f"{where}: damaged, or not an ONNX file: {error}; export it again"
        ) from None
    return {MEMBER: model}, card


class Session:
    """An ONNX model in onnxruntime.

    Args:
        members: The members that `split` returned.
        where: The model's path, for the messages.

    Raises:
        CorruptModelError: onnxruntime cannot open it.
    """

    def __init__(self, members: Members, where: str) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # fatal errors are raised anyway
        settings.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            with backend.suppressed_output():  # it prints more of some errors than it raises
                self._session = onnxruntime.InferenceSession(
                    members[MEMBER], settings, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # onnxruntime has one exception for each status
            reason = first_line(error)
            raise CorruptModelError(f"{where}: onnxruntime cannot open it: {reason}") from None
        takes, gives = self._session.get_inputs(), self._session.get_outputs()
        runtime.check_ends([len(one.shape) for one in takes], len(gives), where)
        self._input, self._where = takes[0], where
        self.name = f"onnxruntime {onnxruntime.__version__}"

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis; a named axis may have any length."""
        return tuple(n if isinstance(n, int) else None for n in self._input.shape[1:])

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Compute the model's outputs for a batch, shape (N, ...)."""
        x = runtime.as_input(x, self.input_shape, _dtype(self._input.type))
        batch = self._input.shape[0]
        fixed = batch if isinstance(batch, int) and batch > 0 else None
        with backend.suppressed_output():
            return runtime.in_batches(self._computed, x, self._where, fixed)

    def _computed(self, piece: np.ndarray) -> np.ndarray:
        try:
            answer: np.ndarray = self._session.run(None, {self._input.name: piece})[0]
        except Exception as error:  # onnxruntime has one exception for each status
            raise runtime.not_computed(self._where, "onnxruntime", error) from None
        return answer


def _dtype(name: str) -> str:
    """Return NumPy's name for an onnxruntime type such as `tensor(float)`."""
    inner = name.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)


def _split(content: bytes, where: str) -> tuple[bytes, bytes | None]:
    card, rest, kept, operations = None, [], 0, 0
    for count, (name, field) in enumerate(_fields(content)):
        operations += name in ("GraphProto.node", "FunctionProto.node")
        if count >= MOST_FIELDS:
            raise _too_many(f"{MOST_FIELDS:,} fields", where)
        if operations > MOST_OPERATIONS:
            raise _too_many(f"{MOST_OPERATIONS:,} operations", where)
        _check(name, content, field, where)
        if name == "ModelProto.metadata_props" and (text := _card_in(content, field)) is not None:
            rest.append(content[kept : field.begin])
            card, kept = text, field.end
    return b"".join([*rest, content[kept:]]), card


def _too_many(what: str, where: str) -> UnsafeModelError:
    return UnsafeModelError(
        f"{where}: refused, it contains more than {what}; ask its author for a smaller model"
    )


def _fields(content: bytes) -> Iterator[tuple[str, protobuf.Field]]:
    """Yield every field of a model and of its known messages, with the field's name in ONNX."""
    import onnx

    waiting: list[tuple[Any, int, int]] = [(onnx.ModelProto.DESCRIPTOR, 0, len(content))]
    while waiting:  # no recursion: the file's author chooses how deep it is nested
        message, start, end = waiting.pop()
        for field in protobuf.fields(content, start, end):
            known = message.fields_by_number.get(field.number)
            yield f"{message.name}.{known.name if known else field.number}", field
            if known and known.message_type and field.wire == protobuf.BYTES:
                waiting.append((known.message_type, field.start, field.end))


def _check(name: str, content: bytes, field: protobuf.Field, where: str) -> None:
    allowed = _ALLOWED.get(name)
    if allowed is None or (value := content[field.start : field.end]) in allowed:
        return
    if name == "NodeProto.domain":
        raise UnsafeModelError(
            f"{where}: refused, it contains an operation of "
            f"{value[:60].decode(errors='replace')!r}; only ONNX's own are allowed; export it again"
        )
    raise UnsafeModelError(
        f"{where}: refused, it reads other files (external data); export it to one file"
    )


def _card_in(content: bytes, field: protobuf.Field) -> bytes | None:
    import onnx

    if field.wire != protobuf.BYTES:
        return None
    entry = onnx.StringStringEntryProto
    inside = protobuf.fields(content, field.start, field.end)
    values = {part.number: content[part.start : part.end] for part in inside}
    if values.get(entry.KEY_FIELD_NUMBER) != CARD_KEY.encode():
        return None
    return values.get(entry.VALUE_FIELD_NUMBER, b"")


FORMAT = Format(
    name="onnx",
    ending=ENDINGS["onnx"],
    members=(MEMBER,),
    extra="onnx",
    computing=("onnxruntime", "onnx"),
    converted=converted,
    joined=joined,
    split=split,
    open=Session,
)
