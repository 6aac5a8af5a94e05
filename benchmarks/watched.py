"""What it costs that a model from elsewhere is watched: python -m benchmarks.watched MODEL INPUT.

`recipes predict MODEL INPUT` is run as users run it, and without the process that watches, in
turns. `--times N` gives INPUT N times at once, so that throughput shows. This prints the wall time
and the processor time of each, and their difference. Both are of the whole command, so run it
on an otherwise idle machine, or compare processor times only.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

from keras_recipes.report import tables

WATCHED = "from keras_recipes.cli import main; main()"
ALONE = "from keras_recipes.cli import commands; commands()"


def run(program: str, arguments: list[str]) -> tuple[float, float]:
    """Run a program; return its wall time and its processor time in seconds."""
    begin, before = time.perf_counter(), _used()
    command = [sys.executable, "-c", program, "predict", *arguments, "--output", os.devnull]
    subprocess.run([*command, "--format", "csv", "--quiet"], check=True)
    return time.perf_counter() - begin, _used() - before


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the times of both, and their difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("input")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10)
    given = parser.parse_args()
    arguments = [given.model, *[given.input] * given.times]
    found: dict[str, list[tuple[float, float]]] = {WATCHED: [], ALONE: []}
    for turn in range(given.turns):
        for program in (WATCHED, ALONE) if turn % 2 else (ALONE, WATCHED):
            found[program].append(run(program, arguments))
    rows = []
    for name, place in (("wall", 0), ("processor", 1)):
        with_, without = ([pair[place] for pair in found[program]] for program in (WATCHED, ALONE))
        more = [a - b for a, b in zip(with_, without, strict=True)]
        rows.append(
            {
                "time": name,
                "watched, s": f"{statistics.median(with_):.2f}",
                "alone, s": f"{statistics.median(without):.2f}",
                "median difference, s": f"{statistics.median(more):+.3f}",
                "ratio": f"{statistics.median(with_) / statistics.median(without):.3f}",
            }
        )
    print(tables.text(rows))


if __name__ == "__main__":
    main()
