"""A real server in its own process, and a client that sends it what a test wants."""

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests import exports

ANSWERS = re.compile(r"^http://(\S+) answers with ")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of a refusal, which is one line of JSON."""
        assert self.headers["content-type"] == "application/json"
        assert self.body.count(b"\n") == 1, self.body
        (message,) = json.loads(self.body).values()
        return message

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]


class Server:
    """`recipes serve ARGUMENTS...` on a free port; it ends with the block."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        exports.needs("serve")
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keras_recipes", "serve", *arguments, "--port", "0"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.log: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := ANSWERS.match(line):
                self.host = found[1]
                break
        else:
            self.process.stderr.close()
            raise AssertionError(f"the server did not start: {self.log}")
        self.seconds_to_start = time.monotonic() - begun
        # Nobody else reads it, and a full pipe would stop the server.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(60)
        self._reader.join()
        return status

    def connection(self, seconds: float = 60) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)

    def ask(
        self,
        path: str,
        body: Any = None,
        kind: str | None = None,
        *,
        method: str | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request; a body that is no bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body, kind = json.dumps(body).encode(), kind or "application/json"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind:
            sent["Content-Type"] = kind
        connection = self.connection()
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def send_files(self, path: str, *files: tuple[str, bytes]) -> Answer:
        """Send files as a form."""
        return self.ask(path, form(*files), "multipart/form-data; boundary=BOUNDARY")


def form(*files: tuple[str, bytes]) -> bytes:
    parts = [
        b'--BOUNDARY\r\nContent-Disposition: form-data; name="file"; '
        b'filename="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in files
    ]
    return b"".join(parts) + b"--BOUNDARY--\r\n"
