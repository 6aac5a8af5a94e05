"""From normal logs to training, validation and test data: sequences of token ids."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from keras_recipes.anomaly.logs import source
from keras_recipes.anomaly.logs.event_counts import EventCounts
from keras_recipes.data import files
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.data.logs import recognition, sessions
from keras_recipes.data.logs.layout import LogLayout
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.data.logs.templates import FIRST, MOST, UNSEEN, Templates
from keras_recipes.errors import InputError
from keras_recipes.recipe import Learned

SHARES = (0.1, 0.2)
"""The held-out shares of the normal sessions: for the test, and for validation and calibration."""

TEST, VALIDATION, TRAIN = range(3)

FEWEST = 30
"""The smallest number of sessions that a log can be learned from."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of the normal sessions.

    Attributes:
        train: The training part.
        validation: The part for validation and calibration.
        test: The part to measure the false alarms on.
        known: The parts for training and for validation together.
        before: What the model learned before, if its training is continued.
    """

    train: Sequences
    validation: Sequences
    test: Sequences
    known: Sequences
    before: Learned | None = None


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    log_format: str,
    session: str | None,
    session_field: str | None,
    window: str | None,
    time: str | None,
    time_format: str | None,
    length: int,
    first: int | None,
    seed: int,
) -> Dataset:
    """Return normal logs, some of their sessions held out; see `kind.read`.

    Raises:
        InputError: The data cannot be read, or has too few sessions.
    """
    paths, every = source.to_learn_from(data)
    blocks = every
    if first:
        source.check_one("first", paths)
        blocks = partial(source.first_lines, every, first)
    if learned is not None:
        layout = LogLayout.from_json(learned.get("layout"))
    else:
        layout = recognition.recognise(
            _first_lines(blocks),
            log_format=log_format,
            session=session,
            session_field=session_field,
            window=window,
            time=time,
            time_format=time_format,
        )
        layout = sessions.with_masking(layout, blocks())
    collected = sessions.collect(layout, blocks())
    found = collected.sequences()
    if first:
        found = found.subset(_ended(found, sessions.collect(layout, every()).sequences(), first))
    log.info("%s: %s; %s sessions", files.in_words(paths), layout.in_words, f"{len(found):,}")
    if len(found) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} sessions by {layout.by}, received "
            f"{len(found)}; {_what_to_do(collected)}"
        )
    return _dataset(paths, layout, found, learned, length, seed)


def _ended(found: Sequences, everything: Sequences, first: int) -> np.ndarray:
    """Return which sessions have no line after the first ones, which would be cut off."""
    last = np.maximum.reduceat(everything.lines, everything.starts[:-1])
    ended = {name for name, line in zip(everything.names, last, strict=True) if line <= first}
    return np.array([name in ended for name in found.names], bool)


def _what_to_do(collected: sessions.SessionCollector) -> str:
    """Return what makes more sessions of a log that has too few, in words for an error message."""
    width = collected.width_for(2 * FEWEST) or collected.width_for(FEWEST)
    if width:
        return f"make shorter ones with --set window={width}, or others with --set session=REGEX"
    return "give more lines, or make others with --set session=REGEX"


def _first_lines(blocks: Callable[[], source.Blocks]) -> list[bytes]:
    """Return the first lines of each file, until there are enough to detect the format."""
    found: list[bytes] = []
    total = 0
    for _, block in blocks():
        found += block[: recognition.SAMPLE]
        total += len(block)
        if total >= recognition.SAMPLE:
            break
    return found


def _dataset(
    paths: list[str],
    layout: LogLayout,
    found: Sequences,
    learned: Learned | None,
    length: int,
    seed: int,
) -> Dataset:
    parts = split(found.names, seed)
    before = None if learned is None else _known_templates(learned)
    templates = _mine(found.subset(parts != TEST), before)
    found = sessions.with_token_ids(found, templates)
    train, validation, test = (found.subset(parts == part) for part in (TRAIN, VALIDATION, TEST))
    width = min(length, int(found.lengths.max()) + 1)
    return Dataset(
        name=files.in_words(paths),
        train=_examples(train, width),
        validation=_examples(validation, width),
        test=_examples(test, width),
        note=(
            f"{len(found):,} normal sessions: {len(validation):,} were held out for validation and "
            f"calibration, {len(test):,} to measure the false alarms"
        ),
        learned={
            "kind": "logs",
            "layout": layout.to_json(),
            "templates": templates.to_json(),
            "sessions_a_day": len(found) / found.days if found.days else 0.0,
            "silence": found.max_gap,
        },
        implied={"classes": templates.vocabulary_size},
        known_as=tuple(paths),
        sequences=Parts(train, validation, test, found.subset(parts != TEST), before=learned),
    )


def split(names: Sequence[str], seed: int, shares: Sequence[float] = SHARES) -> np.ndarray:
    """Return the part of each session, chosen only by its name and the seed.

    If chance would leave a part without any session, which can happen with some dozens of sessions,
    they are split evenly instead, in the same order.

    Args:
        names: The names of the sessions.
        seed: Another seed gives another split.
        shares: The shares of part 0, part 1 and so on. The remaining sessions are one more part.

    Returns:
        The numbers of the parts, int64 of shape (N,), from 0 to the number of shares.
    """
    # A checksum such as CRC is not random enough: it puts most of the numbered names into one part.
    texts = (f"{seed}:{name}".encode(errors="replace") for name in names)
    digests = b"".join(hashlib.blake2b(text, digest_size=4).digest() for text in texts)
    drawn, bounds = np.frombuffer(digests, "<u4") / 2.0**32, np.cumsum(shares)
    found = np.digitize(drawn, bounds)
    if len(np.unique(found)) <= len(shares):
        return np.digitize(drawn.argsort().argsort() / len(drawn), bounds)
    return found


def _mine(found: Sequences, before: Templates | None) -> Templates:
    """Return the templates that occur in at least two of these sessions.

    A template that occurs in one session only has no token id. Its events are as new events to the
    net, because such events will come again, and the net has to learn how often.
    """
    seen, counts = (a.tolist() for a in np.unique(found.message_ids, return_counts=True))
    messages = [found.messages[number] for number in seen]
    every = Templates.mine(messages, before, counts=counts)
    token_ids = sessions.with_token_ids(found, every).token_ids
    owners = np.repeat(np.arange(len(found)), found.lengths)
    pairs = np.unique(np.stack([token_ids, owners]), axis=1)
    often = np.bincount(pairs[0], minlength=every.vocabulary_size) >= 2
    if before:
        often[: before.vocabulary_size] = True
    kept = np.flatnonzero(often[FIRST:]).tolist()
    once = [every.patterns[i] for i in np.flatnonzero(~often[FIRST:]).tolist()]
    rare = list(dict.fromkeys([*once, *(before.rare if before else ())]))[:MOST]
    return every.of(((every.patterns[i], every.examples[i]) for i in kept), rare)


def _known_templates(learned: Learned) -> Templates:
    """Return the templates of the earlier training, checked before a long training begins."""
    templates = Templates.from_json(learned.get("templates"))
    EventCounts.from_json(learned.get("counts"), templates.vocabulary_size - UNSEEN)
    return templates


def _examples(found: Sequences, width: int) -> Examples:
    """Return sessions as rows of this width; longer sessions are cut, shorter ones padded."""
    inputs, targets, starts = found.steps()
    lengths = np.diff(starts)
    pieces = -(-lengths // width)
    first_row = np.cumsum(pieces) - pieces
    at = np.arange(len(inputs)) - np.repeat(starts[:-1], lengths)
    row, column = np.repeat(first_row, lengths) + at // width, at % width
    x, y = np.zeros((2, int(pieces.sum()), width), "int32")
    x[row, column], y[row, column] = inputs, targets
    return Examples(x, y)
