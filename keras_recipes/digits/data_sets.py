"""The data sets among the files of a folder or an archive: which files belong together.

Files whose names differ only in the part (`mnist_train.csv`, `mnist_test.csv`) are one data set.
Several data sets in one folder are refused by name, because choosing one would be a guess.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_recipes.digits import arrays, idx, parquet, pixel_tables, published
from keras_recipes.digits.entries import Entry
from keras_recipes.digits.part_names import TEST, TRAIN, part_of, without_part
from keras_recipes.digits.tables import Table
from keras_recipes.errors import InputError, printable

TEXTS = {".csv", ".tsv", ".txt", ".data"}
"""The endings of files that may be tables of pixels."""


@dataclass(frozen=True)
class DataSet:
    """Files that belong together.

    Attributes:
        kind: Their format: idx, npz, npy, csv or parquet.
        name: What their names share.
        parts: The files of each part; without parts in the names, all are the part `train`.
        near: All files of their folder, such as labels and names of classes.
    """

    kind: str
    name: str
    parts: dict[str, list[Entry]]
    near: Sequence[Entry]

    def tables(self, labels: bool = True) -> dict[str, Table]:
        """Read the tables of the parts.

        Args:
            labels: Whether labels are needed.

        Raises:
            InputError: A file is damaged, or the file of its labels is missing.
        """
        if self.kind in ("npz", "npy"):
            return self._arrays()
        return {
            part: _together([self._table(entry, labels) for entry in files])
            for part, files in self.parts.items()
        }

    def _arrays(self) -> dict[str, Table]:
        files = [entry for files in self.parts.values() for entry in files]
        if self.kind == "npy":
            found = {entry.own.removesuffix(".npy"): arrays.of_npy(entry) for entry in files}
            return arrays.tables(_folder_of(files[0]) if len(files) > 1 else files[0].name, found)
        if len(files) == 1 and not _paired(files[0]):
            tables = arrays.tables(files[0].name, arrays.of_npz(files[0]))
        else:
            tables = {
                part: self._pair(next((e for e in some if _paired(e)), some[0]))
                for part, some in self.parts.items()
            }
        return tables

    def _pair(self, entry: Entry) -> Table:
        """Read KMNIST's images in one NPZ file, and the labels in another."""
        images = next(iter(arrays.of_npz(entry).values()))
        named = entry.own.replace("imgs", "labels").replace("images", "labels")
        file = next((near for near in self.near if near.own == named), None)
        if file is None or file is entry:
            return Table(entry.name, images)
        names = published.names_of_classes(entry.parts[-1], self.near)
        published.warn_of_no_digits(entry.name, names)
        return Table(entry.name, images, next(iter(arrays.of_npz(file).values())), names)

    def _table(self, entry: Entry, labels: bool) -> Table:
        if self.kind == "parquet":
            return parquet.read(entry)
        if self.kind == "csv":
            return self._of_pixels(entry)
        images = idx.parsed(entry.name, entry.content(), (3,))
        images = published.upright(entry.parts[-1], images)
        file = labels_of(entry, self.near)
        if file is None:
            if not labels:
                return Table(entry.name, images)
            named = entry.parts[-1].replace("images", "labels").replace("idx3", "idx1")
            raise InputError(f"{entry.name}: its labels are missing; expected {named} next to it")
        values = idx.parsed(file.name, file.content(), (1, 2))
        # QMNIST's labels say more than the class: the writer, the form, ...
        values = values[:, 0] if values.ndim == 2 and values.shape[1] else values
        names = published.names_of_classes(entry.parts[-1], self.near)
        published.warn_of_no_digits(entry.name, names)
        return Table(entry.name, images, values, names)

    def _of_pixels(self, entry: Entry) -> Table:
        found = pixel_tables.read(entry)
        images = published.upright(entry.parts[-1], found.images.reshape(-1, 28, 28))
        names = published.names_of_classes(entry.parts[-1], self.near)
        if found.labels is None or found.labels.dtype.kind not in "iu":
            names = None
        published.warn_of_no_digits(entry.name, names)
        return Table(found.source, images, found.labels, names)


def kind_of(entry: Entry) -> str | None:
    """Return the format of a file that may hold many images, by its name; None for others."""
    name = entry.own
    if re.search(r"idx3|images[-_.]?ubyte", name) or ("images" in name and "idx" in name):
        return "idx"
    if entry.ending in (".npz", ".npy", ".parquet"):
        return entry.ending[1:]
    if entry.ending == ".pq":
        return "parquet"
    return "csv" if entry.ending in TEXTS else None


def found(entries: Iterable[Entry]) -> list[DataSet]:
    """Return the data sets among files; tables of text that have no pixels are none."""
    every = list(entries)
    sets: dict[tuple[str, ...], dict[str, dict[str, Entry]]] = {}
    near: dict[tuple[str, ...], list[Entry]] = {}
    for entry in every:
        near.setdefault(entry.parts[:-1], []).append(entry)
    for entry in every:
        kind = kind_of(entry)
        if kind is None or (kind == "csv" and not pixel_tables.is_one(entry)):
            continue
        if kind == "npz" and "label" in entry.own and not _paired(entry):
            continue
        name, part = _name_and_part(entry, kind)
        same = sets.setdefault((kind, *name), {}).setdefault(part or TRAIN, {})
        # A file and the same one packed are one; the unpacked one is read.
        key = re.sub(r"[-_.]", "-", entry.own)
        if key not in same or same[key].packed:
            same[key] = entry
    return [
        DataSet(
            key[0], "/".join(filter(None, key[1:])), _listed(parts), near[_first(parts).parts[:-1]]
        )
        for key, parts in sorted(sets.items())
    ]


