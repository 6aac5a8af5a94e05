"""The processor time of `recipes predict` for long tables of numbers, by the number of columns.

    python -m benchmarks.series_speed
    python -m benchmarks.series_speed --columns 10 --records 1000000
    python -m benchmarks.series_speed --before CHECKOUT

The columns are those of the family `weeks-N` of `benchmarks.series`, again and again. The command
is run as a user runs it, and its whole processor time counts, with the start of Python and with
reading and writing. With `--before`, another checkout answers the same table just before: machines
differ by more than versions do, so the ratio is what to read.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import series_data
from benchmarks.series_data import Case

ROOT = Path(__file__).resolve().parent.parent
RECIPES = [sys.executable, "-m", "keras_recipes"]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def write(case: Case, records: int, folder: Path) -> tuple[Path, Path]:
    """Write the normal records, and so many records to judge, and return the paths."""
    normal, judged = case.write(folder)
    header, *lines = judged.read_text().splitlines()
    cells = [line.partition(",")[2] for line in lines]
    first = np.datetime64(lines[0].partition(",")[0])
    with judged.open("w") as table:
        table.write(header + "\n")
        for row in range(records):
            when = first + np.timedelta64(5 * row, "m")
            table.write(f"{when},{cells[row % len(cells)]}\n")
    return normal, judged


def spent(command: Sequence[str], checkout: Path) -> tuple[float, float]:
    """Return a command's processor time in seconds, and its peak memory in MiB."""
    settings = {"PYTHONPATH": str(checkout), **dict.fromkeys(THREADS, "1")}
    process = subprocess.Popen(
        [*RECIPES, *command],
        cwd=checkout,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"recipes {' '.join(command)}: it failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--columns", nargs="+", type=int, default=(1, 10, 55), metavar="N")
    made.add_argument("--records", type=int, default=20_000, metavar="N")
    made.add_argument("--before", type=Path, metavar="CHECKOUT")
    given = made.parse_args()
    checkouts = [given.before.resolve()] if given.before else []
    for columns in given.columns:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            normal, judged = write(series_data.weeks(columns, 0), given.records, folder)
            for checkout in (*checkouts, ROOT):
                model = str(folder / ("model" if checkout == ROOT else "before"))
                spent(["fit", "lstm-anomaly", "--data", str(normal), "--out", model], checkout)
                asked = ["predict", model, str(judged), "--format", "csv"]
                seconds, memory = spent(asked, checkout)
                of_each = 1e6 * seconds / (given.records * columns)
                print(
                    f"{'before: ' if checkout != ROOT else ''}{given.records:,} records of "
                    f"{columns} columns: {seconds:,.1f} s of processor time, {of_each:.0f} "
                    f"microseconds per record and column; {memory:.0f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
