"""The logs of many programs are read with their times and sessions, whatever their formats."""

from collections import defaultdict

import pytest

from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.parser import Parser, Records
from keras_recipes.data.logs.recognition import recognise
from tests.data.more_program_logs import MORE_PROGRAMS
from tests.data.program_logs import PROGRAMS, Event, Program, events, lines

ALL = (*PROGRAMS, *MORE_PROGRAMS)
MINUTES_ONLY = ("no seconds", "zerolog console")
OTHER_TIMES = ("JVM uptime", "Oracle listener")
"""Logs of which the times are made up apart from the events' times."""


def read(program: Program) -> tuple[LogLayout, list[Event], Records, dict[int, int]]:
    """Return the layout, the events, the records, and the number of the event of each line."""
    found = events(program)
    some = lines(program, found)
    layout = recognise(some)
    owners, line = {}, 1 + program.header.count("\n")
    for number, event in enumerate(found):
        height = 1 + event.text.count("\n")
        owners.update(dict.fromkeys(range(line, line + height), number))
        line += height
    return layout, found, Parser(layout).parse(some), owners


def test_the_logs_have_different_names() -> None:
    assert len({program.name for program in ALL}) == len(ALL) >= 240


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.name)
def test_format_times_and_sessions_are_recognised(program: Program) -> None:
    layout, found, records, owners = read(program)
    assert layout.format == program.format
    assert layout.timed == program.timed
    assert LogLayout.from_json(layout.to_json()) == layout

    times: dict[int, float] = {}
    keys: dict[int, set[bytes]] = defaultdict(set)
    for line, time, key in zip(records.lines, records.times, records.keys, strict=True):
        if line in owners:  # the lines of a header have no event
            times.setdefault(owners[line], time)
            keys[owners[line]].add(key)
    assert len(times) == len(found), "each event is read"
    if program.timed and program.name not in OTHER_TIMES:
        shift = 0.0 if program.year else times[0] - found[0].time
        close = 60.0 if program.name in MINUTES_ONLY else 1.01
        expected = [event.time + shift for event in found]
        assert [times[n] for n in range(len(found))] == pytest.approx(expected, abs=close)

    if program.sessions == "request":
        of_request: dict[int, set[bytes]] = defaultdict(set)
        for number, some in keys.items():
            of_request[found[number].request] |= some
        assert all(len(some) == 1 for some in of_request.values()), layout.in_words
        assert len(set.union(*of_request.values())) == len(of_request) == 60, layout.in_words
    else:
        assert layout.sessions.by == "window", layout.in_words
        assert layout.in_lines == (program.sessions == "lines")
