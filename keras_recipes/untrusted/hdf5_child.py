"""Read an HDF5 file in a separate process; started by `hdf5`, never imported.

libhdf5 is written in C. With damaged files it crashes, loops, and allocates without end: of 3,000
files with a few changed bytes, two crashed it and six kept it busy for ever. Here, such a file ends
a process that holds nothing, cannot open a file, and has little time and memory.

The argument holds the folders to import from, as JSON. Standard input holds any number of requests:
a line of JSON ("size", "most_bytes" of all arrays, "most_objects", and "skip": groups at the root
that are not read), and then "size" bytes of a file. A fork of this process reads each file.
Standard output holds the answer in pieces. Each piece follows its length (four bytes). A length of
zero ends the answer, followed by the exit status (four bytes, 0 if there was no error).

An answer is a line of JSON: {"error": ...}, {"refused": ...}, {"too_large": ...}, {"no_memory"} or
{"objects": ..., "arrays": [[path, dtype, shape], ...]}. In the last case a zero byte and the
array's bytes in C order follow for each array, or a byte of one if it cannot be read.
"""

import codecs
import io
import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

# The interpreter was started without folders to import packages from.
sys.path[:0] = json.loads(sys.argv[1])

import h5py  # noqa: E402
import numpy as np  # noqa: E402

if sys.platform != "win32":
    import resource

DEEPEST = 40
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
SECONDS, BYTES_A_SECOND = 1.0, 50e6
SPARE = 256 << 20


class RefusedError(Exception):
    """The file contains something that is refused."""


class ArraysTooLargeError(Exception):
    """The file's arrays exceed the limits."""


def restrict(size: int, most_bytes: int) -> bool:
    """Forbid this process new files and core dumps, and limit its time and memory.

    Returns whether it has all the memory that the file may need.
    """
    if sys.platform == "win32":
        return True
    # This signal ends the process, whatever the library is doing: nothing handles it.
    signal.setitimer(signal.ITIMER_PROF, SECONDS + (size + most_bytes / 10) / BYTES_A_SECOND)
    enough = True
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 2 * size + most_bytes + SPARE
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:  # nobody may raise the limit that it has inherited
            enough, limit = limit <= most, min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        resource.setrlimit(kind, (0, 0))
    return enough


def walk(file: Any, most_bytes: int, most_objects: int, skip: list[str]) -> dict[str, Any]:
    """Return the content of the file by path; only hard links are followed, each object once."""
    objects: dict[str, Any] = {}
    arrays: list[Any] = []
    seen: set[Any] = set()
    total = 0
    waiting = [("", file, 0)]
    while waiting:
        path, group, depth = waiting.pop()
        objects[path] = attributes(group)
        for name in sorted(group, reverse=True):
            child_path = f"{path}/{name}" if path else name
            if not path and name in skip:
                continue
            child = follow(group, name, child_path, seen)
            if len(objects) >= most_objects or depth >= DEEPEST:
                raise RefusedError("it has more groups than any model")
            if type(child).__name__ == "Group":
                waiting.append((child_path, child, depth + 1))
                objects[child_path] = None
                continue
            check(child, child_path)
            total += child.size * child.dtype.itemsize
            if total > most_bytes:
                raise ArraysTooLargeError(f"its arrays have more than {most_bytes:,} bytes")
            objects[child_path] = attributes(child)
            arrays.append((child_path, child))
    return {"objects": objects, "arrays": arrays}


def follow(group: Any, name: str, path: str, seen: set[Any]) -> Any:
    """Return the object behind a link; refuse other than hard links, and objects seen before."""
    link = group.get(name, getlink=True)
    if type(link) is not h5py.HardLink:
        kind = "an external" if isinstance(link, h5py.ExternalLink) else "a soft"
        raise RefusedError(f"{path!r} is {kind} link")
    info = h5py.h5o.get_info(group.id, name.encode())
    if (info.fileno, info.addr) in seen:
        raise RefusedError(f"{path!r} is linked twice")
    seen.add((info.fileno, info.addr))
    if info.type not in (h5py.h5o.TYPE_GROUP, h5py.h5o.TYPE_DATASET):
        raise RefusedError(f"{path!r} is neither a group nor an array")
    return group[name]


