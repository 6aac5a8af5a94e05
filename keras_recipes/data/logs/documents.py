"""Files whose records are not lines: JSON documents, and logs exported as tables.

Their records become lines of JSON, so that they are read as any log of JSON lines. A record's line
is the line at which it begins; several records of one line are numbered on.
"""

import codecs
import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_recipes.data import lines
from keras_recipes.data.logs import json_fields
from keras_recipes.errors import InputError

TABLES = (".csv", ".tsv")
DELIMITERS = ",;\t|"

STARTS_WITH = 100_000
"""The number of bytes by which a file's kind is told."""

_OPENING = re.compile(r'\s*(?:\{\s*"[^"\\]{1,100}"\s*:\s*)?\[\s*(?=\{)')
"""The beginning of an array of objects, or of an object whose first field is one."""


def blocks(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a file, its records as lines of JSON if they are not lines already.

    Raises:
        InputError: The file cannot be read, is damaged, or is JSON that ends in the middle.
    """
    # A pipe can be read only once, so the first piece is put back.
    pieces = lines.pieces(path)
    first = next(pieces, b"")
    whole = itertools.chain([first], pieces)
    start = lines.decode(first[:STARTS_WITH])
    texts = [text for text in start.splitlines() if text.strip()]
    if is_table(path, texts):
        yield from _rows(lines.of_pieces(whole), texts[0])
    elif texts and _is_document(start, texts):
        yield from _objects(path, whole)
    else:
        yield from lines.of_pieces(whole)


def is_table(path: Path, texts: list[str]) -> bool:
    """Return whether a file is a table with a column of messages.

    Args:
        path: The file.
        texts: Its first lines.
    """
    if not {suffix.lower() for suffix in path.suffixes[-2:]} & set(TABLES) or not texts:
        return False
    names = dict.fromkeys(_cells(texts[0], _delimiter(texts[0])), "")
    return json_fields.named(names, json_fields.MESSAGE) is not None


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _cells(row: str, delimiter: str) -> list[str]:
    return next(csv.reader([row], delimiter=delimiter), [])


def _rows(whole: Iterable[list[bytes]], header: str) -> Iterator[list[bytes]]:
    """Yield the rows of a table as lines of JSON; the header and continued rows are empty lines."""
    delimiter, names = _delimiter(header), None
    for block in whole:
        texts = [lines.decode(line) for line in block]
        reader, written, done = csv.reader(texts, delimiter=delimiter), [], 0
        for cells in reader:
            value: dict[str, str] = dict(zip(names or (), cells, strict=False))
            written += [json.dumps(value).encode() if value else b""]
            written += [b""] * (reader.line_num - done - 1)
            done = reader.line_num
            names = names or (cells if cells else None)
        yield written


def _is_document(start: str, texts: list[str]) -> bool:
    """Return whether JSON begins here that is not one object a line."""
    if _OPENING.match(start):
        return json_fields.parse(texts[0].encode()) is None
    return texts[0].strip() == "{"


def _objects(path: Path, whole: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the objects of JSON as lines, with empty lines for their other lines."""
    decoder, text, opened, line, written = json.JSONDecoder(), "", False, 1, 0
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in itertools.chain(whole, [None]):
        text += utf8.decode(piece or b"", final=piece is None)
        found: list[bytes] = []
        at = 0
        if not opened and (match := _OPENING.match(text)):
            at = match.end()
            line += text.count("\n", 0, at)
        opened = True
        while (begin := text.find("{", at)) >= 0:
            try:
                value, end = decoder.raw_decode(text, begin)
            except (ValueError, RecursionError):
                break
            line += text.count("\n", at, begin)
            found += [b""] * (line - written - 1) + [json.dumps(value).encode()]
            written = max(written + 1, line)
            line, at = line + text.count("\n", begin, end), end
        text = text[at:]
        if "{" in text and (piece is None or len(text) > 2 * lines.LONGEST):
            raise InputError(
                f"{path}: expected JSON objects, received one that ends in the middle or is "
                f"larger than {lines.LONGEST:,} characters; repair the file, or try jq -c"
            )
        yield found
