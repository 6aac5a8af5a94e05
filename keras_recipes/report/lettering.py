"""Text in pictures: short enough, with fonts that have its characters, and never boxes."""

import logging
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font

from keras_recipes.errors import printable

NO_FONT = "Last Resort"
"""A font of this name has a box for every character, and comes with Matplotlib."""

NORMAL = 400
"""A font's weight, neither light nor bold."""

log = logging.getLogger(__name__)


def drawable(texts: Sequence[object], longest: int) -> tuple[list[str], dict[str, Any]]:
    """Texts as they can be drawn, and Matplotlib's properties to draw them with.

    Dollar signs are dollar signs. A character that no installed font has is drawn as its number,
    such as U+4E00, which is said once.

    Args:
        texts: Anything: labels, names of files, lines of logs.
        longest: Columns of a terminal; longer texts lose their middle.
    """
    shortened = [brief(printable(text, 10 * longest), longest) for text in texts]
    needed = frozenset("".join(shortened))
    families, missing = _fonts(needed) if not "".join(shortened).isascii() else ((), frozenset())
    drawn = shortened
    if missing:
        _say_once()
        drawn = [brief(_numbered(text, missing), longest) for text in shortened]
    properties: dict[str, Any] = {"parse_math": False}
    return drawn, {**properties, "fontfamily": list(families)} if families else properties


def brief(text: str, longest: int) -> str:
    """The text, or its two ends if it takes more columns than that."""
    if columns(text) <= longest:
        return text
    front = longest // 2
    return f"{_cut(text, front)}…{_cut(text[::-1], longest - front - 1)[::-1]}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters take two."""
    return sum(_width(character) for character in text)


def lines(text: str, width: int) -> str:
    """The text, broken into lines of so many columns."""
    wide = columns(text) > len(text)
    return "\n".join(textwrap.wrap(text, width // 2 if wide else width, break_on_hyphens=False))


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    while columns(text) > width:
        text = text[:-1]
    return text


def _numbered(text: str, missing: frozenset[str]) -> str:
    spelt = "".join(f" U+{ord(c):04X} " if c in missing else c for c in text)
    return " ".join(spelt.split())


@cache
def _fonts(needed: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Families that have these characters, Matplotlib's own first; the characters none has."""
    own = tuple(matplotlib.rcParams["font.family"])
    missing = needed - _characters(findfont(FontProperties(family=list(own))))
    candidates = _candidates() if missing else []
    found = []
    while missing and candidates:
        best = max(candidates, key=lambda font: len(missing & _characters(font.fname)))
        if not missing & _characters(best.fname):
            break
        _as_normal(best)
        found.append(best.name)
        missing -= _characters(best.fname)
    return (*own, *found) if found else (), missing


def _candidates() -> list[FontEntry]:
    """A font of each family: an upright one, neither light nor bold; those without serifs first."""
    _notice_new_fonts()
    fonts = [font for font in fontManager.ttflist if not font.name.startswith(NO_FONT)]
    fonts.sort(key=lambda font: (font.style != "normal", _off(font)), reverse=True)
    best = {font.name: font for font in fonts}
    return sorted(best.values(), key=lambda font: ("Sans" not in font.name, _off(font), font.name))


def _off(font: FontEntry) -> int:
    return abs(int(font.weight) - NORMAL) if str(font.weight).isdecimal() else NORMAL


def _as_normal(font: FontEntry) -> None:
    """Makes Matplotlib find a font under its family's name without complaint about its weight."""
    if _off(font):
        fontManager.ttflist.append(replace(font, weight=NORMAL))


@cache
def _notice_new_fonts() -> None:
    """Matplotlib keeps a list of fonts, in which those installed since then are missing."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):  # no font that Matplotlib can read
                continue


@cache
def _characters(path: str) -> frozenset[str]:
    """Those that Matplotlib can draw with a font; none of one made of pictures."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()


@cache
def _say_once() -> None:
    log.warning(
        "no installed font has some of the characters: they are drawn as numbers, such as U+4E00; "
        "install a font that has them, such as Noto Sans CJK for Chinese, Japanese and Korean"
    )
