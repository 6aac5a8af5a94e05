"""Normal logs to sequences of token ids: to train on, to calibrate by, to measure on."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipes.anomaly.logs import source
from keras_recipes.anomaly.logs.event_counts import EventCounts
from keras_recipes.data import files, log_formats, sessions
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.data.log_formats import LogLayout
from keras_recipes.data.sessions import Sequences
from keras_recipes.data.templates import FIRST, UNSEEN, Templates
from keras_recipes.errors import InputError
from keras_recipes.recipe import Learned

SHARES = (0.1, 0.2)
"""Of the normal sessions that are held back: to measure on; to stop and calibrate by."""

TEST, VALIDATION, TRAIN = range(3)

FEWEST = 30
"""With fewer sessions nothing can be said about what is normal."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Parts:
    """The normal sessions: to train on, to calibrate by, to measure on; and what was known."""

    train: Sequences
    validation: Sequences
    test: Sequences
    before: Learned | None = None


def read(
    data: Sequence[str],
    learned: Learned | None,
    *,
    log_format: str,
    session: str | None,
    session_field: str | None,
    window: str | None,
    length: int,
    seed: int,
) -> Dataset:
    """Normal logs, of whose sessions some are held back; see `kind.read`.

    Raises:
        InputError: Data that cannot be read, or has too few sessions.
    """
    paths, blocks = source.to_learn_from(data)
    if learned is not None:
        layout = LogLayout.from_json(learned.get("layout"))
    else:
        layout = log_formats.recognise(
            _first_lines(blocks),
            log_format=log_format,
            session=session,
            session_field=session_field,
            window=window,
        )
    log.info("%s: %s, sessions by %s", files.in_words(paths), layout.format, layout.by)
    found = sessions.collect(layout, blocks()).sequences()
    if len(found) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} sessions by {layout.by}, found "
            f"{len(found)}; choose others with --set session=REGEX, session_field=NAME or window=1m"
        )
    return _dataset(paths, layout, found, learned, length, seed)


def _first_lines(blocks: Callable[[], source.Blocks]) -> list[bytes]:
    """Of each file, until there are enough to recognise a format by."""
    found: list[bytes] = []
    total = 0
    for _, block in blocks():
        found += block[: log_formats.SAMPLE]
        total += len(block)
        if total >= log_formats.SAMPLE:
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
            f"of {len(found):,} normal sessions {len(validation):,} held back to "
            f"calibrate, {len(test):,} to measure the false alarms"
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
        sequences=Parts(train, validation, test, before=learned),
    )


def split(names: Sequence[str], seed: int, shares: Sequence[float] = SHARES) -> np.ndarray:
    """The part that each session belongs to, by its name and the seed alone.

    Where chance leaves a part without any session, as it can where there are only some dozens, they
    are split evenly instead, in the same order.

    Args:
        names: Of the sessions.
        seed: Another one splits them otherwise.
        shares: How much of them part 0, part 1 and so on get; what is left is one part more.

    Returns:
        Numbers of the parts, int64 of shape (names,), from 0 to the number of shares.
    """
    # A checksum such as CRC would do for names without order, and puts numbered ones in lumps.
    texts = (f"{seed}:{name}".encode(errors="replace") for name in names)
    digests = b"".join(hashlib.blake2b(text, digest_size=4).digest() for text in texts)
    drawn, bounds = np.frombuffer(digests, "<u4") / 2.0**32, np.cumsum(shares)
    found = np.digitize(drawn, bounds)
    if len(np.unique(found)) <= len(shares):
        return np.digitize(drawn.argsort().argsort() / len(drawn), bounds)
    return found


def _mine(found: Sequences, before: Templates | None) -> Templates:
    """Templates of these sessions' messages that occur in two of them at least.

    What one session alone has could as well be in none: its likes will come again as events of a
    type never seen, and how often that is has to be learned too.
    """
    seen = np.unique(found.message_ids).tolist()
    every = Templates.mine([found.messages[number] for number in seen], before)
    token_ids = sessions.with_token_ids(found, every).token_ids
    owners = np.repeat(np.arange(len(found)), found.lengths)
    pairs = np.unique(np.stack([token_ids, owners]), axis=1)
    often = np.bincount(pairs[0], minlength=every.vocabulary_size) >= 2
    if before:
        often[: before.vocabulary_size] = True
    kept = np.flatnonzero(often[FIRST:]).tolist()
    return Templates([every.patterns[i] for i in kept], [every.examples[i] for i in kept])


def _known_templates(learned: Learned) -> Templates:
    """What was known, looked through before a long training rather than behind it."""
    templates = Templates.from_json(learned.get("templates"))
    EventCounts.from_json(learned.get("counts"), templates.vocabulary_size - UNSEEN)
    return templates


def _examples(found: Sequences, width: int) -> Examples:
    """Sessions as rows of that width, longer ones cut, shorter ones padded."""
    inputs, targets, starts = found.steps()
    lengths = np.diff(starts)
    pieces = -(-lengths // width)
    first_row = np.cumsum(pieces) - pieces
    at = np.arange(len(inputs)) - np.repeat(starts[:-1], lengths)
    row, column = np.repeat(first_row, lengths) + at // width, at % width
    x, y = np.zeros((2, int(pieces.sum()), width), "int32")
    x[row, column], y[row, column] = inputs, targets
    return Examples(x, y)
