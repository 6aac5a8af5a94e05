"""Fuzz a reader, led by coverage: python -m benchmarks.fuzz_readers READER --seconds 600.

Atheris changes the files of a corpus and keeps what reaches new lines of the reader. Every content
has to be read or refused with an error of this package, in one line and within ten seconds.
Atheris stops at the first content that is not, and keeps it in the current folder. READER is one of

    json card architecture archive hdf5 log table picture

The corpus is in `benchmarks/corpora/READER`, a few small files. What reaches new lines is added to
the folder that `--keep` names. Atheris has packages for Linux: `pip install keras_recipes[fuzz]`.
"""

import argparse
import contextlib
import copy
import io
import itertools
import json
import logging
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from tests.untrusted import mutations

CORPORA = Path(__file__).parent / "corpora"
LONGEST = 16_384
"""The most bytes of a content; longer ones only take longer."""

HANGS = 10
"""Seconds after which a content is one that hangs."""


def read_json(content: bytes) -> None:
    """Read JSON; what is read has to be what the standard library reads."""
    from keras_recipes.untrusted import strict_json

    value = strict_json.parse(content, "file")
    assert value == json.loads(content)


def read_card(content: bytes) -> None:
    """Read a card."""
    from keras_recipes.models.card import Card

    Card.from_json(content, "file")


def read_architecture(content: bytes) -> None:
    """Read a configuration; JSON has to be able to express what is accepted."""
    from keras_recipes.untrusted import architecture

    found = architecture.read(content, "file")
    assert json.loads(json.dumps(found.config)) == found.config


def read_archive(content: bytes) -> None:
    """Read Keras' single file."""
    from keras_recipes.untrusted import archive

    archive.read_keras(content, "file")


def read_hdf5(content: bytes) -> None:
    """Read weights, in the process for it."""
    from keras_recipes.untrusted import hdf5, weights

    weights.check_values(hdf5.read(content, "file", skip=weights.NOT_WEIGHTS), "file")


def read_log(content: bytes) -> None:
    """Read lines of a log as each format in turn, and as the format that is recognised."""
    from keras_recipes.data.logs import parser, recognition
    from keras_recipes.data.logs.format_names import FormatName
    from keras_recipes.data.logs.layout import LogLayout, SessionRule
    from keras_recipes.errors import RecipeError

    formats = get_args(FormatName)
    lines = content[1:].split(b"\n")
    rule = SessionRule(by="lines", window=9.0)
    known = LogLayout(
        format=formats[content[0] % len(formats)] if content else "text",
        timed=False,
        sessions=rule,
        columns=("date", "time", "cs-method") if content[:1] == b"\x04" else (),
    )
    parser.Parser(known).parse(lines)
    with contextlib.suppress(RecipeError):
        parser.Parser(recognition.recognise(lines)).parse(lines)


def read_table(content: bytes) -> None:
    """Read a table: its form and its columns are found, and rows that do not fit passed over."""
    from keras_recipes.data import time_series

    lines = content.decode(errors="replace").splitlines()
    found = time_series.from_lines("file", lines, refuse=lambda reason: None)
    for record in itertools.islice(found.records, 1_000):
        assert len(record.values) == len(found.columns)


def read_picture(content: bytes) -> None:
    """Read a picture."""
    from keras_recipes.digits import characters, pictures

    image = pictures.read_file("file", io.BytesIO(content))
    assert image.shape == (characters.SIDE, characters.SIDE)


READERS: dict[str, tuple[Callable[[bytes], None], tuple[str, ...]]] = {
    "json": (read_json, ("keras_recipes.untrusted.strict_json", "json.decoder")),
    "card": (read_card, ("keras_recipes.models.card", "keras_recipes.untrusted")),
    "architecture": (read_architecture, ("keras_recipes.untrusted",)),
    "archive": (read_archive, ("keras_recipes.untrusted", "zipfile")),
    "hdf5": (read_hdf5, ("keras_recipes.untrusted",)),
    "log": (read_log, ("keras_recipes.data.logs",)),
    "table": (read_table, ("keras_recipes.data.series", "keras_recipes.data.time_series")),
    "picture": (read_picture, ("keras_recipes.digits.pictures", "PIL")),
}
"""Each reader with the modules whose lines are watched."""

STRUCTURED = ("card", "architecture")
"""The readers of JSON that has to hold certain names to be read at all."""


def checked(read: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return a function that raises an error if a content is neither read nor refused."""
    from keras_recipes.cli.output import one_line
    from keras_recipes.errors import RecipeError

    def check(content: bytes) -> None:
        try:
            read(content)
        except RecipeError as refusal:
            shown = str(refusal) if read in OF_MODELS else one_line(str(refusal))
            assert shown.isprintable(), f"control characters: {refusal!r}"

    return check


OF_MODELS = (read_json, read_card, read_architecture, read_archive, read_hdf5)
"""Readers whose messages have no control characters; others' are escaped when they are printed."""


def in_json(content: bytes, most: int, seed: int) -> bytes:
    """Change JSON at a place, so that it stays JSON; change other contents byte by byte."""
    import atheris

    drawn = random.Random(seed)
    try:
        value = json.loads(content)
        places = mutations.places(value) if isinstance(value, dict | list) else []
    except (ValueError, RecursionError):
        places = []
    if not places or drawn.random() < 0.3:
        return bytes(atheris.Mutate(content, most))
    container, key = drawn.choice(places)
    other, place = drawn.choice(places)
    container[key] = copy.deepcopy(drawn.choice([other[place], *mutations.NASTY]))
    changed = json.dumps(value).encode("utf-8", "surrogatepass")
    return changed if len(changed) <= most else content


@contextlib.contextmanager
def folder(named: Path | None) -> Iterator[Path]:
    """Return the folder for what reaches new lines."""
    if named:
        named.mkdir(parents=True, exist_ok=True)
        yield named
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


def main() -> None:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    import atheris

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.disable(logging.CRITICAL)
    read, modules = READERS[given.reader]
    check = checked(read)
    with atheris.instrument_imports(include=list(modules), enable_loader_override=False):
        for path in (CORPORA / given.reader).iterdir():
            with contextlib.suppress(Exception):
                check(path.read_bytes())  # imports what it needs
    with folder(given.keep) as kept:
        options: list[Any] = [
            sys.argv[0],
            f"-max_total_time={given.seconds}",
            f"-seed={given.seed}",
            f"-max_len={LONGEST}",
            f"-timeout={HANGS}",
            "-rss_limit_mb=4096",
            str(kept),
            str(CORPORA / given.reader),
        ]
        changed = {"custom_mutator": in_json} if given.reader in STRUCTURED else {}
        atheris.Setup(options, check, **changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
