"""The benchmark runs on a folder with NAB's structure and writes scores that NAB can rate."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.checkout import ROOT

pytestmark = pytest.mark.full

SCRIPT = ROOT / "benchmarks" / "nab.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make two series with a spike each, one of them labelled, and a third one that is not used."""
    start, data = datetime(2024, 1, 1), tmp_path / "bench" / "data" / "some"
    data.mkdir(parents=True)
    times = [start + timedelta(minutes=5 * n) for n in range(1000)]
    for seed, name in enumerate(("one", "two", "unasked")):
        values = 10 + np.random.default_rng(seed).normal(size=1000)
        values[600] += 30
        rows = [f"{t},{v}" for t, v in zip(times, values.tolist(), strict=True)]
        (data / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows]) + "\n")
    window = [f"{times[580]}.000000", f"{times[640]}.000000"]
    labels = tmp_path / "bench" / "labels"
    labels.mkdir()
    (labels / "combined_windows.json").write_text(
        json.dumps({"some/one.csv": [window], "some/two.csv": []})
    )
    return tmp_path / "bench"


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_scores_mirror_the_data_and_the_table_says_what_was_found(folder: Path) -> None:
    done = bench(folder, "--scores", "out", "--jobs", "1", "--halves", "2")
    assert done.returncode == 0, done.stderr
    assert "some/one.csv" in done.stdout and "found 1 of 1" in done.stdout
    written = sorted(str(path) for path in Path("out").rglob("*.csv"))
    assert written == ["out/some/one.csv", "out/some/two.csv"]
    header, *rows = Path("out/some/one.csv").read_text().splitlines()
    assert header == "timestamp,anomaly_score"
    assert len(rows) == 1000
    assert rows[0] == "2024-01-01 00:00:00,0.0"
    assert float(rows[600].split(",")[1]) >= 0.5


def test_a_folder_of_another_shape_is_refused() -> None:
    done = bench(".", "--scores", "out")
    assert done.returncode == 2
    assert "expected labels/combined_windows.json" in done.stderr
