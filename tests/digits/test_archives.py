"""A hostile archive is refused, and nothing is ever written by the names in it."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_recipes.digits import archives, entries
from keras_recipes.digits import data as digits
from keras_recipes.errors import InputError, RecipeError, UnsafeModelError
from tests.command_line import Run
from tests.digits.written import folders, some, tarred, zipped

IMAGES, LABELS = some(each=1)


def read(name: str) -> None:
    digits.unseen([name], skip_bad=False, seed=0)


def written(kind: str, members: dict[str, bytes]) -> str:
    """Write an archive with members of any name, and return its name."""
    if kind == "zip":
        with zipfile.ZipFile("own.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name, content)
    else:
        with tarfile.open("own.tar.gz", "w:gz") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return "own.zip" if kind == "zip" else "own.tar.gz"


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../7/a.png", "/tmp/7/a.png", "7/../../a.png", "..\\7\\a.png"])
def test_a_name_that_leads_out_of_the_archive_is_refused(
    recipes: Run, kind: str, name: str
) -> None:
    archive = written(kind, {"7/b.png": b"", name: b""})
    for command in (("evaluate", "lenet5", "--data", archive), ("predict", "lenet5", archive)):
        refused = recipes(*command)
        assert refused.exit_code == 3
        assert "expected names inside the archive" in refused.stderr
    assert [path.name for path in Path.cwd().rglob("*")] == [archive]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_unpacks_without_end_is_refused(
    empty_folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 1 << 16)
    name = written(kind, {"7/a.png": bytes(1 << 17), "8/a.png": b""})
    with pytest.raises(UnsafeModelError, match="expected at most 65,536 bytes after unpacking"):
        read(name)


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 2), ("MOST_UNPACKED", 2_000)])
def test_too_many_files_or_bytes_are_refused(
    empty_folder: Path, kind: str, limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, limit, value)
    name = written(kind, {f"7/{i}.png": bytes(1_000) for i in range(3)})
    with pytest.raises(UnsafeModelError, match=r"expected at most .* files of .* bytes"):
        read(name)


def test_a_zip_that_says_smaller_sizes_than_it_has_is_damaged(empty_folder: Path) -> None:
    name = written("zip", {"7/a.png": bytes(1 << 20), "8/a.png": b""})
    size = (1 << 20).to_bytes(4, "little")
    content = Path(name).read_bytes().replace(size, (64).to_bytes(4, "little"))
    Path(name).write_bytes(content)
    with pytest.raises(RecipeError, match=r"own\.zip/7/a\.png"):
        read(name)


def test_links_and_sparse_files_are_not_followed(empty_folder: Path) -> None:
    folders(Path("raw"), IMAGES, map(str, LABELS))
    Path("secret.png").write_bytes(Path("raw/0/0.png").read_bytes())
    with tarfile.open("own.tar", "w") as archive:
        archive.add("raw", ".")
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo(f"3/{kind!r}.png")
            member.type, member.linkname = kind, f"{Path.cwd()}/secret.png"
            archive.addfile(member)
    assert len(digits.unseen(["own.tar"], skip_bad=False, seed=0).test) == 10


@pytest.mark.parametrize("name", ["own.zip", "own.tar", "own.tar.gz", "own.tar.xz", "own.tar.bz2"])
def test_a_damaged_archive_is_named(empty_folder: Path, name: str) -> None:
    folders(Path("raw"), IMAGES, map(str, LABELS))
    (zipped if name.endswith("zip") else tarred)(Path(name), Path("raw"))
    whole = Path(name).read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        Path(name).write_bytes(content)
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read(name)


def test_control_characters_in_names_are_not_printed(recipes: Run) -> None:
    name = written("zip", {"7/\x1b[31mred.png": b"no picture", "8/a.png": b""})
    refused = recipes("evaluate", "lenet5", "--data", name)
    assert refused.exit_code == 2
    assert "\x1b" not in refused.stderr
    assert "red.png" in refused.stderr


def test_a_path_that_leads_nowhere_in_an_archive_is_said(empty_folder: Path) -> None:
    folders(Path("raw"), IMAGES, map(str, LABELS))
    zipped(Path("own.zip"), Path("raw"))
    with pytest.raises(InputError, match=r"own\.zip/test: there is no test in own\.zip"):
        read("own.zip/test")


def test_a_link_to_a_folder_above_has_an_end(empty_folder: Path) -> None:
    folders(Path("own"), IMAGES, map(str, LABELS))
    Path("own/3/loop").symlink_to(Path.cwd() / "own")
    assert np.unique(digits.unseen(["own"], skip_bad=False, seed=0).test.y.sum(axis=1)) == 1
