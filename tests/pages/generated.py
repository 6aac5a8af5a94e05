"""Files of which a program is the source: tests compare them, `make pages` writes them anew."""

import os
from pathlib import Path

ADVICE = "not what the program says today: run make pages"


def text_of(file: Path, today: str) -> str:
    """What the file says; today's text where `make pages` runs this test."""
    if os.environ.get("UPDATE_PAGES"):
        file.write_text(today, encoding="utf-8")
    return file.read_text(encoding="utf-8")
