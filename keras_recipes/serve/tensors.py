"""Tensors of the Open Inference Protocol, as JSON and as binary data."""

from array import array
from typing import Any

import msgspec
import numpy as np

from keras_recipes.serve.refusals import Refusal

DTYPES = {
    "BOOL": "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
"""NumPy's types by the protocol's datatypes; binary data is little-endian."""

MOST_AXES = 8

_whole = msgspec.json.Decoder(list[int])
_real = msgspec.json.Decoder(list[float])
_nested = msgspec.json.Decoder(list[Any])


class Spec(msgspec.Struct, frozen=True):
    """A tensor of a model: its name, its datatype, and its shape with -1 for a free axis."""

    name: str
    datatype: str
    shape: list[int]

    def fits(self, shape: list[int]) -> bool:
        """Return whether a tensor of this shape is one of these."""
        return len(shape) == len(self.shape) and all(
            got >= 0 and want in (-1, got) for want, got in zip(self.shape, shape, strict=True)
        )


def datatype_of(dtype: np.dtype[Any]) -> str:
    """Return the protocol's name of a NumPy type."""
    return next(name for name, known in DTYPES.items() if np.dtype(known) == dtype)


def of_json(spec: Spec, shape: list[int], data: msgspec.Raw) -> np.ndarray:
    """Return the tensor whose numbers are a JSON array, flat or nested.

    Args:
        spec: The tensor that is expected.
        shape: Its shape, which fits.
        data: The text of the JSON array.

    Raises:
        Refusal: The numbers are of another type or number.
    """
    kind = DTYPES[spec.datatype]
    try:
        flat = _flat(data, whole=kind[-2] != "f")
        # A list of small whole numbers is turned into bytes five times as fast as by NumPy.
        found = np.frombuffer(bytes(flat), "u1") if kind == "<u1" else _array(flat, kind)
        return found.reshape(shape)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.ValidationError):
        raise _refused(spec, shape, "other data") from None


def of_bytes(spec: Spec, shape: list[int], data: memoryview) -> np.ndarray:
    """Return the tensor whose numbers are binary data.

    Raises:
        Refusal: There are more or fewer bytes than the shape says.
    """
    try:
        return np.frombuffer(data, DTYPES[spec.datatype]).reshape(shape)
    except ValueError:
        raise _refused(spec, shape, f"{len(data):,} bytes") from None


def _flat(data: msgspec.Raw, whole: bool) -> list[Any]:
    try:
        flat: list[Any] = (_whole if whole else _real).decode(data)
    except msgspec.ValidationError:  # perhaps nested
        nested = np.array(_nested.decode(data))
        if nested.ndim > MOST_AXES or nested.dtype.kind not in ("biu" if whole else "biuf"):
            raise ValueError("expected numbers") from None
        flat = nested.ravel().tolist()
    return flat


def _array(flat: list[Any], kind: str) -> np.ndarray:
    if kind == "<f4":
        return np.frombuffer(array("f", flat), kind)
    return np.array(flat, kind)


def _refused(spec: Spec, shape: list[int], received: str) -> Refusal:
    return Refusal(
        400,
        f"{spec.name}: expected {spec.datatype} numbers for the shape {shape}, received {received}",
    )
