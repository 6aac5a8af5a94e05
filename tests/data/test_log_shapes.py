"""Logs of common programs are recognised: their format, their times and their sessions."""

import pytest

from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.parser import Parser
from keras_recipes.data.logs.recognition import recognise
from tests.data.log_shapes import SHAPES, Shape, log, when

NAMES = [shape.name for shape in SHAPES]


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_the_layout_is_recognised(shape: Shape) -> None:
    layout = recognise(log(shape))
    assert layout.format == shape.format
    assert layout.timed == (shape.time is not None)
    assert layout.time == (shape.time or "")
    rule = layout.sessions
    assert shape.session in rule.key if shape.session != "window" else rule.by == "window"
    assert LogLayout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_each_line_has_its_time(shape: Shape) -> None:
    lines = log(shape)
    records = Parser(recognise(lines)).parse(lines)
    assert records.lines == list(range(1, len(lines) + 1))
    steps = [b - a for a, b in zip(records.times, records.times[1:], strict=False)]
    assert steps == pytest.approx([90.0] * len(steps), abs=1e-3)
    if shape.name not in ("dmesg", "Android logcat", "klog", "syslog"):  # these have no year
        assert records.times[0] == pytest.approx(when(0).timestamp(), abs=1)
