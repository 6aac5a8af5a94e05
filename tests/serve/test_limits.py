"""Each refusal is one line of JSON with its status, and names nothing of this machine."""

import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.serve.pictures import digits, png
from tests.serve.servers import Answer, Server

TOKEN = "0123456789abcdef0123"
INFER = "/v2/models/lenet5/infer"


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """Return a server with small limits."""
    limits = ["--largest-body", "0.1", "--largest-picture", "0.01", "--longest", "2"]
    with Server("lenet5", *limits, "--most-requests", "4") as running:
        yield running


def assert_refused(answer: Answer, status: int, said: str) -> None:
    assert answer.status == status
    assert said in answer.error


def test_a_large_body_is_refused_whatever_it_says_of_its_length(small: Server) -> None:
    body = b"[" + b"0," * 60_000 + b"0]"
    for path in (INFER, "/predict/lenet5"):
        assert_refused(small.ask(path, body, "application/json"), 413, "at most 100,000 bytes")
        connection = small.connection()
        chunks = iter([body[start : start + 5_000] for start in range(0, len(body), 5_000)])
        try:
            connection.request(
                "POST", path, chunks, {"Content-Type": "application/json"}, encode_chunked=True
            )
        except ConnectionError:
            continue  # the server stopped to read
        response = connection.getresponse()
        assert response.status == 413
        connection.close()
    assert_refused(small.send_files("/predict/lenet5", ("x.png", body)), 413, "at most")


def test_a_large_picture_is_refused_before_it_is_decoded(small: Server) -> None:
    picture = png(np.zeros((101, 100), "uint8"))
    answer = small.send_files("/predict/lenet5", ("x.png", picture))
    assert_refused(answer, 413, "x.png: expected at most 10,000 pixels")


def test_a_body_that_does_not_come_is_not_waited_for(small: Server) -> None:
    host, port = small.host.split(":")
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=30) as one:
        one.sendall(head)
        begun = time.monotonic()
        assert b" 503 " in one.recv(1000)
        assert time.monotonic() - begun < 10


def test_more_requests_than_the_limit_are_told_to_come_again(small: Server) -> None:
    host, port = small.host.split(":")
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n".encode()
    waiting = [socket.create_connection((host, int(port))) for _ in range(4)]
    for one in waiting:
        one.sendall(head)
    time.sleep(0.3)
    answer = small.ask("/")
    assert_refused(answer, 503, "busy")
    assert answer.headers["retry-after"] == "1"
    for one in waiting:
        one.close()
    until = time.monotonic() + 10
    while small.ask("/").status != 200:
        assert time.monotonic() < until


def test_a_packed_body_is_refused(server: Server) -> None:
    answer = server.ask(INFER, b"x", "application/json", Content_Encoding="gzip")
    assert_refused(answer, 415, "gzip")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/predict/lenet5", 405),
        ("DELETE", "/v2", 405),
        ("PROPFIND", "/", 405),
        ("GET", "/v2/models/nothing", 404),
        ("GET", "/v2/models/lenet5/versions/2", 404),
        ("POST", "/predict/xor", 404),
        ("POST", "/predict/..%2f..%2fetc%2fpasswd", 404),
        ("POST", "/predict/saved_models", 404),
        ("GET", "/%00%ff", 404),
        ("GET", "//", 404),
    ],
)
def test_what_is_not_there_is_refused(server: Server, method: str, path: str, status: int) -> None:
    answer = server.ask(path, method=method)
    assert (answer.status, bool(answer.error)) == (status, True)


def test_a_request_loads_no_other_model(server: Server, saved: Path) -> None:
    for name in ("xor", str(saved), "lstm-anomaly"):
        assert server.ask(f"/predict/{name}", [[0, 1]]).status == 404


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with a token, which a page of example.org may ask."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(f"{TOKEN}\n")
    origin = ["--allow-origin", "https://example.org"]
    with Server("lenet5", "--token-file", str(file), *origin) as running:
        yield running


OF_PAGE = ("/page/models", "/page/xor", "/page/jobs", "/page/examples/shop.log")


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/v2", "/nothing", *OF_PAGE])
def test_without_the_token_nothing_is_answered(closed: Server, path: str) -> None:
    wrong = ["", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer \xe9", "Basic x"]
    for given in wrong:
        answer = closed.ask(path, Authorization=given)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.error
    right = closed.ask(path, Authorization=f"Bearer {TOKEN}")
    assert right.status == (404 if path == "/nothing" else 200)


def test_the_files_of_the_page_need_no_token_and_nothing_else_of_it(closed: Server) -> None:
    html = closed.ask("/").body.decode()
    files = re.findall(r'(?:src|href)="(page/[^"]+)"', html)
    assert {"page/page.js", "page/page.css"} <= set(files)
    assert all(closed.ask(f"/{file}").status == 200 for file in files)
    assert closed.ask("/page/seen", b"x", "image/png").status == 401
    assert closed.ask("/page/jobs", b"x", "text/csv").status == 401
    assert closed.ask("/page/jobs/x", method="DELETE").status == 401
    assert closed.ask("/page/page.js/../models").status == 401


def test_health_needs_no_token(closed: Server) -> None:
    assert closed.ask("/v2/health/live").status == closed.ask("/v2/health/ready").status == 200


def test_a_token_may_come_from_the_environment_and_must_be_long() -> None:
    environment = {**os.environ, "RECIPES_SERVE_TOKEN": TOKEN}
    with Server("lenet5", environment=environment) as server:
        assert server.ask("/v2").status == 401
        assert server.ask("/v2", Authorization=f"Bearer {TOKEN}").status == 200
        assert not [line for line in server.log if TOKEN in line]


def test_a_page_from_elsewhere_is_let_in_only_if_it_was_named(
    server: Server, closed: Server
) -> None:
    page = {"Origin": "https://example.org"}
    answer = server.ask("/predict/lenet5", digits(1).tolist(), **page)
    assert_refused(answer, 403, "https://example.org")
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert server.ask("/predict/lenet5", digits(1).tolist(), Origin=server.url).status == 200
    mine = {"Authorization": f"Bearer {TOKEN}", **page}
    answer = closed.ask("/predict/lenet5", digits(1).tolist(), **mine)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://example.org"


def test_a_browser_may_ask_first_whether_it_may(closed: Server) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    answer = closed.ask("/predict/lenet5", method="OPTIONS", **asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://example.org"


def test_what_is_no_http_does_not_stop_the_server(server: Server) -> None:
    host, port = server.host.split(":")
    for junk in (b"\0" * 5_000, b"GET / HTTP/9.9\r\n\r\n", b"G" * 100_000, b"\x16\x03\x01"):
        with socket.create_connection((host, int(port)), timeout=10) as one:
            one.settimeout(1)
            try:
                one.sendall(junk)
                one.recv(1000)
            except (TimeoutError, ConnectionError):
                pass
    assert server.ask("/v2/health/live").status == 200


def test_a_client_that_goes_away_harms_nobody(server: Server) -> None:
    def go_away() -> None:
        connection: http.client.HTTPConnection = server.connection()
        connection.request("POST", INFER, b"x" * 1000, {"Content-Length": "2000"})
        connection.close()

    threads = [threading.Thread(target=go_away) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ask("/predict/lenet5", digits(1).tolist()).status == 200
