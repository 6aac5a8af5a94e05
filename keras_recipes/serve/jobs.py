"""`/page/jobs`: what the page fits and judges, each job in a process and a folder of its own.

A job is a file that was dropped, and a model: one of the server's, or one that is fitted on the
first part of the file. One job runs at a time. The server only watches it, so it stays small and
answers, and it never imports TensorFlow. Who started a job knows its name, which nobody can guess.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from keras_recipes import catalog, extras, options
from keras_recipes.serve import contents
from keras_recipes.serve.job_child import CHART, RECIPE, ROWS, Asked
from keras_recipes.serve.limits import MEGA, Bodies, Limits
from keras_recipes.serve.models import Models
from keras_recipes.serve.predictions import ROWS as JSON_LINES
from keras_recipes.serve.protocol import JSON
from keras_recipes.serve.refusals import Refusal
from keras_recipes.untrusted import starting

SHARE = 0.5
"""The share of a file to learn from, if the page asks for none."""

OF_FIT = (
    *("kind", "session", "session_field", "window", "columns", "time", "time_format", "zone"),
    *("decimal", "log_format", "epochs"),
)
OF_JUDGE = ("threshold", "false_alarm_rate", "false_alarms_per_day")
"""The options that the page may set; none of them names a file."""

KEPT, SECONDS_KEPT = 8, 3_600
"""The most jobs whose rows are kept, and for how long."""

LOOK = 0.2
"""Seconds between two looks at what a job uses."""

LONGEST_EVENT = 1 << 20

MOST_SAID = 20
FILES = {
    f"{ROWS}.jsonl": JSON_LINES,
    f"{ROWS}.csv": contents.CSV,
    CHART: JSON,
}
"""The files of a job that the page may read."""

log = logging.getLogger(__name__)

State = Literal["fitting", "judging", "done", "failed", "stopped"]


@dataclass(eq=False)
class Job:
    """A file that was dropped, and the model that judges it.

    Attributes:
        name: Its name in the address.
        folder: Its folder, which ends with it.
        file: The name of the file in the folder.
        model: The path of a model of the server; None is the one that is fitted.
        state: What it does.
        told: What its process told, by name.
        said: The messages of its process.
        error: Why it failed, in one line.
        task: What watches its process.
    """

    name: str
    folder: "tempfile.TemporaryDirectory[str]"
    file: str = ""
    model: str | None = None
    state: State = "judging"
    told: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    error: str = ""
    task: "asyncio.Task[None] | None" = None

    @property
    def place(self) -> Path:
        """The folder of the file alone, so that its name cannot be that of another file."""
        return Path(self.folder.name).resolve() / "given"

    def hear(self, line: bytes) -> None:
        """Take note of an event of the process."""
        event = msgspec.json.decode(line)
        if "said" in event:
            text = ("warning: " if event["warning"] else "") + self._short(event["said"])
            if text not in self.said and len(self.said) < MOST_SAID:
                self.said.append(text)
        elif "error" in event:
            self.error = self._short(event["error"])
        else:
            self.told.update(event)

    def _short(self, text: str) -> str:
        """Return a message without the paths of this machine."""
        if self.model:
            text = text.replace(self.model, Path(self.model).name)
        return text.replace(f"{self.place}{os.sep}", "").replace(str(self.place.parent), "")

    def fails(self, error: str) -> None:
        """End with an error, unless the process told a better one."""
        self.state, self.error = "failed", self.error or error


class Jobs:
    """The addresses of jobs.

    Args:
        models: The models of the server.
        bodies: Reads the bodies of requests.
        limits: The limits of the server.
    """

    def __init__(self, models: Models, bodies: Bodies, limits: Limits) -> None:
        self._models, self._bodies, self._limits = models, bodies, limits
        self._jobs: dict[str, Job] = {}
        self._running: Job | None = None

    def routes(self) -> list[Route]:
        """Return the addresses."""
        job = "/page/jobs/{job}"
        return [
            Route("/page/jobs", self.offered, methods=["GET"]),
            Route("/page/jobs", self.start, methods=["POST"]),
            Route(job, self.watched, methods=["GET"]),
            Route(job, self.stop, methods=["DELETE"]),
            Route(f"{job}/rows", self.judge, methods=["POST"]),
            Route(f"{job}/{{file}}", self.file, methods=["GET"]),
        ]

    async def offered(self, request: Request) -> Response:
        """Say what can be judged, and whether a model can be fitted here."""
        names = [name for name, served in self._models.by_name.items() if served.streams]
        known = options.of(catalog.get(RECIPE))
        return _json(
            {
                "models": names,
                "trains": self._trains(),
                "share": SHARE,
                "epochs": known["epochs"].default,
            }
        )

    async def start(self, request: Request) -> Response:
        """Take a file, and begin to fit and judge it, or only to judge it by a model."""
        query = dict(request.query_params)
        served = self._models.named(query.pop("model")) if "model" in query else None
        if served is not None and not served.streams:
            raise Refusal(422, f"{served.name}: judges no logs and no series; name another model")
        if served is None and not self._trains():
            raise Refusal(422, "this server fits no models; name one of its models")
        share = _share(query.pop("share", str(SHARE)))
        given = _given(query, OF_JUDGE if served else OF_FIT, "predict" if served else "fit")
        job = self._new()
        try:
            async with self._limits.in_time():
                job.file = await self._received(request, job)
        except BaseException:
            self._removed(job)
            raise
        if served:
            assert served.found.place is not None
            job.model = str(served.found.place.resolve())
            asked = [self._asked(job, options=given)]
        else:
            asked = [self._asked(job, options=given, share=share), self._asked(job)]
        self._begin(job, asked)
        return _json({"job": job.name}, 202)

    async def watched(self, request: Request) -> Response:
        """Say how far a job is."""
        return _json(self._described(self._named(request)))

    async def judge(self, request: Request) -> Response:
        """Judge the file of a job again, at another threshold."""
        job = self._named(request)
        given = _given(dict(request.query_params), OF_JUDGE, "predict")
        if job.state != "done":
            raise Refusal(409, f"expected a job that is done, received one that is {job.state}")
        self._check_free()
        self._running = job
        self._begin(job, [self._asked(job, options=given)])
        return _json({"job": job.name}, 202)

    async def file(self, request: Request) -> Response:
        """Send the rows of a job, or what the page draws of them."""
        job, name = self._named(request), request.path_params["file"]
        if name not in FILES:
            raise Refusal(404, f"expected one of {', '.join(FILES)}, received another")
        path = Path(job.folder.name) / name
        if job.state != "done" or not path.exists():
            raise Refusal(409, "expected a job that is done and has such rows; wait, or start one")
        headers = {"Cache-Control": "no-store"}
        return FileResponse(path, media_type=FILES[name], filename=name, headers=headers)

    async def stop(self, request: Request) -> Response:
        """Stop a job, and forget it."""
        job = self._named(request)
        if job.task:
            job.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job.task
        self._removed(job)
        return _json({"job": job.name, "state": "stopped"})

    def close(self) -> None:
        """Remove the folders of all jobs; their processes have ended with the loop."""
        for job in list(self._jobs.values()):
            self._removed(job)

    def _trains(self) -> bool:
        return self._limits.fits and extras.is_here("tensorflow")

    def _check_free(self) -> None:
        if self._running:
            raise Refusal(
                409, "another file is being judged or learned from; try again when it is done"
            )

    def _new(self) -> Job:
        self._check_free()
        done = list(self._jobs.values())
        for old in done[: max(0, len(done) - KEPT + 1)]:
            self._removed(old)
        job = Job(
            secrets.token_urlsafe(16),
            tempfile.TemporaryDirectory(prefix="recipes-job-", ignore_cleanup_errors=True),
        )
        job.place.mkdir()
        self._jobs[job.name] = self._running = job
        asyncio.get_running_loop().call_later(SECONDS_KEPT, self._expired, job)
        return job

    def _expired(self, job: Job) -> None:
        if job is not self._running:
            self._removed(job)

    def _removed(self, job: Job) -> None:
        if self._running is job:
            self._running = None
        self._jobs.pop(job.name, None)
        job.folder.cleanup()

    def _named(self, request: Request) -> Job:
        job = self._jobs.get(request.path_params["job"])
        if job is None:
            raise Refusal(404, "no such job, or it is over; drop the file again")
        return job

    async def _received(self, request: Request, job: Job) -> str:
        """Write the file of a form to the job's folder, and return its name."""
        place = job.place
        if not request.headers.get("content-type", "").startswith(contents.FORM):
            raise Refusal(415, f"expected a form ({contents.FORM}) with one file")
        paths = await contents.uploaded(request, place, self._bodies)
        if len(paths) != 1:
            raise Refusal(400, f"expected one file, received {len(paths)}; drop one")
        contents.check_text(paths[0])
        return paths[0].name

    def _asked(self, job: Job, **more: Any) -> Asked:
        if job.model:
            more["model"] = job.model
        # A whole path is never the name of a synthetic log, or that of standard input.
        return Asked(file=str(job.place / job.file), most=self._limits.rows, **more)

    def _begin(self, job: Job, asked: list[Asked]) -> None:
        job.error = ""
        job.state = "fitting" if asked[0].share is not None else "judging"
        job.task = asyncio.create_task(self._carry_out(job, asked))

    async def _carry_out(self, job: Job, asked: list[Asked]) -> None:
        """Run the processes of a job one after the other."""
        end = time.monotonic() + self._limits.job_seconds
        try:
            for one in asked:
                if one.share is None:
                    job.state, one.after = "judging", job.told.get("first")
                await self._run(job, one, end)
                if job.state == "failed":
                    return
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "stopped"
            raise
        except Exception as error:
            log.exception("a job of the page failed")
            job.fails(f"the server failed ({type(error).__name__}); its log says why")
        finally:
            if self._running is job:
                self._running = None

    async def _run(self, job: Job, asked: Asked, end: float) -> None:
        folder = Path(job.folder.name)
        with (folder / "stderr").open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *starting.command("keras_recipes.serve.job_child"),
                msgspec.json.encode(asked).decode(),
                cwd=job.place,
                env=_environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=LONGEST_EVENT,
                start_new_session=True,
            )
        watcher = asyncio.create_task(self._watch(job, process, end))
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                job.hear(line)
            await process.wait()
        finally:
            watcher.cancel()
            _kill(process)
            await process.wait()
        if process.returncode or job.error:
            if not job.error:
                last = (folder / "stderr").read_text(errors="replace").splitlines()[-1:]
                log.error("a job of the page ended with status %s: %s", process.returncode, last)
            job.fails("the job ended; the server's log says why")

    async def _watch(self, job: Job, process: asyncio.subprocess.Process, end: float) -> None:
        """End a process that uses too much."""
        limits = self._limits
        with contextlib.suppress(psutil.NoSuchProcess):
            used = psutil.Process(process.pid)
            while True:
                await asyncio.sleep(LOOK)
                if time.monotonic() > end:
                    job.fails(f"stopped: it takes more than {limits.job_seconds:g} seconds")
                elif used.memory_info().rss > limits.job_memory:
                    job.fails(f"stopped: it needs more than {limits.job_memory / MEGA:,.0f} MB")
                else:
                    continue
                _kill(process)
                return

    def _described(self, job: Job) -> dict[str, Any]:
        return {"state": job.state, "said": job.said, "error": job.error, **job.told}


def _share(text: str) -> float:
    with contextlib.suppress(ValueError):
        share = float(text)
        if 0 < share < 1:
            return share
    raise Refusal(422, "share: expected a number > 0 and < 1, received another")


def _given(query: dict[str, str], allowed: tuple[str, ...], command: Any) -> dict[str, Any]:
    """Return the options in a query, checked."""
    for name in query:
        if name not in allowed:
            raise Refusal(422, f"{name}: expected one of {', '.join(allowed)}, received another")
    texts = [f"{name}={value}" for name, value in query.items()]
    return options.parse(catalog.get(RECIPE), texts, command)


def _environment() -> dict[str, str]:
    """Return the environment of a job: the same packages, and none of the server's secrets."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RECIPES_")}
    return starting.environment(kept)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a process and those that it started."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _json(found: dict[str, Any], status: int = 200) -> Response:
    # JSON has no infinite numbers.
    text = json.dumps(found, ensure_ascii=False)
    return Response(text, status, media_type=JSON)
