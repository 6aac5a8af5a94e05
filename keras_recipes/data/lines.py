"""Lines of text files: rotated and compressed files, any encoding, and standard input.

A line is bytes without the line end. UTF-16 and UTF-32 are converted to UTF-8; bytes in any other
encoding are kept. They are decoded only for output.
"""

import codecs
import contextlib
import os
import re
import select
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from keras_recipes.data import files
from keras_recipes.errors import InputError
from keras_recipes.untrusted import budget

LONGEST = 1 << 20
"""The largest number of bytes of a line; longer lines are cut."""

TICK = 1.0
"""Seconds without a line after which a stream is told that time passed."""

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
    """Return the named files, the parts of a rotated log in the order in which they were written.

    `app.log.2.gz` comes before `app.log.1`, and `app.log.1` before `app.log`. Files whose names end
    with dates are in the order of the dates.

    Args:
        texts: Files, folders or quoted globs, as the user gave them.

    Raises:
        InputError: There is no such file.
    """
    found: dict[Path, None] = {}
    for text in texts:
        some = files.found(text, ENDINGS)
        if some is None:
            raise InputError(
                f"{text}: no such file; expected logs, folders of logs, or - for standard input"
            )
        several = sorted(some, key=_age)
        found.update(dict.fromkeys(several))
    return sorted(found, key=_age) if _one_log(found) else list(found)


def _one_log(found: "dict[Path, None]") -> bool:
    """Return whether all files are parts of one rotated log."""
    return len({rotated_from(path) for path in found}) == 1


def rotated_from(path: str | Path) -> str:
    """Return the path of the log of which a file is a part: of `app.log.2.gz`, `app.log`."""
    name = Path(path).name
    match = _ROTATED.match(name)
    assert match is not None
    return str(Path(path).with_name(match[1] or name)) if name else str(path)


def _age(path: Path) -> tuple[str, int, str, int]:
    """Return a sort key that orders the parts of a rotated log from the oldest to the newest."""
    match = _ROTATED.match(path.name)
    assert match is not None
    date, number = match[2], match[3]
    return rotated_from(path), 0 if date else 1, date or "", -int(number or 0)


def blocks(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a file, some thousands at a time.

    Raises:
        InputError: The file cannot be read, or is damaged.
    """
    return of_pieces(pieces(path))


def of_pieces(contents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of a file's contents, which come in pieces."""
    splitter = Splitter()
    for piece in contents:
        yield splitter.lines(piece)
        budget.progress()
    yield splitter.last()


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the contents of a file, decompressed, without a byte order mark, wide text as UTF-8.

    Raises:
        InputError: The file cannot be read, or is damaged.
    """
    with _explained(path), path.open("rb") as raw, _unpacked(raw, path) as file:
        # A pipe may wait for its writer.
        waiting = contextlib.nullcontext if not path.is_file() else budget.without_waiting
        with waiting():
            first = file.read(_BLOCK)
        wide = _wide(first)
        decoder = codecs.getincrementaldecoder(wide)("replace") if wide else None
        piece = first.removeprefix(codecs.BOM_UTF8)
        while piece:
            yield decoder.decode(piece).encode(errors="replace") if decoder else piece
            with waiting():
                piece = file.read(_BLOCK)


def _wide(first: bytes) -> str | None:
    return next((name for bom, name in _WIDE.items() if first.startswith(bom)), None)


class Splitter:
    """Splits a stream of bytes into lines as it arrives."""

    def __init__(self, wide: str | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder(wide)("replace") if wide else None
        self._left = b""
        self._skipping = False

    def lines(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes."""
        if self._decoder:
            piece = self._decoder.decode(piece).encode(errors="replace")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        if self._left.endswith(b"\r") and piece.startswith(b"\n"):
            self._left = self._left[:-1]
        *whole, left = (self._left + piece).split(b"\n")
        if b"\0" in piece:
            # A log that was truncated under a program that writes on has zeros up to the next line.
            whole, left = [line.lstrip(b"\0") for line in whole], left.lstrip(b"\0")
        if self._skipping and whole:
            whole, self._skipping = whole[1:], False
        if len(left) > LONGEST and not self._skipping:
            whole.append(left[:LONGEST])
            self._skipping = True
        self._left = b"" if self._skipping else left
        return [line[:LONGEST] for line in whole] if len(piece) > LONGEST else whole

    def last(self) -> list[bytes]:
        """Return the last line if it has no line end."""
        left, self._left = self._left, b""
        return [left] if left else []


def on_standard_input(asked: Any) -> bool:
    """Return whether the input is standard input.

    Raises:
        InputError: The input is standard input and files.
    """
    texts = files.as_texts(asked)
    if texts is None or "-" not in texts:
        return False
    if len(texts) > 1:
        raise InputError("expected files, or - alone for standard input, received both")
    return True


def from_standard_input(tick: float) -> Iterator[list[bytes]]:
    """Yield the lines on standard input as soon as they arrive.

    Args:
        tick: The number of seconds without a line after which an empty list is yielded.

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
        budget.progress()
    if splitter:
        yield splitter.last()


def _pieces(stream: IO[bytes], tick: float) -> Iterator[bytes]:
    """Yield what can be read, at most a block; nothing for `tick` seconds yields empty bytes."""
    try:
        descriptor = stream.fileno()
    except OSError:  # the stream is no real file, as in tests
        yield from iter(lambda: stream.read(_BLOCK), b"")
        return
    while True:
        # On Windows `select` supports only sockets, so time passes only with the lines.
        if os.name != "nt" and not select.select([descriptor], [], [], tick)[0]:
            yield b""
            continue
        piece = os.read(descriptor, _BLOCK)
        if not piece:
            return
        yield piece


def decode(line: bytes) -> str:
    """Decode a line as UTF-8, or as Windows-1252 if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


@contextlib.contextmanager
def _unpacked(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """Open the file's contents, decompressed if its first bytes say so, whatever its name."""
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
        raise InputError(f"{path}: the file is damaged or truncated: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
