"""After a kill at any moment of a save, the old or the new model is there and complete."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes import atomic, load, save
from keras_recipes.errors import CorruptModelError, InputError, RecipeError
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved.save import check_target

SCRIPT = Path(__file__).parent / "kill_points.py"


@pytest.mark.full
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_kill_at_every_change_leaves_a_whole_model(
    way: str, saved: Path, fitted: Fitted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Path(shutil.copytree(saved, tmp_path / "new"))
    card = (new / "card.json").read_text().replace('"preset": null', '"preset": "new"')
    (new / "card.json").write_text(card)
    results = tmp_path / "results"
    results.mkdir()
    command = [sys.executable, str(SCRIPT), str(saved), str(new), str(results), way]
    calls = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    outcomes = {"old": 0, "new": 0}
    for state in sorted(results.iterdir()):
        if not state.is_dir():
            continue
        target = state / "saved_models" / "xor"
        outcomes["new" if load(target).card.preset else "old"] += 1
        # Files that the killed process left do not disturb the next save.
        save(fitted, target)
        assert {p.name for p in target.parent.iterdir()} == {"xor"}, state
    writes = {name: calls.count(name) for name in ("write", "fsync", "exchange", "rename")}
    with capsys.disabled():
        print(f"\n{way}: {sum(outcomes.values())} kills over {writes}: {outcomes}")
    assert sum(outcomes.values()) == 2 * len(calls)
    assert outcomes["old"] and outcomes["new"]
    assert min(writes["write"], writes["fsync"]) >= 5
    assert writes["exchange"] or way == "renames"


def test_a_save_changes_the_disk_only_through_publish(
    fitted: Fitted, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(atomic, "write", refuse)
    before = {path: path.read_bytes() for path in saved.iterdir()}
    with pytest.raises(RecipeError, match="what was there is unchanged"):
        save(fitted, saved)
    assert {path: path.read_bytes() for path in saved.iterdir()} == before


def test_without_an_exchange_two_renames_do_it(
    fitted: Fitted, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "exchange", lambda one, other: False)
    before = (saved / "card.json").stat().st_ino
    save(fitted, saved)
    assert (saved / "card.json").stat().st_ino != before
    load(saved)


def test_folders_are_exchanged_in_one_step_where_the_system_can(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    if not atomic.exchange(one, other):
        pytest.skip("this file system exchanges nothing")
    assert [p.name for p in one.iterdir()] == ["other"]
    assert [p.name for p in other.iterdir()] == ["one"]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic.growing_file(target) as file:
        file.write("new")
        raise ZeroDivisionError
    assert target.read_text() == "old"


@pytest.mark.parametrize("parent", ["missing/deep", "."])
def test_missing_parents_are_made(fitted: Fitted, empty_folder: Path, parent: str) -> None:
    save(fitted, Path(parent) / "xor")
    load(Path(parent) / "xor")


def test_a_place_below_a_file_is_refused_before_training(empty_folder: Path) -> None:
    (empty_folder / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        check_target(empty_folder / "file" / "xor")


def test_half_a_model_in_its_place_is_never_taken_for_whole(saved: Path) -> None:
    (saved / "model.weights.h5").write_bytes((saved / "model.weights.h5").read_bytes()[:100])
    with pytest.raises(CorruptModelError):
        load(saved)


def test_members_may_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    members = {"a": b"1", "inner/b": b"2", "inner/deep/c": b"3"}
    with atomic.folder(tmp_path / "it", members):
        pass
    found = {p.relative_to(tmp_path / "it").as_posix() for p in tmp_path.glob("it/**/*")}
    assert found == {*members, "inner", "inner/deep"}
    assert atomic.replaced(tmp_path / "it", members) == found


@pytest.mark.parametrize("extra", ["notes.txt", "inner/notes.txt", "inner/more/notes.txt"])
def test_a_folder_with_more_in_it_is_not_replaced(extra: str, tmp_path: Path) -> None:
    with atomic.folder(tmp_path / "it", {"a": b"1", "inner/b": b"2"}):
        pass
    (tmp_path / "it" / extra).parent.mkdir(exist_ok=True)
    (tmp_path / "it" / extra).write_text("mine")
    with pytest.raises(InputError, match="name another folder"):
        atomic.replaced(tmp_path / "it", ["a", "inner/b"])


def test_a_file_is_looked_at_before_it_replaces_another(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic.checked_file(target, b"new") as staged:
        assert staged.read_bytes() == b"new"
        assert staged.suffix == target.suffix
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    with atomic.checked_file(target, b"new"):
        assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["model.onnx"]
    assert target.read_bytes() == b"new"
