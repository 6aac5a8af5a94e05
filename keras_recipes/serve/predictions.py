"""`POST /predict/MODEL`: the rows that `recipes predict MODEL --format jsonl` prints."""

import asyncio
import functools
import io
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keras_recipes.commands.predict import answer
from keras_recipes.errors import InputError, UnsafeModelError
from keras_recipes.recipe import Prose, Row
from keras_recipes.report import tables
from keras_recipes.serve import contents, queries
from keras_recipes.serve.limits import Bodies, Limits
from keras_recipes.serve.measures import Measures
from keras_recipes.serve.models import Models, Served
from keras_recipes.serve.refusals import Refusal

ROWS = "application/x-ndjson"
TEXT = "text/plain; charset=utf-8"
THREADS = 4


class Predictions:
    """The address that answers with rows.

    Args:
        models: The models of the server.
        bodies: Reads the bodies of requests.
        limits: The limits of the server.
        measures: The counters of the server.
    """

    def __init__(self, models: Models, bodies: Bodies, limits: Limits, measures: Measures) -> None:
        self._models, self._bodies, self._limits = models, bodies, limits
        self._measures = measures
        self._threads = ThreadPoolExecutor(THREADS, "predict")

    async def answer(self, request: Request) -> Response:
        """Answer pictures, rows, lines or records."""
        served = self._models.named(request.path_params["model"])
        given = queries.given(served, request.query_params)
        stop = threading.Event()
        try:
            async with self._limits.in_time():
                # A folder of its own, which ends with the request.
                with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                    asked = await contents.of_request(
                        request, served, Path(folder), self._bodies, self._limits
                    )
                    work = functools.partial(self._answered, served, asked, given, folder, stop)
                    text, kind = await asyncio.get_running_loop().run_in_executor(
                        self._threads, work
                    )
        finally:
            stop.set()
        return Response(text, media_type=kind)

    def close(self) -> None:
        """End the threads when they are done."""
        self._threads.shutdown()

    def _answered(
        self, served: Served, asked: Any, given: dict[str, Any], folder: str, stop: threading.Event
    ) -> tuple[str, str]:
        """Return the whole answer, so that an error in the middle still has its own status."""
        try:
            found = answer(served.found, asked, given)
            if isinstance(found, Prose):
                return "".join(_until(found.pieces, stop)), TEXT
            text, counted = io.StringIO(), _Counted(found.rows)
            tables.FORMS["jsonl"](_until(counted, stop), text)
            self._measures.rows(served.name, counted.rows, counted.alarms)
            return text.getvalue().replace(f"{folder}/", ""), ROWS
        except (InputError, UnsafeModelError) as error:
            raise Refusal(422, str(error).replace(f"{folder}/", "")) from None


class _Counted:
    """Counts rows, and how many of them are anomalies."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows, self.rows, self.alarms = rows, 0, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.rows += 1
            self.alarms += bool(row.get("anomaly"))
            yield row


def _until(some: Any, stop: threading.Event) -> Iterator[Any]:
    """Yield the same until nobody waits for it any more."""
    for one in some:
        if stop.is_set():
            return
        yield one
