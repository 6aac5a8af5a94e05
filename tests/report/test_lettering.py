"""Text in pictures is drawn as text: no boxes, no formulas, no warnings."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from keras_recipes.report import lettering, plots

CHINESE = ["一", "二", "très long 三"]


@pytest.fixture
def only_matplotlibs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that only Matplotlib's own fonts are installed."""
    come_along = str(Path(font_manager.__file__).parent)
    fonts = [f for f in font_manager.fontManager.ttflist if f.fname.startswith(come_along)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    forget()
    yield
    forget()


def forget() -> None:
    for cached in (lettering._fonts, lettering._notice_new_fonts, lettering._say_once):
        cached.cache_clear()


def test_what_no_font_has_is_drawn_as_numbers_and_said_once(
    only_matplotlibs: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        texts, style = lettering.drawable(CHINESE, 20)
        lettering.drawable(["三 alone"], 20)
    assert texts == ["U+4E00", "U+4E8C", "très long U+4E09"]
    assert "fontfamily" not in style
    assert len(caplog.records) == 1
    assert "Noto Sans CJK" in caplog.text


def test_what_another_font_has_is_drawn_with_it(
    only_matplotlibs: None, caplog: pytest.LogCaptureFixture
) -> None:
    first = FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap()
    other = FT2Font(font_manager.findfont("STIXGeneral")).get_charmap()
    only_there = next(c for c in map(chr, sorted(other.keys() - first.keys())) if c.isprintable())
    texts, style = lettering.drawable([f"a {only_there}"], 20)
    assert texts == [f"a {only_there}"]
    assert style["fontfamily"][0] != style["fontfamily"][-1]
    found = FT2Font(font_manager.findfont(style["fontfamily"][-1])).get_charmap()
    assert ord(only_there) in found
    plots.save(plots.scores(np.zeros(2), only_there), Path("other.png"))
    assert not caplog.records


def test_a_new_font_is_found_though_matplotlib_has_not_noticed_it(
    only_matplotlibs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stix = font_manager.findfont("STIXGeneral")
    fonts = [f for f in font_manager.fontManager.ttflist if "STIX" not in f.name]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    known = {c for f in fonts if "Last" not in f.name for c in FT2Font(f.fname).get_charmap()}
    new = sorted(c for c in FT2Font(stix).get_charmap() if c not in known and chr(c).isprintable())
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [stix, __file__])
    texts, style = lettering.drawable([chr(new[0])], 20)
    assert texts == [chr(new[0])]
    assert style["fontfamily"][-1] == "STIXGeneral"


def test_pictures_of_chinese_classes_have_no_boxes_whatever_fonts_there_are() -> None:
    counts = np.eye(3, dtype=int)
    # A glyph that is missing is a warning, and warnings are errors here.
    plots.save(plots.confusion(counts, CHINESE, "数据"), Path("confusion.png"))
    assert Path("confusion.png").stat().st_size


@pytest.mark.parametrize("text", ["$x$", "$", "$\\frac", "a$b$c_{", "\\alpha $\\undefined$"])
def test_dollar_signs_are_no_formulas(text: str) -> None:
    figure = plots.confusion(np.eye(2, dtype=int), [text, "b"], text)
    plots.save(figure, Path("dollars.png"))
    assert figure.axes[0].get_xticklabels()[0].get_text() == text


def test_what_is_no_text_is_spelt() -> None:
    texts, _ = lettering.drawable(["a\nb", "\ud800", "\x1b[2J", 7], 20)
    assert texts == ["a\\nb", "\\ud800", "\\x1b[2J", "7"]


def test_long_texts_keep_both_ends() -> None:
    assert lettering.brief("a" * 30 + "z" * 30, 11) == "aaaaa…zzzzz"
    assert lettering.columns(lettering.brief("一" * 30, 11)) <= 11
    assert lettering.brief("short", 11) == "short"
