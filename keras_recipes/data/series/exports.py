"""What monitoring systems write: InfluxDB, Prometheus, Graphite, Grafana, and three clouds' own.

Each function gives rows with the names of their keys (see `joining`).
"""

import csv
import itertools
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_recipes.data.series import numbers, tables
from keras_recipes.data.series.records import Refuse, Row, Rows, plain
from keras_recipes.errors import InputError

LONGEST_DOCUMENT = 1 << 28
"""The largest number of characters of a JSON document."""

_LINE = re.compile(
    r"(?P<series>(?:[^ \\\n]|\\.)+) (?P<fields>(?:[^ \"\\\n]|\\.|\"(?:[^\"\\]|\\.)*\")+)"
    r"(?: (?P<time>-?\d+))?\s*"
)
_TAG = re.compile(r",((?:[^,=\\]|\\.)+)=((?:[^,=\\]|\\.)+)")
_MEASUREMENT = re.compile(r"(?:[^,=\\]|\\.)+")
_FIELD = re.compile(r"((?:[^,=\"\\]|\\.)+)=(\"(?:[^\"\\]|\\.)*\"|[^,\"]+)(?:,|$)")
_FIELD_VALUE = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?[iu]?|t|f|true|false|True|False|TRUE|FALSE")
_SHARED = " (tag)"
"""The end of a tag's name, if a value has the same one."""

NAMED = "="
"""What stands between the name of a key and its value, if the values alone are alike."""

_TRUTH = {"t": True, "f": False}

_FLUX = ("result", "table", "_start", "_stop")
_FLUX_VALUES = ("double", "long", "unsignedLong", "boolean", "duration")


