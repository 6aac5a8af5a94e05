"""Logs of many programs, by the formats that their documentations give, with the truth about them.

Each log has events some seconds apart, over a change of year, in sessions that run side by side.
The lines are made up; only their shapes are those of the programs.
"""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WORDS = ("accepted", "cache refreshed for part", "worker started on node", "answer sent")
BEGIN = datetime(2023, 12, 31, 21, 0, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Program:
    """A kind of log.

    Attributes:
        name: The program.
        format: The format that must be detected.
        sessions: What must be detected as a session: "request", "window" or "lines".
        pattern: An event, with `{t:%Y-%m-%d}` and the fields of `_fields`; several lines are one
            event.
        header: Lines before the first event.
        year: Whether the times have a year and a day.
        timed: Whether there are times.
    """

    name: str
    format: str
    sessions: str
    pattern: str
    header: str = ""
    year: bool = True
    timed: bool = True


@dataclass(frozen=True)
class Event:
    """An event of a log: its text, its time in seconds since 1970, and its request."""

    text: str
    time: float
    request: int


def events(program: Program, count: int = 240) -> list[Event]:
    """Return the events of a log; three requests of four events each run side by side."""
    drawn, time, found = random.Random(program.name), BEGIN, []
    for i in range(count):
        time += timedelta(seconds=drawn.randint(5, 100), microseconds=drawn.randint(0, 999_999))
        request = i // 12 * 3 + i % 3
        fields = _fields(i, time, request, drawn)
        found.append(Event(program.pattern.format(**fields), time.timestamp(), request))
    return found


def lines(program: Program, found: list[Event]) -> list[bytes]:
    """Return the lines of a log."""
    text = program.header + "".join(event.text + "\n" for event in found)
    return text.encode().split(b"\n")[:-1]


def _fields(i: int, t: datetime, request: int, drawn: random.Random) -> dict[str, object]:
    digest = hashlib.sha256(str(request).encode()).hexdigest()
    epoch = int(t.timestamp())
    return {
        "t": t,
        "i": i,
        "r": 100_000 + request,
        "pid": 4_000 + 7 * request,
        "s": str(i)[-1],
        "e": epoch,
        "ms": f"{t.microsecond // 1000:03d}",
        "us": f"{t.microsecond:06d}",
        "ns": f"{t.microsecond:06d}789",
        "day": f"{t.day:2d}",
        "h12": f"{t:%I}".lstrip("0"),
        "ip": f"10.0.{request // 200}.{request % 200 + 1}",
        "port": 40_000 + 11 * request,
        "h8": digest[:8],
        "h16": digest[:16],
        "h24": digest[:24],
        "h32": digest[:32],
        "uuid": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}",
        "Q": digest[:10].upper(),
        "letters": digest[:12].translate(LETTERS),
        "w": WORDS[(i // 3) % 4],
        "n": drawn.randint(1, 90_000),
        "st": (200, 200, 304)[i % 3],
        "path": ("/", "/login", "/cart/7", "/static/a.css")[(i // 3) % 4],
        "verb": ("GET", "GET", "POST")[i % 3],
        "lvl": ("INFO", "INFO", "WARN")[(i // 3) % 3],
        "dow": f"{t:%a}",
        "de": ("Jan", "Dez")[t.month == 12],
        "eu": t + timedelta(hours=1),
        "ny": t - timedelta(hours=5),
        "fr": ("janvier", "décembre")[t.month == 12],
        "es": ("ene", "dic")[t.month == 12],
        "tai": f"{(1 << 62) + 10 + epoch:016x}",
    }


LETTERS = str.maketrans("0123456789", "ghijklmnop")

ISO, MS = "{t:%Y-%m-%dT%H:%M:%S}", "{t:%Y-%m-%d %H:%M:%S}.{ms}"
SYS = "{t:%b} {day} {t:%H:%M:%S}"
CLF = "{t:%d/%b/%Y:%H:%M:%S} +0000"

PROGRAMS = (
    # Systems
    Program("Windows CBS", "text", "window",
            "{t:%Y-%m-%d %H:%M:%S}, Info                  CBS    Loaded {w} {n}"),
    Program("HPC", "text", "window", "{n} node-{s} unix.hw state_change.{w} {e} 1 Component {w}"),
    Program("Mac", "syslog", "request", SYS + " calvisitor-10-105 com.apple.cts[{pid}]: {w} {n}",
            year=False),
    Program("Proxifier", "text", "window", "[{t:%m.%d %H:%M:%S}] chrome.exe - proxy.cse.hk:5070 "
            "close, {n} bytes sent, {w}", year=False),
    Program("journald short-iso", "text", "request",
            ISO + "+0000 host sshd[{pid}]: {w} port {n}"),
    Program("journald short-iso-precise", "text", "request",
            ISO + ".{us}+00:00 host sshd[{pid}]: {w} port {n}"),
    Program("journald short-precise", "text", "request",
            "{t:%b %d %H:%M:%S}.{us} host sshd[{pid}]: {w} port {n}", year=False),
    Program("journald short-unix", "text", "request", "{e}.{us} host sshd[{pid}]: {w} port {n}"),
    Program("journald short-full", "text", "request",
            "{dow} {t:%Y-%m-%d %H:%M:%S} UTC host sshd[{pid}]: {w} port {n}"),
    Program("RFC 5424", "syslog", "request",
            "<165>1 " + ISO + ".{ms}Z router mgd {pid} UI_CMD [junos@2636.1 user=\"r\"] {w} {n}"),
    Program("rsyslog with years", "text", "request",
            "{t:%Y} {t:%b %d %H:%M:%S} host sshd[{pid}]: {w} port {n}"),
    Program("dmesg -T", "text", "window", "[{t:%a %b} {day} {t:%H:%M:%S %Y}] usb 1-{s}: {w}"),
    Program("auditd", "text", "request",
            "type=SYSCALL msg=audit({e}.{ms}:{r}): arch=c000003e syscall={s} success=yes {w}"),
    Program("ufw", "syslog", "window", SYS + " host kernel: [{n}.678901] [UFW BLOCK] IN=eth0 OUT= "
            "SRC=203.0.113.{s} DST=10.0.0.1 PROTO=TCP SPT={n} DPT=22", year=False),
    Program("fail2ban", "text", "window", "{t:%Y-%m-%d %H:%M:%S},{ms} fail2ban.filter         "
            "[812]: INFO    [sshd] Found 10.0.0.{s} - 2023-12-31 20:00:00"),
    Program("dpkg", "text", "window", "{t:%Y-%m-%d %H:%M:%S} status {w} libc6:amd64 2.31-{s}"),
    Program("Windows firewall", "w3c", "window",
            "{t:%Y-%m-%d %H:%M:%S} ALLOW TCP 10.0.0.5 20.1.2.{s} {n} 443 52 S {n} 0 8192 - - - "
            "SEND",
            "#Version: 1.5\n#Software: Microsoft Windows Firewall\n#Time Format: Local\n#Fields: "
            "date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack "
            "tcpwin icmptype icmpcode info path\n\n"),
    Program("Windows DHCP", "text", "window",
            "1{s},{t:%m/%d/%y},{t:%H:%M:%S},Renew,10.0.0.{s},host{s}.local,AABBCC,,{n},0,{w}"),
    Program("Cisco ASA", "text", "request", "{t:%b %d %Y %H:%M:%S} fw : %ASA-6-302013: {w} "
            "outbound "
            "TCP connection {r} for outside:203.0.113.{s}/443"),
    Program("Cisco IOS", "text", "window", "{i:06d}: *{t:%b} {day} {t:%H:%M:%S}.{ms}: "
            "%LINEPROTO-5-UPDOWN: {w} on Interface {s}", year=False),
    Program("Cisco by syslog", "text", "window", "<189>{i}: switch: {t:%b %d %H:%M:%S}.{ms} UTC: "
            "%LINK-3-UPDOWN: {w} on Interface {s}", year=False),
    Program("Juniper", "syslog", "request", SYS + " router mgd[{pid}]: UI_CMDLINE: {w} {n}",
            year=False),
    Program("Snort", "text", "window", "{t:%m/%d-%H:%M:%S}.{us}  [**] [1:100{s}:1] {w} [**] "
            "[Priority: 2] {{TCP}} 10.0.0.{s}:80 -> 10.0.1.1:{n}", year=False),
    Program("OpenVPN", "text", "request", "{t:%Y-%m-%d %H:%M:%S} {ip}:{port} TLS: {w} {s}"),
    Program("OpenVPN, old", "text", "request",
            "{t:%a %b} {day} {t:%H:%M:%S %Y} {ip}:{port} TLS: {w} {s}"),
    Program("Samba", "text", "window", "[{t:%Y/%m/%d %H:%M:%S}.{us},  3] ../source3/smbd/a.c:{s}"
            "(close_cnum)\n  client ({ip}) {w}"),
    Program("Asterisk", "text", "request",
            "[{t:%b} {day} {t:%H:%M:%S}] VERBOSE[123][C-{h8}] pbx.c: {w} {n}", year=False),
    Program("Nagios", "text", "window", "[{e}] SERVICE ALERT: host{s};HTTP;OK;HARD;1;{w}"),
    Program("BIND", "text", "window", "{t:%d-%b-%Y %H:%M:%S}.{ms} queries: info: client "
            "@0x7f{s} 10.0.0.{s}#{n} (example.com): query: {w}"),
    Program("tcpdump", "text", "window",
            "{t:%H:%M:%S}.{us} IP 10.0.0.{s}.80 > 10.0.0.9.{n}: Flags [P.], {w}", year=False),
    Program("daemontools", "text", "window", "@{tai}0a21fe3c status: local {s}/10 {w}"),
    Program("DB2", "text", "window", "{eu:%Y-%m-%d-%H.%M.%S}.{us}+060 I{n}E567 LEVEL: Info\n"
            "PID     : 123\n  {w} {n}"),
    Program("Slurm", "text", "request", "[" + ISO + ".{ms}] _slurm_rpc: JobId={r} {w} usec={n}"),
    Program("HTCondor", "text", "window", "000 ({s}.000) {t:%m/%d %H:%M:%S} Job {w}", year=False),
    Program("PBS", "text", "request",
            "{t:%m/%d/%Y %H:%M:%S};S;{r}.head.cluster;user=u{s} job={r} {w}"),
    # Java and the JVM
    Program("Spark", "text", "window", "{t:%y/%m/%d %H:%M:%S} INFO executor.Backend: {w} {n}"),
    Program("Hadoop", "text", "window",
            "{t:%Y-%m-%d %H:%M:%S},{ms} INFO [main] org.apache.hadoop.X: {w} {n}"),
    Program("ZooKeeper", "text", "window", "{t:%Y-%m-%d %H:%M:%S},{ms} - INFO  "
            "[QuorumPeer[myid={s}]"
            "/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - {w} {n}"),
    Program("java.util.logging", "text", "window",
            "{t:%b %d, %Y} {h12}:{t:%M:%S %p} com.acme.Shop doIt\nINFO: {w} {n}"),
    Program("log4j with MDC", "text", "request", "{t:%Y-%m-%d %H:%M:%S},{ms} "
            "[http-nio-8080-exec-{s}]"
            " {lvl} c.a.Foo [requestId={h8}] - {w} {n}"),
    Program("log4j, DEFAULT", "text", "window", "{t:%d %b %Y %H:%M:%S},{ms} INFO [main] c.a.F: "
            "{w}"),
    Program("logback", "text", "window", "{t:%H:%M:%S}.{ms} [main] INFO c.a.Foo -- {w} {n}",
            year=False),
    Program("logback with traces", "text", "request", ISO + ".{ms}Z  INFO [shop,{h32},{h16}] 1 --- "
            "[nio-{s}] c.a.Foo : {w} {n}"),
    Program("Kafka", "text", "window",
            "[{t:%Y-%m-%d %H:%M:%S},{ms}] INFO [Log partition=a-{s}] {w} (kafka.log.Log)"),
    Program("Elasticsearch", "text", "window",
            "[" + ISO + ",{ms}][INFO ][o.e.c.m.Service] [node-1] {w} [{n}]"),
    Program("Elasticsearch JSON", "jsonl", "window", '{{"type":"server","timestamp":"' + ISO +
            ',{ms}Z","level":"INFO","component":"o.e.n.Node","message":"{w} {n}"}}'),
    Program("WebLogic", "text", "window", "####<{t:%b} {t.day}, {t:%Y} {h12}:{t:%M:%S},{ms} "
            "{t:%p} UTC> <Notice> <Server> <BEA-00{s}> <{w}>"),
    Program("WebSphere", "text", "window", "[{t.month}/{t.day}/{t:%y} {t.hour}:{t:%M:%S}:{ms} UTC] "
            "0000004a SystemOut     O {w} {n}"),
    Program("JVM garbage collector", "text", "request",
            "[" + ISO + ".{ms}+0000][info][gc] GC({r}) Pause Young {w} {n}M"),
    Program("JVM uptime", "text", "window", "[{i}00.{ms}s][info][gc] Pause Young {w} {n}M",
            year=False, timed=True),
    Program("Solr", "text", "window", MS + " INFO  (qtp123-45) [c:foo s:shard{s}] o.a.s.Core {w}"),
    Program("Minecraft", "text", "window", "[{t:%H:%M:%S}] [Server thread/INFO]: {w} {n}",
            year=False),
    Program("Unreal", "text", "window", "[{t:%Y.%m.%d-%H.%M.%S}:{ms}][ {s}]LogInit: {w} {n}"),
    # Python
    Program("Python", "text", "window", "{t:%Y-%m-%d %H:%M:%S},{ms} - shop - INFO - {w} {n}"),
    Program("Python, no time", "text", "lines", "INFO:root:{w} {n}", timed=False),
    Program("Django", "text", "window", '[{t:%d/%b/%Y %H:%M:%S}] "{verb} {path} HTTP/1.1" {st} '
            '{n}'),
    Program("gunicorn", "text", "window", "[{t:%Y-%m-%d %H:%M:%S} +0000] [12{s}] [INFO] {w} {n}"),
    Program("uvicorn", "text", "request", 'INFO:     {ip}:{port} - "{verb} {path} HTTP/1.1" {st} '
            'OK',
            timed=False),
    Program("Celery", "text", "request", "[{t:%Y-%m-%d %H:%M:%S},{ms}: INFO/MainProcess] Task "
            "shop.add[{uuid}] {w} {n}"),
    Program("Airflow", "text", "window", "[" + ISO + ".{ms}+0000] {{taskinstance.py:13}} INFO - "
            "{w}"),
    Program("OpenStack", "text", "request", "nova-api.log.1.2017-05-16_13:53:08 " + MS + " 257 "
            "INFO "
            "nova.api [req-{uuid} 113d 54fa - - -] {w} {n}"),
    # Go
    Program("Go log", "text", "window", "{t:%Y/%m/%d %H:%M:%S}.{us} main.go:2{s}: {w}"),
    Program("slog text", "logfmt", "request",
            "time=" + ISO + '.{ms}Z level=INFO msg="{w}" request_id={h8} n={n}'),
    Program("slog JSON", "jsonl", "request", '{{"time":"' + ISO + '.{ns}Z","level":"INFO",'
            '"msg":"{w}",'
            '"request_id":"{h8}"}}'),
    Program("zerolog", "jsonl", "window", '{{"level":"info","time":{e},"message":"{w} {n}"}}'),
    Program("zerolog console", "text", "window", "\x1b[90m{h12}:{t:%M%p}\x1b[0m \x1b[32mINF\x1b[0m "
            "{w} n={n}", year=False),
    Program("logrus", "logfmt", "window", 'time="' + ISO + 'Z" level=info msg="{w}" n={n}'),
    Program("containerd", "logfmt", "window", 'time="' + ISO + '.{ns}Z" level=info msg="{w} {n}"'),
    Program("CRI", "text", "window", ISO + ".{ns}Z stdout F {w} {n}"),
    Program("klog with thread", "text", "window",
            "I{t:%m%d %H:%M:%S}.{us}       1 controller.go:116] {w} {n}", year=False),
    Program("CockroachDB", "text", "window",
            "I{t:%y%m%d %H:%M:%S}.{us} 12{s} server/node.go:1 ⋮ [n1] {i} {w} {n}"),
    Program("glog with years", "text", "window",
            "I{t:%Y%m%d %H:%M:%S}.{us}  12{s} server.cc:1] {w} {n}"),
    Program("Terraform", "text", "window", ISO + ".{ms}Z [INFO]  provider: {w} {n}"),
    Program("compose", "text", "window", "web-1  | " + ISO + ".{ns}Z {w} {n}"),
    Program("kubectl --prefix --timestamps", "text", "window",
            "[pod/web-5d9c7b-x2/web] " + ISO + ".{ns}Z {w} {n}"),
    Program("docker json-file", "jsonl", "window", '{{"log":"{w} {n}\\n","stream":"stdout",'
            '"time":"' +
            ISO + '.{ns}Z"}}'),
    Program("GitHub Actions", "text", "window", ISO + ".{us}7Z ##[group]Run {w} {n}"),
    Program("Jenkins", "text", "window", MS + "+0000 [id=4{s}]\tINFO\thudson.Main#run: {w} {n}"),
    # Ruby, PHP, Node, Elixir, .NET
    Program("Ruby Logger", "text", "window",
            "I, [" + ISO + ".{us} #123]  INFO -- : {w} {n}"),
    Program("Rails with request ids", "text", "request",
            "I, [" + ISO + ".{us} #123]  INFO -- : [{uuid}] {w} {n}"),
    Program("lograge", "text", "request", "I, [" + ISO + ".{us} #123]  INFO -- : method={verb} "
            "path={path} status={st} duration={n}.33 request_id={uuid}"),
    Program("Sidekiq", "text", "request",
            ISO + ".{ms}Z pid=1 tid=abc class=Foo jid={h24} INFO: {w} {n}"),
    Program("php-fpm", "text", "window", "[{t:%d-%b-%Y %H:%M:%S}] NOTICE: [pool www] {w} {n}"),
    Program("PHP", "text", "window", "[{eu:%d-%b-%Y %H:%M:%S} Europe/Berlin] PHP Warning:  {w}"),
    Program("Laravel", "text", "window", "[{t:%Y-%m-%d %H:%M:%S}] production.ERROR: {w} {n}"),
    Program("winston", "text", "window", ISO + ".{ms}Z info: {w} {n}"),
    Program("bunyan", "jsonl", "request", '{{"name":"shop","pid":1,"level":30,"req_id":"{uuid}",'
            '"msg":"{w}","time":"' + ISO + '.{ms}Z","v":0}}'),
    Program("Elixir", "text", "request", "{t:%H:%M:%S}.{ms} request_id={letters} [info] {w} {n}",
            year=False),
    Program("Erlang, old", "text", "request", "=INFO REPORT==== {t.day}-{t:%b-%Y::%H:%M:%S} ===\n"
            "connection <0.{r}.0>: {w}\n"),
    Program("RabbitMQ", "text", "request", MS + "000+00:00 [info] <0.{r}.0> {w} {n}"),
    Program("Serilog compact", "jsonl", "request", '{{"@t":"' + ISO + '.{us}7Z","@mt":"{w} {{N}}",'
            '"N":{n},"RequestId":"{h8}"}}'),
    Program("Serilog", "text", "window", MS + " +00:00 [INF] {w} {n}"),
    Program("NLog", "text", "window", MS + "4|INFO|Shop.Order|{w} {n}"),
    # Databases
    Program("MySQL error", "text", "window", ISO + ".{us}Z {s} [Note] [MY-01] [Server] {w} {n}"),
    Program("MySQL general", "text", "request", ISO + ".{us}Z\t   {pid} Query\tSELECT {n} -- {w}"),
    Program("MySQL slow", "text", "window", "# Time: " + ISO + ".{us}Z\n# User@Host: root[root] @ "
            "[10.0.0.1]  Id:    {s}\n# Query_time: 1.{n}  Lock_time: 0.0\nSET timestamp={e};\n"
            "SELECT {n} FROM {w};"),
    Program("MySQL slow, old", "text", "window", "# Time: {t:%y%m%d} {t.hour:2d}:{t:%M:%S}\n# "
            "User@Host: root[root] @ [10.0.0.1]\nSELECT {n} FROM {w};"),
    Program("PostgreSQL csvlog", "text", "request", MS + ' UTC,"u","db",12{s},"10.0.0.1:{n}",'
            '{h8}.{pid:x},3,"SELECT",2023-12-31 20:00:00 UTC,3/4,0,LOG,00000,"{w}",,,,,,,,,"psql"'),
    Program("PostgreSQL stderr", "text", "request", MS + " UTC [{pid}] u@db LOG:  {w} {n}"),
    Program("Redis", "text", "window", "123:M {t:%d %b %Y %H:%M:%S}.{ms} * {w} {n}"),
    Program("MongoDB 3", "text", "request", ISO + ".{ms}+0000 I NETWORK  [conn{r}] {w} {n}"),
    Program("MongoDB 4.4", "jsonl", "request", '{{"t":{{"$date":"' + ISO + '.{ms}+00:00"}},"s":"I",'
            '"c":"NETWORK","id":22{s},"ctx":"conn{r}","msg":"{w}","attr":{{"n":{n}}}}}'),
    Program("Oracle alert", "text", "window", ISO + ".{us}+00:00\n{w} {n}\nThread 1 advanced {s}"),
    Program("Oracle listener", "text", "window",
            "{t.day:02d}-DEC-2023 {t:%H:%M:%S} * (CONNECT_DATA=(SID=x{s})) * establish * {w} * 0"),
    # Mail
    Program("postfix", "syslog", "request", SYS + " mail postfix/qmgr[12{s}]: {Q}: {w} size={n}",
            year=False),
    Program("sendmail", "syslog", "request", SYS + " mail sendmail[{n}]: x21AB3cd{r}: {w} size={n}",
            year=False),
    Program("exim", "text", "request",
            "{t:%Y-%m-%d %H:%M:%S} {letters:.6}-0001Ab-CD <= a@b.c {w} S={n}"),
    Program("dovecot", "syslog", "request", SYS + " mail dovecot: imap-login: {w}: user=<bob>, "
            "method=PLAIN, rip=10.0.0.{s}, mpid={n}, TLS, session=<{letters}+/A>", year=False),
    # Web
    Program("HAProxy", "haproxy", "request", SYS + " lb haproxy[123]: {ip}:{n} "
            "[{t:%d/%b/%Y:%H:%M:%S}"
            '.{ms}] http-in web/s1 10/0/30/69/{n} {st} {n} - - ---- 1/1/1/1/0 0/0 "{verb} {path} '
            'HTTP/1.1"'),
    Program("Envoy", "text", "window", "[" + ISO + '.{ms}Z] "{verb} {path} HTTP/1.1" {st} - 0 {n} '
            '12 '
            '11 "-" "curl/7.{s}" "{i:08d}-64f1-9ae7-a6da-f4adf8fbc{n:05d}" "web" "10.0.0.1:80"'),
    Program("Envoy application", "text", "window",
            "[{t:%Y-%m-%d %H:%M:%S}.{ms}][1][info][main] [source/server.cc:1] {w} {n}"),
    Program("Traefik CLF", "combined", "request", "{ip} - - [" + CLF + '] "{verb} {path} HTTP/1.1" '
            '{st} {n} "-" "-" {i} "web@docker" "http://10.0.0.5:80" {n}ms'),
    Program("Traefik JSON", "jsonl", "request", '{{"ClientHost":"{ip}","DownstreamStatus":{st},'
            '"RequestMethod":"{verb}","RequestPath":"{path}","StartUTC":"' + ISO + '.{ns}Z",'
            '"level":'
            '"info","msg":"","time":"' + ISO + 'Z"}}'),
    Program("Caddy", "jsonl", "request", '{{"level":"info","ts":{e}.{us},'
            '"logger":"http.log.access",'
            '"msg":"handled request","request":{{"remote_ip":"{ip}","remote_port":"{n}","method":'
            '"{verb}","uri":"{path}"}},"duration":0.01,"size":{n},"status":{st}}}'),
    Program("nginx JSON", "jsonl", "request", '{{"time_local":"' + CLF + '","remote_addr":"{ip}",'
            '"request":"{verb} {path} HTTP/1.1","status":"{st}","body_bytes_sent":"{n}"}}'),
    Program("nginx error", "text", "window",
            "{t:%Y/%m/%d %H:%M:%S} [error] 31#31: *{n} {w}, client: 10.0.0.{s}, server: _"),
    Program("ALB", "alb", "request", "https " + ISO + ".{us}Z app/lb/50dc6c495c0c9188 {ip}:{n} "
            '10.0.0.2:80 0.086 0.048 0.037 {st} 200 0 57 "{verb} https://www.example.com:443{path} '
            'HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn:aws:x "Root=1-5833{n}" "-" "-" 0 ' + ISO +
            '.{us}Z "forward" "-"'),
    Program("ELB", "elb", "request", ISO + ".{us}Z lb {ip}:{n} 10.0.0.1:80 0.0 0.001 0.0 {st} 200 "
            "0 "
            '29 "{verb} http://www.example.com:80{path} HTTP/1.1" "curl/7.38.0" - -'),
    Program("NLB", "text", "window", "tls 2.0 " + ISO + " net/lb/c6e77e28c25b2234 g3d4b5e8bb8464cd "
            "72.21.218.{s}:{n} 172.100.100.185:443 5 2 98 246 - arn:aws:x - - ECDHE tlsv12 - {w}"),
    Program("S3", "s3", "request", "79a59df900b949e55d96a1e698fbacedfd6e09d9 bucket [" + CLF +
            '] {ip} 79a59df900b949e55d96 3E57{n}EX REST.GET.OBJECT a.txt "{verb} /bucket{path} '
            'HTTP/1.1" {st} - 113 - 7 - "-" "S3Console/0.4" -'),
    Program("CloudFront", "w3c", "request", "{t:%Y-%m-%d}\t{t:%H:%M:%S}\tFRA6\t{n}\t{ip}\t{verb}\t"
            "d1.cloudfront.net\t{path}\t{st}\t-\tcurl\t-", "#Version: 1.0\n#Fields: date time "
            "x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
            "cs(User-Agent) cs-uri-query\n"),
    Program("IIS", "w3c", "request", "{t:%Y-%m-%d %H:%M:%S} 10.0.0.9 {verb} {path} - 443 - {ip} "
            "curl - {st} 0 0 {n}", "#Software: Microsoft Internet Information Services 10.0\n"
            "#Version: 1.0\n#Date: 2023-12-31 20:00:00\n#Fields: date time s-ip cs-method "
            "cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
            "sc-substatus sc-win32-status time-taken\n"),
    Program("VPC flow", "text", "window", "2 123456789010 eni-1235b8ca 172.31.16.{s} 172.31.16.21 "
            "20641 22 6 20 {n} {e} {e} ACCEPT OK"),
    Program("Squid", "squid", "request", "{e}.{ms}    {n} {ip} TCP_MISS/{st} {n} {verb} "
            "http://example.com{path} - HIER_DIRECT/93.184.216.34 text/html"),
    Program("Zeek TSV", "w3c", "request",
            "{e}.{us}\tC{letters}\t10.0.0.{s}\t{n}\t10.0.0.9\t80\ttcp\t"
            "{w}\t{n}", "#separator \\x09\n#set_separator\t,"
            "\n#empty_field\t(empty)\n#unset_field\t-\n"
            "#path\tconn\n#open\t2023-12-31-20-00-00\n#fields\tts\tuid\tid.orig_h\tid.orig_p\t"
            "id.resp_h\tid.resp_p\tproto\tservice\torig_bytes\n#types\ttime\tstring\taddr\tport\t"
            "addr\tport\tenum\tstring\tcount\n"),
    Program("Suricata", "jsonl", "request", '{{"timestamp":"' + ISO + '.{us}+0000","flow_id":{r},'
            '"event_type":"{w}","src_ip":"10.0.0.{s}"}}'),
    Program("Cowrie", "jsonl", "request", '{{"eventid":"cowrie.{w}","src_ip":"10.0.0.{s}",'
            '"session":'
            '"{h8}","timestamp":"' + ISO + '.{us}Z","message":"{w} {n}"}}'),
    # Clouds
    Program("Lambda", "text", "request", ISO + ".{ms}Z\t{uuid}\tINFO\t{w} {n}"),
    Program("Lambda, exported", "text", "request", ISO + ".{ms}Z START RequestId: {uuid} {w}"),
    Program("CloudTrail", "jsonl", "window", '{{"eventVersion":"1.08","userIdentity":{{"type":'
            '"IAMUser"}},"eventTime":"' + ISO + 'Z","eventSource":"s3","eventName":"{w}",'
            '"requestID":"{n}E{i}"}}'),
    Program("GCP", "jsonl", "request", '{{"insertId":"a{i}","timestamp":"' + ISO + '.{us}Z",'
            '"severity":'
            '"INFO","textPayload":"{w} {n}","trace":"projects/p/traces/{h32}"}}'),
    Program("Azure", "jsonl", "request", '{{"time":"' + ISO + '.{us}7Z","category":"Admin",'
            '"operationName":"{w}","resultType":"Success","correlationId":"{uuid}"}}'),
    Program("Heroku", "text", "request", ISO + '.{us}+00:00 heroku[router]: at=info method={verb} '
            'path="{path}" host=a.herokuapp.com request_id={uuid} fwd="10.0.0.{s}" dyno=web.1 '
            "connect=1ms service={n}ms status={st} bytes={n}"),
    Program("logplex", "syslog", "request", "<158>1 " + ISO + ".{us}+00:00 host heroku router - "
            'at=info method={verb} path="{path}" request_id={uuid} status={st} bytes={n}'),
    Program("log4j2 JSON", "jsonl", "window", '{{"instant":{{"epochSecond":{e},'
            '"nanoOfSecond":{us}000}},'
            '"thread":"main","level":"INFO","loggerName":"c.a.F","message":"{w} {n}"}}'
            .replace("{us}", "1{us}")),
    Program("fluentd", "text", "request", "{t:%Y-%m-%d %H:%M:%S}.{ns} +0000 app.web: "
            '{{"message":"{w}","request_id":"{letters}"}}'),
)  # fmt: skip
"""The kinds of logs."""
