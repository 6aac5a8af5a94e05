"""A measurement is compared with its normal range; an identifier is no measurement."""

import numpy as np
import pytest

from keras_recipes.anomaly.logs.normal_ranges import NormalRanges
from keras_recipes.data.logs.layout import LogLayout, SessionRule
from keras_recipes.data.logs.masking import Census, Masking
from keras_recipes.data.logs.measurements import UNIT_NAMES, Measures, Reader
from keras_recipes.data.logs.parser import Parser
from keras_recipes.data.logs.sessions import Measured, Sequences, collect, with_masking
from keras_recipes.errors import CorruptModelError

RANDOM = np.random.default_rng(0)


def measures(lines: list[str]) -> Measures:
    census = Census()
    for line in lines:
        census.mask(line.encode())
    return census.masking().measures


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("query done in {} ms", "in "),
        ("request took {} s", "took "),
        ("took {}s for all", "took "),
        ("block of size {} from /10.0.0.1", "size "),
        ("accepted, queue={}, from port 1", "queue="),
        ("sent bytes: {} to peer", "bytes: "),
        ('{{"elapsed": {}}}', 'elapsed": '),
        ("at 12:00:01 v1.2 cache holds {} of them", "holds "),
    ],
)
def test_a_number_that_varies_by_its_name_is_a_measurement(form: str, name: str) -> None:
    found = measures([form.format(int(x)) for x in RANDOM.lognormal(5, 1, 300)])
    assert found.names == (name.encode(),)


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("processed {} records", range(1, 400)),  # a counter
        ("time={} ms", range(1_700_000_000_000, 1_700_000_400_000, 1_000)),
        ("process pid={} started", RANDOM.integers(300, 30_000, 400)),
        ("from port {} to us", RANDOM.integers(1_024, 65_535, 400)),
        ("payment {} accepted", RANDOM.integers(10**8, 10**9, 400)),
        ("exit code {}", [0] * 390 + [1] * 10),
        ("peer 10.0.0.{} left", RANDOM.lognormal(3, 1, 400).astype(int)),
        ("version 2.{}.1", RANDOM.lognormal(3, 1, 400).astype(int)),
        ("hash ab{}cd", RANDOM.lognormal(3, 1, 400).astype(int)),
        ("took {} ms", RANDOM.lognormal(3, 1, 15).astype(int)),  # too few lines
    ],
)
def test_identifiers_counters_and_closed_sets_are_no_measurements(
    form: str, numbers: "list[int]"
) -> None:
    assert not measures([form.format(number) for number in numbers])


def values(message: bytes, *names: bytes) -> list[tuple[int, float, bytes]]:
    reader = Reader(Measures(names))
    found, events = reader.read([message], [message.translate(None, b"0123456789")])
    assert events == [0] * len(found)
    return [(name, value, UNIT_NAMES[unit]) for name, value, unit in found]


def test_units_are_compared_and_other_words_are_no_units() -> None:
    assert values(b"took 1.5 s", b"took ") == [(0, 1.5, b"s")]
    assert values(b"took 1500ms now", b"took ") == [(0, 1.5, b"ms")]
    assert values(b"size 2 MB, took 7 rounds", b"took ", b"size ") == [
        (0, 7.0, b""), (1, 2.0**21, b"MB")]  # fmt: skip
    assert values(b"main 3 domain in 4 ms", b"in ") == [(0, 0.004, b"ms")]
    assert values(b"took 3rd place, in 10.0.0.1, in 5/6", b"took ", b"in ") == []


def test_many_messages_at_once_give_the_values_of_each() -> None:
    some = [b"took %d ms" % i if i % 3 else b"took no time" for i in range(50)]
    reader = Reader(Measures((b"took ",)))
    for _ in range(2):
        masked = [message.translate(None, b"0123456789") for message in some]
        found, events = reader.read(some, masked)
        assert events == [i for i in range(50) if i % 3]
        assert [value for _, value, _ in found] == pytest.approx([i / 1_000 for i in events])


def log(seed: int, last: bytes = b"") -> list[bytes]:
    random = np.random.default_rng(seed)
    rows = [(i, x) for i in range(200) for x in random.lognormal(4, 0.5, 3)]
    lines = [b"INFO order-%d query done in %d ms" % (i, x) for i, x in rows]
    return [*lines, *([last] if last else [])]


def sequences(layout: LogLayout, lines: list[bytes]) -> Sequences:
    found = collect(layout, [(0, lines)]).sequences()
    return found.subset(np.ones(len(found), bool))


