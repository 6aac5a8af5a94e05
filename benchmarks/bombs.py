"""Ask `recipes` about small files that would take much memory or time: python -m benchmarks.bombs.

Each bomb is made in a folder of its own, and the whole command is run on it. The right outcome is a
refusal: exit status 2, 3 or 4 and one line. Memory is that of all processes together, and time is
processor time. Both are compared with those of an honest model, which is measured first.
`--kinds archives images` runs only some; `--seconds` is the wall time after which a command is
killed.
"""

import argparse
import io
import json
import statistics
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_recipes.report import tables
from tests.untrusted.measuring import Measured, measured

MEMORY, SECONDS = 1.0e9, 10.0
"""What a bomb may take beyond the honest model."""

PAIR = ["model.json", "--weights", "model.weights.h5", "x.npy"]
LARGE = 1_000_000_000
Arguments = list[str]
Step = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Bomb:
    """A bomb.

    Attributes:
        kind: The kind of file or of computation.
        name: What it does.
        make: Writes its files to the current folder; returns the arguments of `recipes predict`.
    """

    kind: str
    name: str
    make: Callable[[Path], Arguments]


def pair(folder: Path, layers: list[dict[str, Any]], x: np.ndarray) -> Arguments:
    """Write a chain of layers without weights."""
    config: dict[str, Any] = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": None,
        "config": {
            "name": "g",
            "trainable": True,
            "layers": layers,
            "input_layers": [["in", 0, 0]],
            "output_layers": [[layers[-1]["name"], 0, 0]],
        },
    }
    (folder / "model.json").write_text(json.dumps(config))
    with h5py.File(folder / "model.weights.h5", "w") as file:
        file.create_group("layers")
    np.save(folder / "x.npy", x)
    return PAIR


def chain(shape: list[int | None], *steps: Step) -> Callable[[Path], Arguments]:
    """Return a maker of a net: an input and steps, each a module, a class and its settings."""

    def make(folder: Path) -> Arguments:
        start = {"batch_shape": [None, *shape], "dtype": "float32", "name": "in"}
        layers = [_layer("keras.layers", "InputLayer", start, "in", [])]
        before = "in"
        for number, (module, kind, settings) in enumerate(steps):
            name = f"s{number}"
            tensor = {
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": [None, *shape],
                    "dtype": "float32",
                    "keras_history": [before, 0, 0],
                },
            }
            nodes = [{"args": [tensor], "kwargs": {}}]
            layers.append(_layer(module, kind, {"name": name, **settings}, name, nodes))
            before = name
        return pair(folder, layers, np.ones([2, *(size or 4 for size in shape)], "float32"))

    return make


def _layer(
    module: str, kind: str, config: dict[str, Any], name: str, nodes: list[Any]
) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": kind,
        "config": config,
        "registered_name": None,
        "name": name,
        "inbound_nodes": nodes,
    }


def layer(kind: str, shape: list[int | None], /, **settings: Any) -> Bomb:
    shown = ", ".join(f"{k}={str(v)[:20]}" for k, v in settings.items())
    return Bomb("layers", f"{kind}({shown})", chain(shape, ("keras.layers", kind, settings)))


def operation(module: str, kind: str, shape: list[int | None], /, **settings: Any) -> Bomb:
    shown = ", ".join(f"{k}={str(v)[:20]}" for k, v in settings.items())
    step = (f"keras.src.ops.{module}", kind, settings)
    return Bomb("operations", f"{kind}({shown})", chain(shape, step))


def of_layers() -> Iterator[Bomb]:
    yield layer("UpSampling1D", [4, 4], size=LARGE)
    yield layer("UpSampling2D", [4, 4, 1], size=[60_000, 60_000])
    yield layer("UpSampling2D", [4, 4, 1], size=[9_000, 9_000], interpolation="bilinear")
    yield layer("UpSampling3D", [4, 4, 4, 1], size=[999, 999, 999])
    yield layer("ZeroPadding1D", [4, 4], padding=[LARGE, LARGE])
    yield layer("ZeroPadding2D", [4, 4, 1], padding=[[50_000] * 2] * 2)
    yield layer("ZeroPadding3D", [4, 4, 4, 1], padding=[[900] * 2] * 3)
    yield layer("RepeatVector", [4], n=LARGE)
    yield layer("CategoryEncoding", [4], num_tokens=2 * LARGE, output_mode="multi_hot")
    yield layer("CategoryEncoding", [4], num_tokens=LARGE, output_mode="one_hot")
    yield layer("Resizing", [4, 4, 1], height=90_000, width=90_000)
    yield layer("CenterCrop", [4, 4, 1], height=90_000, width=90_000)
    yield layer("Dense", [4], units=LARGE)
    yield layer("Embedding", [4], input_dim=LARGE, output_dim=99)
    yield layer("Conv1D", [9, 4], filters=LARGE, kernel_size=[3])
    yield layer("Conv2D", [9, 9, 1], filters=9, kernel_size=[60_000, 60_000], padding="same")
    yield layer("Conv2DTranspose", [9, 9, 1], filters=9, kernel_size=[3, 3], strides=[9_999, 9_999])
    yield layer("DepthwiseConv2D", [9, 9, 1], kernel_size=[3, 3], depth_multiplier=LARGE)
    yield layer("LSTM", [5, 4], units=900_000)
    yield layer("GRU", [5, 4], units=900_000)
    yield layer("SimpleRNN", [LARGE, 4], units=4)
    yield layer("Flatten", [60_000, 60_000])
    yield layer("Discretization", [4], bin_boundaries=[float(n) for n in range(900_000)])
    yield layer("MaxPooling1D", [4, 4], pool_size=[LARGE], strides=[1], padding="same")
    many: list[Step] = [("keras.layers", "Identity", {})] * 20_000
    yield Bomb("layers", "20,000 layers", chain([4], *many))
    doubled: list[Step] = [("keras.layers", "UpSampling1D", {"size": 2})] * 40
    yield Bomb("layers", "40 layers that double", chain([4, 4], *doubled))


