"""The lines of an input: logs in files, a synthetic log, or lines from Python."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.silence import Silences
from keras_recipes.data import demonstration, files, lines
from keras_recipes.data.logs import sessions
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.errors import InputError, described

Blocks = Iterator[tuple[int, list[bytes]]]
"""Blocks of lines, each with the number of its file."""


def to_learn_from(data: Sequence[str]) -> tuple[list[str], Callable[[], Blocks]]:
    """Return the names of the files, and a function that reads their lines from the beginning.

    Args:
        data: Paths; none means the synthetic log.

    Raises:
        InputError: There is no such file.
    """
    if not data or list(data) == [demonstration.NAME]:
        return [demonstration.NAME], lambda: iter([(0, demonstration.normal())])
    if "-" in data:
        raise InputError("expected files, received -; standard input can be read only once")
    paths = lines.paths(data)
    return [str(path) for path in paths], lambda: iter(sessions.blocks(paths))


def to_judge(texts: Sequence[str]) -> tuple[list[str], Blocks]:
    """Return the names of the files, and their lines.

    Args:
        texts: Paths, or the name of a synthetic log.

    Raises:
        InputError: There is no such file.
    """
    if list(texts) == [demonstration.BROKEN]:
        return list(texts), iter([(0, demonstration.broken())])
    names, blocks = to_learn_from(texts)
    return names, blocks()


def sessions_of(
    detector: LogDetector, given: Any, silences: Silences | None = None, after: int = 0
) -> tuple[list[str], Sequences]:
    """Return the names of the files, and the sessions to judge.

    Args:
        detector: The detector, which says how to read the lines.
        given: Paths, or a list of lines from Python.
        silences: Finds the silences of the files, if they are asked for.
        after: The sessions that begin after so many lines are judged.

    Raises:
        InputError: `given` is neither, or there are no sessions.
    """
    texts = files.as_texts(given)
    if texts is None:
        raise InputError(
            f"expected paths of logs, or a list of their lines, received {described(given)}"
        )
    if isinstance(given, list | tuple) and not _is_path(given[0]):
        names, blocks = [""], iter([(0, [text.encode(errors="replace") for text in texts])])
    else:
        names, blocks = to_judge(texts)
    if silences:
        silences.name_files(names)
    heard = silences.heard if silences else None
    collected = sessions.collect(detector.layout, blocks, heard).sequences()
    found = sessions.with_token_ids(collected, detector.templates)
    if after and len(found):
        found = found.subset(np.minimum.reduceat(found.lines, found.starts[:-1]) > after)
    if not len(found):
        raise without_sessions(names, detector.layout, after)
    return names, found


def first_lines(every: Callable[[], Blocks], count: int) -> Blocks:
    """Yield the first of the lines that a function reads."""
    for file, block in every():
        yield file, block[:count]
        count -= len(block)
        if count <= 0:
            return


def check_one(option: str, names: Sequence[str]) -> None:
    """Refuse an option that counts the lines of several files.

    Raises:
        InputError: There are several files.
    """
    if len(names) > 1:
        raise InputError(
            f"{option}: expected one log, whose lines are counted, received {len(names)} files; "
            "join them, or leave it out"
        )


def _is_path(item: str | Path) -> bool:
    """Return whether a text is a path and not a line of a log."""
    if isinstance(item, Path) or item == demonstration.BROKEN:
        return True
    if not any(map(str.isspace, item)) and (os.sep in item or item.lower().endswith(lines.ENDINGS)):
        return True
    return os.path.exists(item)  # noqa: PTH110  Path.exists raises for a very long line


def without_sessions(names: Sequence[str], layout: LogLayout, after: int = 0) -> InputError:
    """Return the error for files without any session, or without one that begins after a line."""
    where = f" that begin after line {after:,}" if after else ""
    return InputError(f"{', '.join(names)}: expected sessions by {layout.by}{where}, received none")
