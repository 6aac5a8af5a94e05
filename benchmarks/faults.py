"""Save under every fault that can be caused here: python -m benchmarks.faults.

After each fault, the old or the new model has to be there, complete: every file of the folder
belongs to the same one. For each kind of fault this counts how often it was the old model, the new
one, or neither, and whether a failed save said so in one line with a status other than zero.

    kill          SIGKILL before each call that changes the file system, and in the middle of each
                  write, with exchanged folders and with renames (tests/kill_points.py)
    system call   each write, fsync, rename, open, mkdir fails once, with EIO, ENOSPC, EDQUOT, EROFS
    full disk     file systems of 8 kB, 16 kB, ... until a save fits (needs the right to mount)
    read-only     the old model's file system mounted read-only (the same)
    two writers   two processes save different models to one path at the same time
    verifying     the check of the staged model fails, or the process is killed in it
    locked        another process holds the lock

This imports neither Keras nor its backend, so that it can fork thousands of processes. It saves
files with a model's names and sizes.
"""

import contextlib
import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keras_recipes import atomic
from keras_recipes.errors import RecipeError

MODEL = Path(__file__).parent.parent / "saved_models" / "shipped" / "mnist-mlp"
KILLER = Path(__file__).parent.parent / "tests" / "kill_points.py"
OUTCOMES = ("old", "new", "NEITHER")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS)
CALLS = ("open", "write", "fsync", "mkdir", "rename", "replace")
ROUNDS = 40

Members = dict[str, bytes]


def members(version: str) -> Members:
    """Return a model's files; `version` makes every file differ from another model's."""
    return {p.name: p.read_bytes() + version.encode() for p in sorted(MODEL.iterdir())}


OLD, NEW, THIRD = members("old"), members("new"), members("third")


def put(target: Path, files: Members) -> None:
    target.mkdir(parents=True)
    for name, content in files.items():
        (target / name).write_bytes(content)


def found(target: Path) -> str:
    """Return which model is there when it is opened."""
    atomic.complete(target)
    there = {p.name: p.read_bytes() for p in target.iterdir()} if target.is_dir() else {}
    known = {"old": OLD, "new": NEW, "third": THIRD}
    return next((name for name, files in known.items() if files == there), "NEITHER")


def save(target: Path, files: Members, check: Callable[[Path], None] | None = None) -> str:
    """Save, and return the outcome: "saved", "one line", or an error."""
    try:
        with atomic.folder(target, files) as staged:
            if check:
                check(staged)
    except RecipeError as error:
        return "one line" if str(error).isprintable() else "MANY LINES"
    except MemoryError:
        return "crashed"  # the command reports this in one line
    except Exception as error:
        return f"UNEXPECTED {type(error).__name__}"
    return "saved"


