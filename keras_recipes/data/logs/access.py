"""Access logs of web servers, load balancers, proxies and stores: a request in each line.

Each format is a regular expression with named groups: `host`, the client; `time`; `request`, or
`method` and `url`; `status`; and others that tell how the request ended.
"""

import re
from collections.abc import Sequence
from typing import Any

from keras_recipes.data.logs.masking import KEPT

_REQUEST = rb'"(?P<request>(?:[^"\\]|\\.)*)"'

FORMATS = {
    # Apache and nginx: common and combined
    "combined": re.compile(
        rb"(?P<host>\S+) (?P<ident>\S+) (?P<user>.+?) \[(?P<time>[^\]]+)\] "
        rb'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\S+)'
        rb'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
    ),
    "haproxy": re.compile(
        rb'[^"]{0,200}?haproxy\[\d+\]: (?P<host>\S+):\d+ \[(?P<time>[^\]]+)\] (?P<frontend>\S+) '
        rb"(?P<backend>\S+) (?P<timers>\S+) (?P<status>-?\d{1,3}) (?P<size>\S+) \S+ \S+ "
        rb"(?P<end>\S{2,4}) \S+ \S+ (?:\{[^}]*\} ){0,2}" + _REQUEST
    ),
    # AWS: application and classic load balancers, S3
    "alb": re.compile(
        rb"(?P<type>https?|h2|grpcs|wss?) (?P<time>\S+) (?P<balancer>\S+) (?P<host>\S+):\d+ "
        rb"(?P<target>\S+) \S+ \S+ \S+ (?P<status>\d{3}|-) (?P<target_status>\S+) \S+ \S+ "
        + _REQUEST
    ),
    "elb": re.compile(
        rb"(?P<time>\d{4}-\S+Z) (?P<balancer>\S+) (?P<host>\S+):\d+ (?P<target>\S+) \S+ \S+ \S+ "
        rb"(?P<status>\d{3}|-) (?P<target_status>\S+) \S+ \S+ " + _REQUEST
    ),
    "s3": re.compile(
        rb"(?P<owner>\S+) (?P<bucket>\S+) \[(?P<time>[^\]]+)\] (?P<host>\S+) (?P<user>\S+) "
        rb"(?P<id>\S+) (?P<operation>[A-Z][\w.]{2,80}) (?P<key>\S+) (?:"
        + _REQUEST
        + rb"|-) (?P<status>\d{3}|-) (?P<error>\S+)"
    ),
    "squid": re.compile(
        rb"(?P<time>1\d{9}\.\d{3}) +(?P<took>\d+) (?P<host>\S+) (?P<result>[A-Z_]+)/"
        rb"(?P<status>\d{3}) (?P<size>\d+) (?P<method>\S+) (?P<url>\S+)"
    ),
}
"""The formats by name, which is also their name as `log_format`."""

TOLD = ("operation", "result", "end", "error")
"""The groups beside the status that tell how a request ended."""

CLIENT = "host"

_ORIGIN = re.compile(rb"[a-z]{2,6}://[^/ ]*")


def fields_of(match: "re.Match[bytes]", *, whole_urls: bool = False) -> dict[str, bytes]:
    """Return the fields of a line: its groups, and the method and the path.

    Args:
        match: The match of a format.
        whole_urls: Whether the path keeps a server's name before it.
    """
    fields = {name: value for name, value in match.groupdict().items() if value is not None}
    method, _, target = fields.get("request", b"").partition(b" ")
    method = fields.get("method", method)
    url = fields.get("url") or target.rpartition(b" ")[0] or target
    if not whole_urls:
        url = _ORIGIN.sub(b"", url, count=1)
    return {**fields, "method": method, "path": path_of(url)}


def path_of(url: bytes) -> bytes:
    """Return the path of a URL, with a blank before each of its parts."""
    return url.partition(b"?")[0].replace(b"/", b" /")


def message_of(fields: dict[str, bytes]) -> bytes:
    """Return what happened: the method, the status, how else it ended, and the path."""
    told = [fields[name] for name in TOLD if name in fields]
    words = [fields["method"], fields["status"], *told]
    return b" ".join([*(word.translate(KEPT) for word in words), fields["path"]])


def message_of_object(values: Sequence[Any]) -> bytes:
    """Return what happened, as `message_of` does.

    Args:
        values: The values of the method, the status and the path; or of the status and the request,
            which is the method, the path and the protocol.
    """
    texts = ["" if value is None else str(value) for value in values]
    if len(texts) == 2:
        verb, _, target = texts[1].partition(" ")
        texts = [verb, texts[0], target.rpartition(" ")[0] or target]
    method, status, path = (text.encode(errors="replace") for text in texts)
    path = path_of(_ORIGIN.sub(b"", path, count=1))
    return message_of({"method": method, "status": status, "path": path})


def names_of(name: str) -> set[str]:
    """Return the names of the fields of a format."""
    return {*FORMATS[name].groupindex, "method", "path"}
