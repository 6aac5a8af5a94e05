"""Runs commands of `recipes` and programs of pages in one process, which imports Keras once.

`python warm_process.py SOCKET` waits there for requests. A request is a folder, the arguments of
`recipes` or the text of a program, and what stands on standard input. The answer is the exit
status, and what was printed on stdout and stderr.
"""

import contextlib
import io
import os
import sys
import traceback
from multiprocessing.connection import Listener

from click.testing import CliRunner

from keras_recipes.cli import commands

Answer = tuple[int, bytes, bytes]

CLIENT = """#!{python} -IS
import os, sys
from multiprocessing.connection import Client
given = sys.stdin.buffer.read()
with Client({socket!r}) as process:
    process.send((os.getcwd(), sys.argv[1:], given))
    status, out, errors = process.recv()
sys.stderr.buffer.write(errors)
sys.stdout.buffer.write(out)
sys.exit(status)
"""
"""The program `recipes` for a shell, which hands on its arguments."""


def answer(folder: str, wanted: list[str] | str, given: bytes) -> Answer:
    """Does what a request asks for."""
    os.chdir(folder)
    if isinstance(wanted, str):
        return _program(wanted)
    result = CliRunner().invoke(commands, wanted, input=given, prog_name="recipes")
    crash = "" if isinstance(result.exception, SystemExit | None) else _traceback(result.exception)
    return result.exit_code, result.stdout_bytes, result.stderr_bytes + crash.encode()


def _program(text: str) -> Answer:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "<page>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        return 1, printed.getvalue().encode(), _traceback(error).encode()
    return 0, printed.getvalue().encode(), b""


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def main(socket: str) -> None:
    """Answers one request after another until the process is ended."""
    sys.path[0] = ""  # programs find modules of the present folder, as with `python -c`
    with Listener(socket) as listener:
        while True:
            with contextlib.suppress(EOFError), listener.accept() as client:
                client.send(answer(*client.recv()))


if __name__ == "__main__":
    main(sys.argv[1])