def of_operations() -> Iterator[Bomb]:
    yield operation("numpy", "Tile", [4], repeats=[1, LARGE])
    yield operation("numpy", "Repeat", [4], repeats=LARGE, axis=1)
    yield operation("numpy", "BroadcastTo", [4], shape=[LARGE, 9, 4])
    yield operation("numpy", "Pad", [4], pad_width=[[0, 0], [LARGE, LARGE]])
    yield operation("nn", "OneHot", [4], num_classes=LARGE)
    yield operation("nn", "MultiHot", [4], num_classes=LARGE)
    yield operation("image", "Resize", [4, 4, 1], size=[90_000, 90_000])
    pads = {f"{side}_padding": 90_000 for side in ("top", "left", "bottom", "right")}
    yield operation("image", "PadImages", [4, 4, 1], **pads)
    yield operation("image", "GaussianBlur", [9, 9, 1], kernel_size=[20_001, 20_001], sigma=[9, 9])
    yield operation("numpy", "Vander", [4], N=LARGE)
    yield operation("numpy", "Diff", [99], n=LARGE)
    yield operation("numpy", "Histogram", [4], bins=LARGE)
    yield operation("math", "RFFT", [4], fft_length=LARGE)
    yield operation("math", "STFT", [99], sequence_length=9, sequence_stride=1, fft_length=LARGE)
    yield operation("math", "ExtractSequences", [99_999], sequence_length=50_000, sequence_stride=1)
    yield operation("math", "SegmentSum", [4], num_segments=LARGE)
    yield operation("numpy", "Bincount", [4], minlength=LARGE)
    yield operation("numpy", "Expand", [4], axis=LARGE)
    yield operation("numpy", "Roll", [4], shift=LARGE)
    square: list[Step] = [("keras.src.ops.numpy", "Outer", {})] * 9
    yield Bomb("operations", "Outer, nine times", chain([99], *square))


def zipped(folder: Path, name: str, members: dict[str, bytes], level: int = 9) -> Arguments:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for member, content in members.items():
            file.writestr(member, content)
    np.save(folder / "x.npy", np.ones((2, 4), "float32"))
    return [name, "x.npy"]


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


def bombs() -> list[Bomb]:
    """Return all bombs."""
    makers = (of_archives, of_arrays, of_json, of_images, of_parquet, of_layers, of_operations)
    return [bomb for maker in makers for bomb in maker()]


def command(arguments: Arguments) -> list[str]:
    main = "from keras_recipes.cli import main; main()"
    return [sys.executable, "-c", main, "predict", *arguments, "--format", "csv"]


def outcome(done: Measured) -> str:
    """Return the exit status, and what is wrong with it."""
    if done.status not in (2, 3, 4):
        return f"{done.status}: {done.last[:80]}" if done.status else "answered"
    one_line = done.last.startswith("error: ") and done.last.isprintable()
    return str(done.status) if one_line and "Traceback" not in done.stderr else "message"


def honest(folder: Path, seconds: float) -> Measured:
    """Measure a small net, which is answered."""
    arguments = chain([4], ("keras.layers", "Identity", {}))(folder)
    done = measured(command(arguments), folder, seconds)
    if done.status:
        raise SystemExit(f"the honest model failed: {done.last}")
    return done


def main() -> None:
    """Print the table by kind, and each bomb that is not refused within the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    found: dict[str, list[tuple[str, Measured]]] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        base = honest(Path(scratch), given.seconds)
        print(f"honest: {base.peak / 1e9:.2f} GB, {base.seconds:.1f} s", flush=True)
        for bomb in bombs():
            if given.kinds and bomb.kind not in given.kinds:
                continue
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                folder = Path(place)
                done = measured(command(bomb.make(folder)), folder, given.seconds)
            said = outcome(done)
            found.setdefault(bomb.kind, []).append((said, done))
            over = done.peak > base.peak + MEMORY or done.seconds > base.seconds + SECONDS
            bad = not said.isdigit() or over
            wrong += bad
            shown = f"{said:10} {done.peak / 1e9:5.2f} GB {done.seconds:6.1f} s"
            print(f"{'WRONG ' if bad else ''}{bomb.kind}: {bomb.name}: {shown}", flush=True)
    print(tables.text([row(kind, items, base) for kind, items in found.items()]))
    print(f"{wrong} of {sum(map(len, found.values()))} not refused within the limits")


def row(kind: str, items: list[tuple[str, Measured]], base: Measured) -> dict[str, Any]:
    """Return one row of the table."""
    seconds = [done.seconds for _, done in items]
    return {
        "kind": kind,
        "bombs": len(items),
        "refused": sum(said.isdigit() for said, _ in items),
        "largest memory, GB": f"{max(done.peak for _, done in items) / 1e9:.2f}",
        "median s": f"{statistics.median(seconds):.1f}",
        "longest s": f"{max(seconds):.1f}",
        "honest": f"{base.peak / 1e9:.2f} GB, {base.seconds:.1f} s",
    }


if __name__ == "__main__":
    main()
