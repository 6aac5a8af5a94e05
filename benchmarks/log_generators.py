"""Synthetic logs of normal sessions for `benchmarks.logs`: sshd, cron, web access, JSON.

Each log has frequent, less frequent and rare kinds of sessions. Names, addresses, identifiers,
durations and the numbers of retries vary. Sessions overlap in time. What is logged comes from a
fixed program, so the log seldom invents a kind of event.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

START = datetime(2026, 1, 5)
HOST = "gate01"
USERS = ("anna", "bela", "chidi", "deploy", "emre", "fatou", "git", "hana", "ivan", "juno", "kofi")
BOTS = ("admin", "oracle", "test", "ubuntu", "pi", "guest", "ftpuser", "postgres", "minecraft")

Draw = random.Random
Events = Iterator[tuple[float, str]]
"""Texts, each with the seconds since the text before."""


def overlapping(
    count: int,
    seed: int,
    gap: float,
    session: Callable[[Draw, int], Events],
    line: Callable[[datetime, int, str], str],
) -> list[bytes]:
    """Return the lines of sessions in the order of their times.

    Args:
        count: Number of sessions.
        seed: Seed of all draws.
        gap: Mean seconds from the begin of a session to that of the next.
        session: Yields the texts of a session, whose number is given.
        line: Makes a line of its time, the session's number and a text.
    """
    draw, begun, found = Draw(seed), 0.0, []
    for number in range(count):
        begun += draw.expovariate(1 / gap)
        at = begun
        for after, text in session(draw, number):
            at += after
            found.append((at, number, text))
    found.sort(key=lambda event: event[0])
    return [
        line(START + timedelta(seconds=at), number, text).encode() for at, number, text in found
    ]


def address(draw: Draw) -> str:
    return ".".join(str(draw.randint(1, 254)) for _ in range(4))


def syslog(program: str) -> Callable[[datetime, int, str], str]:
    """Return a function that makes lines of syslog; a session is a process."""

    def line(time: datetime, number: int, text: str) -> str:
        return f"{time:%b} {time.day:2} {time:%H:%M:%S} {HOST} {program}[{10_000 + number}]: {text}"

    return line


def sshd(count: int, seed: int) -> list[bytes]:
    """Return a log of sshd: logins by key and by password, scanners, dropped connections."""
    return overlapping(count, seed, 40, _connection, syslog("sshd"))


def _connection(draw: Draw, _: int) -> Events:
    whence = f"{address(draw)} port {draw.randint(1024, 65535)}"
    yield 0.0, f"Connection from {whence} on 10.0.0.5 port 22"
    kind = draw.random()
    if kind < 0.74:
        yield from _login(draw, whence)
    elif kind < 0.93:
        name = draw.choice(BOTS) + draw.choice(("", "", str(draw.randint(1, 99))))
        yield draw.random(), f"Invalid user {name} from {whence}"
        for _ in range(draw.choice((0, 1, 1, 2))):
            yield draw.uniform(1, 3), f"Failed password for invalid user {name} from {whence} ssh2"
        yield draw.random(), f"Connection closed by invalid user {name} {whence} [preauth]"
    elif kind < 0.98:
        yield draw.random(), f"Connection closed by {whence} [preauth]"
    elif kind < 0.995:
        host, port = whence.split()[::2]
        yield draw.random(), f"Received disconnect from {host} port {port}:11: Bye Bye [preauth]"
        yield 0.0, f"Disconnected from {whence} [preauth]"
    else:
        yield 120.0, f"Timeout before authentication for {whence}"


def _login(draw: Draw, whence: str) -> Events:
    user, way = draw.choice(USERS), "publickey"
    if draw.random() < 0.2:
        way = "password"
        for _ in range(draw.choice((0, 0, 0, 1, 1, 2))):
            yield draw.uniform(2, 9), f"Failed password for {user} from {whence} ssh2"
    yield draw.random(), f"Accepted {way} for {user} from {whence} ssh2"
    uid = 1000 + USERS.index(user)
    yield 0.1, f"pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)"
    for channel in range(draw.choice((1, 1, 1, 2, 2, 3, 5))):
        what = "shell on pts/3" if draw.random() < 0.6 else "command"
        yield (
            draw.expovariate(1 / 30),
            f"Starting session: {what} for {user} from {whence} id {channel}",
        )
    if draw.random() < 0.9:
        host, port = whence.split()[::2]
        yield (
            draw.expovariate(1 / 400),
            f"Received disconnect from {host} port {port}:11: disconnected by user",
        )
        yield 0.0, f"Disconnected from user {user} {whence}"
    else:
        yield draw.expovariate(1 / 900), f"Read error from remote host {whence}: Connection reset"
    yield 0.1, f"pam_unix(sshd:session): session closed for user {user}"


JOBS = {
    "/usr/lib/sysstat/sa1 1 1": (40, 0),
    "/opt/queue/bin/sweep --quiet": (30, 2),
    "test -x /usr/sbin/anacron || run-parts /etc/cron.hourly": (8, 0),
    "/usr/bin/certbot -q renew": (4, 1),
    "/opt/mail/bin/fetch --all": (12, 3),
    "/usr/local/bin/backup --incremental": (3, 6),
    "run-parts /etc/cron.daily": (2, 4),
    "/usr/local/bin/rotate-keys": (0.7, 1),
    "run-parts /etc/cron.weekly": (0.3, 5),
}
"""The weight of each job, and the largest number of lines of its output."""


def cron(count: int, seed: int) -> list[bytes]:
    """Return a log of cron: a session is one run of a job, with the job's output."""
    return overlapping(count, seed, 60, _job, syslog("CRON"))


