"""benchmarks/descent.py counts examples and updates, and draws a line per fit in both panels."""

import numpy as np
import pytest

from benchmarks import descent


@pytest.fixture(scope="module")
def courses() -> dict[str, list[descent.Course]]:
    return {
        kind: [descent.course("xor", 0, **options)]
        for kind, options in descent.KINDS["xor"].items()
    }


def test_a_kind_that_uses_fewer_examples_makes_more_updates(
    courses: dict[str, list[descent.Course]],
) -> None:
    per_update = {kind: one.examples[-1] / one.updates for kind, (one,) in courses.items()}
    assert per_update == {"batch": 4, "stochastic": 1, "mini-batch of 2": 2}


def test_time_passes_and_the_loss_falls(courses: dict[str, list[descent.Course]]) -> None:
    for (one,) in courses.values():
        assert len(one.seconds) == len(one.examples) == len(one.values["loss"])
        assert np.all(np.diff(one.seconds) > 0)
        assert one.values["loss"][-1] < 0.02 < one.values["loss"][0]
        assert one.after(one.examples, one.examples[-1], "loss") == one.values["loss"][-1]
        assert np.isnan(one.after(one.seconds, 0.0, "loss"))
        assert np.isnan(one.after(one.examples, one.examples[-1] + 1, "loss"))


def test_the_picture_has_a_line_for_each_fit_in_both_panels(
    courses: dict[str, list[descent.Course]],
) -> None:
    panels = descent.drawn(courses, "xor").axes
    assert [axes.get_xlabel().split(",")[0] for axes in panels] == ["examples seen", "seconds"]
    assert [len(axes.lines) for axes in panels] == [3, 3]
    shown = [text.get_text() for text in panels[0].get_legend().get_texts()]
    assert shown == list(courses)