def check(dataset: Any, path: str) -> None:
    """Refuse an array that is not numbers, or is not stored in full in this file."""
    plist = dataset.id.get_create_plist()
    layout = plist.get_layout()
    if layout not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        raise RefusedError(f"{path!r} is mapped onto other data (a virtual data set)")
    if plist.get_external_count():
        raise RefusedError(f"{path!r} is stored in another file (external storage)")
    for index in range(plist.get_nfilters()):
        code = plist.get_filter(index)[0]
        if code not in FILTERS:
            raise RefusedError(f"{path!r} needs filter {code}, expected {sorted(FILTERS)}")
    if not numeric(dataset):
        raise RefusedError(f"{path!r} holds {str(dataset.dtype)[:40]}, expected numbers")
    if dataset.shape is None:
        raise RefusedError(f"{path!r} holds no data")
    check_stored(dataset, path, layout)


def numeric(dataset: Any) -> bool:
    """Return whether an array holds plain numbers, or Keras' bfloat16, which HDF5 calls opaque."""
    dtype = dataset.dtype
    if dtype.metadata or dtype.fields or dtype.subdtype:
        return False
    if dtype.kind == "V":
        return bool(dtype.itemsize == 2 and dataset.attrs.get("dtype") == "bfloat16")
    return bool(dtype.kind in "biuf" and dtype.itemsize <= 8)


def check_stored(dataset: Any, path: str, layout: int) -> None:
    """Refuse an array that is not fully stored: HDF5 fills the gaps, so it may be a bomb."""
    if not dataset.size:
        return
    if layout == h5py.h5d.CHUNKED:
        pieces = 1
        for length, chunk in zip(dataset.shape, dataset.chunks, strict=True):
            pieces *= -(-length // chunk)
        whole = dataset.id.get_num_chunks() == pieces
    else:
        whole = dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
    if not whole:
        raise RefusedError(f"{path!r} declares more bytes than are stored")


def attributes(thing: Any) -> dict[str, Any]:
    """Return the attributes that are texts, numbers, or lists of them; leave out others."""
    found = {}
    for name in thing.attrs:
        dtype = thing.attrs.get_id(name).dtype
        # References, which lead elsewhere, and compounds, which Keras never writes, are left out.
        if dtype.kind in "SUbiuf" or (dtype.kind == "O" and is_text(dtype)):
            found[name] = plain(thing.attrs[name])
    return found


def is_text(dtype: Any) -> bool:
    """Return whether an object type is HDF5's text of variable length."""
    return h5py.check_string_dtype(dtype) is not None


def plain(value: Any) -> Any:
    """Return a value in the form that JSON takes."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def answer(content: bytes, settings: dict[str, Any], stream: Any) -> None:
    """Read one file with restrictions, and write the answer."""
    enough = True
    try:
        enough = restrict(len(content), settings["most_bytes"])
        file = h5py.File(h5py.h5f.open_file_image(content))
        found = walk(file, settings["most_bytes"], settings["most_objects"], settings["skip"])
    except RefusedError as refusal:
        stream.write(json.dumps({"refused": str(refusal)}).encode() + b"\n")
        return
    except ArraysTooLargeError as error:
        stream.write(json.dumps({"too_large": str(error)}).encode() + b"\n")
        return
    except MemoryError:
        if not enough:
            stream.write(b'{"no_memory": true}\n')
            return
        stream.write(b'{"refused": "it needs more memory than its size explains"}\n')
        return
    except Exception as error:
        stream.write(json.dumps({"error": str(error)[:300]}).encode() + b"\n")
        return
    arrays = [(path, d.dtype.newbyteorder("<").str, d.shape) for path, d in found["arrays"]]
    listed = [(path, "bfloat16" if "V" in kind else kind, shape) for path, kind, shape in arrays]
    stream.write(json.dumps({"objects": found["objects"], "arrays": listed}).encode() + b"\n")
    for _, dataset in found["arrays"]:
        try:
            value = np.ascontiguousarray(dataset[()])
            data = value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        except Exception:
            stream.write(b"\1")
            return
        stream.write(b"\0")
        stream.write(data)


def serve(content: bytes, settings: dict[str, Any], out: Any) -> None:
    """Let a fork read one file, and pass on its answer and its exit status."""
    if not hasattr(os, "fork"):
        stream = io.BytesIO()
        answer(content, settings, stream)
        out.write(struct.pack("<I", len(stream.getbuffer())) + stream.getvalue() + bytes(8))
        return
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            with os.fdopen(writing, "wb") as pipe:
                answer(content, settings, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    while piece := os.read(reading, 1 << 20):
        out.write(struct.pack("<I", len(piece)) + piece)
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    out.write(struct.pack("<Ii", 0, status))


def main() -> None:
    """Serve requests until standard input ends."""
    for codec in ("ascii", "latin-1", "utf-8"):  # loads their modules, which are files
        codecs.lookup(codec)
    requests, out = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline():
        settings = json.loads(line)
        serve(requests.read(settings["size"]), settings, out)
        out.flush()


if __name__ == "__main__":
    main()