def point(line: str, both: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the cells of a line of InfluxDB's line protocol; None if it is none.

    The measurement is the cell `measurement`, tags are texts, and the time is the cell `time`.

    Args:
        line: The line.
        both: The names that tags and fields share.
    """
    parts = _parts(line)
    if parts is None:
        return None
    tags, fields, time = parts
    cells: dict[str, Any] = {_beside(name, {*fields, *both}): text for name, text in tags.items()}
    for name, value in fields.items():
        short = value[:1].casefold()
        if short == '"':
            cells[name] = value[1:-1]
        elif _FIELD_VALUE.fullmatch(value):
            cells[name] = _TRUTH[short] if short in _TRUTH else value.rstrip("iu")
        else:
            return None
    return {**cells, **({"time": time} if time else {})}


def _parts(line: str) -> tuple[dict[str, str], dict[str, str], str] | None:
    """Return the tags with the measurement, the fields as written, and the time of a line.

    Returns:
        None if it is not InfluxDB's line protocol.
    """
    match = _LINE.fullmatch(line)
    measurement = _MEASUREMENT.match(match["series"]) if match else None
    if match is None or measurement is None:
        return None
    fields = _pairs(_FIELD, match["fields"], 0)
    tags = _pairs(_TAG, match["series"], measurement.end())
    if tags is None or not fields:
        return None
    return {"measurement": _unescaped(measurement[0]), **tags}, fields, match["time"] or ""


def _beside(name: str, values: Collection[str]) -> str:
    """Return the name of a tag beside values, one of which may have the same name."""
    return f"{name}{_SHARED}" if name in values else name


def _pairs(pattern: re.Pattern[str], text: str, at: int) -> dict[str, str] | None:
    """Return the names and values that follow each other in a text; None if it holds more."""
    found = {}
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            return None
        found[_unescaped(match[1])] = match[2] if pattern is _FIELD else _unescaped(match[2])
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([,= \\])", r"\1", text)


def tags_of(lines: Sequence[str]) -> tuple[list[str], set[str]]:
    """Return the names of tags in InfluxDB's line protocol, and those that fields have as well."""
    tags: dict[str, None] = {"measurement": None}
    fields: set[str] = set()
    for line in lines:
        if parts := _parts(line):
            tags |= dict.fromkeys(parts[0])
            fields |= parts[1].keys()
    return [_beside(name, fields) for name in tags], fields & tags.keys()


def points(source: str, lines: Iterable[str], both: Collection[str], refuse: Refuse) -> Rows:
    """Return the rows of InfluxDB's line protocol; `both` is as for `point`."""
    return Rows(f"{source} line", _points(source, lines, both, refuse))


def shared(keys: Iterable[str]) -> set[str]:
    """Return the names of tags that are names of fields, too, of the keys of a table."""
    return {name.removesuffix(_SHARED) for name in keys if name.endswith(_SHARED)}


def _points(
    source: str, lines: Iterable[str], both: Collection[str], refuse: Refuse
) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = point(line, both)
        if cells is None:
            message = (
                f"{source} line {number}: expected InfluxDB's line protocol, received "
                f"{line.strip()[:40]!r}"
            )
            if refuse is None:
                raise InputError(message)
            refuse(message)
            continue
        yield number, cells


def is_annotated(lines: Sequence[str]) -> bool:
    """Return whether the lines begin InfluxDB's CSV, with its annotations or without."""
    first = next((line for line in lines if line.strip()), "")
    header = set(first.strip().split(","))
    return first.startswith(("#datatype", "#group", "#default")) or header >= {
        "result",
        "table",
        "_time",
    }


def annotated(source: str, lines: Iterable[str]) -> tuple[Rows, list[str]]:
    """Return the rows of InfluxDB's CSV, and the names of its keys, which grow while it is read."""
    keys: list[str] = []
    return Rows(f"{source} line", _annotated(source, lines, keys)), keys


def _annotated(source: str, lines: Iterable[str], keys: list[str]) -> Iterator[Row]:
    reader = csv.reader(lines)
    names: list[str] | None = None
    notes: dict[str, list[str]] = {}
    tags = _Tags()
    first = False
    for cells in reader:
        if not any(cells):
            names = None
        elif cells[0].startswith("#"):
            notes[cells[0]] = cells
            names = None
        elif names is None:
            names, first = cells, True
        elif len(cells) != len(names):
            raise InputError(
                f"{source} line {reader.line_num}: expected {len(names)} cells, received "
                f"{len(cells)}"
            )
        else:
            row = dict(zip(names, cells, strict=True))
            keys += [key for key in _keys(row, notes) if first and key not in keys]
            first = False
            if not notes and "_value" not in row:
                tags.add(row)
            yield reader.line_num, {n: c for n, c in row.items() if n and n not in _FLUX}
    keys += tags.names()


class _Tags:
    """The tags of a table without annotations: texts with one value in each of several parts."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {}
        self._others: set[str] = set()

    def add(self, row: Mapping[str, str]) -> None:
        for name in row.keys() - {"", "_time", *_FLUX}:
            value = self._parts.setdefault(name, {}).setdefault(row.get("table", ""), row[name])
            if value != row[name] or numbers.is_value(value):
                self._others.add(name)

    def names(self) -> list[str]:
        """Return their names."""
        known = {name: {*parts.values()} for name, parts in self._parts.items()}
        return sorted(n for n, values in known.items() if len(values) > 1 and n not in self._others)


def _keys(row: Mapping[str, str], notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names of the tags: the columns by which the series are grouped.

    Args:
        row: The first row behind a header.
        notes: The annotations before it, such as `#group`.
    """
    known = [name for name in row if name and name not in (*_FLUX, "_time", "_value")]
    grouped = dict(zip(row, notes.get("#group", ()), strict=False))
    typed = dict(zip(row, notes.get("#datatype", ()), strict=False))
    if any(grouped.get(name) == "true" for name in known):
        always = ("_field", "_measurement") if "_value" in row else ()
        return [name for name in known if grouped.get(name) == "true" or name in always]
    if typed:
        return [name for name in known if typed.get(name) == "string"]
    return [name for name in known if "_value" in row]


def keys_of(names: Sequence[str]) -> tuple[list[str], str, bool] | None:
    """Return the keys of a CSV export, its times, and whether a series follows the other.

    Args:
        names: The names of the columns.

    Returns:
        None if each line is a record.
    """
    if list(names[:3]) == ["hostname", "interval", "timestamp"]:  # sadf -d
        key = names[3] if len(names) > 3 and names[3] in ("CPU", "IFACE", "DEV", "TTY") else None
        return [*names[:2], *([key] if key else [])], "timestamp", False
    known = {plain(name): name for name in names}
    if set(known) == {"series", "time", "value"}:  # Grafana's "series as rows"
        return [known["series"]], known["time"], True
    return None


def document(
    source: str, text: str, named: bool | None = None
) -> tuple[Rows, list[str], str | None]:
    """Return the rows of a JSON document, the names of its keys, and of the column of times.

    Args:
        source: The name of the document in messages.
        text: The document.
        named: Whether the values of keys have the names of the keys before them; None decides by
            whether the values alone tell the series apart.

    Raises:
        InputError: It is no JSON, or holds no table.
    """
    if len(text) > LONGEST_DOCUMENT:
        raise InputError(
            f"{source}: expected a JSON document of at most {LONGEST_DOCUMENT:,} characters, "
            "received a longer one; give JSON lines"
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: expected JSON, received something else: {error}") from None
    for read in _READERS:
        try:
            found = read(value)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            continue
        if found is not None and found[0]:
            rows, keys, time = found
            if _are_alike(rows, keys) if named is None else named:
                rows = [_with_names(row, keys) for row in rows]
            return tables.numbered(f"{source} value", rows), keys, time
    raise InputError(
        f"{source}: expected a JSON document with a list of records, received "
        f"{text.strip()[:40]!r}; give JSON lines, one object a line"
    )


def is_document(first: str, *, whole: bool = False) -> bool:
    """Return whether a first line begins a JSON document, which is no JSON line.

    Args:
        first: The line.
        whole: Whether there is no other line.
    """
    text = first.strip()
    if text in ("{", "[") or text.startswith("["):
        return True
    if not text.startswith("{"):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any(_fits(read, value) for read in _READERS if whole or read is not _objects)


def is_export(text: str) -> bool:
    """Return whether a JSON document holds the series of a monitoring system."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any(_fits(read, value) for read in _READERS if read is not _objects)


def _fits(read: "_Reader", value: Any) -> bool:
    try:
        found = read(value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return False
    return found is not None and bool(found[0])


_Found = tuple[list[Mapping[str, Any]], list[str], str | None] | None
_Reader = Callable[[Any], _Found]


def _prometheus(value: Any) -> _Found:
    """Read the answer to `query_range` or `query`."""
    results = value["data"]["result"]
    labels = [
        {_beside(str(name), ("time", "value")): str(of) for name, of in one["metric"].items()}
        for one in results
    ]
    rows: list[Mapping[str, Any]] = [
        {**mine, "time": time, "value": number}
        for one, mine in zip(results, labels, strict=True)
        for time, number in (one["values"] if "values" in one else [one["value"]])
    ]
    return rows, _keys_in(labels), "time"


def _are_alike(rows: Iterable[Mapping[str, Any]], keys: Sequence[str]) -> bool:
    """Return whether the values of the keys alone, joined, do not tell all series apart."""
    found = {tuple(str(row.get(key, "")) for key in keys) for row in rows}
    vary = [number for number in range(len(keys)) if len({one[number] for one in found}) > 1]
    said = {".".join(one[number] for number in vary if one[number]) for one in found}
    return len(said) < len(found)


def _with_names(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    known = {key: f"{key}{NAMED}{row[key]}" for key in keys if row.get(key) not in (None, "")}
    return {**row, **known}


def _keys_in(labels: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for one in labels for name in one))


def _azure(value: Any) -> _Found:
    """Read Azure Monitor's metrics."""
    rows: list[Mapping[str, Any]] = []
    labels = []
    for metric in value["value"]:
        for series in metric["timeseries"]:
            given = series.get("metadatavalues", ())
            dimensions = {f"dimension.{one['name']['value']}": one["value"] for one in given}
            labels.append({"name": metric["name"]["value"], **dimensions})
            rows += [{**labels[-1], **point} for point in series["data"]]
    return rows, _keys_in(labels), "timeStamp"


def _google(value: Any) -> _Found:
    """Read the time series of Google Cloud Monitoring, whose newest points come first."""
    series = value["timeSeries"] if isinstance(value, dict) else value
    labels = [_google_labels(one["metric"], one.get("resource", {})) for one in series]
    rows: list[Mapping[str, Any]] = []
    for one, mine in zip(series, labels, strict=True):
        for point in one["points"]:
            ((kind, number),) = point["value"].items()
            if kind == "distributionValue":
                raise ValueError("distributions are no numbers")
            rows.append({**mine, "time": point["interval"]["endTime"], "value": number})
    return rows, _keys_in(labels), "time"


def _google_labels(metric: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    given = (("resource", resource), ("metric", metric))
    types = {name: one["type"] for name, one in given if "type" in one}
    labels = [(name, one.get("labels", {})) for name, one in given]
    return types | {f"{name}.{key}": value for name, one in labels for key, value in one.items()}


def _metric_data(value: Any) -> _Found:
    """Read CloudWatch's GetMetricData."""
    results = value["MetricDataResults"]
    rows: list[Mapping[str, Any]]
    labels = [one.get("Label", one["Id"]) for one in results]
    name = "Label" if len(set(labels)) == len(labels) else "Id"
    rows = [
        {name: one.get(name, one["Id"]), "Timestamp": time, "Value": number}
        for one in results
        for time, number in zip(one["Timestamps"], one["Values"], strict=True)
    ]
    return rows, [name], "Timestamp"


def _metric_statistics(value: Any) -> _Found:
    """Read CloudWatch's `get-metric-statistics`, whose records have no order."""
    return [dict(one) for one in value["Datapoints"]], ["Unit"], "Timestamp"


def _influx_1(value: Any) -> _Found:
    """Read the answer to a query of InfluxDB 1."""
    rows: list[Mapping[str, Any]] = []
    keys: dict[str, None] = {}
    for one in itertools.chain.from_iterable(part["series"] for part in value["results"]):
        fixed = {"name": one["name"], **one.get("tags", {})}
        keys |= dict.fromkeys(fixed)
        rows += [{**fixed, **dict(zip(one["columns"], row, strict=True))} for row in one["values"]]
    return rows, list(keys), "time"


def _graphite(value: Any) -> _Found:
    rows: list[Mapping[str, Any]] = [
        {"target": one["target"], "time": time, "value": number}
        for one in value
        for number, time in one["datapoints"]
    ]
    return rows, ["target"], "time"


def _objects(value: Any) -> _Found:
    """Read a list of objects, alone or as the only such list in an object."""
    lists = [value] if isinstance(value, list) else [v for v in value.values() if _records(v)]
    return (
        ([tables.flat(one) for one in lists[0]], [], None)
        if (len(lists) == 1 and _records(lists[0]))
        else None
    )


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _columns(value: Any) -> _Found:
    """Read lists of one length, one of them times, alone or in an inner object."""
    for one in [value, *value.values()]:
        if isinstance(one, dict) and len(one) > 1:
            lists = {str(name): column for name, column in one.items()}
            timed = any(plain(name) in ("time", "timestamp", "date", "datetime") for name in lists)
            if timed and all(isinstance(column, list) for column in lists.values()):
                rows = zip(*lists.values(), strict=True)
                return [dict(zip(lists, row, strict=True)) for row in rows], [], None
    return None


_READERS: tuple[_Reader, ...] = (
    _prometheus,
    _metric_data,
    _metric_statistics,
    _azure,
    _google,
    _influx_1,
    _graphite,
    _objects,
    _columns,
)
