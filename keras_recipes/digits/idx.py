"""IDX arrays, the format in which MNIST and its relatives are published."""

from typing import TYPE_CHECKING

from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""NumPy's dtypes by the code in an IDX header."""


def parsed(name: str, content: bytes, axes: tuple[int, ...]) -> "np.ndarray":
    """Return an IDX array: two zero bytes, a type, the number of axes, their sizes, the values.

    Args:
        name: The file's name, for messages.
        content: The unpacked file.
        axes: The numbers of axes that it may have.

    Raises:
        InputError: It is no such array, or has more or fewer values than its header says.
    """
    import numpy as np

    wanted = " or ".join(map(str, axes))
    start = 4 + 4 * content[3] if len(content) > 3 else 4
    known = content[:2] == b"\0\0" and len(content) >= start > 4 and content[2] in DTYPES
    if not known or content[3] not in axes:
        raise InputError(
            f"{name}: expected IDX with {wanted} dimensions, "
            f"received a file that begins with {content[:4].hex() or 'nothing'}"
        )
    dtype = np.dtype(DTYPES[content[2]])
    shape = tuple(np.frombuffer(content, ">u4", content[3], 4).tolist())
    count, rest = 1, len(content) - start
    for size in shape:  # in Python's whole numbers, which do not overflow
        count *= size
    if rest != count * dtype.itemsize:
        raise InputError(
            f"{name}: expected {count:,} values {shape}, found {rest // dtype.itemsize:,}; "
            "copy it again"
        )
    values = np.frombuffer(content, dtype, count, start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)
