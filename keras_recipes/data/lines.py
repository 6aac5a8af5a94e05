"""Lines of text files as people have them: rotated, packed, in any encoding, still growing.

Lines are bytes in UTF-8 (or whatever the file is in, where it is none), without their ends; text
is made of them only where somebody reads it.
"""

import codecs
import contextlib
import os
import re
import select
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from keras_recipes.data import files
from keras_recipes.errors import InputError

LONGEST = 1 << 20
"""A line may have so many bytes; the rest of a longer one is passed over."""

ENDINGS = (".log", ".txt", ".jsonl", ".ndjson", ".json", ".gz", ".bz2", ".xz", ".out", ".err")

_BLOCK = 1 << 20
_ROTATED = re.compile(r"^(.*?)(?:[.-](\d{8}(?:-?\d{2,6})?)|\.(\d{1,4}))?(?:\.(?:gz|bz2|xz))?$")
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def paths(texts: Sequence[str]) -> list[Path]:
    """The files that are meant, in the order in which they were written.

    `app.log.2.gz` comes before `app.log.1` and that before `app.log`; files whose names end in
    dates are in the order of these.

    Args:
        texts: Files, folders (searched through), quoted globs, as the user gave them.

    Raises:
        InputError: There is no such file.
    """
    found: dict[Path, None] = {}
    for text in texts:
        some = files.found(text, ENDINGS)
        if some is None:
            raise InputError(f"{text}: no such file; expected logs, folders of logs, or -")
        several = sorted(some, key=_age)
        found.update(dict.fromkeys(several))
    return sorted(found, key=_age) if _one_log(found) else list(found)


def _one_log(found: "dict[Path, None]") -> bool:
    """Whether all are parts of one rotated log, whatever the order they were given in."""
    return len({_stem(path) for path in found}) == 1


def _stem(path: Path) -> str:
    match = _ROTATED.match(path.name)
    assert match is not None
    return str(path.with_name(match[1] or path.name))


def _age(path: Path) -> tuple[str, int, str, int]:
    """Sorts the parts of a rotated log from the oldest to the one still written."""
    match = _ROTATED.match(path.name)
    assert match is not None
    date, number = match[2], match[3]
    return _stem(path), 0 if date else 1, date or "", -int(number or 0)


def blocks(path: Path) -> Iterator[list[bytes]]:
    """The lines of a file, some thousands at a time.

    Raises:
        InputError: It cannot be read, or is damaged.
    """
    with _explained(path), path.open("rb") as raw, _unpacked(raw, path) as file:
        first = file.read(_BLOCK)
        splitter = Splitter(_wide(first))
        piece = first.removeprefix(codecs.BOM_UTF8)
        while piece:
            yield splitter.lines(piece)
            piece = file.read(_BLOCK)
        yield splitter.rest()


def _wide(first: bytes) -> str | None:
    return next((name for bom, name in _WIDE.items() if first.startswith(bom)), None)


class Splitter:
    """Cuts a stream of bytes into lines as it comes."""

    def __init__(self, wide: str | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder(wide)("replace") if wide else None
        self._left = b""
        self._skipping = False

    def lines(self, piece: bytes) -> list[bytes]:
        """The lines that are complete with this piece."""
        if self._decoder:
            piece = self._decoder.decode(piece).encode(errors="replace")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        if self._left.endswith(b"\r") and piece.startswith(b"\n"):
            self._left = self._left[:-1]
        *whole, left = (self._left + piece).split(b"\n")
        if self._skipping and whole:
            whole, self._skipping = whole[1:], False
        if len(left) > LONGEST and not self._skipping:
            whole.append(left[:LONGEST])
            self._skipping = True
        self._left = b"" if self._skipping else left
        return [line[:LONGEST] for line in whole] if len(piece) > LONGEST else whole

    def rest(self) -> list[bytes]:
        """The last line, where it has no end."""
        left, self._left = self._left, b""
        return [left] if left else []


def on_standard_input(asked: Any) -> bool:
    """Whether what is asked about comes on standard input.

    Raises:
        InputError: Files as well.
    """
    texts = files.as_texts(asked)
    if texts is None or "-" not in texts:
        return False
    if len(texts) > 1:
        raise InputError("expected files, or - alone for standard input, received both")
    return True


def from_standard_input(tick: float) -> Iterator[list[bytes]]:
    """Lines on standard input as soon as they are there.

    Args:
        tick: After so many seconds without a line an empty list comes, so that time can pass.

    Raises:
        InputError: Standard input is closed.
    """
    if sys.stdin is None:
        raise InputError("standard input is closed")
    splitter = None
    for piece in _pieces(sys.stdin.buffer, tick):
        if piece and splitter is None:
            splitter, piece = Splitter(_wide(piece)), piece.removeprefix(codecs.BOM_UTF8)
        yield splitter.lines(piece) if splitter and piece else []
    if splitter:
        yield splitter.rest()


def _pieces(stream: IO[bytes], tick: float) -> Iterator[bytes]:
    """What is there to read, at most a block; empty when nothing came for a while."""
    try:
        descriptor = stream.fileno()
    except OSError:  # no real file, as in tests
        yield from iter(lambda: stream.read(_BLOCK), b"")
        return
    while True:
        # Windows selects among sockets only: there, time passes with the lines.
        if os.name != "nt" and not select.select([descriptor], [], [], tick)[0]:
            yield b""
            continue
        piece = os.read(descriptor, _BLOCK)
        if not piece:
            return
        yield piece


def decode(line: bytes) -> str:
    """A line as text: UTF-8, or Windows' Western encoding where it is not."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


@contextlib.contextmanager
def _unpacked(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """The file's contents, by what it begins with rather than by its name."""
    import bz2
    import gzip
    import lzma

    magic = raw.peek(6)[:6]  # type: ignore[attr-defined]
    if magic.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=raw) as file:
            yield file  # type: ignore[misc]
    elif magic.startswith(b"BZh"):
        with bz2.BZ2File(raw) as packed:
            yield packed
    elif magic == b"\xfd7zXZ\x00":
        with lzma.LZMAFile(raw) as packed_too:
            yield packed_too
    else:
        yield raw


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    import lzma

    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path}: damaged or cut off: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
