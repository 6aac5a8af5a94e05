"""Matching the names of classes in data with the labels of a model.

A folder may be called `7`, `07`, `seven`, `digit 7`, `七` or `７`. All mean the digit 7.
"""

import logging
import re
import unicodedata
from collections.abc import Sequence

from keras_recipes.errors import InputError, printable

SHOWN = 12
"""The most labels that a message names."""

_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_NUMERALS = (
    "零一二三四五六七八九",
    "〇壹贰叁肆伍陆柒捌玖",
    "〇壹貳參肆伍陸柒捌玖",
    "○壱弐参四五六七八九",
)
_DIGITS = {word: str(number) for number, word in enumerate(_WORDS)} | {
    sign: str(number) for signs in _NUMERALS for number, sign in enumerate(signs)
}
_BEFORE = re.compile(r"(?:digits?|numbers?|num|no|class|数字|數字|label)?[-_. ]*(.+)")

log = logging.getLogger(__name__)


def digit_of(name: str) -> str | None:
    """Return the digit that a name means, or None for other names."""
    # Full-width digits and other forms of the same sign become the usual one.
    spelt = unicodedata.normalize("NFKC", name).strip().casefold()
    found = _BEFORE.fullmatch(spelt)
    word = found[1] if found else spelt
    if re.fullmatch(r"0{0,4}[0-9]", word):
        return word[-1]
    return _DIGITS.get(word)


def matched(source: str, names: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the place of each name of a class among the labels of a model.

    The same text comes first, then the same text in another case, then the same digit in words.

    Args:
        source: The name of the data, for messages.
        names: The names of the classes that the data has.
        labels: The model's labels, as texts.

    Raises:
        InputError: A name matches no label, or two names match the same one.
    """
    places = {name: _place(name, labels) for name in names}
    strange = [name for name, place in places.items() if place is None]
    if strange:
        raise InputError(
            f"{source}: has {counted(names)}, the model has {counted(labels)}; "
            f"{printable(strange[0], 20)} is none of them; name other data, or fit a new model on "
            "it, without --from"
        )
    found: dict[int, str] = {}
    for name, place in places.items():
        assert place is not None
        if place in found:
            raise InputError(
                f"{source}: expected one name for each class, received {printable(found[place])} "
                f"and {printable(name)} for the label {printable(labels[place])}; join them"
            )
        found[place] = name
    changed = [
        f"{name} as {labels[place]}" for place, name in found.items() if name != labels[place]
    ]
    if changed:
        more = ", ..." if len(changed) > SHOWN else ""
        log.info(
            "%s: reads the class %s%s", source, printable(", ".join(changed[:SHOWN]), 400), more
        )
    return [place for place in places.values() if place is not None]


def counted(labels: Sequence[object]) -> str:
    """Return the number of labels and the first of them, for a message."""
    shown = ", ".join(printable(label, 20) for label in labels[:SHOWN])
    more = ", ..." if len(labels) > SHOWN else ""
    return f"{len(labels)} class{'es' * (len(labels) != 1)} ({shown}{more})"


def _place(name: str, labels: Sequence[str]) -> int | None:
    if name in labels:
        return labels.index(name)
    for same in (str.casefold, digit_of):
        wanted = same(name)
        places = [i for i, label in enumerate(labels) if wanted and same(label) == wanted]
        if len(places) == 1:
            return places[0]
    return None
