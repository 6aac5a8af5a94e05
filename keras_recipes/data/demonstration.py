"""A synthetic log of a small shop, and the names of all synthetic data.

All of it is invented. An order is put into the basket, paid, packed and shipped. Orders overlap in
time. In the second log, about one order in thirty goes wrong in one of six ways.
`demonstration_series` has the synthetic series of numbers.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

NAME, BROKEN = "demo", "demo-anomalies"
METRICS, BROKEN_METRICS = "demo-metrics", "demo-metrics-anomalies"
SYNTHETIC = {name: f"{name} (synthetic)" for name in (NAME, BROKEN, METRICS, BROKEN_METRICS)}
"""The names of synthetic data in messages and tables."""

BROKEN_OF = {NAME: BROKEN, METRICS: BROKEN_METRICS}
"""The name of the data with anomalies for the name of the normal data."""

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
    """Return the lines of the normal log."""
    return [line for _, line in sorted(_log(random.Random(1), ORDERS, 100_000, {}))]


def broken() -> list[bytes]:
    """Return the lines of the log with anomalies."""
    wrong = {order for order, anomaly in truth().items() if anomaly}
    number = random.Random(3)
    ways = {name: number.randrange(6) for name in sorted(wrong)}
    return [line for _, line in sorted(_log(random.Random(2), BROKEN_ORDERS, 200_000, ways))]


def truth() -> dict[str, int]:
    """Return the label of each session of the log with anomalies: 1 for an anomaly, else 0."""
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
    """Return the events of a normal order."""
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
