"""What `/metrics` shows, in the format of Prometheus."""

import functools

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 1000)


class Measures:
    """The counters of a server.

    Every label's values are known when the server starts, or are statuses: a request cannot make a
    new one.
    """

    def __init__(self) -> None:
        # When each counter was made doubles the page, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._requests = Counter(
            "recipes_requests",
            "Requests that were answered.",
            ("route", "model", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "recipes_request_seconds",
            "Seconds from a request's headers to the end of its answer.",
            ("route", "model"),
            buckets=SECONDS,
            registry=registry,
        )
        self._alarms = Counter(
            "recipes_alarms", "Anomalies that were found.", ("model",), registry=registry
        )
        self._rows = Counter(
            "recipes_rows", "Rows that were answered.", ("model",), registry=registry
        )
        self._batches = Histogram(
            "recipes_batch_rows",
            "Inputs that were computed together.",
            ("model",),
            buckets=ROWS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "recipes_requests_in_flight", "Requests that are being answered.", registry=registry
        )
        self._streams = Gauge(
            "recipes_streams_open", "Streams that are open.", ("model",), registry=registry
        )

        # Looking up labels takes longer than counting.
        self._of = functools.cache(
            lambda route, model, status: (
                self._requests.labels(route, model, str(status)),
                self._seconds.labels(route, model),
            )
        )

    def begun(self) -> None:
        """Count a request that begins."""
        self._in_flight.inc()

    def answered(self, route: str, model: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._in_flight.dec()
        requests, times = self._of(route, model, status)
        requests.inc()
        times.observe(seconds)

    def rows(self, model: str, rows: int, alarms: int) -> None:
        """Count rows, and how many of them were anomalies."""
        self._rows.labels(model).inc(rows)
        self._alarms.labels(model).inc(alarms)

    def batch(self, model: str, rows: int) -> None:
        """Count a batch."""
        self._batches.labels(model).observe(rows)

    def streams(self, model: str, opened: int) -> None:
        """Count a stream that was opened (1) or closed (-1)."""
        self._streams.labels(model).inc(opened)

    def watch(self, model: str) -> None:
        """Show a model before its first request, so that rates begin at 0."""
        self.rows(model, 0, 0)
        self.streams(model, 0)

    def page(self) -> bytes:
        """Return what Prometheus reads."""
        return generate_latest(self._registry)