@pytest.fixture(scope="module")
def layout() -> LogLayout:
    plain = LogLayout("text", False, SessionRule("regex", r"order-\d+"))
    return with_masking(plain, [(0, log(0))])


def test_what_is_beyond_the_normal_range_on_either_side_stands_out(layout: LogLayout) -> None:
    assert layout.masking.measures.names == (b"in ",)
    assert LogLayout.from_json(layout.to_json()) == layout
    ranges, alone = NormalRanges.of(sequences(layout, log(0)))
    assert (alone > 0).sum() <= 2
    assert NormalRanges.from_json(ranges.to_json()).to_json() == ranges.to_json()
    for amount, strange in ((90_000, True), (50, False), (0, True)):
        last = b"INFO order-999 query done in %d ms" % amount
        beyond = ranges.of_sessions(sequences(layout, log(0, last)))
        assert beyond[:-1].max() == 0
        assert (beyond[-1] > 1) == strange
        (pair,) = ranges.to_json()
        token_id, name = divmod(pair[0], 1_000)
        assert ranges.beyond_one(token_id, name, amount / 1_000) == pytest.approx(beyond[-1])
    assert ranges.beyond_one(5, 0, 1e9) == 0


def test_sessions_in_another_order_keep_their_measurements(layout: LogLayout) -> None:
    lines = log(3)
    mixed = [lines[i] for i in np.random.default_rng(1).permutation(len(lines))]
    found = sequences(layout, mixed)
    one = found.names.index("order-7")
    first, last = found.starts[one : one + 2]
    own = [x for x in mixed if b"order-7 " in x]
    within = (found.measured.events >= first) & (found.measured.events < last)
    expected = [int(x.split()[-2]) / 1_000 for x in own]
    assert found.measured.values[within] == pytest.approx(expected)
    alone = found.subset(np.array([one]))
    assert alone.measured.values == pytest.approx(expected)
    assert alone.measured.events.tolist() == [0, 1, 2]


def test_ranges_are_widened_by_those_of_an_earlier_training(layout: LogLayout) -> None:
    before, _ = NormalRanges.of(sequences(layout, log(0)))
    key, low, median, high = before.to_json()[0]
    wide = NormalRanges.from_rows([(key, low / 2, median, high * 2), (key + 5, 1.0, 2.0, 3.0)])
    ranges, _ = NormalRanges.of(sequences(layout, log(0)), wide)
    assert ranges.to_json() == [(key, low / 2, median, high * 2), (key + 5, 1.0, 2.0, 3.0)]


def test_json_fields_are_measured(layout: LogLayout) -> None:
    json = LogLayout("jsonl", False, SessionRule("field", "id"),
                     masking=Masking(measures=Measures((b"took ",), ("d.ms",))))  # fmt: skip
    lines = [b'{"id": "a", "msg": "took 5 s", "d": {"ms": 12.5}}', b'{"id": "b", "msg": "x"}']
    records = Parser(json).parse(lines)
    (found,) = records.measured_by_event().values()
    assert sorted(found) == [(0, 5.0, UNIT_NAMES.index(b"s")), (1, 12.5, 0)]


@pytest.mark.parametrize(
    "damaged",
    [5, [[1, 2.0]], [[1.5, 1, 2, 3]], [[-1, 1, 2, 3]], [[1, 3, 2, 1]], [[1, 1, 2, float("nan")]],
     [[1, 1, 2, float("inf")]], [[1, 1, 2, 3], [1, 1, 2, 3]], [["a", 1, 2, 3]], {"a": 1},
     [[i, 1, 2, 3] for i in range(2_001)]],
)  # fmt: skip
def test_damaged_ranges_are_refused(damaged: object) -> None:
    with pytest.raises(CorruptModelError, match="ranges"):
        NormalRanges.from_json(damaged)


@pytest.mark.parametrize(
    "damaged",
    [5, {}, {"names": ["a "]}, {"names": [""], "fields": []}, {"names": "a", "fields": []},
     {"names": ["\x1b[2J"], "fields": []}, {"names": ["x"] * 101, "fields": []},
     {"names": [5], "fields": []}],
)  # fmt: skip
def test_damaged_names_of_measurements_are_refused(damaged: object) -> None:
    with pytest.raises(ValueError, match="measurements"):
        Masking.from_json({"measures": damaged})


def test_a_card_without_measurements_measures_nothing() -> None:
    assert Masking.from_json({}).measures == Measures()
    assert not len(NormalRanges.from_json(None))
    nothing = Measured.of(np.zeros(0, "int64"), [])
    assert len(NormalRanges.from_json(None).beyond(np.zeros(0, "int32"), nothing)) == 0
