"""The state of a series' detector as JSON for a card, and back with all checks.

`to_json` writes `SeriesDetector.state`. The card holds the arrays compressed (zlib) as base64 text,
because most numbers are zeros and the size of a card is limited. The card or the state's file may
be untrusted. Every number is therefore checked before a detector is made from it: values that no
detector can have are refused, and no array is decompressed beyond its size.
"""

import base64
import itertools
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_recipes.anomaly.series.alarm_policy import BINS, HISTORY
from keras_recipes.anomaly.series.detector import SeriesDetector
from keras_recipes.anomaly.series.features import FEATURES, STREAMS, WINDOWS
from keras_recipes.anomaly.series.online_lstm import TRUNCATION
from keras_recipes.anomaly.series.shapes import LARGEST_EVIDENCE, LENGTHS, MOST_BLOCKS
from keras_recipes.errors import CorruptModelError

MOST_CLASSES = 1_000
MOST_UNITS = 1_000
LARGEST = 1e160
"""Detectors read values up to 1e150, and averages of values are not much larger."""

LARGEST_WEIGHT = 1e6
"""A net with larger weights no longer computes anything useful."""

MOST_RECORDS = 2**53

MOST_SHAPE_ARRAYS = 2 * len(LENGTHS) + 1

_BY_HOUR = {"by_day": 24, "seen_by_day": 24, "by_week": 168, "seen_by_week": 168}
_OLD_GATE = {"bar", "rise", "_sink", "raised", "rest", "resting"}
_GATES = (
    _OLD_GATE,
    _OLD_GATE | {"inside", "incidents"},
    _OLD_GATE | {"inside", "incidents", "remembered", "quiet"},
)
"""The entries of a gate's state, the oldest first."""
_OLD_PLAIN = ("options", "scale", "seen", "surprise", "classes", "profile", "gate", "reach")
_PLAIN = (*_OLD_PLAIN, "latest", "lasting")


def to_json(detector: SeriesDetector) -> dict[str, Any]:
    """Return the detector's state as JSON values."""
    state = detector.state()
    arrays: dict[str, Any] = {
        name: packed(array) for name, array in state.items() if name != "plain"
    }
    return {"plain": json.loads(state["plain"].tobytes()), **arrays}


def from_json(values: Any) -> SeriesDetector:
    """Return the detector of `to_json`'s values, which may be untrusted.

    Raises:
        CorruptModelError: The values are damaged.
    """
    try:
        plain = values["plain"]
        types = {**_array_types(plain), **_shape_types(values)}
        arrays = {name: unpacked(values[name], *kind) for name, kind in types.items()}
        return restored({"plain": np.frombuffer(json.dumps(plain).encode(), "uint8"), **arrays})
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise CorruptModelError(
            f"the card's state of a series is damaged: {str(error)[:80]}; fit again"
        ) from None


def restored(state: Mapping[str, np.ndarray]) -> SeriesDetector:
    """Return the detector of a state that may be untrusted.

    Raises:
        ValueError: No detector can have this state. Damaged values may also raise other errors.
    """
    plain = json.loads(state["plain"].tobytes())
    _check_plain(plain)
    for name, (kind, shape) in {**_array_types(plain), **_shape_types(state)}.items():
        array = state[name]
        _require(array.dtype == kind and array.ndim == len(shape), name)
        sizes = zip(array.shape, shape, strict=True)
        _require(all(wanted in (None, size) for size, wanted in sizes), name)
        if name.startswith("net_tape_"):
            _require(len(array) == len(state["net_inputs"]), name)
        _check_array(name, array, plain)
    return SeriesDetector.from_state(state)


def _array_types(plain: Any) -> "dict[str, tuple[str, tuple[int | None, ...]]]":
    """Return each array's type and shape; None means any length."""
    _require(isinstance(plain, dict), "plain")
    longest = max(WINDOWS)
    arrays: dict[str, tuple[str, tuple[int | None, ...]]] = {
        "buffer": ("f8", (len(FEATURES), 2 * longest)),
        "linear_weights": ("f8", (4,)),
        "linear_inverse": ("f8", (4, 4)),
        "linear_given": ("f8", (4,)),
        "counts_trees": ("f8", (len(STREAMS) * (BINS + 2),)),
        "counts_total": ("f8", ()),
    }
    units, edges = plain["options"]["units"], plain["classes"]["edges"]
    _require(type(units) is int and 0 < units <= MOST_UNITS, "units")
    _require(isinstance(edges, list) and len(edges) <= MOST_CLASSES, "edges")
    classes = len(edges) + 3
    size = (classes + units + 1) * 4 * units + (units + 1) * classes
    widths = dict.fromkeys(("carried", "squashed", "received", "output"), units)
    tape = {"gates": 4 * units, **widths, "probabilities": classes}
    return {
        **arrays,
        **{f"net_{name}": ("f8", (size,)) for name in ("weights", "first", "second")},
        "net_updates": ("i8", ()),
        "net_output": ("f8", (units,)),
        "net_state": ("f8", (units,)),
        "net_inputs": ("i8", (None,)),
        **{f"net_tape_{name}": ("f8", (None, width)) for name, width in tape.items()},
        "said": ("f8", (None,)),
    }


