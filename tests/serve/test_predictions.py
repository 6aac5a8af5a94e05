"""`POST /predict/MODEL` gives the rows of `recipes predict`, and reads nothing of the machine."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipes import predict
from tests.anomaly.logs import test_stream as orders
from tests.command_line import Run
from tests.serve import conftest
from tests.serve.pictures import digits, png
from tests.serve.servers import Server

LINES = "application/x-ndjson"
ODD = orders.line(9_000, 99_999, b"kernel panic: out of cheese")


def printed(recipes: Run, *arguments: str) -> list[dict[str, object]]:
    result = recipes("predict", *arguments, "--format", "jsonl")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_pictures_get_the_rows_of_the_command_line(server: Server, recipes: Run) -> None:
    files = [(f"{number}.png", png(image)) for number, image in enumerate(digits(4))]
    for name, content in files:
        Path(name).write_bytes(content)
    names = [name for name, _ in files]
    assert server.send_files("/predict/lenet5", *files).rows == printed(recipes, "lenet5", *names)
    asked = printed(recipes, "lenet5", *names, "--set", "all_probabilities=true")
    assert server.send_files("/predict/lenet5?all_probabilities=true", *files).rows == asked


def test_one_picture_may_be_the_whole_body(server: Server) -> None:
    (row,) = server.ask("/predict/lenet5", png(digits(1)[0]), "image/png").rows
    assert row["prediction"] in ("0", 0)


def test_images_may_be_numbers(server: Server) -> None:
    found = server.ask("/predict/lenet5", digits(3).tolist()).rows
    for row, expected in zip(found, predict("lenet5", digits(3)), strict=True):
        assert row == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([[0, 1], [1, 1]], "application/json"),
        (b"[0,1]\n[1,1]\n", LINES),
        (b"0,1\n1,1\n", "text/csv"),
        (b"0,1\n1,1\n", "text/plain; charset=utf-8"),
    ],
)
def test_points_come_in_every_form(
    all_kinds: Server, recipes: Run, saved: Path, body: object, kind: str
) -> None:
    rows = all_kinds.ask("/predict/xor", body, kind).rows
    assert rows == printed(recipes, str(saved), "0,1", "1,1")


def test_a_log_gets_the_rows_of_the_command_line(
    all_kinds: Server, recipes: Run, log_model: Path
) -> None:
    text = orders.joined([*orders.session(8_000, 1), ODD])
    Path("some.log").write_bytes(text)
    expected = printed(recipes, str(log_model), "some.log")
    assert sum(row["anomaly"] for row in expected) == 1
    assert all_kinds.ask("/predict/orders", text, "text/plain").rows == expected
    as_json = [line.decode() for line in text.splitlines()]
    assert all_kinds.ask("/predict/orders", as_json).rows == expected
    assert all_kinds.send_files("/predict/orders", ("some.log", text)).rows == expected


def test_records_get_the_rows_of_the_command_line(
    all_kinds: Server, recipes: Run, table_model: Path
) -> None:
    text = "t,load\n" + "".join(map(conftest.record, range(300, 320))) + "1700020000,99\n"
    Path("new.csv").write_text(text)
    expected = printed(recipes, str(table_model), "new.csv")
    assert all_kinds.ask("/predict/load", text.encode(), "text/csv").rows == expected
    records = [
        {"t": int(t), "load": float(value)}
        for t, value in (line.split(",") for line in text.splitlines()[1:])
    ]
    found = all_kinds.ask("/predict/load", records).rows
    lines = "\n".join(map(json.dumps, records)).encode()
    assert found == all_kinds.ask("/predict/load", lines, LINES).rows
    assert [row["score"] for row in found] == [row["score"] for row in expected]


SECRET = "s3cret-of-this-machine"


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret.csv"
    path.write_text(f"{SECRET},1\n")
    return str(path)


@pytest.mark.parametrize("model", ["xor", "orders", "load", "lenet5"])
def test_a_text_never_names_a_file(all_kinds: Server, model: str, secret: str) -> None:
    for body in ([secret], secret, [[secret]], {"path": secret}):
        answer = all_kinds.ask(f"/predict/{model}", body)
        assert answer.status in (200, 400, 422), answer.body
        assert SECRET.encode() not in answer.body
    for kind in ("text/plain", "text/csv", LINES):
        answer = all_kinds.ask(f"/predict/{model}", secret.encode(), kind)
        assert answer.status in (200, 400, 415, 422), answer.body
        assert SECRET.encode() not in answer.body


@pytest.mark.parametrize("option", ["seen=there", "state=there", "labels=/etc/passwd"])
def test_an_option_cannot_name_a_file(all_kinds: Server, option: str) -> None:
    for model in ("lenet5", "orders", "load"):
        answer = all_kinds.ask(f"/predict/{model}?{option}", b"1", "text/plain")
        assert answer.status == 422
    assert not Path("there").exists()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nothing=1", "nothing"),
        ("unsure_below=2", "expected a number"),
        ("unsure_below=0.5&unsure_below=0.6", "twice"),
        ("epochs=3", "epochs"),
    ],
)
def test_a_wrong_option_is_refused_as_on_the_command_line(
    server: Server, query: str, said: str
) -> None:
    answer = server.ask(f"/predict/lenet5?{query}", digits(1).tolist())
    assert answer.status == 422
    assert said in answer.error


NAMES = ["../../x.png", "a/b/../x.png", "C:\\x.png", "/etc/x.png"]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_last_part_of_a_files_name_counts(server: Server, name: str) -> None:
    (row,) = server.send_files("/predict/lenet5", (name, png(digits(1)[0]))).rows
    assert row["file"] == "x.png"


def test_what_is_no_picture_is_refused(server: Server) -> None:
    tall = Image.new("L", (10, 10))
    buffer = io.BytesIO()
    tall.save(buffer, "ICO")
    for content in (b"", b"GIF89a", b"PK\x03\x04" + b"\0" * 99, buffer.getvalue()):
        answer = server.send_files("/predict/lenet5", ("x.png", content))
        assert answer.status == 415
        assert answer.error.startswith("x.png: expected a picture")
    blank = server.send_files("/predict/lenet5", ("blank.png", png(np.zeros((99, 99), "uint8"))))
    assert blank.status == 422
    assert blank.error.startswith("blank.png: ")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x", None, 415),
        (b"x", "application/x-www-form-urlencoded", 415),
        (b"x", "application/pdf", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[[]]", "application/json", 422),
        (b'["a"]', "application/json", 422),
        (b"[[1],[1,2]]", "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b"null", "application/json", 422),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=B", 400),
        (b"x", "multipart/form-data; boundary=" + "B" * 300, 400),
        (b"1e400,1", "text/csv", 415),
    ],
)
def test_another_body_is_refused(
    server: Server, body: bytes, kind: str | None, status: int
) -> None:
    answer = server.ask("/predict/lenet5", body, kind)
    assert (answer.status, bool(answer.error)) == (status, True)


def test_packed_lines_are_refused(all_kinds: Server) -> None:
    answer = all_kinds.ask("/predict/orders", b"\x1f\x8b" + b"\0" * 99, "text/plain")
    assert answer.status == 415
    assert "unpack" in answer.error


def test_a_request_leaves_nothing_on_the_disk(server: Server, tmp_path: Path) -> None:
    import tempfile

    before = set(Path(tempfile.gettempdir()).iterdir())
    server.send_files("/predict/lenet5", ("x.png", png(digits(1)[0])))
    server.send_files("/predict/lenet5", ("x.png", b"no picture"))
    after = set(Path(tempfile.gettempdir()).iterdir())
    assert not [path for path in after - before if (path / "x.png").exists()]
