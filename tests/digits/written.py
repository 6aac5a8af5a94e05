"""Real handwritten digits, written to disk in the forms that people and publishers use."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from keras_recipes.digits import named_sets


def some(each: int = 3, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images of scikit-learn's digits, so many of each digit: (N, 28, 28), (N,)."""
    whole = named_sets.digits().train
    rows = [np.flatnonzero(whole.indices == digit)[start : start + each] for digit in range(10)]
    chosen = np.concatenate(rows)
    return whole.images[chosen], whole.indices[chosen].astype("uint8")


def folders(root: Path, images: np.ndarray, names: Iterable[str]) -> None:
    """Write a picture into the folder of each name."""
    for number, (image, name) in enumerate(zip(images, names, strict=True)):
        path = root / str(name) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def idx(path: Path, array: np.ndarray, code: int = 8) -> None:
    """Write an IDX file, packed if its name ends in .gz; code 12 is big-endian int32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = array.astype({8: "u1", 12: ">i4"}[code])
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def emnist(root: Path, split: str, part: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Write a part of a split of EMNIST, whose images are transposed."""
    name = f"emnist-{split}-{part}"
    idx(root / f"{name}-images-idx3-ubyte.gz", images.transpose(0, 2, 1))
    idx(root / f"{name}-labels-idx1-ubyte.gz", labels)


def zipped(archive: Path, folder: Path) -> None:
    """Write a ZIP of a folder."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))


def tarred(archive: Path, folder: Path) -> None:
    """Write a tar of a folder, packed as the name says."""
    packing = {".tgz": "gz", ".gz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(archive.suffix, "")
    with tarfile.open(archive, f"w:{packing}") as file:  # type: ignore[call-overload]
        file.add(folder, ".")


def table(
    path: Path,
    images: np.ndarray,
    labels: Iterable[object] | None,
    *,
    header: str | None = None,
    last: bool = False,
    unit: bool = False,
    separator: str = ",",
) -> None:
    """Write a table of pixels, packed if its name ends in .gz."""
    text = io.StringIO()
    if header:
        print(header, file=text)
    known = [None] * len(images) if labels is None else list(labels)
    for image, label in zip(images.reshape(len(images), -1), known, strict=True):
        cells = [f"{p / 255:.4f}" for p in image] if unit else [str(p) for p in image]
        if label is not None:
            cells.insert(len(cells) if last else 0, str(label))
        print(separator.join(cells), file=text)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
