"""The part of protobuf's wire format that is needed to walk through a message unparsed."""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: where the field begins, and where its value starts and ends."""

    number: int
    wire: int
    begin: int
    start: int
    end: int


def fields(content: bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two positions.

    Raises:
        ValueError: There is no valid message.
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
            raise ValueError(f"unknown wire type {wire}")
        if last > end:
            raise ValueError("a field is longer than its message")
        yield Field(key >> 3, wire, place, value, last)
        place = last


def varint(content: bytes, place: int) -> tuple[int, int]:
    """Return the number at a position, and the position after it.

    Raises:
        ValueError: There is no valid number.
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