def _shape_types(values: Any) -> "dict[str, tuple[str, tuple[int | None, ...]]]":
    """Return the arrays of repeated shapes that are there; older states have none."""
    names = [name for name in values if name.startswith("shapes_")]
    _require(len(names) <= MOST_SHAPE_ARRAYS, "shapes")
    return {name: ("f8", (3,) if name == "shapes_series" else (None,)) for name in names}


def _check_plain(plain: Any) -> None:
    _require(isinstance(plain, dict) and set(plain) in (set(_OLD_PLAIN), set(_PLAIN)), "entries")
    options, classes = plain["options"], plain["classes"]
    check_fields(options, positive=("bar",), least=("rise", "rate"), whole=("seed", "units"))
    _require(options["views"] == list(FEATURES), "views")
    check_fields(plain, positive=("scale",), least=("surprise",), whole=("seen",))
    if "latest" in plain:
        check_fields(plain, least=("latest",), positive=("lasting",))
        _require(plain["lasting"] <= 2**LARGEST_EVIDENCE, "lasting")
    check_fields(classes, any_=("low", "high"))
    edges = classes["edges"]
    _numbers(edges, "edges")
    inside = [classes["low"], *edges, classes["high"]]
    _require(all(a <= b for a, b in itertools.pairwise(inside)), "edges")
    _require(set(classes) == {"low", "high", "edges"}, "classes")
    profile = plain["profile"]
    check_fields(profile, any_=("level",), least=("size", "seen"), positive=("per_hour",))
    _require(set(profile) == {"level", "size", "seen", "per_hour", *_BY_HOUR}, "profile")
    _require(profile["per_hour"] >= 1, "per_hour")
    for name, length in _BY_HOUR.items():
        _numbers(profile[name], name, least=0 if name.startswith("seen") else -LARGEST)
        _require(len(profile[name]) == length, name)
    check_gate(plain["gate"])
    check_fields(plain["reach"], positive=("width",))
    _require(set(plain["reach"]) == {"width"}, "reach")


def check_gate(gate: Any) -> None:
    """Check the state of an alarm gate; older ones have fewer entries.

    Raises:
        ValueError: No gate has this state. Damaged values may also raise other errors.
    """
    check_fields(
        gate, positive=("bar",), least=("rise", "_sink", "raised"), whole=("rest", "resting")
    )
    _require(set(gate) in _GATES, "gate")
    check_fields(gate, whole=sorted(set(gate) - _OLD_GATE))


def _check_array(name: str, array: np.ndarray, plain: Mapping[str, Any]) -> None:
    classes = len(plain["classes"]["edges"]) + 3
    largest = LARGEST if name == "shapes_series" else 1e30
    low, high = {
        "counts_trees": (0.0, 2.0 * HISTORY),
        "counts_total": (0.0, 2.0 * HISTORY),
        "net_weights": (-LARGEST_WEIGHT, LARGEST_WEIGHT),
        "net_first": (-1e3, 1e3),
        "net_second": (0.0, 1e3),
        "net_updates": (0, MOST_RECORDS),
        "net_inputs": (0, classes - 1),
        "net_tape_probabilities": (0.0, 1.0),
        "said": (0.0, 1.0),
    }.get(name, (-largest, largest))
    _require(bool(np.all((array >= low) & (array <= high))), name)  # false for NaN, too
    if name == "net_inputs":
        _require(len(array) <= TRUNCATION, name)
    if name == "said":
        _require(len(array) in (0, classes), name)


def check_fields(
    values: Any,
    *,
    any_: Sequence[str] = (),
    least: Sequence[str] = (),
    positive: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """Check numbers by name: of any sign, not negative, positive, and integers from zero on."""
    _require(isinstance(values, dict), "values")
    for name in (*any_, *least, *positive):
        value = values[name]
        _numbers([value], name, least=-LARGEST if name in any_ else 0.0)
        _require(name not in positive or value > 0, name)
    for name in whole:
        _require(type(values[name]) is int and 0 <= values[name] <= MOST_RECORDS, name)


def _numbers(values: Any, name: str, least: float = -LARGEST) -> None:
    _require(isinstance(values, list), name)
    good = (type(value) in (int, float) and least <= value <= LARGEST for value in values)
    _require(all(good), name)


def _require(good: bool, name: str) -> None:
    if not good:
        raise ValueError(f"{name}: no detector has this value")


def packed(array: np.ndarray) -> str:
    """Return an array's content as compressed text."""
    content = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(zlib.compress(content)).decode()


def unpacked(text: Any, kind: str, shape: "tuple[int | None, ...]") -> np.ndarray:
    """Return the array of `packed`'s text, which may be untrusted.

    Args:
        text: The text.
        kind: The type of the elements, such as `f8`.
        shape: The array's shape; None is any length.

    Raises:
        ValueError: The text is damaged.
    """
    _require(isinstance(text, str), "an array")
    longest = MOST_BLOCKS if len(shape) == 1 else MOST_CLASSES
    most = 8 * math.prod(longest if size is None else size for size in shape)
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text, validate=True), most + 1)
    except zlib.error as error:
        raise ValueError(f"an array: {error}") from None
    _require(len(content) <= most and len(content) % 8 == 0 and unpacker.eof, "an array")
    array = np.frombuffer(content, f"<{kind}").astype(kind)
    return array.reshape(tuple(-1 if size is None else size for size in shape))
