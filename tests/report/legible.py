"""A check whether a picture can be read, for the tests of pictures."""

import itertools

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def check(figure: Figure) -> None:
    """Check that there is a title, nothing is cut off, and no legend or label covers others."""
    figure.draw_without_rendering()
    assert figure.get_suptitle()
    page = figure.bbox.padded(2)
    axes_drawn = [axes for axes in figure.axes if axes.axison]
    every = [axis for axes in axes_drawn for axis in (axes.xaxis, axes.yaxis)]
    labels = [ticks_of(axis) for axis in every]
    apart = {text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
             for text in axis.findobj(Text) if text is not axis.label}  # fmt: skip
    names = [text for text in figure.findobj(Text) if text not in apart]
    for text in (*names, *itertools.chain(*labels)):
        box = text.get_window_extent()
        if text.get_text().strip() and text.get_visible():
            assert page.containsx(box.x0) and page.containsx(box.x1), text
            assert page.containsy(box.y0) and page.containsy(box.y1), text
    for legend in figure.legends:
        for axes in axes_drawn:
            assert not overlap(legend.get_window_extent(), axes.get_tightbbox())
    for row in labels:
        boxes = [label.get_window_extent() for label in row if label.get_text()]
        assert not any(itertools.starmap(overlap, itertools.pairwise(boxes))), row


def ticks_of(axis: Axis) -> list[Text]:
    """Return the labels of an axis that are in view, and so are drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [tick.label1 for tick in ticks if tick.label1.get_visible()]


def overlap(one: Bbox, other: Bbox) -> bool:
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    up = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(across > 0.5 and up > 0.5)
