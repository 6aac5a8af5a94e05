"""The jobs that data stands for: one for each file, each column, or each value of a column."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from keras_recipes.errors import InputError
from keras_recipes.fleet import storage

PACKED = (".gz",)


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        name: Its name, which is also the relative path of what it makes.
        paths: The data: paths, or addresses that fsspec reads.
        column: The only column to use; None uses all.
        where: A column and the value that a record must have there; None uses all records.
    """

    name: str
    paths: tuple[str, ...]
    column: str | None = None
    where: tuple[str, str] | None = None


def of_files(data: Sequence[str]) -> list[Job]:
    """Return a job for each path that the data names: a file, or a folder that is one data set.

    Raises:
        InputError: Nothing is there, or two paths would make things of the same name.
    """
    if not data:
        raise InputError("--data: expected files, received none; name them, or quote a pattern")
    found: dict[str, str] = {}
    for text in data:
        beginning = storage.folder_of(text)
        items = list(dict.fromkeys(storage.listed(text)))
        for item, name in zip(items, _names(items, beginning), strict=True):
            if found.get(name, item) != item:
                raise InputError(
                    f"{item}: expected paths of different names, received {found[name]} too; "
                    "name the folder above both, with a pattern"
                )
            found[name] = item
    return [Job(name, (item,)) for name, item in found.items()]


def of_columns(job: Job, columns: Iterable[str]) -> list[Job]:
    """Return a job for each column of a file."""
    return [Job(f"{job.name}/{safe(name)}", job.paths, column=name) for name in columns]


def of_values(by: str, found: Iterable[tuple[Job, Sequence[str]]]) -> list[Job]:
    """Return a job for each value of a column; it has the files in which the value occurs.

    Args:
        by: The column.
        found: The files, each with its values.
    """
    files: dict[str, list[str]] = {}
    for job, values in found:
        for value in values:
            files.setdefault(value, []).extend(job.paths)
    return [
        Job(safe(value), tuple(paths), where=(by, value)) for value, paths in sorted(files.items())
    ]


def safe(text: str) -> str:
    """Return a text as the name of a file: other characters as in an address, `%2F` for `/`."""
    name = quote(text.encode(errors="replace"), safe=" +=@,")
    return name.replace(".", "%2E", 1) if name.startswith(".") else name or "%"


def _names(items: Sequence[str], beginning: str) -> list[str]:
    """Return names for items: their paths below a folder, without suffixes if that is clear."""
    relative = [os.path.relpath(item, beginning or ".") for item in items]
    if any(name.startswith("..") for name in relative):  # another spelling of the same place
        relative = [Path(item).name for item in items]
    short = [_without_suffix(name) for name in relative]
    return [
        whole if short.count(name) > 1 else name
        for whole, name in zip(relative, short, strict=True)
    ]


def _without_suffix(name: str) -> str:
    path = Path(name)
    if path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.with_suffix("").as_posix()