def _job(draw: Draw, _: int) -> Events:
    user = draw.choice(("root", "root", "root", "mail", "www-data"))
    yield 0.0, f"pam_unix(cron:session): session opened for user {user}(uid=0) by (uid=0)"
    command = draw.choices(list(JOBS), [weight for weight, _ in JOBS.values()])[0]
    yield 0.1, f"({user}) CMD ({command})"
    for _ in range(draw.randint(0, JOBS[command][1])):
        done = draw.choice(("files checked", "messages moved", "bytes written", "entries expired"))
        yield draw.expovariate(1 / 5), f"({user}) CMDOUT ({draw.randint(1, 90_000)} {done})"
    if draw.random() < 0.02:
        yield 0.1, f"({user}) MAIL (mailed {draw.randint(80, 4_000)} bytes of output)"
    yield draw.expovariate(1 / 5), f"({user}) CMDEND ({command})"
    yield 0.0, f"pam_unix(cron:session): session closed for user {user}"


GOODS = ("kettle", "lamp", "chair", "carpet", "mirror", "shelf", "clock", "vase", "table", "stool")
COLOURS = ("blue", "red", "green", "black", "white", "yellow")
ASSETS = ("css/site.css", "js/shop.js", "fonts/serif.woff2", "img/logo.svg", "img/banner.webp")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
)
BOT = "Mozilla/5.0 (compatible; examplebot/2.1; +https://example.org/bot)"


def web(count: int, seed: int) -> list[bytes]:
    """Return an access log of a shop: a session is one client's visit."""
    return overlapping(count, seed, 20, _visit, _access)


def _access(time: datetime, number: int, text: str) -> str:
    client = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    request, status, size, agent = text.split("\t")
    return (
        f'{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "{request} HTTP/1.1" {status} {size} "-" '
        f'"{agent}"'
    )


def _visit(draw: Draw, number: int) -> Events:
    bot = draw.random() < 0.08
    agent = BOT if bot else AGENTS[number % len(AGENTS)]
    for request, status, wait in _crawl(draw) if bot else _browse(draw):
        size = draw.randint(90, 60_000)
        yield draw.expovariate(1 / wait), f"{request}\t{status}\t{size}\t{agent}"


