"""Search lines with a regular expression, in a process of its own; started by `time_limit`.

Standard input holds requests: the seconds of processor time, the pattern and the lines, as a JSON
line ("seconds", "pattern" in Latin-1, "sizes" of the lines in bytes) that the lines' bytes follow.
After each request one byte is written to standard output. A search that takes longer ends this
process.
"""

import json
import re
import signal
import sys
import warnings


def main() -> None:
    """Serve requests until standard input ends."""
    warnings.simplefilter("ignore")
    requests, out = sys.stdin.buffer, sys.stdout.buffer
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)  # it ends with its parent
    while line := requests.readline():
        asked = json.loads(line)
        lines = [requests.read(size) for size in asked["sizes"]]
        pattern = re.compile(asked["pattern"].encode("latin-1"))
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, asked["seconds"])  # nothing handles this signal
        for each in lines:
            pattern.search(each)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(b".")
        out.flush()


if __name__ == "__main__":
    main()
