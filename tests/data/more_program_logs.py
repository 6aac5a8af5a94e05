"""More logs of programs: databases, networks, applications, clouds; see `program_logs`."""

from tests.data.program_logs import ISO, MS, SYS, Program

COMMA = "{t:%Y-%m-%d %H:%M:%S},{ms}"

MORE_PROGRAMS = (
    # Applications and their servers
    Program("WildFly", "text", "window", "{t:%H:%M:%S},{ms} INFO  [org.jboss.as] (task-{s}) {w} "
            "{n}",
            year=False),
    Program("GlassFish", "text", "window", "[" + ISO + ".{ms}+0000] [glassfish 5.1] [INFO] [] "
            "[javax] [tid: _ThreadID=1] [timeMillis: {e}{ms}] [levelValue: 800] [[\n  {w} {n}]]"),
    Program("Karaf", "text", "window", ISO + ",{ms} | INFO  | pool-{s} | Blueprint | 12 - {w} {n}"),
    Program("Akka", "text", "window",
            "[INFO] [{t:%m/%d/%Y %H:%M:%S}.{ms}] [shop-akka.dispatcher-{s}] [akka://shop] {w} {n}"),
    Program("Cassandra", "text", "window", "INFO  [main] " + COMMA + " Storage.java:1{s} - {w} "
            "{n}"),
    Program("Odoo", "text", "window", COMMA + " 1 INFO db odoo.addons: {w} {n}"),
    Program("Tornado", "text", "window", "[I {t:%y%m%d %H:%M:%S} web:1{s}] {w} {n}"),
    Program("Jupyter", "text", "window", "[I {t:%Y-%m-%d %H:%M:%S}.{ms} ServerApp] {w} {n}"),
    Program("loguru", "text", "window", MS + " | INFO     | __main__:f:1{s} - {w} {n}"),
    Program("structlog", "text", "request", ISO + "Z [info     ] {w}      request_id={letters}"),
    Program("supervisord", "text", "window", COMMA + " INFO spawned: '{w}' with pid {n}"),
    Program("uWSGI", "text", "window", "[pid: 12|app: 0|req: 1/{i}] 10.0.0.{s} () {{40 vars in 500 "
            "bytes}} [{t:%a %b} {day} {t:%H:%M:%S %Y}] GET /{w} => generated {n} bytes"),
    Program("env_logger", "text", "window", "[" + ISO + "Z INFO  shop] {w} {n}"),
    Program("tracing", "text", "request",
            ISO + ".{us}Z  INFO request{{method=GET id={h8}}}: shop: {w} {n}"),
    Program("NSLog", "text", "window", MS + " Shop[123:4567] {w} {n}"),
    Program("macOS unified", "text", "window",
            "{t:%Y-%m-%d %H:%M:%S}.{us}+0000 0x12a{s}     Default     0x0    123    0    kernel: "
            "{w}"),
    Program("Serilog console", "text", "window", "[{t:%H:%M:%S} INF] {w} {n}", year=False),
    Program("log4net", "text", "window", COMMA + " [{s}] INFO  Shop.Order - {w} {n}"),
    Program("Serilog JSON", "jsonl", "request", '{{"Timestamp":"' + ISO + '.{us}7+00:00","Level":'
            '"Information","MessageTemplate":"{w}","Properties":{{"RequestId":"{h8}","N":{n}}}}}'),
    Program("Nextcloud", "jsonl", "request", '{{"reqId":"{letters}","level":1,"time":"' + ISO +
            '+00:00","remoteAddr":"10.0.0.{s}","user":"bob","method":"GET","url":"/a","message":'
            '"{w} {n}"}}'),
    Program("Artifactory", "text", "request",
            ISO + ".{ms}Z [jfrt ] [INFO ] [{h16}] [o.a.Foo:1{s}] [main] - {w} {n}"),
    Program("Bitbucket", "text", "window",
            "10.0.0.{s} | http | o@1ABCx{i}x0 | bob | " + COMMA + ' | "GET /{w}" | 200'),
    Program("Home Assistant", "text", "window", MS + " INFO (MainThread) [homeassistant.core] {w} "
            "{n}"),
    Program("Zigbee2MQTT", "text", "window", "Zigbee2MQTT:info  {t:%Y-%m-%d %H:%M:%S}: {w} {n}"),
    Program("Mosquitto", "text", "window", "{e}: New client connected from 10.0.0.{s} as {w}"),
    Program("geth", "text", "window", "INFO [{t:%m-%d|%H:%M:%S}.{ms}] Imported {w} number={n}",
            year=False),
    Program("Source engine", "text", "window", 'L {t:%m/%d/%Y - %H:%M:%S}: "P<1>" {w} {n}'),
    Program("Consul", "text", "window", "    " + ISO + ".{ms}Z [INFO]  agent: {w}: n={n}"),
    Program("Sidekiq Pro", "jsonl", "request", '{{"ts":"' + ISO + '.{ms}Z","pid":1,"tid":"ab",'
            '"lvl":'
            '"INFO","msg":"{w}","ctx":{{"class":"Foo","jid":"{h24}"}}}}'),
    Program("Kibana", "jsonl", "window", '{{"type":"log","@timestamp":"' + ISO + 'Z",'
            '"tags":["info"],'
            '"pid":1,"message":"{w} {n}"}}'),
    # Databases
    Program("ClickHouse", "text", "request", "{t:%Y.%m.%d %H:%M:%S}.{us} [ 123 ] {{{uuid}}} "
            "<Debug> "
            "executeQuery: {w} {n}"),
    Program("SQL Server", "text", "request", "{t:%Y-%m-%d %H:%M:%S}.12 spid{pid}      {w} {n}"),
    Program("MariaDB", "text", "window", "{t:%Y-%m-%d} {t.hour:2d}:{t:%M:%S} 0 [Note] {w} {n}"),
    Program("MySQL 5.5", "text", "window", "{t:%y%m%d} {t.hour:2d}:{t:%M:%S} [Note] {w} {n}"),
    Program("pgbouncer", "text", "request", MS + " UTC [1] LOG C-0x55d{pid:x}: db/u@{ip}:{port} "
            "{w} {n}"),
    Program("CouchDB", "text", "request", "[info] " + ISO + ".{us}Z nonode@nohost <0.{r}.0> ---- "
            "{w}"),
    Program("InfluxDB", "logfmt", "window", "ts=" + ISO + '.{us}Z lvl=info msg="{w}" n={n}'),
    Program("Grafana", "logfmt", "window", "logger=ctx t=" + ISO + '.{us}Z level=info msg="{w}" '
            'n={n}'),
    Program("Prometheus", "logfmt", "window", "level=info ts=" + ISO + ".{ms}Z caller=a.go:1 "
            "msg={s}"),
    # Systems and networks
    Program("CUPS", "text", "window", "I [{t:%d/%b/%Y:%H:%M:%S} +0000] [Job {n}] {w}"),
    Program("pacman", "text", "window", "[" + ISO + "+0000] [ALPM] {w} lib{s} ({n})"),
    Program("ESXi", "text", "request", ISO + ".{ms}Z info hostd[{pid}] [Originator@6876 sub=V] "
            "{w} {n}"),
    Program("F5", "syslog", "window", SYS + " bigip info tmm: 0107{n}:5: {w}", year=False),
    Program("Solaris", "syslog", "request", SYS + " sun sshd[{pid}]: [ID 702911 auth.info] {w} {n}",
            year=False),
    Program("FortiGate", "logfmt", "request", 'date={t:%Y-%m-%d} time={t:%H:%M:%S} devname="f" '
            'type="traffic" sessionid={r} action="{w}" sentbyte={n}'),
    Program("SonicWall", "logfmt", "window",
            'id=fw sn=00401 time="{t:%Y-%m-%d %H:%M:%S}" fw=10.0.0.1 pri=6 msg="{w}" n={n}'),
    Program("Palo Alto", "text", "window",
            "1,{t:%Y/%m/%d %H:%M:%S},0012,TRAFFIC,end,1,{t:%Y/%m/%d %H:%M:%S},10.0.0.{s},{n},{w}"),
    Program("MikroTik", "text", "window", "{t:%b/%d/%Y %H:%M:%S} system,info {w} {n}"),
    Program("pfSense", "syslog", "window", SYS + " filterlog[812]: 5,,,1000000103,em0,match,{w},"
            "in,4,"
            "0x0,,64,{n},0,DF,6,tcp,60,10.0.0.{s},10.0.0.1,{n},443", year=False),
    Program("CEF", "syslog", "window", SYS + " host CEF: 0|Acme|FW|1.0|100|{w}|5|src=10.0.0.{s} "
            "spt={n}", year=False),
    Program("vsftpd", "text", "request",
            '{t:%a %b} {day} {t:%H:%M:%S %Y} [pid {pid}] [bob] OK {w}: Client "10.0.0.1", {n} '
            'bytes'),
    Program("FileZilla", "text", "request", "({r}) {t:%m/%d/%Y %H:%M:%S} - bob (10.0.0.1)> {w} "
            "{n}"),
    Program("rsyncd", "text", "request", "{t:%Y/%m/%d %H:%M:%S} [{pid}] rsync {w} {n} bytes"),
    Program("Windows Update", "text", "window",
            "{t:%Y-%m-%d}\t{t:%H:%M:%S}:{ms}\t 812\tab{s}\tAgent\t{w} {n}"),
    Program("CMTrace", "text", "window", '<![LOG[{w} {n}]LOG]!><time="{t:%H:%M:%S}.{ms}+000" '
            'date="{t:%m-%d-%Y}" component="Ccm" context="" type="1" thread="4{s}" file="a.cpp">'),
    Program("Windows DNS", "text", "window", "{t.month}/{t.day}/{t:%Y} {h12}:{t:%M:%S %p} 0ABC "
            "PACKET "
            "0000 UDP Rcv 10.0.0.{s} {n} {w}"),
    Program("Netlogon", "text", "window", "{t:%m/%d %H:%M:%S} [LOGON] [12{s}] {w} {n}", year=False),
    Program("Exchange", "w3c", "request", "{t:%Y-%m-%dT%H:%M:%S}.{ms}Z,mail\\Default,{h16},{s},"
            "10.0.0.1:25,10.0.0.{s}:{n},>,{w},", "#Software: Microsoft Exchange Server\n#Version: "
            "15.0\n#Log-type: SMTP Receive Protocol Log\n#Date: 2023-12-31T20:00:00.000Z\n#Fields: "
            "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,"
            "event,data,context\n"),
    Program("Zabbix", "text", "window", "  123:{t:%Y%m%d:%H%M%S}.{ms} {w} {n}"),
    Program("Munin", "text", "window", "{t:%Y/%m/%d-%H:%M:%S} CONNECT TCP Peer: 10.0.0.{s}:{n} "
            "{w}"),
    Program("Fluent Bit", "text", "window", "[{t:%Y/%m/%d %H:%M:%S}] [ info] [engine] {w} {n}"),
    Program("Telegraf", "text", "window", ISO + "Z I! [agent] {w} {n}"),
    Program("NetworkManager", "syslog", "window",
            SYS + " host NetworkManager[812]: <info>  [{e}.1234] device: {w} {n}", year=False),
    Program("Kamailio", "syslog", "request",
            SYS + " sip kamailio[8{s}]: INFO: {w} Call-ID={letters}@10.0.0.1 {n}", year=False),
    # Clouds
    Program("Cloudflare", "jsonl", "request", '{{"ClientIP":"{ip}","ClientRequestMethod":"{verb}",'
            '"ClientRequestURI":"{path}","EdgeResponseStatus":{st},"EdgeStartTimestamp":{e}{ns},'
            '"RayID":"{i}a"}}'),
    Program("GCP load balancer", "jsonl", "request", '{{"timestamp":"' + ISO + '.{us}Z",'
            '"httpRequest":'
            '{{"requestMethod":"{verb}","requestUrl":"http://a.b{path}","status":{st},"remoteIp":'
            '"{ip}"}},"insertId":"a{i}"}}'),
    Program("Kubernetes audit", "jsonl", "request", '{{"kind":"Event","auditID":"{uuid}","stage":'
            '"{w}","verb":"get","requestReceivedTimestamp":"' + ISO + '.{us}Z",'
            '"requestURI":"/api"}}'),
    Program("Datadog", "jsonl", "request", '{{"dd.trace_id":"{r}","timestamp":"' + ISO + '.{us}Z",'
            '"level":"INFO","message":"{w} {n}"}}'),
    Program("Vault audit", "jsonl", "request", '{{"time":"' + ISO + '.{ns}Z","type":"request",'
            '"request":{{"id":"{uuid}","operation":"read","path":"{w}"}}}}'),
    Program("journald JSON", "jsonl", "request", '{{"__REALTIME_TIMESTAMP":"{e}{us}",'
            '"_PID":"{pid}",'
            '"SYSLOG_IDENTIFIER":"sshd","PRIORITY":"6","MESSAGE":"{w} {n}"}}'),
    Program("API Gateway", "text", "request", ISO + ".{ms}Z ({uuid}) Method {w} in {n} ms"),
    Program("Temporal", "jsonl", "request", '{{"level":"info","ts":"' + ISO + '.{ms}Z","msg":"{w}",'
            '"wf-workflow-id":"{uuid}","wf-run-id":"{uuid}"}}'),
    # Times
    Program("US dates, 12 hours", "text", "window",
            "{t.month}/{t.day}/{t:%Y} {h12}:{t:%M:%S %p} INFO {w} {n}"),
    Program("ISO, 12 hours", "text", "window", "{t:%Y-%m-%d} {h12}:{t:%M:%S %p} INFO {w} {n}"),
    Program("European dates", "text", "window", "{t:%d.%m.%Y %H:%M:%S} INFO {w} {n}"),
    Program("European, two digits", "text", "window", "{t:%d.%m.%y %H:%M:%S} INFO {w} {n}"),
    Program("British dates", "text", "window", "INFO {t:%d/%m/%Y %H:%M:%S} {w} {n}"),
    Program("US, two digits", "text", "window", "INFO {t:%m/%d/%y %H:%M:%S} {w} {n}"),
    Program("date and time apart", "text", "window", "{t:%Y-%m-%d};{t:%H:%M:%S};INFO;{w};{n}"),
    Program("date with its zone", "text", "window", "{ny:%a %b %d %H:%M:%S EST %Y} INFO {w} {n}"),
    Program("zone by name", "text", "window", "{eu:%Y-%m-%d %H:%M:%S} CET INFO {w} {n}"),
    Program("offset", "text", "window", "{ny:%Y-%m-%dT%H:%M:%S}-05:00 INFO {w} {n}"),
    Program("no seconds", "text", "window", "{t:%Y-%m-%d %H:%M} INFO {w} {n}"),
    Program("RFC 2822", "text", "window", "{t:%a, %d %b %Y %H:%M:%S +0000} {w} {n}"),
    Program("RFC 850", "text", "window", "{t:%A, %d-%b-%y %H:%M:%S GMT} {w} {n}"),
    Program("epoch s", "text", "window", "{e} INFO {w}"),
    Program("epoch ms", "text", "window", "INFO {e}{ms} {w}"),
    Program("epoch us", "text", "window", "INFO {e}{us} {w}"),
    Program("epoch ns", "text", "window", "INFO {e}{ns} {w}"),
    Program("German months", "text", "window", "{t.day:02d}. {de} {t:%Y %H:%M:%S} INFO {w} {n}"),
    Program("French months", "text", "window", "{t.day} {fr} {t:%Y %H:%M:%S} INFO {w} {n}"),
    Program("Spanish months", "text", "window", "{t:%d}-{es}-{t:%Y %H:%M:%S} INFO {w} {n}"),
    Program("Chinese dates", "text", "window",
            "{t:%Y}年{t:%m}月{t:%d}日 {t:%H:%M:%S} 信息 {w} {n}"),
    # Sessions
    Program("letters after a prefix", "text", "request", "{t:%H:%M:%S} sess_{letters} {w} {n}",
            year=False),
    Program("prefix and letters, no time", "text", "request", "sess_{letters} {w}", timed=False),
    # Times and keys of their own
    Program("time before date", "text", "window", "{t:%H:%M:%S} {t:%d.%m.%Y} INFO {w} {n}"),
    Program("time before ISO date", "text", "window", "{t:%H:%M:%S}.{ms} {t:%Y-%m-%d} INFO {w} "
            "{n}"),
    Program("ISO basic", "text", "window", "{t:%Y%m%dT%H%M%S}Z INFO {w} {n}"),
    Program("14 digits", "text", "window", "{t:%Y%m%d%H%M%S} INFO {w} {n}"),
    Program("17 digits", "text", "window", "{t:%Y%m%d%H%M%S}{ms} INFO {w} {n}"),
    Program("epoch in JSON text", "jsonl", "window", '{{"t":"{e}{ms}","msg":"{w} {n}"}}'),
    Program("epoch with microseconds", "text", "window", "[{e}.{us}] {w} {n}"),
    Program("order numbers", "text", "request", MS + " INFO {w} Order #{r} of {n}"),
    Program("txn with letters", "text", "request", MS + " INFO txn-{letters} {w} {n}"),
    Program("cart in brackets", "text", "request", MS + " [cart:{letters}] {w} {n}"),
    Program("traceparent", "text", "request",
            MS + " INFO traceparent=00-{h32}-{i:016x}-01 {w} {n}"),
    Program("camel case", "text", "request", MS + " INFO {w} sessionId={letters} userId={s}"),
    Program("colon and blank", "text", "request", MS + " INFO {w}, session id: {letters}, took "
            "{n}"),
    Program("XML attributes", "text", "request",
            '<event time="' + ISO + 'Z" level="INFO" requestId="{letters}">{w} {n}</event>'),
    Program("numbered threads", "text", "window", MS + " [Thread-{s}] INFO {w} {n}"),
    Program("users", "text", "window", MS + " INFO {w} user=u{s} took {n} ms"),
)  # fmt: skip
"""More kinds of logs."""
