"""MODEL is resolved once: it is located, read and parsed once for all that use it."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes import load
from keras_recipes.models import formats
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.models.formats import saved_model
from keras_recipes.saved import load as loading
from keras_recipes.saved import locate
from keras_recipes.saved.load import find
from keras_recipes.untrusted import files
from tests.command_line import Run
from tests.exports import exported


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[object]:
    """Count how often each file is read, a model is located, and its card is parsed."""
    found: Counter[object] = Counter()

    def count(owner: object, name: str, what: Callable[..., object]) -> None:
        real = getattr(owner, name)

        def counted(*arguments: object) -> object:
            found[what(*arguments)] += 1
            return real(*arguments)

        monkeypatch.setattr(owner, name, counted)

    count(files, "read", lambda path, most: path)
    count(Card, "from_json", lambda text, where: "parsed")
    count(loading, "locate", lambda model, weights: "located")
    count(formats, "of", lambda place: "looked at")
    return found


def a_question(format: str, lenet: Fitted) -> tuple[list[str], list[Path]]:
    """The other arguments of `recipes predict`, and the files that it has to read."""
    picture, folder = Image.new("L", (28, 28), 255), locate.shipped("lenet5")
    picture.paste(0, (13, 4, 16, 24))
    picture.save("x.png")
    if format == "shipped":
        return ["lenet5", "x.png"], [folder / name for name in ("card.json", *lenet.card.files)]
    if format == "pair":
        shutil.copy(folder / "model.json", "bare.json")
        shutil.copy(folder / "model.weights.h5", "w.h5")
        np.save("x.npy", np.zeros((1, 28, 28, 1)))
        read = [Path(name) for name in ("bare.json", "w.h5", "x.npy")]
        return ["bare.json", "x.npy", "--weights", "w.h5"], read
    place = exported(lenet, format).path
    members = [place / name for name in saved_model.FORMAT.members] if place.is_dir() else [place]
    return [str(place), "x.png"], members


@pytest.mark.parametrize("format", ["shipped", "pair", "keras", "saved-model", "onnx", "litert"])
def test_one_answer_locates_the_model_and_reads_its_files_once(
    format: str, recipes: Run, lenet: Fitted, counts: Counter[object]
) -> None:
    arguments, members = a_question(format, lenet)
    counts.clear()
    result = recipes("predict", *arguments, "-v")
    assert result.exit_code == 0, result.stderr
    looks = {"located": 1, "looked at": format != "shipped", "parsed": format != "pair"}
    assert counts == Counter({**dict.fromkeys(members, 1), **looks})


def test_a_conversion_reads_its_files_once(recipes: Run, counts: Counter[object]) -> None:
    folder = locate.shipped("lenet5")
    shutil.copy(folder / "model.json", "bare.json")
    shutil.copy(folder / "model.weights.h5", "w.h5")
    result = recipes("convert", "bare.json", "w.h5", "--output", "new")
    assert result.exit_code == 0, result.stderr
    assert counts[Path("bare.json")] == counts[Path("w.h5")] == 1
    said = json.loads(Path("new/conversion.json").read_text())
    described = load(folder).card.files
    assert said["files"] == {
        "bare.json": described["model.json"],
        "w.h5": described["model.weights.h5"],
    }


def test_what_was_read_is_let_go_once_the_model_is_open(saved: Path) -> None:
    found = find(saved)
    assert found.card is found.contents.card
    found.open()
    assert found._contents is None
    assert found.card.recipe == "xor"


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
