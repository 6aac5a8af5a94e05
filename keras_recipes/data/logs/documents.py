"""Files whose records are not lines: JSON documents, and logs exported as tables.

Their records become lines of JSON, so that they are read as any log of JSON lines. A record's line
is the line at which it begins; several records of one line are numbered on.
"""

import codecs
import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_recipes.data import lines
from keras_recipes.data.logs import json_fields
from keras_recipes.errors import InputError

TABLES = (".csv", ".tsv")
DELIMITERS = ",;\t|"

STARTS_WITH = 100_000
"""The number of bytes by which a file's kind is told."""

AT_ONCE = 5_000
"""The number of lines that are yielded together."""

_OPENING = re.compile(r'\s*(?P<within>\{\s*"[^"\\]{1,100}"\s*:\s*)?\[\s*(?=\{\s*["}])')
"""The beginning of an array of objects, or of an object whose first field is one."""

_GAP = re.compile(r"[\s,]*")


def blocks(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a file, its records as lines of JSON if they are not lines already.

    Raises:
        InputError: The file cannot be read, is damaged, or is no JSON or table as it began.
    """
    # A pipe can be read only once, so the first piece is put back.
    pieces = lines.pieces(path)
    first = next(pieces, b"")
    whole = itertools.chain([first], pieces)
    start = lines.decode(first[:STARTS_WITH])
    texts = [text for text in start.splitlines() if text.strip()]
    if is_table(path, texts):
        records = _rows(path, lines.of_pieces(whole), texts[0])
    elif texts and _is_document(start, texts):
        records = _objects(path, whole)
    else:
        yield from lines.of_pieces(whole)
        return
    while some := list(itertools.islice(records, AT_ONCE)):
        yield some


def is_table(path: Path, texts: Sequence[str]) -> bool:
    """Return whether a file is a table with a column of messages, which are texts.

    A file with another ending than that of a table must have a column of times as well, and the
    same number of cells in each row.

    Args:
        path: The file.
        texts: Its first lines that are not empty.
    """
    named = {suffix.lower() for suffix in path.suffixes[-2:]} & set(TABLES)
    if len(texts) < 2 or not (named or _has_columns(texts)):
        return False
    try:
        names, *rows = csv.reader(texts, delimiter=_delimiter(texts[0]))
    except csv.Error:
        return False
    name = json_fields.named(dict.fromkeys(names, ""), json_fields.MESSAGE)
    cells = (
        []
        if name is None
        else [row[names.index(name)] for row in rows[:-1] or rows if row[names.index(name) :]]
    )
    return any(cells) and not any(map(_is_number, cells))


def _has_columns(texts: Sequence[str]) -> bool:
    """Return whether lines are a table whose header names a time, by the lines themselves."""
    delimiter = _delimiter(texts[0])
    if texts[0].count(delimiter) < 2 or texts[0].lstrip()[:1] in ("{", "[", "#"):
        return False
    try:
        names, *rows = csv.reader(texts[:50], delimiter=delimiter, strict=True)
    except csv.Error:
        return False
    named = dict.fromkeys((name.strip() for name in names), "")
    time, message = json_fields.TIME, json_fields.MESSAGE
    whole = rows[:-1] or rows  # the last one may go on beyond what was read
    return (
        json_fields.named(named, time) is not None
        and json_fields.named(named, message) is not None
        and all(len(row) == len(names) for row in whole)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _rows(path: Path, whole: Iterable[list[bytes]], header: str) -> Iterator[bytes]:
    """Yield the rows of a table as lines of JSON; the header and continued rows are empty lines."""
    texts = (lines.decode(line) for block in whole for line in block)
    reader, names, written = csv.reader(texts, delimiter=_delimiter(header)), [""], 0
    try:
        for cells in reader:
            value = dict(zip(names, cells, strict=False)) if any(names) else {}
            names = names if any(names) else cells
            yield json.dumps(value).encode() if value else b""
            yield from [b""] * (reader.line_num - written - 1)
            written = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{path}: expected a table, received something else near line {reader.line_num:,}: "
            f"{error}; repair the file, or give text with --set log_format=text"
        ) from None


def _is_document(start: str, texts: Sequence[str]) -> bool:
    """Return whether JSON begins here that is not one object a line."""
    if _OPENING.match(start):
        return len(texts) == 1 or json_fields.parse(texts[0].encode()) is None
    return texts[0].strip() == "{"


def _objects(path: Path, whole: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the objects of JSON as lines, with empty lines for their other lines.

    Other fields of an object whose first field is the array, such as a token for the next page, are
    passed over.
    """
    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8")("replace")
    pieces = (utf8.decode(piece) for piece in whole)
    text, line, written = next(pieces, ""), 1, 0
    opening = _OPENING.match(text)
    at = opening.end() if opening else 0
    line += text.count("\n", 0, at)
    while True:
        begin = at + len(_GAP.match(text, at)[0])  # type: ignore[index]
        line += text.count("\n", at, begin)
        found = _decoded(decoder, text, begin)
        if found:
            value, at = found
            yield from [b""] * (line - written - 1)
            yield json.dumps(value).encode()
            written = max(written + 1, line)
            line += text.count("\n", begin, at)
        elif len(text) - begin <= 2 * lines.LONGEST and (more := next(pieces, "")):
            text, at = text[begin:] + more, 0
        else:
            break
    left = text[begin:]
    if opening and left.startswith("]"):
        left = "" if opening["within"] else left[1:]
    if left.strip():
        raise InputError(
            f"{path}: expected JSON objects, received something else, or an object that ends in "
            f"the middle or has more than {lines.LONGEST:,} characters, near line {line:,}; repair "
            "the file, or try jq -c"
        )


def _decoded(decoder: json.JSONDecoder, text: str, begin: int) -> "tuple[Any, int] | None":
    """Return the object that begins here and where it ends; None if there is none, or not all."""
    if not text.startswith("{", begin):
        return None
    try:
        return decoder.raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
