"""The server starts at once, says what is wrong on one line, and stops when all is answered."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import exports
from tests.command_line import Run
from tests.serve.pictures import digits
from tests.serve.servers import Server


def test_a_port_in_use_is_one_line(recipes: Run) -> None:
    exports.needs("serve")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = recipes("serve", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == f"error: port {port} is in use; name another with --port\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "nothing"),
        (["lenet5", "lenet5"], "a second model with the name lenet5"),
        (["--host", "no.such.host.invalid"], "--host: no.such.host.invalid"),
        (["--token-file", "missing"], "--token-file: missing: cannot be read: No such file"),
        (["--token-file", "short"], "at least 16 ASCII characters"),
        (["--state", "short/states"], "--state: short/states"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(recipes: Run, arguments: list[str], said: str) -> None:
    exports.needs("serve")
    Path("short").write_text("abc")
    result = recipes("serve", "--port", "0", *arguments)
    assert result.exit_code == 2, result.stderr
    assert said in result.stderr
    assert "abc" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it() -> None:
    program = (
        "import sys\n"
        "sys.modules['starlette'] = None\n"
        "from keras_recipes import extras\n"
        "extras.is_here = lambda package: package != 'starlette'\n"
        "from keras_recipes.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "serve"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: serve: needs starlette, which is not installed: "
        "pip install 'keras_recipes[serve]'\n"
    )


def test_the_server_listens_on_this_machine_only_and_says_so_if_not(server: Server) -> None:
    assert server.host.startswith("127.0.0.1:")
    assert not [line for line in server.log if "token" in line]
    with Server("lenet5", "--host", "0.0.0.0") as opened:
        assert "no token" in opened.log[0]


HEAVY = {"tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib", "pandas"}


def test_nothing_heavy_is_imported_to_serve() -> None:
    exports.needs("serve")
    program = (
        "import sys, threading, time, os, signal\n"
        "from keras_recipes.cli import main\n"
        "def tell():\n"
        "    time.sleep(float(sys.argv.pop()))\n"
        "    print(*{name.partition('.')[0] for name in sys.modules}, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "threading.Thread(target=tell).start()\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--port", "0", "8"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert "uvicorn" in done.stdout.split()
    assert not set(done.stdout.split()) & HEAVY


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_answers_what_it_was_asked(number: signal.Signals) -> None:
    body = json.dumps(digits(64).tolist() * 20).encode()
    answers = []
    with Server("lenet5") as server:
        begun = threading.Event()

        def ask() -> None:
            connection = server.connection()
            connection.putrequest("POST", "/predict/lenet5")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            connection.send(body[:1000])
            begun.set()
            connection.send(body[1000:])
            answers.append(len(connection.getresponse().read().splitlines()))
            connection.close()

        thread = threading.Thread(target=ask)
        thread.start()
        begun.wait()
        server.ask("/v2/health/live")  # the request before it has arrived
        assert server.stop(number) == 128 + number
        thread.join()
    assert answers == [64 * 20]
    assert server.log[-1] == "stopped\n"
    assert not [line for line in server.log if "Traceback" in line]
