"""MODEL is resolved once: located, read and parsed for everything that uses it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from keras_recipes.models import formats
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import load as loading
from keras_recipes.saved.load import find
from keras_recipes.untrusted import files
from tests.command_line import Run


def test_one_question_locates_the_model_and_reads_its_files_once(
    recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.new("L", (28, 28), 255)
    picture.paste(0, (13, 4, 16, 24))
    picture.save("x.png")
    calls: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: Any, **more: Any) -> Any:
            path = arguments[0] if isinstance(arguments[0], Path) else ""
            calls[f"{name} {Path(path).name}".strip()] += 1
            return real(*arguments, **more)

        monkeypatch.setattr(owner, name, call)

    counted(loading, "locate")
    counted(files, "read")
    counted(formats, "of")
    counted(Card, "from_json")
    result = recipes("predict", "lenet5", "x.png", "-v")
    assert result.exit_code == 0, result.stderr
    assert calls["locate"] == calls["read card.json"] == calls["read model.weights.h5"] == 1
    assert max(calls.values()) == 1, calls


def test_a_model_that_is_open_passes_through(fitted: Fitted) -> None:
    found = find(fitted)
    assert found.open() is found.in_keras() is fitted
    assert found.card is fitted.card
    assert found.name == "xor"


def test_what_is_named_after_a_model_has_one_name_for_all_commands(
    recipes: Run, saved: Path
) -> None:
    assert recipes("export", str(saved), "--format", "keras").stdout == "xor.keras\n"
    assert find("xor.keras").name == find("xor").name == "xor"
    assert recipes("plot", "xor.keras").stdout.startswith("plots/xor/")
