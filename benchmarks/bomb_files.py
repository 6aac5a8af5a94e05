"""Bombs in files: archives, arrays, JSON, pictures and Parquet."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bomb import LARGE, Arguments, Bomb, zipped
from benchmarks.bomb_nets import pair


def of_archives() -> Iterator[Bomb]:
    zeros = bytes(500_000_000)
    for member in ("config.json", "metadata.json", "model.weights.h5", "card.json", "other"):
        given = {"config.json": b"{}", "model.weights.h5": b"", member: zeros}
        yield Bomb(
            "archives",
            f"0.5 GB of zeros as {member}",
            partial(zipped, name="m.keras", members=given),
        )
    names = {str(n): b"" for n in range(200_000)}
    yield Bomb("archives", "200,000 members", lambda f: zipped(f, "m.keras", names, 1))
    long = {"a" * 60_000 + str(n): b"" for n in range(300)}
    yield Bomb("archives", "names of 60,000 characters", lambda f: zipped(f, "m.keras", long))

    def within(folder: Path) -> Arguments:
        content = b"x" * 9_999_999
        for _ in range(5):
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
                for number in range(9):
                    file.writestr(f"{number}.keras", content)
            content = inner.getvalue()
        return zipped(folder, "m.keras", {"config.json": content, "model.weights.h5": content})

    yield Bomb("archives", "archives in archives", within)

    def lying(folder: Path) -> Arguments:
        arguments = zipped(folder, "m.keras", {"config.json": zeros, "model.weights.h5": b""})
        content = (folder / "m.keras").read_bytes()
        size = len(zeros).to_bytes(4, "little")
        (folder / "m.keras").write_bytes(content.replace(size, (99).to_bytes(4, "little")))
        return arguments

    yield Bomb("archives", "sizes that lie", lying)


def of_arrays() -> Iterator[Bomb]:
    def header(folder: Path, shape: str, name: str = "x.npy", kind: str = "<f8") -> Arguments:
        text = (
            f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        )
        content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
        (folder / name).write_bytes(content)
        return ["mnist-mlp", name]

    for shape in (f"({LARGE}, 28, 28)", "(2**62, 9)", "(9,)*900", "(" * 90 + ")" * 90, "(0, 99)"):
        yield Bomb("NPZ", f"a header: {shape[:25]}", partial(header, shape=shape))
    yield Bomb("NPZ", "an element of 1 GB", lambda f: header(f, "(1,)", kind="|V999999999"))
    many = {f"{n}.npy": b"" for n in range(99_999)}

    def npz(folder: Path, members: dict[str, bytes]) -> Arguments:
        zipped(folder, "x.npz", members)
        return ["mnist-mlp", "x.npz"]

    buffer = io.BytesIO()
    np.save(buffer, np.zeros((90_000, 28, 28), "float64"))
    yield Bomb("NPZ", "0.6 GB of zeros", lambda f: npz(f, {"x.npy": buffer.getvalue()}))
    yield Bomb("NPZ", "99,999 arrays", lambda f: npz(f, many))


def of_json() -> Iterator[Bomb]:
    texts = {
        "90,000 levels": b"[" * 90_000,
        "objects in objects": b'{"a":' * 90_000,
        "15 MB of quotes": b'"' * 15_000_000,
        "5 million numbers": b"[" + b"1," * 5_000_000 + b"1]",
        "an integer of 9 million digits": b"[" + b"9" * 9_000_000 + b"]",
        "one key twice, a million times": b"{" + b'"a":1,' * 999_999 + b'"a":1}',
        "99 MB": b" " * 99_000_000 + b"{}",
        "a text of 14 MB": b'{"class_name": "' + b"x" * 14_000_000 + b'"}',
        "escapes": b'"' + b"\\u0041" * 2_000_000 + b'"',
        "a million layers": b'{"class_name": "Sequential", "config": {"layers": ['
        + b"{}," * 999_000
        + b"{}]}}",
    }

    def write(folder: Path, content: bytes) -> Arguments:
        arguments = pair(folder, [{"name": "in"}], np.ones((2, 4), "float32"))
        (folder / "model.json").write_bytes(content)
        return arguments

    for name, text in texts.items():
        yield Bomb("JSON", name, partial(write, content=text))


def of_images() -> Iterator[Bomb]:
    def png(folder: Path, width: int, height: int, colour: int, depth: int = 8) -> Arguments:
        def chunk(kind: bytes, data: bytes) -> bytes:
            ends = zlib.crc32(kind + data).to_bytes(4, "big")
            return len(data).to_bytes(4, "big") + kind + data + ends

        samples = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
        row = bytes(1 + -(-width * samples * depth // 8))
        packer, packed = zlib.compressobj(9), b""
        for _ in range(min(height, 30_000)):
            packed += packer.compress(row)
        packed += packer.flush()
        sizes = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        head = chunk(b"IHDR", sizes + bytes([depth, colour, 0, 0, 0]))
        palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
        data = head + palette + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
        (folder / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
        return ["lenet5", "p.png"]

    for width, height, colour, depth in (
        (9_990, 9_990, 6, 8), (9_990, 9_990, 2, 8), (9_990, 9_990, 6, 16), (9_990, 9_990, 0, 16),
        (9_990, 9_990, 3, 1), (60_000, 60_000, 0, 1), (1, 99_000_000, 0, 8), (2**31 - 1, 1, 0, 8),
        (65_000, 1_500, 2, 8), (1_500, 29_000, 6, 8),
    ):  # fmt: skip
        name = f"PNG {width} x {height}, colour {colour}, {depth} bits"
        made = partial(png, width=width, height=height, colour=colour, depth=depth)
        yield Bomb("images", name, made)

    def texts(folder: Path) -> Arguments:
        from PIL import Image, PngImagePlugin

        info = PngImagePlugin.PngInfo()
        for number in range(60):
            info.add_text(f"k{number}", "x" * 1_000_000, zip=True)
        Image.new("L", (28, 28)).save(folder / "p.png", pnginfo=info)
        return ["lenet5", "p.png"]

    yield Bomb("images", "60 MB of texts in a PNG", texts)


def of_parquet() -> Iterator[Bomb]:
    def table(folder: Path, columns: dict[str, Any]) -> Arguments:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table(columns), folder / "t.parquet", compression="zstd")
        return ["lenet5", "t.parquet"]

    def repeated(folder: Path, count: int, value: Any) -> Arguments:
        import pyarrow as pa

        places = pa.array(np.zeros(count, "int32"))
        return table(folder, {"image": pa.DictionaryArray.from_arrays(places, pa.array([value]))})

    yield Bomb("Parquet", "10,000 rows of one text", lambda f: repeated(f, 10_000, "x" * 99_999))
    yield Bomb("Parquet", "10,000 rows of bytes", lambda f: repeated(f, 10_000, b"x" * 99_999))
    yield Bomb("Parquet", "a text of 0.2 GB", lambda f: table(f, {"image": ["x" * 200_000_000]}))
    yield Bomb("Parquet", "bytes of 0.2 GB", lambda f: table(f, {"image": [bytes(200_000_000)]}))
    yield Bomb(
        "Parquet", "a list of 20 million", lambda f: table(f, {"image": [np.zeros(20_000_000)]})
    )
    wide = {f"c{number}": [0] for number in range(9_999)}
    yield Bomb("Parquet", "9,999 columns", lambda f: table(f, wide))
