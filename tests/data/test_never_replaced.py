"""No output replaces what is read, and none is written through a link."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from keras_recipes import export
from keras_recipes.data import never_replaced
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Fitted
from tests.command_line import Run
from tests.digits.drawn import seven
from tests.shared_data import shared_data

POINTS = "0,1\n1,1\n"


def _plain() -> tuple[str, str]:
    return "points.csv", "points.csv"


def _hard_link() -> tuple[str, str]:
    os.link("points.csv", "other.csv")
    return "points.csv", "other.csv"


def _link_to_it() -> tuple[str, str]:
    Path("other.csv").symlink_to("points.csv")
    return "points.csv", "other.csv"


def _link_of_the_input() -> tuple[str, str]:
    Path("other.csv").symlink_to("points.csv")
    return "other.csv", "points.csv"


def _link_of_the_folder() -> tuple[str, str]:
    Path("here").symlink_to(".")
    return "points.csv", "here/points.csv"


SPELLINGS: dict[str, Callable[[], tuple[str, str]]] = {
    "the same": _plain,
    "relative": lambda: ("points.csv", "../here/./points.csv"),
    "absolute": lambda: ("points.csv", str(Path.cwd() / "points.csv")),
    "a glob": lambda: ("*.csv", "points.csv"),
    "a deep glob": lambda: ("**/points.csv", "points.csv"),
    "a folder": lambda: (".", "points.csv"),
    "a hard link": _hard_link,
    "a link to it": _link_to_it,
    "a link as the input": _link_of_the_input,
    "a link to its folder": _link_of_the_folder,
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_an_output_is_no_input_whatever_its_name(
    how: str, recipes: Run, saved: Path, empty_folder: Path
) -> None:
    Path("points.csv").write_text(POINTS)
    asked, output = SPELLINGS[how]()
    result = recipes("predict", "xor", asked, "--output", output)
    assert result.exit_code == 2, result.stderr
    assert "is one of the inputs" in result.stderr
    assert Path("points.csv").read_text() == POINTS


def test_a_file_in_an_archive_makes_the_archive_an_input(recipes: Run) -> None:
    Path("digits/7").mkdir(parents=True)
    seven().save("digits/7/a.png")
    shutil.make_archive("digits", "zip", "digits")
    before = Path("digits.zip").read_bytes()
    for asked in ("digits.zip", "digits.zip/7/a.png"):
        result = recipes("predict", "mnist-mlp", asked, "--output", "digits.zip")
        assert result.exit_code == 2
        assert Path("digits.zip").read_bytes() == before


def test_the_model_and_its_weights_are_inputs(recipes: Run, saved: Path) -> None:
    card, pair = saved / "card.json", saved / "model.weights.h5"
    before = card.read_bytes(), pair.read_bytes()
    for arguments in (
        ["xor", "0,1", "--output", str(card)],
        [str(saved / "model.json"), "0,1", "--weights", str(pair), "--output", str(pair)],
    ):
        result = recipes("predict", *arguments)
        assert result.exit_code == 2, result.stderr
        assert "is one of the inputs" in result.stderr
    assert (card.read_bytes(), pair.read_bytes()) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX redirection")
def test_standard_input_is_an_input(saved: Path) -> None:
    Path("points.csv").write_text(POINTS)
    command = [sys.executable, "-m", "keras_recipes", "predict", "xor", "-"]
    with Path("points.csv").open("rb") as source:
        done = subprocess.run(
            [*command, "--output", "points.csv"], stdin=source, capture_output=True, text=True
        )
    assert done.returncode == 2, done.stderr
    assert "points.csv is read as standard input" in done.stderr
    assert Path("points.csv").read_text() == POINTS


def test_saved_pictures_replace_no_picture_that_is_asked_about(recipes: Run) -> None:
    Path("seen").mkdir()
    seven().save("seen/000000-a.png")
    seven().save("a.png")
    before = Path("seen/000000-a.png").read_bytes()
    for asked in (["a.png", "seen/000000-a.png"], ["a.png", "seen"], ["a.png", "seen/*.png"]):
        result = recipes("predict", "mnist-mlp", *asked, "--set", "seen=seen")
        assert result.exit_code == 2
        assert "seen: seen/000000-a.png is one of the inputs" in result.stderr
    assert Path("seen/000000-a.png").read_bytes() == before


def test_an_export_replaces_no_model_that_it_is_made_of(
    fitted: Fitted, recipes: Run, saved: Path
) -> None:
    export(fitted, "keras", "m.keras")
    export(fitted, "json-h5", "pair")
    before = Path("m.keras").read_bytes(), Path("pair/model.json").stat().st_ino
    for arguments in (
        ["m.keras", "--format", "keras", "--output", "m.keras"],
        ["pair", "--format", "json-h5", "--output", "pair"],
        ["pair/model.json", "--format", "json-h5", "--output", "./pair"],
    ):
        result = recipes("export", *arguments)
        assert result.exit_code == 2, result.stderr
        assert "is one of the inputs" in result.stderr
    assert (Path("m.keras").read_bytes(), Path("pair/model.json").stat().st_ino) == before


def test_a_conversion_replaces_no_weights_that_it_reads(fitted: Fitted, recipes: Run) -> None:
    bare = Fitted(model=fitted.model)
    export(bare, "json-h5", "one")
    export(bare, "json-h5", "other")
    before = Path("other/model.weights.h5").stat().st_ino
    weights = "other/model.weights.h5"
    result = recipes("convert", "one/model.json", weights, "--output", "other")
    assert result.exit_code == 2, result.stderr
    assert Path(weights).stat().st_ino == before


def test_a_fit_replaces_no_data_that_it_reads(recipes: Run, saved: Path) -> None:
    history = saved / "history.csv"
    before = history.read_bytes()
    for data in (str(history), str(saved / "*.csv")):
        result = recipes("fit", "lstm-anomaly", "--data", data, "--out", str(saved))
        assert result.exit_code == 2, result.stderr
        assert "is one of the inputs, or holds one" in result.stderr
    assert history.read_bytes() == before


def test_what_is_no_file_is_no_input(empty_folder: Path) -> None:
    Path("answers.csv").touch()
    some = ["", "-", "0,1", "a\0b", "x" * 100_000, "[", "missing/*", Path("missing"), "/dev/null"]
    never_replaced.check(Path("answers.csv"), some)
    never_replaced.check(Path("new.csv"), ["new.csv", "."])
    Path("logs").mkdir()
    Path("logs/dangling").symlink_to("nowhere")
    never_replaced.check(Path("answers.csv"), ["logs"])
    with pytest.raises(InputError, match="seen: "):
        never_replaced.check(Path("answers.csv"), ["."], "seen")


@pytest.fixture
def victim() -> Path:
    """Write a file to which links lie where outputs are written."""
    path = Path("victim")
    path.write_text("precious")
    return path


def linked(place: str, victim: Path) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).symlink_to(os.path.relpath(victim, Path(place).parent))


OUTPUTS = {
    "answers": ("a.csv", ["predict", "xor", "0,1", "--output", "a.csv"]),
    "an export": ("m.keras", ["export", "xor", "--format", "keras", "--output", "m.keras"]),
    "pictures": ("plots/xor/loss.png", ["plot", "xor"]),
    "seen": ("s/000000-d.png", ["predict", "lenet5", "d.png", "--set", "seen=s"]),
}


@pytest.mark.parametrize("what", OUTPUTS)
@pytest.mark.parametrize("dangles", [False, True])
def test_nothing_is_written_through_a_link(
    what: str, dangles: bool, recipes: Run, saved: Path, victim: Path
) -> None:
    seven().save("d.png")
    place, arguments = OUTPUTS[what]
    if dangles:
        victim.unlink()
    linked(place, victim)
    result = recipes(*arguments)
    assert result.exit_code == 2, result.stderr
    assert f"{place}: is a link to another file" in result.stderr
    assert not victim.exists() if dangles else victim.read_text() == "precious"
    assert Path(place).is_symlink()
    assert [path.name for path in Path(place).parent.iterdir() if "new" in path.name] == []


def test_a_folder_of_pictures_with_a_link_gets_none(
    recipes: Run, saved: Path, victim: Path
) -> None:
    linked("plots/xor/loss.png", victim)
    assert recipes("plot", "xor").exit_code == 2
    assert [path.name for path in Path("plots/xor").iterdir()] == ["loss.png"]


def test_a_folder_may_be_reached_by_a_link(recipes: Run, saved: Path) -> None:
    Path("real").mkdir()
    Path("link").symlink_to("real")
    assert recipes("predict", "xor", "0,1", "--output", "link/a.csv").exit_code == 0
    assert Path("real/a.csv").exists()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
def test_dev_stdout_is_standard_output_also_where_that_is_a_file(saved: Path) -> None:
    command = [sys.executable, "-m", "keras_recipes", "predict", "xor", "0,1", "--format", "csv"]
    with Path("a.csv").open("wb") as out:
        out.write(b"before\n")
        out.flush()
        subprocess.run([*command, "--output", "/dev/stdout"], stdout=out, check=True)
    assert Path("a.csv").read_text().splitlines()[:2] == ["before", "input,probability,class"]


def test_the_case_of_an_output_over_the_input(recipes: Run, saved: Path) -> None:
    case = shared_data("cases/robustness/39-output-over-the-input/three.csv")
    rows = np.loadtxt(case, delimiter=",", skiprows=1)[:, 1:3]
    np.savetxt("in.csv", rows, delimiter=",")
    before = Path("in.csv").read_bytes()
    result = recipes("predict", "xor", "in.csv", "--format", "csv", "--output", "in.csv")
    assert result.exit_code == 2
    assert Path("in.csv").read_bytes() == before


def test_the_case_of_planted_links(recipes: Run, victim: Path) -> None:
    shutil.copy(shared_data("cases/robustness/34-seen-follows-planted-links/@x.png"), "digit.png")
    linked("seenlink/000000-digit.png", victim)
    result = recipes("predict", "lenet5", "digit.png", "--set", "seen=seenlink")
    assert result.exit_code == 2
    assert victim.read_text() == "precious"


def test_the_case_of_a_name_that_was_cut(recipes: Run) -> None:
    name = "\x1b[2J.png"
    shutil.copy(shared_data("cases/robustness/36-table-cuts-names/@x.png"), name)
    for form in ("table", "csv"):
        assert "\\x1b[2J.png" in recipes("predict", "lenet5", name, "--format", form).stdout
