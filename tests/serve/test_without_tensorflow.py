"""The steps of the Dockerfile in a fresh environment: predict and serve work without TensorFlow."""

import json
import os
import re
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.anomaly.logs import test_stream as orders
from tests.checkout import ROOT
from tests.serve import servers
from tests.serve.pictures import digits, png

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel and the pinned list, and nothing else."""
    folder = tmp_path_factory.mktemp("slim")
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "-w", folder, str(ROOT)], check=True, cwd=folder)
    venv.create(folder / "environment", with_pip=True)
    made = folder / "environment" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # The options of the Dockerfile's own line.
    (line,) = re.findall(r"pip install (.*) -r /serving.txt", (ROOT / "Dockerfile").read_text())
    packages = ["-r", str(ROOT / "serving.txt"), *map(str, folder.glob("*.whl"))]
    done = subprocess.run(
        [made, "-m", "pip", "install", "-q", *line.split(), *packages],
        capture_output=True, text=True, check=False, env=_alone(),
    )  # fmt: skip
    if done.returncode and re.search("connection|resolution|network", done.stderr, re.I):
        pytest.skip(f"no package index: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return made


def _alone() -> dict[str, str]:
    """Return the environment without packages of elsewhere."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(python: Path, *arguments: str, **more: object) -> str:
    done = subprocess.run(
        [python, "-m", "keras_recipes", *arguments],
        capture_output=True, text=True, check=False, env=_alone(), **more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kind_of_model_predicts(
    python: Path, saved: Path, log_model: Path, table_model: Path
) -> None:
    assert subprocess.run([python, "-c", "import tensorflow"], capture_output=True).returncode == 1
    Path("0.png").write_bytes(png(digits(1)[0]))
    Path("some.log").write_bytes(orders.joined(orders.session(1, 1)))
    Path("some.csv").write_text("t,load\n1700018000,10.1\n1700018060,10.2\n")
    for model, given in (
        ("lenet5", "0.png"), ("mnist-mlp", "0.png"), (saved, "0,1"), (log_model, "some.log"),
        (table_model, "some.csv"),
    ):  # fmt: skip
        rows = run(python, "predict", str(model), given, "--format", "jsonl").splitlines()
        assert all(map(json.loads, rows))
        assert rows


def test_the_server_answers(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers.sys, "executable", str(python))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with servers.Server() as server:
        (row,) = server.send_files("/predict/lenet5", ("0.png", png(digits(1)[0]))).rows
        assert str(row["prediction"]) == "0"
        assert server.ask("/openapi.json").status == 200
        assert not server.ask("/page/jobs").json["trains"]
        assert server.stop() == 128 + signal.SIGTERM
