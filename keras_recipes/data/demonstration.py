"""A synthetic log of a small shop, and a synthetic series of numbers: recipes without any data.

Nothing in them is real. In the log, an order is put into the basket, paid, packed and shipped;
orders overlap in time. In the second log about one order in thirty goes wrong in one of six ways.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from keras_recipes.data.time_series import MONDAY, Record, Series

NAME, BROKEN = "demo", "demo-anomalies"
METRICS, BROKEN_METRICS = "demo-metrics", "demo-metrics-anomalies"
SYNTHETIC = {name: f"{name} (synthetic)" for name in (NAME, BROKEN, METRICS, BROKEN_METRICS)}
"""What they are called where people read it."""

BROKEN_OF = {NAME: BROKEN, METRICS: BROKEN_METRICS}
"""What is normal, and the same with anomalies."""

ORDERS, BROKEN_ORDERS = 3_000, 1_200

_BEGIN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_DEPOTS = ("north", "south", "harbour")
_LINES = {
    "basket": "INFO shop.Basket: order-{order} created by customer {number}",
    "item": "INFO shop.Basket: order-{order} item {number} added",
    "price": "DEBUG shop.Price: order-{order} priced at {number}.{cents:02d}",
    "pay": "INFO shop.Payment: order-{order} payment authorised, code {number}",
    "retry": "WARN shop.Payment: order-{order} gateway slow, trying again in {cents} ms",
    "pack": "INFO depot.{depot}: order-{order} packed in {cents} s",
    "label": "INFO depot.{depot}: order-{order} label printed",
    "ship": "INFO shop.Carrier: order-{order} handed over, parcel {number}",
    "done": "INFO shop.Mail: order-{order} customer informed",
    "refused": "ERROR shop.Payment: order-{order} card refused, reason {cents}",
    "lost": "ERROR depot.{depot}: order-{order} item {number} not on its shelf",
}


def normal() -> list[bytes]:
    """The lines of the log to learn from."""
    return [line for _, line in sorted(_log(random.Random(1), ORDERS, 100_000, {}))]


def broken() -> list[bytes]:
    """The lines of the log with anomalies in it."""
    wrong = {order for order, anomaly in truth().items() if anomaly}
    number = random.Random(3)
    ways = {name: number.randrange(6) for name in sorted(wrong)}
    return [line for _, line in sorted(_log(random.Random(2), BROKEN_ORDERS, 200_000, ways))]


def truth() -> dict[str, int]:
    """Session of the second log to 1 where it went wrong, else 0."""
    number = random.Random(4)
    return {f"order-{200_000 + i}": int(number.random() < 1 / 30) for i in range(BROKEN_ORDERS)}


def _log(
    number: random.Random, orders: int, first: int, ways: dict[str, int]
) -> Iterator[tuple[tuple[datetime, int, int], bytes]]:
    time = _BEGIN
    for order in range(first, first + orders):
        time += timedelta(seconds=number.expovariate(1 / 20))
        events = _order(number)
        name = f"order-{order}"
        if name in ways:
            events = _spoiled(events, ways[name], number)
        now, depot = time, number.choice(_DEPOTS)
        for step, event in enumerate(events):
            now += timedelta(seconds=number.expovariate(1 / 15))
            values = {"number": number.randrange(1_000, 99_999), "cents": number.randrange(100)}
            text = _LINES[event].format(order=order, depot=depot, **values)
            stamp = now.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
            yield (now, order, step), f"{stamp} {text}".encode()


def _order(number: random.Random) -> list[str]:
    """The events of an order in which nothing goes wrong."""
    items = 1 + min(7, int(number.expovariate(0.6)))
    events = ["basket"]
    for _ in range(items):
        events += ["item", "price"]
    events += ["retry"] * (number.random() < 0.08)
    events += ["pay", *(["pack"] * (1 + items // 4)), "label", "ship"]
    if number.random() < 0.5:
        return [*events, "done"]
    return [*events[:-1], "done", "ship"]


def _spoiled(events: list[str], way: int, number: random.Random) -> list[str]:
    pay = events.index("pay")
    if way == 0:
        return [*events[:pay], "refused"]
    if way == 1:
        return events[: pay + 1]
    if way == 2:
        return [*events[:pay], "pack", "pay", *events[pay + 2 :]]
    if way == 3:
        return [*events[: pay + 1], "pay", *events[pay + 1 :]]
    if way == 4:
        return [*events[: pay + 1], "lost", "lost", *events[pay + 1 :]]
    return [event for event in events if event != "label"]


_WEEK = 7 * 144  # of records every ten minutes
_WEEKS = 4
_INCIDENTS = (
    # Row, records, factor, offset.
    (2 * _WEEK + 1 * 144 + 12 * 6, 3, 3.0, 0.0),
    (2 * _WEEK + 3 * 144 + 10 * 6, 6, 0.0, 0.0),
    (3 * _WEEK + 2 * 144 + 1 * 6, 18, 0.0, 600.0),
    (3 * _WEEK + 4 * 144 + 12 * 6, 360, 4 / 3, 0.0),
)


def metrics() -> Series:
    """Requests a minute of a service, every ten minutes, for two weeks in which all is well."""
    return _requests(0, 2 * _WEEK)


def broken_metrics() -> Series:
    """The two weeks after these, with four incidents.

    A burst of half an hour on Tuesday noon, an outage of an hour on Thursday morning; a night like
    a day on Wednesday of the second week, and a third more traffic than usual from its Friday on.
    """
    return _requests(2 * _WEEK, _WEEKS * _WEEK)


def metrics_truth() -> list[tuple[float, float]]:
    """Begin and end of each incident, as `Record.seconds`."""
    return [(_seconds(row), _seconds(row + length - 1)) for row, length, _, _ in _INCIDENTS]


def _requests(first: int, last: int) -> Series:
    import numpy as np

    rows = np.arange(_WEEKS * _WEEK)
    hour, day = rows / 6 % 24, rows // 144 % 7
    usual = 400 + 300 * np.sin((hour - 9) / 24 * 2 * np.pi) * np.where(day < 5, 1, 0.4)
    values = usual * np.random.default_rng(0).lognormal(0, 0.06, len(rows))
    for start, length, factor, offset in _INCIDENTS:
        span = slice(start, start + length)
        values[span] = factor * values[span] + offset
    records = (
        Record(str(_time(row)), _seconds(row), (round(float(values[row]), 1),))
        for row in range(first, last)
    )
    return Series(("requests",), records, "timestamp", ("timestamp", "requests"))


def _time(row: int) -> datetime:
    return datetime(2024, 1, 1) + timedelta(minutes=10 * row)  # a Monday


def _seconds(row: int) -> float:
    return (_time(row) - MONDAY).total_seconds()
