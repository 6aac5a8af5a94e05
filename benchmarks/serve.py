"""Answers a second over HTTP, beside plain programs: python -m benchmarks.serve.

    python -m benchmarks.serve --seconds 60

Sixteen clients send single digits as JSON to LeNet-5, each the next one when it has its answer. The
client is `wrk` (Debian's package wrk), on the same machine, so it takes a part of the cores. Beside
`recipes serve` answer the least program there is, onnxruntime in a function on uvicorn, and FastAPI
with onnxruntime and with Keras (`benchmarks.serve_peers`): the same net with the same weights, one
program after the other. The peers need fastapi and the extra `onnx`. The load of the machine before
each part is printed: with other work on it, only the ratios say something.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.streams import ROOT

CLIENTS = 16
PORT = 8765
PIXELS = 28 * 28

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %f %f\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end
"""
RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) (\S+) (\S+)")


@dataclass(frozen=True)
class Program:
    """A program that answers digits.

    Attributes:
        name: Its name in the table.
        command: What starts it.
        path: The address that answers.
        body: A request with one digit.
        settings: Environment variables for it.
    """

    name: str
    command: list[str]
    path: str
    body: Mapping[str, Any]
    settings: Mapping[str, str]


def programs(folder: Path) -> Iterator[Program]:
    digit = np.random.default_rng(0).integers(0, 256, PIXELS).tolist()
    tensor = {"name": "input", "shape": [1, 28, 28, 1], "datatype": "UINT8", "data": digit}
    serve = [sys.executable, "-m", "keras_recipes", "serve", "lenet5", "--port", str(PORT)]
    yield Program("recipes serve", serve, "/v2/models/lenet5/infer", {"inputs": [tensor]}, {})
    for name, app, form in (
        ("uvicorn + onnxruntime", "bare_app", "onnx"),
        ("FastAPI + onnxruntime", "onnxruntime_app", "onnx"),
        ("FastAPI + Keras predict", "keras_app", "keras"),
    ):
        model = folder / f"lenet5.{form}"
        export = [sys.executable, "-m", "keras_recipes", "export", "lenet5", "--format", form]
        subprocess.run([*export, "--output", str(model)], check=True, capture_output=True, cwd=ROOT)
        yield Program(
            name,
            [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.serve_peers:{app}",
             "--port", str(PORT), "--log-level", "warning"],
            "/infer",
            {"images": [digit]},
            {"MODEL": str(model)},
        )  # fmt: skip


@contextmanager
def running(program: Program) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program, and wait until it answers a digit."""
    with subprocess.Popen(
        program.command, cwd=ROOT, stderr=subprocess.DEVNULL, env={**os.environ, **program.settings}
    ) as process:
        try:
            until = time.monotonic() + 120
            while not answers(program):
                assert process.poll() is None, f"{program.name} ended"
                assert time.monotonic() < until, f"{program.name} does not answer"
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()


def answers(program: Program) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{program.path}",
        json.dumps(program.body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def memory(process: psutil.Process, every: float, ended: threading.Event) -> list[float]:
    """Return the resident memory in MiB at times, until the end."""
    found = []
    while not ended.wait(every):
        found.append(process.memory_info().rss / 2**20)
    return found


def measured(program: Program, seconds: int, folder: Path) -> tuple[float, str]:
    """Return the answers a second, and a row of the table."""
    body, script = folder / "body.json", folder / "wrk.lua"
    body.write_text(json.dumps(program.body, separators=(",", ":")))
    script.write_text(SCRIPT.format(body=body))
    load = os.getloadavg()[0]
    with running(program) as process:
        url = f"http://127.0.0.1:{PORT}{program.path}"
        wrk = ["wrk", "-t1", f"-c{CLIENTS}", "-s", str(script)]
        subprocess.run([*wrk, "-d3s", url], check=True, capture_output=True)
        sizes: list[float] = []
        ended = threading.Event()
        every = max(1.0, seconds / 12)
        watch = threading.Thread(
            target=lambda: sizes.extend(memory(psutil.Process(process.pid), every, ended))
        )
        watch.start()
        used = psutil.Process(process.pid).cpu_times()
        done = subprocess.run(
            [*wrk, f"-d{seconds}s", url], check=True, capture_output=True, text=True
        )
        after = psutil.Process(process.pid).cpu_times()
        ended.set()
        watch.join()
    found = RESULT.search(done.stdout)
    assert found, done.stdout
    requests, duration, errors = (int(found[number]) for number in (1, 2, 3))
    p50, p99 = (float(found[number]) / 1e3 for number in (4, 5))
    rate = requests / (duration / 1e6)
    processor = 1e6 * (after.user + after.system - used.user - used.system) / requests
    row = (
        f"| {program.name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {errors} | {processor:,.0f} | "
        f"{sizes[0]:.0f}, {sizes[len(sizes) // 2]:.0f}, {sizes[-1]:.0f} | {load:.1f} |"
    )
    return rate, row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="seconds of each program")
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed: apt-get install wrk")
    print(
        "| program | answers/s | p50 ms | p99 ms | errors | µs of processor time | memory MiB | "
        "load before |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        for program in programs(Path(folder)):
            rate, row = measured(program, asked.seconds, Path(folder))
            rates.append(rate)
            print(row, flush=True)
    ours, *others = rates
    print("ratio to each peer:", ", ".join(f"{ours / other:.1f}" for other in others))


if __name__ == "__main__":
    main()