def in_child(action: Callable[[], str]) -> tuple[int, str]:
    """Run an action in a fork; return the exit status, and what the action returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.write(writing, action().encode())
        os._exit(0)
    os.close(writing)
    status = os.waitpid(child, 0)[1]
    with os.fdopen(reading) as said:
        return os.waitstatus_to_exitcode(status), said.read()


class Faults:
    """All faults, and the counts of their outcomes."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.counts = scratch, Counter[tuple[str, str, str]]()

    def fresh(self) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        put(folder / "model", OLD)
        return folder / "model"

    def note(self, fault: str, target: Path, said: str) -> None:
        there = found(target)
        self.counts[fault, there, said] += 1
        # Files that a fault leaves behind must not prevent the next save.
        if fault not in ("read-only", "full disk") and save(target, OLD) != "saved":
            self.counts[fault, "NEITHER", "the next save failed"] += 1
        shutil.rmtree(target.parent, ignore_errors=True)

    def kills(self) -> None:
        old, new = self.scratch / "old", self.scratch / "new"
        put(old, OLD)
        put(new, NEW)
        for way in ("exchange", "renames"):
            results = self.scratch / way
            results.mkdir()
            command = [sys.executable, str(KILLER), *map(str, (old, new, results)), way]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            for state in filter(Path.is_dir, sorted(results.iterdir())):
                self.note(f"kill, {way}", state / "saved_models" / "xor", "killed")

    def system_calls(self) -> None:
        for name in CALLS:
            for code in ERRORS:
                for way in ("exchange", "renames"):
                    at = 1
                    while self._failing(name, code, way, at):
                        at += 1

    def _failing(self, name: str, code: int, way: str, at: int) -> bool:
        """Save while call number `at` fails; return whether there was such a call."""
        target = self.fresh()

        def action() -> str:
            if way == "renames":
                atomic.exchange = lambda one, other: False
            calls = _fail(name, code, at)
            return f"{save(target, NEW)}|{len(calls)}"

        said, calls = in_child(action)[1].split("|")
        if int(calls) >= at:
            self.note(f"{name} fails", target, said)
        return int(calls) >= at

    def full_disks(self) -> None:
        need = sum(map(len, NEW.values()))
        for size in range(8 << 10, 4 * need, 16 << 10):
            with _file_system(self.scratch, size) as folder:
                if folder is None:
                    self.counts["full disk", "-", "no right to mount: left out"] += 1
                    return
                target = folder / "model"
                with contextlib.suppress(OSError):
                    put(target, OLD)
                if found(target) == "old":
                    self.note("full disk", target, save(target, NEW))

    def read_only(self) -> None:
        with _file_system(self.scratch, 4 << 20) as folder:
            if folder is None:
                self.counts["read-only", "-", "no right to mount: left out"] += 1
                return
            put(folder / "model", OLD)
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
            self.note("read-only", folder / "model", save(folder / "model", NEW))

    def two_writers(self) -> None:
        context = multiprocessing.get_context("fork")
        for _ in range(ROUNDS):
            target, start = self.fresh(), context.Event()
            said = context.Queue()
            writers = [
                context.Process(target=_write, args=(target, files, start, said))
                for files in (NEW, THIRD)
            ]
            for writer in writers:
                writer.start()
            start.set()
            answers = sorted(said.get() for _ in writers)
            for writer in writers:
                writer.join()
            self.note("two writers", target, " and ".join(answers))

    def verifying(self) -> None:
        def fails(staged: Path) -> None:
            raise RecipeError("the saved model differed when it was read back")

        def crashes(staged: Path) -> None:
            raise MemoryError

        def killed(staged: Path) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        for check in (fails, crashes, killed):
            target = self.fresh()
            status, said = in_child(lambda t=target, c=check: save(t, NEW, c))  # type: ignore[misc]
            self.note(f"verifying {check.__name__}", target, said or f"killed ({status})")

    def locked(self) -> None:
        from filelock import FileLock

        target = self.fresh()
        with FileLock(target.with_name(f".{target.name}.lock")):
            said = in_child(lambda: _with_a_short_lock_timeout(target))[1]
        self.note("locked", target, said)


def _with_a_short_lock_timeout(target: Path) -> str:
    atomic.LOCK_TIMEOUT = 0.1
    return save(target, NEW)


def _write(target: Path, files: Members, start: Any, said: Any) -> None:
    start.wait()
    said.put(save(target, files))


def _fail(name: str, code: int, at: int) -> list[str]:
    """Make call number `at` fail in this process; return a list that collects the calls."""
    real, calls = getattr(os, name), list[str]()

    def counted(*arguments: Any, **options: Any) -> Any:
        if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
            return real(*arguments, **options)
        calls.append(name)
        if len(calls) == at:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    setattr(os, name, counted)
    return calls


@contextmanager
def _file_system(scratch: Path, size: int) -> Iterator[Path | None]:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = not subprocess.run(mount, check=False, capture_output=True).returncode
    except OSError:
        mounted = False
    if not mounted:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        faults = Faults(Path(scratch))
        faults.kills()
        faults.system_calls()
        faults.full_disks()
        faults.read_only()
        faults.two_writers()
        faults.verifying()
        faults.locked()
        counts = faults.counts
    for (fault, there, said), number in sorted(counts.items()):
        print(f"{number:6}  {fault:18} {there:8} {said}")
    print(json.dumps(summary(counts)))


def summary(counts: "Counter[tuple[str, str, str]]") -> dict[str, int]:
    """Count all faults, lost models, and failed saves that did not say so in one line."""
    lost = sum(n for (_, there, _), n in counts.items() if there == "NEITHER")
    silent = sum(n for (_, there, said), n in counts.items() if there == "old" and said == "saved")
    loud = sum(n for (_, _, said), n in counts.items() if said.isupper() or "UNEXP" in said)
    return {"faults": sum(counts.values()), "lost": lost, "silent": silent, "not one line": loud}


if __name__ == "__main__":
    main()
