"""Small tables of normal records, and work for workers that are lost."""

import math
import os
import signal
from pathlib import Path

from keras_recipes.fleet.running import Outcome


def table(path: Path, period: float, records: int = 120) -> Path:
    """Write a wave with a little of another one, one record a minute."""
    rows = [
        f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00,"
        f"{10 + math.sin(minute / period) + 0.3 * math.sin(2.3 * minute):.4f}"
        for minute in range(records)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["timestamp,cpu", *rows]) + "\n")
    return path


def lost_once(marker: str) -> Outcome:
    """Kill this worker, as a lack of memory does, unless that happened before."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(content="done")
