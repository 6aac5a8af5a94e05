"""The fields of a line of JSON: its time, message, level and session, by their usual names.

Names are compared without regard to case and separators, so that `requestId`, `request_id` and
`{"request": {"id": ...}}` are one name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

TIME = (
    *("timestamp", "time", "ts", "datetime", "eventtime", "asctime", "realtimetimestamp", "tdate"),
    *("timeunixnano", "observedtimeunixnano", "eventcreated", "timecreated", "timegenerated"),
    *("starttime", "timelocal", "systemtime", "t", "date", "datetime", "timeiso8601", "epoch"),
    *("instantepochsecond", "timemillis", "epochsecond", "startutc", "logtime", "createdat"),
    *("creationtime", "sourcerealtimetimestamp", "unixtime", "epochms"),
)
"""Names of the time: of common loggers, journald, CloudTrail, mongod, OpenTelemetry and others."""

MESSAGE = (
    *("message", "msg", "event", "log", "text", "body", "bodystringvalue", "mt", "m"),
    *("eventname", "eventtype", "eventid"),
)
"""Names of the message; a layout names a field with another name."""

OTHER_MESSAGE = (
    *("textpayload", "jsonpayloadmessage", "shortmessage", "fullmessage", "renderedmessage"),
    *("messagetemplate", "operationname", "protopayloadmethodname", "description", "details"),
)
"""More names of the message, for logs without any of the usual names."""

LEVEL = ("level", "severity", "levelname", "loglevel", "severitytext", "priority", "logger", "s")

SESSION = (
    *("session", "sessionid", "sid", "requestid", "reqid", "traceid", "correlationid"),
    *("transactionid", "flowid", "jobid", "taskid", "runid", "connectionid", "connid", "uid"),
    *("userid", "user"),
    *("trace", "correlation", "operationid", "activityid", "conversationid", "executionid", "jid"),
    *("xrequestid", "httprequestid", "invocationid", "awsrequestid", "orderid", "buildid", "ctx"),
)

CLIENT = (
    *("cip", "remoteaddr", "clientip", "remoteip", "clienthost", "requestremoteip", "remotehost"),
    *("clientaddr", "requestremoteaddr", "httprequestremoteip", "sourceip", "client", "srcip"),
    *("clientaddress", "ip", "downstreamremoteaddress", "xforwardedfor"),
)
"""Names of the client in access logs."""

METHOD = (
    *("method", "requestmethod", "csmethod", "httpmethod", "verb", "httprequestmethod"),
    *("httprequestrequestmethod", "reqmethod"),
)

STATUS = (
    *("status", "statuscode", "scstatus", "httpstatus", "responsestatus", "downstreamstatus"),
    *("httpresponsestatuscode", "responsecode", "httprequeststatus", "resstatuscode"),
)

PATH = (
    *("path", "uri", "url", "requesturi", "requestpath", "csuristem", "requesturl", "urlpath"),
    *("httprequestrequesturl", "urloriginal", "requesturipath", "requrl"),
)

REQUEST = ("request", "requestline", "httprequest")
"""Names of a field with the method, the path and the protocol."""

ENOUGH = 200
"""The number of objects in which the names of fields are looked for."""

MOST_KNOWN, LONGEST_KNOWN = 200, 4_000
"""The most names of fields that are cached together, and their characters."""

_SEPARATORS = re.compile(r"[^a-z0-9]+")


def parse(line: bytes) -> "dict[str, Any] | None":
    """Return the object of a line, or None if the line is not a JSON object."""
    if line[:1] not in (b"{", b" "):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def field(value: "dict[str, Any]", name: str) -> Any:
    """Return a field, which may be an inner field such as `request.id`; None without it."""
    if name in value:
        return value[name]
    found: Any = value
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def named(value: "dict[str, Any]", wanted: tuple[str, ...]) -> str | None:
    """Return the name, as it is written, of the first field that the object has, or None.

    Args:
        value: The object of a line.
        wanted: Names in lower case without separators, those to prefer first.
    """
    name = _among(tuple(value), wanted)
    if name is not None and is_scalar(value[name]):
        return name
    return _among(tuple(name for name, _ in scalars(value)), wanted)


def first(value: "dict[str, Any]", wanted: tuple[str, ...]) -> Any:
    """Return the first field of these names that the object has, or None; see `named`."""
    name = named(value, wanted)
    return None if name is None else field(value, name)


def scalars(value: "dict[str, Any]") -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the fields that are no lists, and of those one level below."""
    for name, item in value.items():
        if is_scalar(item):
            yield name, item
        elif isinstance(item, dict):
            yield from ((f"{name}.{sub}", v) for sub, v in item.items() if is_scalar(v))


def is_scalar(value: Any) -> bool:
    """Return whether a value is a text, a number or a truth value."""
    return isinstance(value, str | int | float)


def _among(names: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """Return the first of the wanted names; usual objects have the names of an earlier one."""
    usual = len(names) <= MOST_KNOWN and sum(map(len, names)) <= LONGEST_KNOWN
    return (_known_among if usual else _found_among)(names, wanted)


def _found_among(names: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(_SEPARATORS.sub("", name.lower()), name)
    return next((spelt[name] for name in wanted if name in spelt), None)


_known_among = lru_cache(maxsize=4_096)(_found_among)


def candidates(objects: Sequence["dict[str, Any]"], wanted: tuple[str, ...]) -> Iterable[str]:
    """Yield the names of fields that objects of a log have, those to prefer first."""
    some = _some(objects)
    for name in wanted:
        found = (named(value, (name,)) for value in some)
        yield from dict.fromkeys(name for name in found if name is not None)


def _some(objects: Sequence["dict[str, Any]"]) -> Sequence["dict[str, Any]"]:
    """Return objects from all over a log, one of each form; a field that counts is in some."""
    some = objects[:: max(1, len(objects) // ENOUGH)]
    forms = {(*value, "", *(name for name, _ in scalars(value))): value for value in some}
    return list(forms.values())


def ending(objects: Sequence["dict[str, Any]"], wanted: tuple[str, ...]) -> list[str]:
    """Return the names of fields that end with any of these names, such as `dd.trace_id`."""
    names = dict.fromkeys(name for value in _some(objects) for name, _ in scalars(value))
    plain = {name: _SEPARATORS.sub("", name.lower()) for name in names}
    return [name for end in wanted for name in names if plain[name].endswith(end)]


def as_bytes(value: Any) -> bytes:
    """Return a value as text: a text itself, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="replace")


def of_request(objects: Sequence["dict[str, Any]"]) -> tuple[str, ...]:
    """Return the fields that say what was requested and how it ended; none if most have none.

    Returns:
        The names of the method, the status and the path, or of the status and a field with both.
    """
    least = 0.8 * len(objects)

    def common(wanted: tuple[str, ...]) -> str | None:
        long = tuple(name for name in wanted if len(name) > 8)
        for name in (*candidates(objects, wanted), *ending(objects, long)):
            if sum(is_scalar(field(value, name)) for value in objects) >= least:
                return name
        return None

    status, path = common(STATUS), common(PATH)
    if method := common(METHOD):
        return (method, status, path) if status and path else ()
    request = common(REQUEST)
    return (status, request) if status and request else ()
