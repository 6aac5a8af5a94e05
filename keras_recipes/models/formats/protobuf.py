"""As much of protobuf's wire format as it takes to look through a message and parse none of it."""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: where it begins, and where its value lies."""

    number: int
    wire: int
    begin: int
    start: int
    end: int


def fields(content: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message that lies between two places.

    Raises:
        ValueError: There is no message.
    """
    place = start
    while place < end:
        key, value = varint(content, place)
        wire = key & 7
        if wire == VARINT:
            _, last = varint(content, value)
        elif wire in (FIXED64, FIXED32):
            last = value + (8 if wire == FIXED64 else 4)
        elif wire == BYTES:
            size, value = varint(content, value)
            last = value + size
        else:
            raise ValueError(f"wire type {wire}")
        if last > end:
            raise ValueError("a field is longer than what holds it")
        yield Field(key >> 3, wire, place, value, last)
        place = last


def varint(content: bytes, place: int) -> tuple[int, int]:
    """The number that begins at a place, and where it ends.

    Raises:
        ValueError: There is no number.
    """
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            break
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number does not end")
