"""The first lines of forty kinds of logs, as the programs that write them document their formats.

A shape is a name, the format, the place of the time, the session's key, and a function that writes
line number `i` of a log whose lines are 90 seconds apart, with four lines for each request. The
lines are made up; only their shapes are those of the programs.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 3, 1, 0, 1, tzinfo=UTC)
WORDS = ("request accepted", "cache refreshed", "worker started", "answer sent")


@dataclass(frozen=True)
class Shape:
    """A kind of log.

    Attributes:
        name: The program.
        format: The format that must be detected.
        time: The part of the layout's `time` that must be detected; None if there are no times.
        session: The session's key that must be detected; "window" without one.
        line: Returns a line by its number, time and words.
    """

    name: str
    format: str
    time: str | None
    session: str
    line: Callable[[int, datetime, str], str]


def when(number: int) -> datetime:
    """Return the time of a line."""
    return BEGIN + timedelta(seconds=90 * number, milliseconds=123)


def log(shape: Shape, lines: int = 160) -> list[bytes]:
    """Return the lines of a log."""
    return [shape.line(i, when(i), WORDS[i % 4 if i % 7 else 1]).encode() for i in range(lines)]


def _f(pattern: str) -> Callable[[int, datetime, str], str]:
    """Return a function that fills in `{t:%...}`, `{i}`, `{r}`, `{w}`, `{ms}`, `{us}` and `{e}`."""

    def line(i: int, t: datetime, words: str) -> str:
        epoch, request = int(t.timestamp()), 100_000 + i // 4
        return pattern.format(t=t, i=i, r=request, w=words, ms=123, us="123456", e=epoch)

    return line


def _j(**fields: object) -> Callable[[int, datetime, str], str]:
    """Return a function that writes a JSON object, with the texts among its fields filled in."""

    def filled(value: object, fill: Callable[[str], str]) -> object:
        if isinstance(value, dict):
            return {name: filled(inner, fill) for name, inner in value.items()}
        if isinstance(value, str) and value.startswith("#"):
            return int(fill(value[1:]))
        return fill(value) if isinstance(value, str) else value

    def line(i: int, t: datetime, words: str) -> str:
        return json.dumps(filled(fields, lambda text: _f(text)(i, t, words)))

    return line


SHAPES = (
    # Text: the time first
    Shape("Python logging", "text", "iso", "window",
          _f("{t:%Y-%m-%d %H:%M:%S},{ms} INFO app: {w}")),
    Shape("Log4j", "text", "iso", "window",
          _f("{t:%Y-%m-%d %H:%M:%S},{ms} INFO  [main] a.B - {w}")),
    Shape("Spring Boot", "text", "iso", "window",
          _f("{t:%Y-%m-%dT%H:%M:%S}.{ms}Z  INFO 1 --- [main] c.e.Demo : {w}")),
    Shape("PostgreSQL", "text", "iso", "window",
          _f("{t:%Y-%m-%d %H:%M:%S}.{ms} UTC [27] LOG:  {w}")),
    Shape("nginx error", "text", "iso", "window",
          _f("{t:%Y/%m/%d %H:%M:%S} [error] 31#31: {w}, server: _")),
    Shape("IIS W3C", "text", "iso", "window",
          _f("{t:%Y-%m-%d %H:%M:%S} 10.0.0.1 GET /{w} - 443 - 10.0.0.2 curl 200 0 0 15")),
    Shape("Go log", "text", "iso", "window", _f("{t:%Y/%m/%d %H:%M:%S} {w}")),
    Shape("AWS application load balancer", "alb", "", "host",
          _f('https {t:%Y-%m-%dT%H:%M:%S}.{us}Z app/lb/1 10.0.0.1:1 10.0.0.2:80 0 0.1 0 200 200 '
             '34 366 "GET https://a:443/ HTTP/1.1" "{w}"')),
    Shape("HealthApp", "text", "compact", "window", _f("{t:%Y%m%d-%H:%M:%S}:{ms}|Step|300|{w}")),
    Shape("glog's basic time", "text", "compact", "window", _f("{t:%Y%m%dT%H%M%S}.{ms} {w}")),
    Shape("HDFS", "text", "short", "window", _f("{t:%y%m%d %H%M%S} 143 INFO dfs.Node: {w}")),
    Shape("Spark", "text", "short", "window", _f("{t:%y/%m/%d %H:%M:%S} INFO a.B: {w}")),
    Shape("Android logcat", "text", "month-day", "window",
          _f("{t:%m-%d %H:%M:%S}.{ms}  1702  2395 D Window: {w}")),
    Shape("Tomcat", "text", "day month year", "window",
          _f("{t:%d-%b-%Y %H:%M:%S}.{ms} INFO [main] o.e.Listener {w}")),
    Shape("Redis", "text", "day month year", "window",
          _f("1:M {t:%d %b %Y %H:%M:%S}.{ms} * {w}")),
    Shape("Django's server", "text", "day month year", "window", _f("[{t:%d/%b/%Y %H:%M:%S}] {w}")),
    Shape("Apache error", "text", "asctime", "window",
          _f("[{t:%a %b %d %H:%M:%S}.{us} {t:%Y}] [core:notice] [pid 7] {w}")),
    Shape("java.util.logging", "text", "month day year", "window",
          _f("{t:%b %d, %Y %I:%M:%S %p} a.B run INFO: {w}")),
    Shape("US dates", "text", "month/day/year", "window", _f("{t:%m/%d/%Y %I:%M:%S %p} {w}")),
    Shape("German dates", "text", "day/month/year", "window", _f("{t:%d.%m.%Y %H:%M:%S} INFO {w}")),
    Shape("Squid", "text", "epoch", "window", _f("{e}.{ms}    310 10.0.0.1 TCP_HIT/200 {w}")),
    Shape("milliseconds since 1970", "text", "epoch", "window", _f("{e}{ms} INFO {w}")),
    # Text: something before the time
    Shape("docker compose", "text", "iso", "window",
          _f("web-1  | {t:%Y-%m-%dT%H:%M:%S}.{ms}Z INFO {w}")),
    Shape("kubectl logs --prefix", "text", "iso", "window",
          _f("[pod/web-5d8/app] {t:%Y-%m-%dT%H:%M:%S}.{us}Z {w}")),
    Shape("level first", "text", "iso", "window",
          _f("INFO  {t:%Y-%m-%d %H:%M:%S},{ms} [main] {w}")),
    Shape("klog", "text", "klog", "window", _f("I{t:%m%d %H:%M:%S}.{us}       1 main.go:10] {w}")),
    Shape("logfmt", "logfmt", "ts", "request_id",
          _f('ts={t:%Y-%m-%dT%H:%M:%S}.{ms}Z level=info request_id=r{r} msg="{w}"')),
    Shape("BGL", "text", "epoch", "window",
          _f("- {e} {t:%Y.%m.%d} R00-M0 {t:%Y-%m-%d-%H.%M.%S}.{us} R00-M0 RAS KERNEL INFO {w}")),
    Shape("Thunderbird", "text", "epoch", "window",
          _f("- {e} {t:%Y.%m.%d} dn228 {t:%b %d %H:%M:%S} dn228/dn228 crond[2915]: {w}")),
    Shape("OpenStack", "text", "iso", "window",
          _f("nova.log.1.2017-05-16_13:53:08 {t:%Y-%m-%d %H:%M:%S}.{ms} 257 INFO nova {w}")),
    Shape("Linux audit", "text", "epoch", "window",
          _f("type=SYSCALL msg=audit({e}.{ms}:{i}): arch=c000003e {w}")),
    Shape("dmesg", "text", "uptime", "window",
          lambda i, t, w: f"[{90 * i + 1:5d}.123456] usb: {w}"),
    # Syslog and access logs
    Shape("syslog", "syslog", "", "window", _f("{t:%b} {t.day:2d} {t:%H:%M:%S} host sshd[7]: {w}")),
    Shape("syslog, RFC 5424", "syslog", "", "window",
          _f("<34>1 {t:%Y-%m-%dT%H:%M:%S}.{ms}Z host app 7 ID47 - {w}")),
    Shape("Apache access", "combined", "", "host",
          _f('10.0.0.1 - - [{t:%d/%b/%Y:%H:%M:%S} +0000] "GET /{w} HTTP/1.1" 200 5 "-" "x"')),
    # JSON
    Shape("pino", "jsonl", "time", "reqId", _j(level=30, time="#{e}{ms}", reqId="r{r}", msg="{w}")),
    Shape("zap", "jsonl", "ts", "traceId",
          _j(level="info", ts="{t:%Y-%m-%dT%H:%M:%S}.{ms}Z", msg="{w}", traceId="a{r}")),
    Shape("Elastic Common Schema", "jsonl", "@timestamp", "trace.id",
          _j(**{"@timestamp": "{t:%Y-%m-%dT%H:%M:%S}.{ms}Z", "log.level": "info", "message": "{w}",
                "trace": {"id": "a{r}"}})),
    Shape("journald", "jsonl", "__REALTIME_TIMESTAMP", "window",
          _j(__REALTIME_TIMESTAMP="{e}{us}", PRIORITY="6", MESSAGE="{w}")),
    Shape("CloudTrail", "jsonl", "eventTime", "window",
          _j(eventTime="{t:%Y-%m-%dT%H:%M:%SZ}", eventName="{w}")),
    Shape("mongod", "jsonl", "t.$date", "window",
          _j(t={"$date": "{t:%Y-%m-%dT%H:%M:%S}.{ms}+00:00"}, s="I", c="NETWORK", msg="{w}")),
    Shape("docker json-file", "jsonl", "time", "window",
          _j(log="{w}\n", stream="stdout", time="{t:%Y-%m-%dT%H:%M:%S}.{us}789Z")),
    Shape("Suricata", "jsonl", "timestamp", "flow_id",
          _j(timestamp="{t:%Y-%m-%dT%H:%M:%S}.{us}+0000", flow_id="#{r}", event_type="{w}")),
    Shape("OpenTelemetry", "jsonl", "timeUnixNano", "traceId",
          _j(timeUnixNano="{e}{us}000", severityText="INFO", body={"stringValue": "{w}"},
             traceId="a{r}")),
    Shape("Zeek", "jsonl", "ts", "uid", _j(ts="#{e}", uid="C{r}", service="dns", msg="{w}")),
)  # fmt: skip
"""The kinds of logs."""
