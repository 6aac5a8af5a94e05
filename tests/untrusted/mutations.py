"""Mutations of a saved model's files, as Hypothesis strategies: bytes in, other bytes out."""

import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st

NASTY: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 0.5, -0.5, 1e308, 8, 3),
    *("", "a", "relu", "../x", "\x1b[2J", "\u202e", "x" * 5000, "os.system", "http://x/y"),
    *([], {}, [[]], [None], [1, 2], [[1, 2], [3, 4]], [0] * 50, {"a": 1}),
    {"class_name": "__lambda__", "config": {"value": "AAAA"}},
    {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
    {"module": "keras.layers", "class_name": "Lambda", "config": {}, "registered_name": None},
    {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": None},
    {"class_name": "__tensor__", "config": {"value": [1e9], "dtype": "float32"}},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["a", 0, 0]}},
    "float64",
    "mixed_float16",
    "Dense",
    "keras.layers",
    "Functional",
    "keras_history",
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        keys = item.keys() if isinstance(item, dict) else range(len(item))
        for key in keys:
            found.append((item, key))
            if isinstance(item[key], dict | list):
                waiting.append(item[key])
    return found


@st.composite
def mutated_json(draw: st.DrawFn, original: bytes) -> bytes:
    """A JSON file whose structure or text is changed in a few places."""
    if draw(st.integers(0, 3)) == 0:
        return draw(mutated_bytes(original))
    value = json.loads(original)
    for _ in range(draw(st.integers(1, 3))):
        known = places(value)
        if not known:
            break
        container, key = known[draw(st.integers(0, len(known) - 1))]
        change(draw, known, container, key)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def change(draw: st.DrawFn, known: list[tuple[Any, Any]], container: Any, key: Any) -> None:
    how = draw(st.sampled_from(["nasty", "nasty", "delete", "move", "rename", "any", "number"]))
    if how == "delete":
        del container[key]
    elif how == "move":
        other, place = known[draw(st.integers(0, len(known) - 1))]
        container[key] = json.loads(json.dumps(other[place]))
    elif how == "rename" and isinstance(container, dict):
        container[draw(st.sampled_from(["x", "class_name", "config", "module", "name"]))] = (
            container.pop(key)
        )
    elif how == "any":
        leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
        container[key] = draw(leaves)
    elif how == "number" and isinstance(container[key], int | float):
        container[key] = container[key] + draw(st.sampled_from([-1, 1, 7, 1000, 10**9]))
    else:
        container[key] = json.loads(json.dumps(draw(st.sampled_from(NASTY))))


@st.composite
def mutated_bytes(draw: st.DrawFn, original: bytes) -> bytes:
    """A file whose bytes are changed, removed, added, or cut off."""
    content = bytearray(original)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        how = draw(
            st.sampled_from(["set", "set", "set", "flip", "cut", "remove", "insert", "copy"])
        )
        if not content or how == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=16))
        elif how == "set":
            content[place] = draw(st.sampled_from([0, 1, 127, 128, 254, 255]))
        elif how == "flip":
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[place:]
        elif how == "remove":
            del content[place : place + draw(st.integers(1, 64))]
        else:
            source = draw(st.integers(0, len(content) - 1))
            content[place : place + 8] = content[source : source + 8]
    return bytes(content)


@st.composite
def mutated_hdf5(draw: st.DrawFn, original: bytes) -> bytes:
    """A weights file whose bytes are changed (mostly its metadata), or that is rearranged."""
    if draw(st.integers(0, 3)) == 0:
        return rearranged(original, draw)
    return draw(mutated_bytes(original))


def rearranged(original: bytes, draw: st.DrawFn) -> bytes:
    stream = io.BytesIO(original)
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = draw(st.sampled_from(names))
        other = draw(st.sampled_from(names))
        draw(st.sampled_from(WAYS))(file, name, other)
    return stream.getvalue()


def _delete(file: h5py.File, name: str, other: str) -> None:
    del file[name]


def _rename(file: h5py.File, name: str, other: str) -> None:
    file.move(name, name + "x")


def _link(file: h5py.File, name: str, other: str) -> None:
    del file[name]
    if other in file:
        file[name] = file[other]


def _soft(file: h5py.File, name: str, other: str) -> None:
    del file[name]
    file[name] = h5py.SoftLink("/" + other)


def _external(file: h5py.File, name: str, other: str) -> None:
    del file[name]
    file[name] = h5py.ExternalLink("/etc/passwd", "/")


def _swap(file: h5py.File, name: str, other: str) -> None:
    if name == other or name.startswith(other + "/") or other.startswith(name + "/"):
        return
    file.move(name, "aside")
    file.move(other, name)
    file.move("aside", other)


def _reshape(file: h5py.File, name: str, other: str) -> None:
    if isinstance(file[name], h5py.Dataset):
        data = file[name][()]
        del file[name]
        file[name] = np.asarray(data).reshape(-1)


def _retype(file: h5py.File, name: str, other: str) -> None:
    if isinstance(file[name], h5py.Dataset):
        data = np.asarray(file[name][()]).astype("float64")
        del file[name]
        file[name] = data


def _attribute(file: h5py.File, name: str, other: str) -> None:
    file[name].attrs["name"] = "x" * 1000


WAYS: list[Callable[[h5py.File, str, str], None]] = [
    *(_delete, _rename, _link, _soft, _external, _swap, _reshape, _retype, _attribute)
]
