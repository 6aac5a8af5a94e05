"""What is known of data sets as they are published: EMNIST, QMNIST, KMNIST, Fashion-MNIST.

EMNIST's pictures are transposed, and the labels of its six splits are numbers whose meaning is in a
mapping file. QMNIST's labels have eight columns, of which the first is the class. The files of
KMNIST and Fashion-MNIST are called as MNIST's are, though their classes are no digits.

Cohen et al. 2017 (EMNIST), Yadav and Bottou 2019 (QMNIST), Clanuwat et al. 2018 (KMNIST), Xiao et
al. 2017 (Fashion-MNIST).
"""

import csv
import io
import logging
import re
import string
from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_recipes.digits.entries import Entry
from keras_recipes.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np

_MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
_SPLITS = {
    "digits": dict(enumerate(string.digits)),
    "mnist": dict(enumerate(string.digits)),
    "letters": dict(enumerate(string.ascii_uppercase, 1)),
    "balanced": dict(enumerate(_MERGED)),
    "bymerge": dict(enumerate(_MERGED)),
    "byclass": dict(enumerate(string.digits + string.ascii_letters.swapcase())),
}
"""The labels of EMNIST's splits, as their mapping files give them."""

_NO_DIGITS = {
    "Fashion-MNIST": re.compile(r"fashion[-_ ]?mnist"),
    "KMNIST": re.compile(r"(?<![a-z])kmnist|kuzushiji"),
}

log = logging.getLogger(__name__)


def is_emnist(name: str) -> bool:
    """Return whether a file of this name has EMNIST's pictures, which are transposed."""
    return re.search(r"(?<![a-z])emnist", name.lower()) is not None


def upright(name: str, images: "np.ndarray") -> "np.ndarray":
    """Return images of shape (N, 28, 28) upright: those of EMNIST's files are transposed."""
    return images.transpose(0, 2, 1) if is_emnist(name) else images


def names_of_classes(name: str, near: Iterable[Entry]) -> dict[int, str] | None:
    """Return the labels that the numbers in a file stand for, or None if they stand for digits.

    Args:
        name: The name of the file, such as `emnist-letters-train-labels-idx1-ubyte.gz`.
        near: The files of its folder, among which a mapping file may be.

    Raises:
        InputError: The mapping file cannot be read.
    """
    split = re.search(r"(?<![a-z])emnist[-_ ]([a-z]+)", name.lower())
    wanted = f"emnist-{split[1]}-mapping.txt" if split else None
    for entry in near:
        if entry.own == wanted:
            return _emnist(entry)
        if re.fullmatch(r"(kmnist|k49)_classmap\.csv", entry.own) and not split:
            return _kuzushiji(entry)
    return _SPLITS.get(split[1]) if split else None


def warn_of_no_digits(name: str, names: dict[int, str] | None) -> None:
    """Warn if the classes of a published data set are no digits, though they are numbered."""
    for data_set, called in _NO_DIGITS.items():
        if names is None and called.search(name.lower()):
            log.warning(
                "%s: the classes 0 to 9 of %s are no digits; a net for digits cannot know them",
                name,
                data_set,
            )


def _emnist(entry: Entry) -> dict[int, str]:
    """Read lines such as `10 65`, or `1 65 97` where both cases are one class."""
    found = {}
    for number, line in enumerate(entry.content().decode("utf-8", "replace").splitlines(), 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) < 2 or not all(re.fullmatch(r"\d{1,7}", cell) for cell in cells):
            raise InputError(
                f"{entry.name}: line {number}: expected the number of a class and the code of its "
                f"character, received {printable(line, 40)}; copy the file again"
            )
        found[int(cells[0])] = chr(int(cells[1])) if int(cells[1]) < 0x110000 else ""
    if not found:
        raise InputError(f"{entry.name}: expected the numbers of classes, received an empty file")
    return found


def _kuzushiji(entry: Entry) -> dict[int, str]:
    """Read KMNIST's table `index,codepoint,char`."""
    rows = csv.reader(io.StringIO(entry.content().decode("utf-8-sig", "replace")))
    found = {int(row[0]): row[2] for row in rows if len(row) > 2 and row[0].isdecimal()}
    if not found:
        raise InputError(f"{entry.name}: expected the columns index, codepoint, char")
    return found
