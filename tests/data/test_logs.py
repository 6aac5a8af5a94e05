"""Logs of all formats, encodings and rotations are read."""

import bz2
import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipes.data import lines
from keras_recipes.data.logs import parser, sessions
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.parser import Parser
from keras_recipes.data.logs.recognition import recognise
from keras_recipes.data.logs.templates import UNSEEN, Templates
from keras_recipes.errors import CorruptModelError, InputError
from tests.shared_data import shared_data

COMBINED = b'1.2.3.%d - - [17/May/2015:10:05:%02d +0000] "GET /a/%d.png?x=1 HTTP/1.1" %d 5 "-" "x"'
TEXT = b"2026-01-05 10:00:%02d,123 INFO shop: order_%06d item %d added"


def text(count: int = 60) -> list[bytes]:
    return [TEXT % (i % 60, 100_000 + i // 3, i) for i in range(count)]


@pytest.mark.parametrize(
    ("sample", "format_", "session"),
    [
        (text(), "text", r"order_-?\d+"),
        ([COMBINED % (i, i, i, 200) for i in range(50)], "combined", "host"),
        ([b'{"ts": 1446249499322, "msg": "a", "user": "u%d"}' % (i // 3) for i in range(90)],
         "jsonl", "user"),
        ([b"Oct 11 22:14:%02d host sshd[%d]: accepted" % (i, 100 + i // 3) for i in range(60)],
         "syslog", r"\b[\w.-]+\[\d+\]"),
        ([b"<34>1 2003-10-11T22:14:15.003Z h su %d" % i for i in range(9)], "syslog", "window"),
        ([b"nothing in particular"] * 20, "text", "window"),
    ],
)  # fmt: skip
def test_format_and_sessions_are_found(sample: list[bytes], format_: str, session: str) -> None:
    layout = recognise(sample)
    assert layout.format == format_
    assert session in (layout.sessions.key, layout.sessions.by)
    assert LogLayout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        (b"2008-11-09T20:35:30Z", 1226262930),
        (b"2008-11-09 21:35:30,500+01:00", 1226262930.5),
        (b"2008/11/09 20:35:30", 1226262930),
        (b"081109 203530", 1226262930),
        (b"08/11/09 20:35:30", 1226262930),
        (b"[09/Nov/2008:20:35:30 +0000]", 1226262930),
        (b"1226262930", 1226262930),
        (b"1226262930500", 1226262930.5),
    ],
)
def test_times_are_understood(stamp: bytes, seconds: float) -> None:
    layout = recognise([stamp + b" INFO one thing"] * 10)
    (time,) = Parser(layout).parse([stamp + b" INFO one thing"]).times
    assert time == seconds


def test_an_indented_line_belongs_to_the_line_before() -> None:
    record = [*text(1), b"java.io.IOException: gone", b"\tat a.b(C.java:1)", b"  at d.e", *text(1)]
    layout = recognise(text(), session=r"order_\d+")
    found = Parser(layout).parse(record)
    assert len(found) == 3
    assert found.keys[1] == found.keys[0]
    assert b"IOException" in found.messages[1]
    assert found.lines == [1, 2, 5]


def test_a_record_that_names_no_session_is_in_none() -> None:
    layout = recognise(text(), session=r"order_\d+")
    parser = Parser(layout)
    found = parser.parse(
        [*text(1), b"2026-01-05 10:00:00 INFO heartbeat", b"of the pump", *text(1)]
    )
    assert found.lines == [1, 4]
    assert parser.without == 2


def test_numbers_make_no_templates_but_a_status_does() -> None:
    layout = recognise([COMBINED % (1, 1, 1, 200)] * 9)
    found = Parser(layout).parse(
        [COMBINED % (1, 1, i, s) for i, s in ((1, 200), (2, 200), (3, 404))]
    )
    assert found.messages[0] == found.messages[1] != found.messages[2]
    assert parser.readable(found.messages[2]).startswith("GET 404 ")


def test_a_client_begins_a_new_session_after_half_an_hour(tmp_path: Path) -> None:
    stamps = ("10:00:00", "10:20:00", "11:00:01")
    log = [
        b'1.2.3.4 - - [17/May/2015:%s +0000] "GET / HTTP/1.1" 200 5' % s.encode() for s in stamps
    ]
    found = sessions.collect(recognise(log), [(0, log)]).sequences()
    assert found.lengths.tolist() == [2, 1]
    assert found.names == ["1.2.3.4 2015-05-17T10:00:00Z", "1.2.3.4 2015-05-17T11:00:01Z"]


def test_lines_out_of_order_are_put_in_order_within_their_session() -> None:
    log = [TEXT % (s, 100_000, 1) for s in (5, 1, 3)]
    found = sessions.collect(recognise(text()), [(0, log)]).sequences()
    assert found.lines.tolist() == [2, 3, 1]


def test_windows_are_time_spans_or_for_lines_without_times_numbers_of_lines() -> None:
    log = [b"2026-01-05 10:%02d:00 INFO tick" % minute for minute in range(20)]
    by_time = sessions.collect(recognise(log, window="5m"), [(0, log)]).sequences()
    assert by_time.lengths.tolist() == [5, 5, 5, 5]
    assert by_time.names[1] == "2026-01-05T10:05:00Z"
    plain = [b"tick"] * 20
    by_lines = sessions.collect(recognise(plain, window="8"), [(0, plain)]).sequences()
    assert by_lines.lengths.tolist() == [8, 8, 4]


def test_windows_of_lines_with_times_may_be_numbers_of_lines() -> None:
    log = text(12)
    found = sessions.collect(recognise(log, window="5"), [(0, log)]).sequences()
    assert found.lengths.tolist() == [5, 5, 2]
    assert found.names == ["line 1", "line 6", "line 11"]


def test_rotated_and_packed_files_are_read_from_the_oldest_on(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_bytes(b"5\n")
    (tmp_path / "app.log.1").write_bytes(b"4\r\n")
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(b"3\n"))
    (tmp_path / "app.log.10.gz").write_bytes(bz2.compress(b"2\n"))  # the suffix is wrong on purpose
    paths = lines.paths([str(tmp_path / "app.log*")])
    assert [line for path in paths for block in lines.blocks(path) for line in block if line] == [
        *(b"2", b"3", b"4", b"5")
    ]


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_any_encoding_is_read(code: str, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes("Größe\nnächste".encode(code))
    found = [lines.decode(line) for block in lines.blocks(path) for line in block]
    assert found == ["Größe", "nächste"]


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b and b"\r" not in b)),
       st.integers(1, 30), st.sampled_from([b"\n", b"\r\n"]))  # fmt: skip
def test_lines_are_the_same_however_they_arrive(some: list[bytes], size: int, end: bytes) -> None:
    stream = b"".join(line + end for line in some)
    splitter = lines.Splitter()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    # Zeros at the beginning of a line are what a truncation leaves.
    expected = [line.lstrip(b"\0") for line in some]
    assert [x for piece in pieces for x in splitter.lines(piece)] + splitter.last() == expected


def test_an_endless_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"a" * (3 * lines.LONGEST) + b"\nb\n")
    found = [line for block in lines.blocks(path) for line in block]
    assert [len(line) for line in found] == [lines.LONGEST, 1]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"session": "("}, "regular expression"),
        ({"window": "soon"}, "time span such as 5m"),
        ({"session_field": "user"}, "text has no fields"),
        ({"session": "a", "window": "5m"}, "one of"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        recognise(text(), **settings)


def test_a_missing_field_is_refused_with_the_names_of_the_fields() -> None:
    with pytest.raises(InputError, match="expected one of msg, who, received 'id'"):
        recognise([b'{"msg": "a", "who": {"id": 3}}'] * 9, session_field="id")
    nested = recognise([b'{"msg": "a", "who": {"id": 3}}'] * 9, session_field="who.id")
    assert Parser(nested).parse([b'{"msg": "b", "who": {"id": "x"}}']).keys == [b"x"]


@settings(deadline=None)  # the first call imports drain3
@given(
    st.lists(st.binary(max_size=80), max_size=20),
    st.sampled_from(["text", "syslog", "combined", "jsonl"]),
)
def test_any_line_can_be_read(some: list[bytes], format_: str) -> None:
    layout = recognise(some, log_format=format_)
    records = Parser(layout).parse(some)
    Templates.mine(dict.fromkeys(records.messages)).token_ids(records.messages)


def test_hdfs_has_fifteen_templates() -> None:
    path = shared_data("datasets/hdfs/train.log")
    log = [line for block in lines.blocks(path) for line in block]
    layout = recognise(log)
    assert layout.sessions.key == r"blk_-?\d+"
    found = sessions.collect(layout, [(0, log)]).sequences()
    assert len(found) == 5_669
    assert len(Templates.mine(found.messages).patterns) == 15


def test_templates_have_wildcards_and_other_messages_are_new_events() -> None:
    templates = Templates.mine(
        [b"login accepted for user anna today", b"login accepted for user bob today"]
    )
    assert templates.patterns == ["login accepted for user <*> today"]
    assert templates.token_id(b"login accepted for user carla today") != UNSEEN
    assert templates.token_id(b"disk full on the second volume now") == UNSEEN
    assert templates.describe(UNSEEN, b"disk full") == "(never seen) disk full"


@pytest.mark.parametrize("usual", [1, 3])
def test_a_status_that_was_never_seen_is_a_new_event_next_to_those_that_were(usual: int) -> None:
    lines = [
        b'{"msg": "request completed", "id": "r%d", "status": %d, "path": "/p"}' % (number, status)
        for number in range(300)
        for status in (*usual * [200], 201, 422)
    ]
    layout = sessions.with_masking(recognise(lines), [(0, lines)])
    learned = Parser(layout).parse(lines).messages
    templates = Templates.mine(dict.fromkeys(learned), counts=[1] * len(dict.fromkeys(learned)))
    assert UNSEEN not in templates.token_ids(learned)
    failed = Parser(layout).parse([lines[0].replace(b"200", b"500")]).messages
    assert templates.token_ids(failed) == [UNSEEN]


def test_templates_keep_their_token_ids_when_more_are_learned() -> None:
    first = Templates.mine([b"a thing began here", b"nothing else to report today at all"])
    more = Templates.mine([b"quite another matter"], first)
    assert more.patterns[:2] == first.patterns
    assert len(more.patterns) == 3
    assert Templates.from_json(more.to_json()).patterns == more.patterns


@pytest.mark.parametrize(
    "damage", [None, {}, {"patterns": ["a"], "examples": []}, {"patterns": [1], "examples": [""]}]
)
def test_damaged_templates_are_refused(damage: object) -> None:
    with pytest.raises(CorruptModelError):
        Templates.from_json(damage)


@pytest.mark.parametrize(
    "name",
    [
        *("app.log.1", "app.log.2.gz", "app.1.log.gz", "app.log-20260105", "app.log.2026-01-05"),
        *("app.log.2026-01-05-10", "app.log-20260105.xz", "app.out.12", "app-20260105.log"),
    ],
)
def test_a_rotated_log_in_a_folder_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"a\n")
    assert lines.paths([str(tmp_path)]) == [tmp_path / name]


@pytest.mark.parametrize("name", ["app.pid", "notes.2", "libfoo.so.1", "picture.png", "app.conf.1"])
def test_other_files_in_a_folder_are_left_out(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"a\n")
    (tmp_path / "app.log").write_bytes(b"a\n")
    assert lines.paths([str(tmp_path)]) == [tmp_path / "app.log"]
