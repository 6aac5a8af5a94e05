"""What a page shows to be typed: commands and programs out of its fences, in order.

A fence marked `sh` holds commands, one marked `console` commands behind `$ ` with what they print,
one marked `python` a program. A comment before a fence says what a test needs to know of it:

    <!-- test: setup -->  makes an environment, which the one that runs the tests already has
    <!-- test: full -->   needs MNIST, or minutes: for `make test-all`
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

_FENCE = re.compile(
    r"^(?:<!-- test: (?P<tier>\w+) -->\n)?```(?P<kind>sh|console|python)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Step:
    """One thing that a reader types.

    Attributes:
        kind: "sh" or "python".
        text: The command line, or the program.
        printed: The lines that the page shows for it; none where it shows none.
        tier: "quick", "full" or "setup".
    """

    kind: str
    text: str
    printed: tuple[str, ...]
    tier: str


def steps(page: Path) -> list[Step]:
    """Everything that the page shows to be typed."""
    found: list[Step] = []
    for fence in _FENCE.finditer(page.read_text(encoding="utf-8")):
        tier, text = fence["tier"] or "quick", fence["text"]
        if fence["kind"] == "python":
            found.append(Step("python", text, (), tier))
        elif fence["kind"] == "sh":
            lines = text.replace("\\\n", " ").splitlines()
            commands = [line for line in lines if line.strip() and not line.startswith("#")]
            found.extend(Step("sh", command, (), tier) for command in commands)
        else:
            for block in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *printed = block.strip().splitlines()
                found.append(Step("sh", command, tuple(printed), tier))
    return found


def similar(shown: str, printed: str) -> bool:
    """Equal words, and numbers to a thousandth or five per cent: backends round differently."""
    one, other = shown.split(), printed.split()
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        try:
            if float(a) != pytest.approx(float(b), rel=0.05, abs=0.001):
                return False
        except ValueError:
            if a != b:
                return False
    return True


def differs_between_machines(line: str) -> bool:
    """Whether a line names versions, devices or seconds."""
    return bool(re.search(r"tensorflow|\d s\b|Python 3", line))