def of_one(entry: Entry, siblings: Sequence[Entry]) -> DataSet:
    """Return the data set of a file that was named; MNIST's training file brings its test file.

    Raises:
        InputError: It is in none of the formats.
    """
    kind = kind_of(entry)
    text = kind == "csv" and entry.ending != ".csv"
    if kind is None or (text and not pixel_tables.is_one(entry)):
        raise unknown(entry)
    parts = {TRAIN: [entry]}
    if kind == "idx" and _name_and_part(entry, kind)[1] == TRAIN:
        same = next((s for s in found(siblings) if _holds(s, entry)), None)
        if same and TEST in same.parts:
            parts[TEST] = same.parts[TEST]
    return DataSet(kind, entry.parts[-1], parts, siblings)


def unknown(entry: Entry) -> InputError:
    """Return the error for a file that holds no images in a known format."""
    pickled = entry.ending in (".pkl", ".pickle", ".pt", ".pth")
    why = ", received a pickle, which can run a program" if pickled else ""
    return InputError(
        f"{entry.name}: expected NPZ, NPY, CSV, Parquet, a ZIP or tar archive, or IDX images with "
        f"a name such as train-images-idx3-ubyte{why}"
    )


def labels_of(entry: Entry, near: Iterable[Entry]) -> Entry | None:
    """Return the file of the labels of IDX images, or None; an unpacked one comes first."""
    wanted = _plain(entry.own.partition("idx")[0].replace("images", "labels"))
    same = [
        other
        for other in near
        if "labels" in other.own
        and _plain(other.own.partition("idx")[0]) == wanted
        and other.ending not in TEXTS
    ]
    return min(same, key=lambda other: bool(other.packed), default=None)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]|ubyte", "", name)


def _holds(data_set: DataSet, entry: Entry) -> bool:
    return any(_plain(e.own) == _plain(entry.own) for some in data_set.parts.values() for e in some)


def _name_and_part(entry: Entry, kind: str) -> tuple[tuple[str, ...], str | None]:
    """Return what a file's name shares with those of the other parts, and its part."""
    folders = [
        f for f in entry.parts[:-1] if part_of(f) is None and _plain(f.lower()) != _plain(entry.own)
    ]
    stem = entry.own
    if kind == "idx":
        stem = re.sub(r"images|idx\d?|ubyte", " ", stem)
    else:
        stem = stem.removesuffix(entry.ending)
        # Large tables are published in several files: train-00000-of-00002-a1b2.
        stem = re.sub(r"[-_.]\d{5}-of-\d{5}(-[0-9a-f]+)?$", "", stem)
        stem = re.sub(r"[-_.]\d{1,4}$", "", stem) if kind == "parquet" else stem
        if kind == "npy":  # each file is an array, and all of a folder belong together
            return (*folders, ""), None
        if _paired(entry):
            stem = re.sub(r"imgs|images|labels|(?<![a-z])[xy](?![a-z])", " ", stem)
    name, part = without_part(stem)
    if part is None:
        part = next((p for f in entry.parts[:-1] if (p := part_of(f))), None)
    return (*folders, name), part


def _paired(entry: Entry) -> bool:
    return entry.ending == ".npz" and re.search(r"imgs|images|labels", entry.own) is not None


def _listed(parts: dict[str, dict[str, Entry]]) -> dict[str, list[Entry]]:
    return {part: [same[key] for key in sorted(same)] for part, same in parts.items()}


def _first(parts: dict[str, dict[str, Entry]]) -> Entry:
    return next(entry for same in parts.values() for entry in same.values())


def _folder_of(entry: Entry) -> str:
    return entry.name.rpartition("/")[0] or "."


def _together(tables: list[Table]) -> Table:
    import numpy as np

    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    images = np.concatenate([table.images for table in tables])
    labels = [table.labels for table in tables if table.labels is not None]
    if len(labels) not in (0, len(tables)):
        raise InputError(f"{first.source}: has labels, and {tables[-1].source} or another has none")
    return Table(first.source, images, np.concatenate(labels) if labels else None, first.names)


def one_of(name: str, sets: list[DataSet]) -> DataSet:
    """Return the only data set of a folder.

    Raises:
        InputError: There are several.
    """
    if len(sets) > 1:
        shown = ", ".join(printable(_first_name(s)) for s in sets[:6])
        more = ", ..." if len(sets) > 6 else ""
        raise InputError(
            f"{name}: has {len(sets)} data sets, with the files {shown}{more}; "
            "name one of these files, or keep one data set in the folder"
        )
    return sets[0]


def _first_name(data_set: DataSet) -> str:
    files = data_set.parts.get(TRAIN) or next(iter(data_set.parts.values()))
    return files[0].name.rpartition("/")[2]