Requests = Iterator[tuple[str, int, float]]
"""Requests with status and the mean seconds since the request before."""


def _crawl(draw: Draw) -> Requests:
    yield "GET /robots.txt", 200, 1
    for _ in range(draw.randint(1, 8)):
        yield f"GET /products/{_product(draw)}", 200, 2


def _browse(draw: Draw) -> Requests:
    yield draw.choice(("GET /", "GET /", "GET /sale")), 200, 1
    for asset in draw.sample(ASSETS, draw.randint(1, 5)):
        yield f"GET /static/{asset}", draw.choice((200, 200, 304)), 0.2
    if draw.random() < 0.03:
        yield "GET /favicon.ico", 404, 0.2
    for _ in range(draw.choice((0, 1, 1, 2, 3, 5))):
        if draw.random() < 0.3:
            yield f"GET /search?q={draw.choice(GOODS)}", 200, 15
        yield f"GET /products/{_product(draw)}", 301 if draw.random() < 0.02 else 200, 30
    if draw.random() < 0.25:
        yield from _purchase(draw)


def _product(draw: Draw) -> str:
    return f"{draw.choice(COLOURS)}-{draw.choice(GOODS)}-{draw.randint(1, 999)}"


def _purchase(draw: Draw) -> Requests:
    yield "POST /cart", 303, 20
    yield "GET /cart", 200, 1
    if draw.random() < 0.15:
        yield "POST /login", 401, 15
    yield "POST /login", 303, 15
    if draw.random() < 0.7:
        yield "POST /checkout", 303, 40
        yield "GET /orders/thanks", 200, 1


def application(count: int, seed: int) -> list[bytes]:
    """Return a service's log in JSON lines: a session is a request."""
    return overlapping(count, seed, 2, _request, _record)


def _record(time: datetime, number: int, text: str) -> str:
    values = json.loads(text)
    spelt = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
    level = values.pop("level", "info")
    return json.dumps({"ts": spelt, "level": level, "requestId": f"r-{number:08x}", **values})


def _request(draw: Draw, _: int) -> Events:
    route = draw.choices(("/orders", "/orders/search", "/basket"), (5, 3, 2))[0]
    for fields in _steps(draw, route):
        yield draw.expovariate(20), json.dumps(fields)


Fields = Iterator[dict[str, object]]
"""The fields of a request's records, without time, level `info` and identifier."""


def _steps(draw: Draw, route: str) -> Fields:
    took = round(draw.lognormvariate(3, 0.6))
    yield {"msg": "request received", "route": route}
    yield {"msg": "session restored" if draw.random() < 0.8 else "session created"}
    if draw.random() < 0.05:
        field = draw.choice(("postcode", "quantity"))
        yield {"msg": "request rejected", "level": "warn", "field": field}
        yield {"msg": "request completed", "status": 422, "ms": took}
        return
    for _ in range(draw.randint(1, 4)):
        found = "cache hit" if draw.random() < 0.7 else "cache miss"
        yield {"msg": found, "key": draw.randint(1, 9_999)}
    if route == "/orders":
        yield from _order(draw)
    yield {"msg": "request completed", "status": 201 if route == "/orders" else 200, "ms": took}


def _order(draw: Draw) -> Fields:
    yield {"msg": "stock reserved", "items": draw.randint(1, 7)}
    for attempt in range(draw.choices((0, 1, 2), (95, 4, 1))[0]):
        yield {"msg": "payment retried", "level": "warn", "attempt": attempt + 1}
    yield {"msg": "payment authorised", "amount": round(draw.lognormvariate(3, 1), 2)}
    if draw.random() < 0.6:
        yield {"msg": "mail queued", "template": draw.choice(("receipt", "welcome"))}
    if draw.random() < 0.004:
        yield {"msg": "invoice corrected"}
