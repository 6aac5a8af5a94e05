"""Text in pictures: shortened to fit, and drawn with fonts that have its characters."""

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
"""The name of a font that comes with Matplotlib and draws a box for every character."""

NORMAL = 400
"""The weight of a font that is neither light nor bold."""

log = logging.getLogger(__name__)


def drawable(texts: Sequence[object], longest: int) -> tuple[list[str], dict[str, Any]]:
    """Return texts that can be drawn, and Matplotlib's properties to draw them with.

    Dollar signs do not start formulas. A character that no installed font has is drawn as its
    number, such as U+4E00, and one warning says so.

    Args:
        texts: Any values: labels, names of files, lines of logs.
        longest: The most columns, as in a terminal; longer texts lose their middle.
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
    """Return the text, without its middle if it takes more columns than `longest`."""
    if columns(text) <= longest:
        return text
    front = longest // 2
    return f"{_cut(text, front)}…{_cut(text[::-1], longest - front - 1)[::-1]}"


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(_width(character) for character in text)


def lines(text: str, width: int) -> str:
    """Return the text, wrapped into lines of at most `width` columns."""
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
    """Return font families that have these characters, and the characters that no font has."""
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
    """Return one font per family, upright and of normal weight if possible, sans serif first."""
    _notice_new_fonts()
    fonts = [font for font in fontManager.ttflist if not font.name.startswith(NO_FONT)]
    fonts.sort(key=lambda font: (font.style != "normal", _off(font)), reverse=True)
    best = {font.name: font for font in fonts}
    return sorted(best.values(), key=lambda font: ("Sans" not in font.name, _off(font), font.name))


def _off(font: FontEntry) -> int:
    return abs(int(font.weight) - NORMAL) if str(font.weight).isdecimal() else NORMAL


def _as_normal(font: FontEntry) -> None:
    """Make Matplotlib find a font by its family's name, without a warning about its weight."""
    if _off(font):
        fontManager.ttflist.append(replace(font, weight=NORMAL))


@cache
def _notice_new_fonts() -> None:
    """Add fonts to Matplotlib's cached list that were installed after it was made."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):  # Matplotlib cannot read this file
                continue


@cache
def _characters(path: str) -> frozenset[str]:
    """Return the characters that Matplotlib can draw with a font; none for a bitmap font."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()


@cache
def _say_once() -> None:
    log.warning(
        "no installed font has some of the characters, so they are drawn as numbers such as U+4E00;"
        " install a font that has them, such as Noto Sans CJK for Chinese, Japanese and Korean"
    )
