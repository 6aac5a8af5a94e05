"""JSON documents and tables with messages become lines; anything else in them is refused."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.data import lines, record_kind
from keras_recipes.data.logs import documents
from keras_recipes.data.logs.recognition import recognise
from keras_recipes.errors import InputError

OBJECTS = [{"time": f"2024-03-01T00:{i:02d}:00Z", "msg": f"message {i}"} for i in range(40)]


def read(path: Path) -> list[bytes]:
    return [line for block in documents.blocks(path) for line in block]


def objects(found: list[bytes]) -> list[object]:
    return [json.loads(line) for line in found if line]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        json.dumps({"Records": OBJECTS}),
        json.dumps({"Records": OBJECTS, "nextToken": "abc", "count": 3}),
        "\n".join(json.dumps(value, indent=1) for value in OBJECTS),
        " \n" + json.dumps(OBJECTS) + "\n\n",
    ],
    ids=["array", "indented array", "records", "records and a token", "objects", "blanks"],
)
def test_a_document_is_read_as_its_objects(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert objects(read(path)) == OBJECTS


def test_a_record_has_the_line_at_which_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(OBJECTS, indent=2))
    found = read(path)
    first, second, *_ = [number for number, line in enumerate(found, 1) if line]
    written = path.read_text().splitlines()
    assert written[first - 1].strip() == written[second - 1].strip() == "{"


def test_a_document_larger_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    many = [{"msg": "é" * 500, "n": n} for n in range(3_000)]
    path.write_text(json.dumps(many, ensure_ascii=False), encoding="utf-8")
    assert path.stat().st_size > 2 * lines.LONGEST
    assert objects(read(path)) == many


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS)[:-30],
        json.dumps(OBJECTS) + "oops",
        json.dumps(OBJECTS[:2])[:-1] + ', 5, "x"]',
        '[{"msg": "a"} garbage {"msg": "b"}]',
        '{\n"msg": "a"\n}\nplain text',
    ],
    ids=["cut", "text behind", "numbers", "text between", "text after objects"],
)
def test_what_is_no_json_is_refused_and_not_passed_over(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match="expected JSON objects"):
        read(path)


def test_text_in_brackets_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("[{main}] one\n[{main}] two\n")
    assert read(path) == [b"[{main}] one", b"[{main}] two"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1),
                min_size=1, max_size=8))  # fmt: skip
def test_any_message_comes_through_a_document(messages: list[str]) -> None:
    values = [{"msg": message} for message in messages]
    decoder = json.JSONDecoder()
    for text in (json.dumps(values), json.dumps(values, ensure_ascii=False, indent=1)):
        pieces = [text.encode()[i : i + 1_000] for i in range(0, len(text.encode()), 1_000)]
        found = list(documents._objects(Path("x"), pieces))
        assert [decoder.decode(line.decode()) for line in found if line] == values


def test_a_row_with_line_ends_in_a_cell_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('time,message\n1,"one\ntwo"\n2,three\n')
    found = read(path)
    assert [value["message"] for value in objects(found)] == ["onetwo", "three"]
    assert [number for number, line in enumerate(found, 1) if line] == [2, 4]


def test_a_cell_across_two_blocks_of_lines_is_one_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,message\n" + "".join(f'{n},"a {n}\nb"\n' for n in range(500)))
    monkeypatch.setattr(lines, "_BLOCK", 100)
    monkeypatch.setattr(documents, "STARTS_WITH", 90)
    assert [value["time"] for value in objects(read(path))] == [str(n) for n in range(500)]


@pytest.mark.parametrize("name", ["event", "message", "m", "text"])
def test_a_column_of_numbers_makes_no_log_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = (f"2024-01-01 00:{n:02d}:00,{n % 7},{n % 2}" for n in range(50))
    path.write_text("\n".join(itertools.chain([f"timestamp,value,{name}"], rows)))
    assert record_kind.recognise([str(path)]) == "metrics"


@pytest.mark.parametrize("name", ["export.txt", "export.log", "export", "export.csv.1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_of_messages_is_one_under_any_ending(
    name: str, delimiter: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    rows = [["Time", "Level", "Message"]]
    rows += [[f"2026-01-05 10:00:{i:02d}", "INFO", f'"said {delimiter} {i}"'] for i in range(60)]
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows))
    found = [line for block in documents.blocks(path) for line in block]
    assert json.loads(found[1])["Message"] == f"said {delimiter} 0"
    assert recognise(found).in_words == "jsonl; time in Time; sessions by windows of 300 s"


def test_lines_with_commas_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    text = "time, level and message follow\n" + "10:00:00, INFO, accepted, 7 items\n" * 30
    path.write_text(text)
    assert b"\n".join(line for block in documents.blocks(path) for line in block) == (
        text.strip().encode()
    )
