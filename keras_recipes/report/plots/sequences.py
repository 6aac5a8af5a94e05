"""Pictures of logs and series: scores, surprises, and values with the expected band."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_recipes.recipe import Row
from keras_recipes.report import lettering
from keras_recipes.report.plots import canvas

LONGEST_SESSION = 60
"""The most events of a session that are drawn."""


def watched(rows: Sequence[Row], column: str, data: str) -> Figure:
    """Draw a series with its expected range and its incidents, and the scores below it.

    Args:
        rows: At least one row about one column, from `TableDetector.rows`.
        column: The name of the column.
        data: The name of the data.
    """
    figure = canvas.empty((8.4, 4.4))
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    x = np.arange(len(rows))
    value, low, high, score = (
        np.array([np.nan if row[key] is None else row[key] for row in rows])
        for key in ("value", "expected_low", "expected_high", "score")
    )
    marker = "." if len(rows) == 1 else ""
    top.fill_between(x, low, high, color=canvas.ZERO, alpha=0.2, linewidth=0, label="expected")
    top.plot(x, value, color=canvas.ZERO, linewidth=0.8, label="value", marker=marker)
    bottom.plot(x, score, color=canvas.ZERO, linewidth=0.8, marker=marker)
    bottom.axhline(0.5, color=canvas.ONE, linestyle="--", linewidth=0.8, label="threshold")
    inside = np.array([row["incident"] for row in rows]) > 0
    alarms = sum(row["anomaly"] for row in rows)
    for number, (first, last) in enumerate(_runs(inside)):
        for axes in (top, bottom):
            label = "incident" if axes is top and not number else None
            axes.axvspan(first - 0.5, last + 0.5, color=canvas.ONE, alpha=0.4, label=label)
    _name_records(bottom, [str(row["timestamp"]) for row in rows])
    bottom.set(ylim=(0, 1), ylabel="score")
    top.ticklabel_format(axis="y", scilimits=(-4, 7), useOffset=False)
    least, most = top.get_ylim()
    if most - least < 1e-6 * max(abs(least), abs(most)):
        top.set_ylim(least - 0.05 * abs(least), most + 0.05 * abs(most))
    (name, where), style = lettering.drawable((column, data), 60)
    top.set_ylabel(lettering.brief(name, 24), **style)
    flagged = f"{alarms:,} anomal{'y' if alarms == 1 else 'ies'}"
    records = canvas.counted(len(rows), "record")
    canvas.title(figure, f"{name} in {where}:", f"{flagged} among {records}", like=style)
    canvas.legend(figure, top, bottom)
    return figure


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags, [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _name_records(axes: Axes, timestamps: Sequence[str]) -> None:
    """Label some records with their times, without seconds if the times still differ."""
    room = 5 if len(timestamps[0]) <= 20 else 3
    ticks = np.unique(np.linspace(0, len(timestamps) - 1, room).astype(int)).tolist()
    texts = [timestamps[tick] for tick in ticks]
    shorter = [text[:16] for text in texts]
    if len(set(shorter)) == len(texts) and all(text[16:17] in ("", ":") for text in texts):
        texts = shorter
    texts, style = lettering.drawable(texts, 28)
    axes.set_xticks(ticks, texts, fontsize=canvas.SMALL, **style)
    numbered = all(text.isdecimal() and len(text) < 10 for text in timestamps)
    axes.set_xlabel("record" if numbered else "time")


def scores(values: np.ndarray, data: str) -> Figure:
    """Draw the scores of sessions in their order; scores of at least 0.5 are anomalies.

    Args:
        values: Scores from 0 to 1, shape (N,).
        data: The name of the data.
    """
    figure, axes = canvas.figure()
    strange = values >= 0.5
    numbers = np.arange(1, len(values) + 1)
    for chosen, size, colour, marker, label in (
        (~strange, 6, canvas.ZERO, "o", "normal"),
        (strange, 14, canvas.ONE, "^", "anomaly"),
    ):
        if chosen.any():
            axes.scatter(
                numbers[chosen], values[chosen], s=size, color=colour, marker=marker, label=label
            )
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--", label="threshold")
    axes.set(xlabel="session, in the order of the log", ylabel="score", ylim=(-0.03, 1.03))
    canvas.whole_numbers(axes)
    (where,), style = lettering.drawable([data], 60)
    found = f"{strange.sum():,} anomal{'y' if strange.sum() == 1 else 'ies'}"
    canvas.title(
        figure, f"{found} among {canvas.counted(len(values), 'session')}", f"of {where}", like=style
    )
    canvas.legend(figure, axes)
    return figure


def surprises(
    events: Sequence[str], nats: np.ndarray, session: str, note: str = "", *, noun: str = "event"
) -> Figure:
    """Draw the surprise of each event of a session or, if it is long, around the largest one.

    Args:
        events: The text of each event.
        nats: The surprise (-log p) of each event in nats, shape (events,).
        session: The name of the session.
        note: A note about the session, below the picture.
        noun: What an event is called.
    """
    strangest = int(nats.argmax())
    first = max(0, min(strangest - LONGEST_SESSION // 2, len(events) - LONGEST_SESSION))
    last = min(first + LONGEST_SESSION, len(events))
    texts, style = lettering.drawable(events[first:last], 60)
    texts = [f"{text}  {number}" for number, text in enumerate(texts, first + 1)]
    figure = canvas.empty((8.0, 1.8 + 0.22 * len(texts)))
    axes = figure.subplots()
    places = np.arange(first, last) + 1
    colours = np.where(nats[first:last] == nats[strangest], canvas.ONE, canvas.ZERO)
    axes.barh(places, nats[first:last], color=colours)
    axes.set_yticks(places, texts, fontsize=canvas.SMALL, **style)
    axes.set(xlabel="surprise, -log p (nats)", ylim=(last + 0.6, first + 0.4))
    axes.set_xlim(0, max(1.05 * float(nats[strangest]), 0.1))
    axes.set_ylabel(f"{noun}, the least expected in vermilion" if len(texts) > 8 else noun)
    (name, *said), style = lettering.drawable((session, *note.splitlines()), 90)
    part = f"{noun} by {noun}"
    if len(texts) < len(events):
        part = f"{noun}s {first + 1:,} to {last:,} of {len(events):,}"
    canvas.title(figure, f"{name},", part, like=style)
    figure.supxlabel("\n".join(said), fontsize=canvas.SMALL, **style)
    axes.grid(axis="x", alpha=0.3)
    return figure
