"""Ask `recipes` about small files that would take much memory or time: python -m benchmarks.bombs.

Each bomb is made in a folder of its own, and the whole command is run on it. The right outcome is a
refusal: exit status 1 to 4 and one line that says why. In logs and tables an answer is right too,
because a record that cannot be read is passed over. Memory is that of all processes together, and
time is processor time. Both are compared with those of an honest model, which is measured first.
`--kinds archives images` runs only some, `--most 8` at most eight of each kind, spread over all of
them; `--seconds` is the wall time after which a command is killed.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import bomb, bomb_exports, bomb_files, bomb_nets, bomb_streams
from benchmarks.bomb import Arguments, Bomb
from benchmarks.bomb_nets import Step
from keras_recipes.report import tables
from tests.untrusted.measuring import Measured, measured

MEMORY, SECONDS = 1.0e9, 10.0
"""What a bomb may take beyond the honest model."""

MAKERS = (
    bomb_files.of_archives,
    bomb_files.of_arrays,
    bomb_files.of_json,
    bomb_files.of_images,
    bomb_files.of_parquet,
    bomb_streams.of_tables,
    bomb_streams.of_logs,
    bomb_streams.of_expressions,
    bomb_streams.of_checkpoints,
    bomb_exports.of_onnx,
    bomb_exports.of_tensorflow,
    bomb_nets.of_cases,
    bomb_nets.of_calls,
    bomb_nets.of_layers,
    bomb_nets.of_operations,
)


def command(arguments: Arguments) -> list[str]:
    """Return the command line for a bomb."""
    main = "from keras_recipes.cli import main; main()"
    words = arguments if arguments[0] == "fit" else ["predict", *arguments, "--format", "csv"]
    return [sys.executable, "-c", main, *words]


def outcome(done: Measured) -> str:
    """Return the exit status, and what is wrong with it."""
    if done.status not in (1, 2, 3, 4):
        return f"{done.status}: {done.last[:80]}" if done.status else "answered"
    one_line = done.last.startswith("error: ") and done.last.isprintable()
    known = not any(word in done.stderr for word in ("Traceback", "error: unexpected"))
    return str(done.status) if one_line and known else f"message: {done.last[:80]}"


def honest(folder: Path, seconds: float) -> Measured:
    """Measure a small net, which is answered."""
    arguments = bomb_nets.chain([4], Step("Identity"))(folder)
    done = measured(command(arguments), folder, seconds)
    if done.status:
        raise SystemExit(f"the honest model failed: {done.last}")
    return done


def main() -> None:
    """Print the table by kind, and each bomb that is not refused within the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--most", type=int)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    found: dict[str, list[tuple[str, Measured]]] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        bomb.kept = Path(scratch)
        base = honest(Path(scratch), given.seconds)
        print(f"honest: {base.peak / 1e9:.2f} GB, {base.seconds:.1f} s", flush=True)
        for one in chosen(given.kinds, given.most):
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                folder = Path(place)
                done = measured(command(one.make(folder)), folder, given.seconds)
            bad = not right(one, done, base)
            found.setdefault(one.kind, []).append((said := outcome(done), done))
            wrong += bad
            shown = f"{said:10} {done.peak / 1e9:5.2f} GB {done.seconds:6.1f} s"
            print(f"{'WRONG ' if bad else ''}{one.kind}: {one.name}: {shown}", flush=True)
    print(tables.text([row(kind, items) for kind, items in found.items()]))
    print(f"{wrong} of {sum(map(len, found.values()))} not refused within the limits")


def chosen(kinds: list[str] | None, most: int | None) -> list[Bomb]:
    """Return the bombs of some kinds, or of all; at most so many of each."""
    found: dict[str, list[Bomb]] = {}
    for one in (one for make in MAKERS for one in make()):
        if not kinds or one.kind in kinds:
            found.setdefault(one.kind, []).append(one)
    every = [ones[:: -(-len(ones) // most)] if most else ones for ones in found.values()]
    return [one for ones in every for one in ones]


def right(one: Bomb, done: Measured, base: Measured) -> bool:
    """Return whether a bomb is refused, or answered if that is right, within the limits."""
    said = outcome(done)
    within = done.peak <= base.peak + MEMORY and done.seconds <= base.seconds + SECONDS
    return within and (said.isdigit() or (one.answered and said == "answered"))


def row(kind: str, items: list[tuple[str, Measured]]) -> dict[str, Any]:
    """Return one row of the table."""
    seconds = [done.seconds for _, done in items]
    return {
        "kind": kind,
        "bombs": len(items),
        "refused": sum(said.isdigit() for said, _ in items),
        "answered": sum(said == "answered" for said, _ in items),
        "largest memory, GB": f"{max(done.peak for _, done in items) / 1e9:.2f}",
        "median s": f"{statistics.median(seconds):.1f}",
        "longest s": f"{max(seconds):.1f}",
    }


if __name__ == "__main__":
    main()
