"""The content of a request for `predict`: numbers, or files in a folder of the request's own.

A text from a request never names a file: lines, records and pictures are written to the folder, and
the model is asked about that. So the same rows come as from the command line, and nothing else of
this machine is read.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any

import msgspec
import numpy as np
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from keras_recipes.recipe import Words
from keras_recipes.serve.limits import Bodies, Limits
from keras_recipes.serve.models import Served
from keras_recipes.serve.refusals import Refusal

FORM = "multipart/form-data"
JSON = "application/json"
LINES = ("application/x-ndjson", "application/jsonl", "application/json-lines")
CSV = "text/csv"
TEXT = "text/plain"

MOST_FILES = 1_000
LONGEST_NAME = 200

_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04", b"PAR1")
"""How gzip, bzip2, xz, zip and Parquet begin. Unpacked, they have no limit."""


def expected(served: Served) -> tuple[str, ...]:
    """Return the content types that a model takes."""
    if served.writes:
        return (TEXT,)
    if served.sees:
        return (FORM, "image/*", JSON)
    if served.streams:
        return (FORM, TEXT, CSV, LINES[0], JSON)
    return (JSON, LINES[0], CSV, TEXT)


async def of_request(
    request: Request, served: Served, folder: Path, bodies: Bodies, limits: Limits
) -> Any:
    """Return what a request asks, for `commands.predict.answer`.

    Args:
        request: The request.
        served: The model that it asks.
        folder: An empty folder for the request's files.
        bodies: Reads bodies.
        limits: The limits of the server.

    Raises:
        Refusal: The content has another type, or is malformed, or too large.
    """
    kind = _kind(request.headers)
    if not any(kind == one or one == f"{kind.partition('/')[0]}/*" for one in _taken(served)):
        raise Refusal(
            415,
            f"{served.name}: expected a Content-Type of {', '.join(expected(served))}, received "
            f"{kind or 'none'}",
        )
    if kind == FORM:
        paths = await uploaded(request, folder, bodies)
        return _checked(served, paths, limits)
    body = await bodies.read(request.scope, request.receive)
    if not body:
        raise Refusal(400, "expected a body, received none")
    if served.writes:
        return _decoded(body)
    if kind == JSON:
        return _of_json(served, body, folder)
    if kind in LINES and not served.streams:
        return _numbers([_parsed(line) for line in body.splitlines() if line.strip()])
    return _checked(served, [_written(folder / _file_name(kind), body)], limits)


def _taken(served: Served) -> tuple[str, ...]:
    types = expected(served)
    return (*types, *LINES) if LINES[0] in types else types


def _kind(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _file_name(kind: str) -> str:
    if kind in LINES:
        return "body.jsonl"
    if kind.startswith("image/"):
        return "picture"
    return "body.csv" if kind == CSV else "body.log"


def _of_json(served: Served, body: bytes, folder: Path) -> Any:
    found = _parsed(body)
    if served.streams and isinstance(found, list) and found:
        if all(isinstance(one, str) for one in found):
            return Words([str(_written(folder / "body.log", "\n".join(found).encode()))])
        if all(isinstance(one, dict) for one in found):
            lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in found)
            return Words([str(_written(folder / "body.jsonl", lines.encode()))])
    return _numbers(found)


def _parsed(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"expected JSON: {error}") from None


def _numbers(found: Any) -> np.ndarray:
    """Return numbers as an array; a list of texts would be taken for paths."""
    try:
        array = np.array(found)
    except (TypeError, ValueError, OverflowError):
        array = np.array(None)
    if not array.ndim or not array.size or array.dtype.kind not in "biuf":
        raise Refusal(422, "expected numbers in lists of the same length, received other JSON")
    return array


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "expected text in UTF-8, received other bytes") from None


def _written(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


async def uploaded(request: Request, folder: Path, bodies: Bodies) -> list[Path]:
    """Write the files of a form to the folder, under their own names.

    Raises:
        Refusal: It is no form of files, or too large.
    """
    receive = bodies.counted(request.scope, request.receive)

    async def stream() -> Any:
        more = True
        while more:
            message = await receive()
            yield message.get("body", b"")
            more = message.get("more_body", False)

    parser = MultiPartParser(request.headers, stream(), max_files=MOST_FILES, max_fields=MOST_FILES)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Refusal(400, f"expected a form of files: {error}") from None
    try:
        return list(_saved(form, folder))
    finally:
        await form.close()


def _saved(form: FormData, folder: Path) -> Iterator[Path]:
    for _, part in form.multi_items():
        if not isinstance(part, UploadFile):
            raise Refusal(400, "expected files in the form, received a field without a file name")
        path = folder / _safe(part.filename or "")
        if path.exists():
            raise Refusal(400, f"expected files with different names, received two {path.name}")
        with path.open("wb") as file:
            _copy(part.file, file)
        yield path


def _safe(name: str) -> str:
    """Return the last part of a file's name, with which it can be in the folder."""
    last = PurePath(name.replace("\\", "/")).name
    if not last or last in (".", "..") or not last.isprintable() or len(last) > LONGEST_NAME:
        raise Refusal(400, "expected files with printable names of at most 200 characters")
    if len(last.encode()) > LONGEST_NAME:
        raise Refusal(400, "expected files with shorter names")
    return last


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(1 << 20):
        target.write(piece)


def _checked(served: Served, paths: Iterable[Path], limits: Limits) -> Words:
    """Return the files as words of the command line, if they are what the model reads."""
    words = Words(map(str, paths))
    if not words:
        raise Refusal(400, "expected files in the form, received none")
    for word in words:
        if served.sees:
            check_picture(Path(word).name, Path(word), limits.pixels)
        else:
            check_text(Path(word))
    return words


def check_picture(name: str, file: Path | IO[bytes], most: int) -> None:
    """Refuse a file that is no picture, or a picture that is too large.

    Args:
        name: The file's name, for the message.
        file: The file.
        most: The most pixels.

    Raises:
        Refusal: It is no picture, or too large.
    """
    from PIL import Image

    from keras_recipes.digits.pictures import FORMATS

    try:
        with Image.open(file, formats=FORMATS) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        width, height = most, 2
    except Exception:  # Pillow's decoders raise many kinds of errors
        raise Refusal(415, f"{name}: expected a picture ({', '.join(FORMATS)})") from None
    if width * height > most:
        raise Refusal(
            413, f"{name}: expected at most {most:,} pixels, received more; scale it down"
        )


def check_text(path: Path) -> None:
    """Refuse a packed file.

    Raises:
        Refusal: It is one.
    """
    with path.open("rb") as file:
        if file.read(8).startswith(_PACKED):
            raise Refusal(415, f"{path.name}: expected text, received a packed file; unpack it")
