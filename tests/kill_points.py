"""Replaces one folder by another and kills the process at each point where that is possible.

    python tests/kill_points.py OLD NEW RESULTS exchange|renames

For k = 1, 2, 3, ... a child process replaces a copy of OLD by NEW's files. SIGKILL kills it just
before its k-th call that changes the file system. If this call is a write, another child is killed
in the middle of it. RESULTS/k/saved_models/xor is what each child leaves. The program prints the
calls. It does not import Keras or a backend, so that hundreds of processes can be forked.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_recipes import atomic

CHANGES = ("open", "write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir")


class Killer:
    """Counts the calls that change the file system, and kills the process at one of them."""

    def __init__(self, at: int, halfway: bool) -> None:
        self.at, self.halfway, self.calls = at, halfway, []

    def watch(self, module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **options)
            self.calls.append(name)
            if len(self.calls) == self.at:
                if self.halfway and name == "write":
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        setattr(module, name, counted)


def main(old: Path, new: Path, results: Path, way: str) -> None:
    members = {path.name: path.read_bytes() for path in sorted(new.iterdir())}
    log = results / "calls"
    for halfway in (False, True):
        at, survived = 0, False
        while not survived:
            at += 1
            target = results / f"{at}{'-half' * halfway}" / "saved_models" / "xor"
            shutil.copytree(old, target)
            child = os.fork()
            if not child:
                killer = Killer(at, halfway)
                if way == "renames":
                    atomic.exchange = lambda one, other: False
                for name in CHANGES:
                    killer.watch(os, name)
                killer.watch(atomic, "exchange")
                with atomic.folder(target, members):
                    pass
                os._exit(not log.write_text("\n".join(killer.calls)))
            survived = os.waitpid(child, 0)[1] == 0
        shutil.rmtree(target.parent.parent)
    print(log.read_text())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4])
