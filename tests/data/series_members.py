"""Tables as programs and people write them, with what they say."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

RECORDS = 60


class Member(NamedTuple):
    """A table: the name of its file, its text, and what is read from it.

    Attributes:
        name: The name of the file.
        text: The content.
        columns: The watched columns.
        first: The values of the first record.
        last: The values of the last record.
        begin: The first time, or None without times.
    """

    name: str
    text: str
    columns: tuple[str, ...]
    first: tuple[float, ...]
    last: tuple[float, ...]
    begin: str | None = "2024-03-01 00:00:00"


def lines(line: Callable[[int], str], count: int = RECORDS) -> str:
    return "".join(f"{line(number)}\n" for number in range(count))


def clock(number: int) -> str:
    """Return a time of day, ten minutes apart."""
    return f"{number // 6:02}:{number % 6 * 10:02}"


def half(number: int) -> str:
    hour = number // 6
    return f"{hour % 12 or 12}:{number % 6 * 10:02}:00 {'AM' if hour < 12 else 'PM'}"


def load(number: int) -> float:
    return 20.05 + number * 7 % 13 / 10


def comma(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")


def day(number: int) -> str:
    return f"2024-03-01 {clock(number)}"


def epoch(number: int) -> int:
    return 1_709_251_200 + 600 * number


LOAD = (load(0),), (load(RECORDS - 1),)
ONE = (("value",), *LOAD)
LAST = RECORDS - 1


def one(text: Callable[[int], str], header: str = "time,value", name: str = "m.csv") -> Member:
    """Return a table of one column, `value`, whose numbers are `load`."""
    return Member(name, header + "\n" + lines(text), *ONE)


MARKS = {
    "comma, no header": Member(
        "m.csv",
        lines(lambda n: f"{comma(load(n))};{n}"),
        ("value_1", "value_2"),
        (load(0), 0),
        (load(LAST), LAST),
        None,
    ),
    "comma, semicolons": one(lambda n: f"01.03.2024 {clock(n)};{comma(load(n))}", "Zeit;value"),
    "comma, tabs": one(lambda n: f"01.03.2024 {clock(n)}\t{comma(load(n))}", "Zeit\tvalue"),
    "comma, bars": one(lambda n: f"{day(n)}|{comma(load(n))}", "time|value"),
    "comma, quoted": one(lambda n: f'"{day(n)}","{comma(load(n))}"', '"time","value"'),
    "comma, one column": Member(
        "m.csv", "Wert\n" + lines(lambda n: comma(load(n))), ("Wert",), *LOAD, None
    ),
    "comma, points between thousands": Member(
        "m.csv",
        "time;value\n" + lines(lambda n: f"{day(n)};1.{100 + n},5"),
        ("value",),
        (1100.5,),
        (1100.5 + LAST,),
    ),
    "comma, narrow blanks between thousands": Member(
        "m.csv",
        "time;value\n" + lines(lambda n: f"{day(n)};1\u202f{100 + n},5"),
        ("value",),
        (1100.5,),
        (1100.5 + LAST,),
    ),
    "point, apostrophes between thousands": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f"{day(n)},1'{100 + n}.5"),
        ("value",),
        (1100.5,),
        (1100.5 + LAST,),
    ),
    "point, commas between thousands": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f'{day(n)},"1,{100 + n}.5"'),
        ("value",),
        (1100.5,),
        (1100.5 + LAST,),
    ),
    "millions": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f'{day(n)},"1,234,{100 + n}"'),
        ("value",),
        (1_234_100,),
        (1_234_100 + LAST,),
    ),
    "thousands only later": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f'{day(n)},"1,985.5"' if n == LAST else f"{day(n)},{n}.5"),
        ("value",),
        (0.5,),
        (1985.5,),
    ),
    "a point decides for the comma of another column": Member(
        "m.csv",
        "time;a;b\n" + lines(lambda n: f"{day(n)};1,{100 + n};{load(n):.2f}"),
        ("a", "b"),
        (1100, load(0)),
        (1100 + LAST, load(LAST)),
    ),
    "a sign that is no hyphen": Member(
        "m.csv",
        "time;value\n" + lines(lambda n: f"{day(n)};\u2212{n},5"),
        ("value",),
        (-0.5,),
        (-LAST - 0.5,),
    ),
    "two columns of whole numbers": Member(
        "m.csv",
        lines(lambda n: f"{n},{n * 10 % 37}"),
        ("value_1", "value_2"),
        (0, 0),
        (LAST, LAST * 10 % 37),
        None,
    ),
}

UNITS = {
    "per cent": one(lambda n: f"{day(n)},{load(n)}%"),
    "per cent behind a blank": one(lambda n: f"{day(n)},{load(n)} %"),
    "per cent with a comma": one(lambda n: f"{day(n)};{comma(load(n))} %", "time;value"),
    "degrees": one(lambda n: f"{day(n)},{load(n)} °C"),
    "dollars": one(lambda n: f"{day(n)},${load(n):.2f}"),
    "requests a second": one(lambda n: f"{day(n)},{load(n)} req/s"),
    "seconds among milliseconds": Member(
        "m.csv",
        "Time,value\n" + lines(lambda n: f"{day(n)},{'1.2 s' if n % 2 else '980 ms'}"),
        ("value",),
        (980,),
        (1200,),
    ),
    "bytes of several sizes": Member(
        "m.csv",
        "Time,value\n" + lines(lambda n: f"{day(n)},{'1.5 GiB' if n == LAST else '900 MiB'}"),
        ("value",),
        (900,),
        (1536,),
    ),
    "counts as Grafana shortens them": Member(
        "m.csv",
        "Time,value\n" + lines(lambda n: f"{day(n)},{'1.05 K' if n % 2 else '980'}"),
        ("value",),
        (980,),
        (1050,),
    ),
    "true and false": Member(
        "m.csv", "time,value\n" + lines(lambda n: f"{day(n)},{n % 2 == 1}"), ("value",), (0,), (1,)
    ),
    "t and f": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f"{day(n)},{'f' if n % 2 else 't'}"),
        ("value",),
        (1,),
        (0,),
    ),
    "throughput in several units": Member(
        "m.csv",
        "Time,value\n" + lines(lambda n: f"{day(n)},{'1.5 MB/s' if n % 2 else '900 kB/s'}"),
        ("value",),
        (900,),
        (1500,),
    ),
    "Grafana's rates": Member(
        "m.csv",
        "Time,value\n" + lines(lambda n: f"{day(n)},{'1.5 K req/s' if n % 2 else '900 req/s'}"),
        ("value",),
        (900,),
        (1500,),
    ),
    "on and off": Member(
        "m.csv",
        "time,value\n" + lines(lambda n: f"{day(n)},{'off' if n % 2 else 'on'}"),
        ("value",),
        (1,),
        (0,),
    ),
    "Grafana, series joined": Member(
        "m.csv",
        '"Time","cpu {host=a}","cpu {host=b}"\n'
        + lines(lambda n: f'"{day(n)}:00","{load(n)}%","{n} %"'),
        ("cpu {host=a}", "cpu {host=b}"),
        (load(0), 0),
        (load(LAST), LAST),
    ),
    "Grafana, series as rows": Member(
        "m.csv",
        "Series;Time;Value\n"
        + lines(lambda n: f"a;{day(n)};{load(n)}")
        + lines(lambda n: f"b;{day(n)};{n}"),
        ("a.Value", "b.Value"),
        (load(0), 0),
        (load(LAST), LAST),
    ),
}


def timed(write: Callable[[int], object]) -> Member:
    return one(lambda n: f"{write(n)},{load(n)}")


TIMES = {
    "AM and PM": timed(lambda n: f"3/1/2024 {half(n)}"),
    "AM and PM, ISO": timed(lambda n: f"2024-03-01 {half(n)}"),
    "UTC": timed(lambda n: f"{day(n)}:00 UTC"),
    "GMT": timed(lambda n: f"{day(n)}:00 GMT"),
    "CET": timed(lambda n: f"{day(n)}:00 CET"),
    "a zone behind a blank": timed(lambda n: f"{day(n)}:00 +0000"),
    "nanoseconds": timed(lambda n: f"2024-03-01T{clock(n)}:00.000000000Z"),
    "month's name": timed(lambda n: f"1 Mar 2024 {clock(n)}"),
    "month's name, hyphens": timed(lambda n: f"01-Mar-24 {clock(n)}:00"),
    "month's name, American": timed(lambda n: f'"Mar 1, 2024 {half(n)}"'),
    "month's name in full": timed(lambda n: f'"March 1, 2024 {clock(n)}"'),
    "weekday": timed(lambda n: f'"Fri, 01 Mar 2024 {clock(n)}:00 GMT"'),
    "as date prints": timed(lambda n: f"Fri Mar  1 {clock(n)}:00 UTC 2024"),
    "as Apache writes": timed(lambda n: f"01/Mar/2024:{clock(n)}:00 +0000"),
    "slashes, year first": timed(lambda n: f"2024/3/1 {n // 6}:{n % 6 * 10:02}"),
    "points, short year": timed(lambda n: f"01.03.24 {clock(n)}"),
    "seconds": timed(epoch),
    "seconds with a fraction": timed(lambda n: f"{epoch(n)}.0"),
    "milliseconds": timed(lambda n: epoch(n) * 10**3),
    "microseconds": timed(lambda n: epoch(n) * 10**6),
    "nanoseconds since 1970": timed(lambda n: epoch(n) * 10**9),
    "days of a spreadsheet": timed(lambda n: f"{45352 + n / 144:.9f}"),
    "days without marks": timed(lambda n: 20240301 + n % 28),
    "epoch by its name": one(lambda n: f"{epoch(n) * 1000},{load(n)}", "epoch_ms,value"),
    "day first, as the gaps show": one(lambda n: f"{1 + n // 24}/3/2024 {n % 24}:00,{load(n)}"),
    "date and time": one(lambda n: f"2024-03-01,{clock(n)}:00,{load(n)}", "Date,Time,value"),
    "date and time, points": one(
        lambda n: f"{1 + n // 24:02}/03/2024;{n % 24:02}.00.00;{comma(load(n))}", "Date;Time;value"
    ),
    "date and time, AM and PM": one(lambda n: f"3/1/2024,{half(n)},{load(n)}", "Date,Time,value"),
    "time before the date": one(lambda n: f"{clock(n)},2024-03-01,{load(n)}", "Time,Date,value"),
    "date and time without marks": one(
        lambda n: f"20240301,{clock(n).replace(':', '')}00,{load(n)}", "date,time,value"
    ),
    "month's name in capitals": timed(lambda n: f"01-MAR-2024 {clock(n)}:00"),
    "short zone": timed(lambda n: f"{day(n)}:00+00"),
    "comma before the fraction": timed(lambda n: f'"{day(n)}:00,000"'),
    "date and hour": one(
        lambda n: f"2024-03-{1 + n // 24:02},{n % 24},{load(n)}", "date,hour,value"
    ),
}

PREAMBLES = {
    "sep=": one(lambda n: f"{day(n)};{load(n)}", "sep=;\ntime;value"),
    "sep= of a tab": one(lambda n: f"{day(n)}\t{comma(load(n))}", '"sep=\t"\ntime\tvalue'),
    "comments": one(lambda n: f"{day(n)},{load(n)}", "# made by x, in room 7\n# 5\ntime,value"),
    "a header that is a comment": one(lambda n: f"{day(n)},{load(n)}", "# time,value"),
    "a title": one(
        lambda n: f"{day(n)},{load(n)}",
        "Export of plant 7\nCreated: 2024-03-05 10:00\n\ntime,value",
    ),
    "a title in cells": one(lambda n: f"{day(n)};{load(n)}", "Report;\ntime;value"),
    "a line of units": one(lambda n: f"{day(n)},{load(n)}", "time,value\nUTC,°C"),
    "two lines of names": Member(
        "m.csv",
        "time,cpu,cpu\n,user,sys\n" + lines(lambda n: f"{day(n)},{load(n)},{n}"),
        ("cpu user", "cpu sys"),
        (load(0), 0),
        (load(LAST), LAST),
    ),
    "open ends": one(
        lambda n: f"10/03/2004;{clock(n).replace(':', '.')}.00;{comma(load(n))};;",
        "Date;Time;value;;",
    )._replace(begin="2004-03-10 00:00:00"),
    "a header that comes again": one(
        lambda n: f"{day(n)},{load(n)}" if n != 30 else f"{day(n)},{load(n)}\ntime,value"
    ),
    "row numbers of a DataFrame": one(lambda n: f"{n},{day(n)},{load(n)}", ",time,value"),
}

LINUX = "Linux 5.10.0-8-amd64 (web1) \t03/01/2024 \t_x86_64_\t(4 CPU)\n\n"
VMSTAT = (
    "procs -----------memory---------- ---swap-- ------cpu-----\n"
    " r  b   swpd   free   us sy id wa\n"
)


def sar(number: int) -> str:
    again = "\n12:00:01 AM     CPU     %user     %idle\n" if number % 20 == 0 else ""
    return f"{again}{half(number)}        all     {load(number):.2f}     70.00"


def of_each(names: Sequence[str], line: Callable[[int, str], str]) -> str:
    return lines(lambda n: "\n".join(line(n, name) for name in names))


USER = ("%user", "%idle"), (load(0), 70.0), (load(LAST), 70.0)

REPORTS = {
    "vmstat": Member(
        "m.txt",
        lines(lambda n: ("" if n % 20 else VMSTAT) + f" 1  0      0 {8000 + n}   {n % 9}  2 80  0"),
        ("r", "b", "swpd", "free", "us", "sy", "id", "wa"),
        (1, 0, 0, 8000, 0, 2, 80, 0),
        (1, 0, 0, 8000 + LAST, LAST % 9, 2, 80, 0),
        None,
    ),
    "vmstat -t": Member(
        "m.txt",
        "procs ---memory-- -----timestamp-----\n r  b free                 UTC\n"
        + lines(lambda n: f" 1  0 {800 + n} {day(n)}:00"),
        ("r", "b", "free"),
        (1, 0, 800),
        (1, 0, 800 + LAST),
    ),
    "sar": Member("m.txt", LINUX + lines(sar) + "Average:        all      5.00     93.00\n", *USER),
    "sar, 24 hours": Member(
        "m.txt",
        LINUX
        + "00:00:01        CPU     %user     %idle\n"
        + lines(lambda n: f"{clock(n)}:00        all      {load(n):.2f}     70.00"),
        *USER,
    ),
    "sar, commas": Member(
        "m.txt",
        LINUX
        + "00:00:01        CPU     %user     %idle\n"
        + lines(lambda n: f"{clock(n)}:00        all      {comma(load(n))}     70,00"),
        *USER,
    ),
    "sar -n DEV": Member(
        "m.txt",
        LINUX
        + "00:00:01        IFACE   rxpck/s   txpck/s\n"
        + of_each(("lo", "eth0"), lambda n, name: f"{clock(n)}:00  {name}  {n}.00  1.00"),
        ("lo.rxpck/s", "lo.txpck/s", "eth0.rxpck/s", "eth0.txpck/s"),
        (0, 1, 0, 1),
        (LAST, 1, LAST, 1),
    ),
    "mpstat -P ALL": Member(
        "m.txt",
        LINUX
        + "12:00:01 AM  CPU    %usr   %idle\n"
        + of_each(("all", "0"), lambda n, name: f"{half(n)}  {name}  {n}.00  9.00"),
        ("all.%usr", "all.%idle", "0.%usr", "0.%idle"),
        (0, 9, 0, 9),
        (LAST, 9, LAST, 9),
    ),
    "iostat": Member(
        "m.txt",
        LINUX
        + lines(
            lambda n: (
                "avg-cpu:  %user   %idle\n"
                f"           {load(n):.2f}   93.00\n\nDevice             tps    kB_read/s\n"
                f"sda               {n}.00        10.00\nsdb               1.00        20.00\n"
            )
        ),
        ("%user", "%idle", "sda.tps", "sda.kB_read/s", "sdb.tps", "sdb.kB_read/s"),
        (load(0), 93, 0, 10, 1, 20),
        (load(LAST), 93, LAST, 10, 1, 20),
        None,
    ),
    "iostat -t": Member(
        "m.txt",
        LINUX
        + lines(
            lambda n: (
                f"03/01/2024 {half(n)}\navg-cpu:  %user   %idle\n           {load(n):.2f}   70.00\n"
            )
        ),
        *USER,
    ),
    "free -s": Member(
        "m.txt",
        lines(
            lambda n: (
                "               total        used        free\n"
                f"Mem:        16384000     {4000 + n}     8000\n"
                "Swap:        2097148      0     2097148\n"
            )
        ),
        ("Mem.total", "Mem.used", "Mem.free", "Swap.total", "Swap.used", "Swap.free"),
        (16384000, 4000, 8000, 2097148, 0, 2097148),
        (16384000, 4000 + LAST, 8000, 2097148, 0, 2097148),
        None,
    ),
    "free -h": Member(
        "m.txt",
        lines(
            lambda n: (
                "               total        used\nMem:           7.6Gi       "
                f"{'1.5Gi' if n % 2 else '900Mi'}\nSwap:          2.0Gi          0B\n"
            )
        ),
        ("Mem.total", "Mem.used", "Swap.total", "Swap.used"),
        (7.6, 900, 2, 0),
        (7.6, 1536, 2, 0),
        None,
    ),
    "pidstat": Member(
        "m.txt",
        LINUX
        + "12:00:01 AM   UID       PID    %user %idle   CPU  Command\n"
        + lines(lambda n: f"{half(n)}  1000  4242  {load(n):.2f}  70.00  {n % 4}  java -jar"),
        *USER,
    ),
    "pidstat -h": Member(
        "m.txt",
        LINUX
        + "# Time        UID       PID    %user %idle   CPU  Command\n"
        + lines(lambda n: f" {epoch(n)}  1000  4242  {load(n):.2f}  70.00  {n % 4}  java"),
        *USER,
    ),
    "sadf -d": Member(
        "m.csv",
        "# hostname;interval;timestamp;CPU;%user;%idle\n"
        + lines(lambda n: f"h1;600;{day(n)}:00 UTC;-1;{load(n):.2f};70.00")
        + "h1;-1;2024-03-02 00:00:00 UTC;LINUX-RESTART\n",
        *USER,
    ),
    "sadf -d -- -P ALL": Member(
        "m.csv",
        "# hostname;interval;timestamp;CPU;%user;%idle\n"
        + of_each(("-1", "0"), lambda n, cpu: f"h1;600;{day(n)}:00 UTC;{cpu};{n};7"),
        ("-1.%user", "-1.%idle", "0.%user", "0.%idle"),
        (0, 7, 0, 7),
        (LAST, 7, LAST, 7),
    ),
    "blanks": Member(
        "m.txt",
        lines(lambda n: f"{load(n):.2f} {n} 5"),
        ("value_1", "value_2", "value_3"),
        (load(0), 0, 5),
        (load(LAST), LAST, 5),
        None,
    ),
    "blanks, date and time": Member(
        "m.txt",
        "date time cpu mem\n" + lines(lambda n: f"{day(n)}:00 {n}.5 7"),
        ("cpu", "mem"),
        (0.5, 7),
        (LAST + 0.5, 7),
    ),
}


def flux(field: str, host: str, table: int) -> str:
    return lines(
        lambda n: (
            f",,{table},2024-03-01T00:00:00Z,2024-03-04T00:00:00Z,2024-03-01T{clock(n)}:00Z,"
            f"{n + table}.5,{field},{host}"
        )
    )


ANNOTATIONS = (
    "#group,false,false,true,true,false,false,true,true\n"
    "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string\n"
    "#default,_result,,,,,,,\n"
)
FLUX = ",result,table,_start,_stop,_time,_value,_field,host\n"


def document(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent)


def prometheus(*instances: str) -> dict[str, Any]:
    result = [
        {
            "metric": {"__name__": "node_load1", "instance": one, "job": "node"},
            "values": [[epoch(n), str(load(n))] for n in range(RECORDS)],
        }
        for one in instances
    ]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


EXPORTS = {
    "line protocol": Member(
        "m.txt", lines(lambda n: f"cpu,host=h1 value={load(n)} {epoch(n)}000000000"), *ONE
    ),
    "line protocol, whole numbers and text": Member(
        "m.txt",
        lines(lambda n: f'my\\ cpu,host=h\\,1 value={n}i,note="a b, c=d" {epoch(n)}'),
        ("value",),
        (0,),
        (LAST,),
    ),
    "line protocol, hosts": Member(
        "m.txt",
        of_each(("h1", "h2"), lambda n, host: f"cpu,host={host} u={n},up=t {epoch(n)}000000000"),
        ("h1.u", "h1.up", "h2.u", "h2.up"),
        (0, 1, 0, 1),
        (LAST, 1, LAST, 1),
    ),
    "line protocol, measurements": Member(
        "m.txt",
        lines(lambda n: f"cpu,host=h1 u={n} {epoch(n)}\nmem,host=h1 used={n}u {epoch(n)}"),
        ("cpu.u", "mem.used"),
        (0, 0),
        (LAST, LAST),
    ),
    "annotated CSV": Member(
        "m.csv", ANNOTATIONS + FLUX + flux("u", "h1", 0), ("_value",), (0.5,), (LAST + 0.5,)
    ),
    "annotated CSV, tables": Member(
        "m.csv",
        ANNOTATIONS
        + FLUX
        + flux("u", "h1", 0)
        + flux("u", "h2", 1)
        + "\n"
        + ANNOTATIONS
        + FLUX
        + flux("v", "h1", 2),
        ("u.h1._value", "u.h2._value", "v.h1._value"),
        (0.5, 1.5, 2.5),
        (LAST + 0.5, LAST + 1.5, LAST + 2.5),
    ),
    "annotated CSV without annotations": Member(
        "m.csv", FLUX + flux("u", "h1", 0), ("_value",), (0.5,), (LAST + 0.5,)
    ),
    "Prometheus": Member("m.json", document(prometheus("a:9100")), *ONE),
    "Prometheus, instances, indented": Member(
        "m.json",
        document(prometheus("a", "b"), 2),
        ("a.value", "b.value"),
        (load(0),) * 2,
        (load(LAST),) * 2,
    ),
    "CloudWatch's GetMetricData": Member(
        "m.json",
        document(
            {
                "MetricDataResults": [
                    {
                        "Id": "m1",
                        "Label": "CPU",
                        "StatusCode": "Complete",
                        "Timestamps": [f"2024-03-01T{clock(n)}:00+00:00" for n in range(RECORDS)][
                            ::-1
                        ],
                        "Values": [load(n) for n in range(RECORDS)][::-1],
                    }
                ]
            },
            4,
        ),
        ("Value",),
        *LOAD,
    ),
    "CloudWatch's get-metric-statistics": Member(
        "m.json",
        document(
            {
                "Label": "CPU",
                "Datapoints": [
                    {
                        "Timestamp": f"2024-03-01T{clock(n * 7 % RECORDS)}:00Z",
                        "Average": load(n * 7 % RECORDS),
                        "Unit": "Percent",
                    }
                    for n in range(RECORDS)
                ],
            },
            4,
        ),
        ("Average",),
        *LOAD,
    ),
    "Azure Monitor": Member(
        "m.json",
        document(
            {
                "interval": "PT1M",
                "value": [
                    {
                        "name": {"value": name, "localizedValue": name},
                        "unit": "Percent",
                        "timeseries": [
                            {
                                "metadatavalues": [],
                                "data": [
                                    {
                                        "timeStamp": f"2024-03-01T{clock(n)}:00Z",
                                        "average": load(n) + more,
                                    }
                                    for n in range(RECORDS)
                                ],
                            }
                        ],
                    }
                    for more, name in enumerate(("CPU", "Disk"))
                ],
            }
        ),
        ("CPU.average", "Disk.average"),
        (load(0), load(0) + 1),
        (load(LAST), load(LAST) + 1),
    ),
    "Google Cloud Monitoring": Member(
        "m.json",
        document(
            {
                "timeSeries": [
                    {
                        "metric": {"type": "cpu/load", "labels": {"name": "a"}},
                        "resource": {"type": "gce_instance", "labels": {"zone": "z"}},
                        "points": [
                            {
                                "interval": {"endTime": f"2024-03-01T{clock(n)}:00Z"},
                                "value": {"doubleValue": load(n)},
                            }
                            for n in range(RECORDS)
                        ][::-1],
                    }
                ]
            },
            2,
        ),
        ("value",),
        *LOAD,
    ),
    "Graphite": Member(
        "m.json",
        document([{"target": "a.b", "datapoints": [[load(n), epoch(n)] for n in range(RECORDS)]}]),
        *ONE,
    ),
    "InfluxDB 1": Member(
        "m.json",
        document(
            {
                "results": [
                    {
                        "series": [
                            {
                                "name": "cpu",
                                "columns": ["time", "mean"],
                                "values": [
                                    [f"2024-03-01T{clock(n)}:00Z", load(n)] for n in range(RECORDS)
                                ],
                            }
                        ]
                    }
                ]
            }
        ),
        ("mean",),
        *LOAD,
    ),
    "a list of objects": Member(
        "m.json",
        document([{"time": day(n), "v": {"a": load(n)}} for n in range(RECORDS)], 1),
        ("v.a",),
        *LOAD,
    ),
    "lists of one length": Member(
        "m.json",
        document(
            {
                "hourly": {
                    "time": [day(n) for n in range(RECORDS)],
                    "temp": [load(n) for n in range(RECORDS)],
                }
            }
        ),
        ("temp",),
        *LOAD,
    ),
    "JSON lines with truths and texts": Member(
        "m.jsonl",
        lines(
            lambda n: document(
                {"time": day(n), "up": n % 2 == 1, "v": comma(load(n)), "share": f"{n}%"}
            )
        ),
        ("up", "v", "share"),
        (0, load(0), 0),
        (1, load(LAST), LAST),
    ),
}

KINDS = {
    "marks": MARKS,
    "units": UNITS,
    "times": TIMES,
    "preambles": PREAMBLES,
    "reports": REPORTS,
    "exports": EXPORTS,
}

REFUSED = {
    "one number or two": ("m.csv", lines(lambda n: f"21,{n % 10}"), "'21,0', one number or two"),
    "thousands or decimals": (
        "m.csv",
        "time;v\n" + lines(lambda n: f"{day(n)};1,{100 + n}"),
        "'1,100'",
    ),
    "thousands or decimals, quoted": (
        "m.csv",
        "time,v\n" + lines(lambda n: f'{day(n)},"1,{100 + n}"'),
        "'1,100'",
    ),
    "points between thousands or decimals": (
        "m.csv",
        "time;v\n" + lines(lambda n: f"{day(n)};{f'1.{n:03}' if n % 2 else 980}"),
        "'1.001'",
    ),
    "two decimal marks": (
        "m.csv",
        "time;v\n" + lines(lambda n: f"{day(n)};{'1,5' if n % 2 else '1.5'}"),
        "'1,5' and '1.5'",
    ),
    "decimal commas between commas": (
        "m.csv",
        "Zeit,Wert\n" + lines(lambda n: f"01.03.2024 {clock(n)},19,{n}"),
        "expected 2 cells, received 3",
    ),
    "units that do not fit": (
        "m.csv",
        "time,v\n" + lines(lambda n: f"{day(n)},{n + 1} {'kg' if n % 2 else 'ms'}"),
        "'1 ms' and '2 kg'",
    ),
    "a unit that comes later": (
        "m.csv",
        "time,v\n" + lines(lambda n: f"{day(n)},{n}{'%' if n == LAST else ''}"),
        f"'{LAST}%'",
    ),
    "thousands that come later": (
        "m.csv",
        "time,v\n" + lines(lambda n: f"{day(n % 140)},{n}", 2_000) + '2024-03-02 00:00,"1,985"\n',
        "'1,985'",
    ),
    "Loki": (
        "m.json",
        document(
            {
                "status": "success",
                "data": {
                    "resultType": "streams",
                    "result": [
                        {"stream": {"app": "x"}, "values": [["1709251200000000000", "error"]]}
                    ],
                },
            }
        ),
        "no|column of numbers",
    ),
}
