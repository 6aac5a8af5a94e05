"""A log under watch: what sessions are normal, learned; others judged, in bulk or as lines arrive.

One of the two kinds of data that the recipe `lstm-anomaly` reads; `anomaly/metrics.py` is the
other one. Here is what happens around the net: lines to sequences, normal sessions to thresholds,
sessions to answers, metrics and pictures.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipes.anomaly import summary
from keras_recipes.anomaly.logs import normality
from keras_recipes.data import demonstration, files, lines, log_formats, sessions
from keras_recipes.data import labels as labelled
from keras_recipes.data.dataset import Dataset, Examples
from keras_recipes.data.sessions import Sequences
from keras_recipes.data.templates import FIRST, UNSEEN, Templates
from keras_recipes.errors import InputError, described
from keras_recipes.models.fitted import Fitted
from keras_recipes.recipe import Calibrated, Measured, Row

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

    from keras_recipes.anomaly.logs.detector import Detector
    from keras_recipes.anomaly.numpy_lstm import Twin

SHARES = (0.1, 0.2)
"""Of the normal sessions that are held back: to measure on; to stop and calibrate by."""

TEST, VALIDATION, TRAIN = range(3)

KNOWN_BY_HEART = 0.9
"""If training sessions surprise the net less than so much of what others do, it knows them."""

FEWEST = 30
"""With fewer sessions nothing can be said about what is normal."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Parts:
    """The normal sessions: to train on, to calibrate by, to measure on; and what was known."""

    train: Sequences
    validation: Sequences
    test: Sequences
    before: Mapping[str, Any] | None = None


def read(
    data: Sequence[str],
    learned: Mapping[str, Any] | None,
    *,
    log_format: str,
    session: str,
    session_field: str,
    window: str,
    length: int,
    seed: int,
) -> Dataset:
    """Normal logs, of whose sessions some are held back; see the recipe's `read`.

    Raises:
        InputError: Data that cannot be read, or has too few sessions.
    """
    paths, blocks = _source(data)
    first = [line for _, some in _first_blocks(blocks) for line in some]
    if learned is not None:
        layout = log_formats.Layout.from_json(learned.get("layout"))
    else:
        layout = log_formats.recognise(
            first,
            log_format=log_format,
            session=session,
            session_field=session_field,
            window=window,
        )
    log.info("%s: %s, sessions by %s", files.in_words(paths), layout.format, layout.by)
    found = sessions.collected(layout, blocks()).sequences()
    if len(found) < FEWEST:
        raise InputError(
            f"{', '.join(paths)}: expected at least {FEWEST} sessions by {layout.by}, found "
            f"{len(found)}; choose others with --set session=REGEX, session_field=NAME or window=1m"
        )
    return _dataset(paths, layout, found, learned, length, seed)


def _dataset(
    paths: list[str],
    layout: log_formats.Layout,
    found: Sequences,
    learned: Mapping[str, Any] | None,
    length: int,
    seed: int,
) -> Dataset:
    dealt = normality.deal(found.names, seed, SHARES)
    before = None if learned is None else _before(learned)
    templates = _mined(found.some(dealt != TEST), before)
    found = sessions.with_symbols(found, templates)
    parts = {
        "test": found.some(dealt == TEST),
        "validation": found.some(dealt == VALIDATION),
        "train": found.some(dealt == TRAIN),
    }
    width = min(length, int(found.lengths.max()) + 1)
    return Dataset(
        name=files.in_words(paths),
        train=_rows(parts["train"], width),
        validation=_rows(parts["validation"], width),
        test=_rows(parts["test"], width),
        note=(
            f"of {len(found):,} normal sessions {len(parts['validation']):,} held back to "
            f"calibrate, {len(parts['test']):,} to measure the false alarms"
        ),
        learned={
            "kind": "logs",
            "layout": layout.to_json(),
            "templates": templates.to_json(),
            "sessions_a_day": len(found) / found.days if found.days else 0.0,
            "silence": found.silence,
        },
        implied={"classes": templates.symbols},
        known_as=tuple(paths),
        sequences=Parts(**parts, before=learned),
    )


def _mined(found: Sequences, before: Templates | None) -> Templates:
    """Templates of these sessions' forms that occur in two of them at least.

    What one session alone has could as well be in none: its likes will come again as events of no
    known kind, and how often that is has to be learned too.
    """
    import numpy as np

    seen = np.unique(found.forms).tolist()
    every = Templates.mined([found.texts[number] for number in seen], before)
    symbols = sessions.with_symbols(found, every).symbols
    owners = np.repeat(np.arange(len(found)), found.lengths)
    pairs = np.unique(np.stack([symbols, owners]), axis=1)
    often = np.bincount(pairs[0], minlength=every.symbols) >= 2
    if before:
        often[: before.symbols] = True
    kept = np.flatnonzero(often[FIRST:]).tolist()
    return Templates([every.patterns[i] for i in kept], [every.examples[i] for i in kept])


def _before(learned: Mapping[str, Any]) -> Templates:
    """What was known, looked through before a long training rather than behind it."""
    templates = Templates.from_json(learned.get("templates"))
    normality.Counts.from_json(learned.get("counts"), templates.symbols - UNSEEN)
    return templates


def _rows(found: Sequences, width: int) -> Examples:
    """Sessions as rows of that width, longer ones cut, shorter ones filled up with zeros."""
    import numpy as np

    inputs, targets, starts = found.steps()
    lengths = np.diff(starts)
    pieces = -(-lengths // width)
    first_row = np.cumsum(pieces) - pieces
    at = np.arange(len(inputs)) - np.repeat(starts[:-1], lengths)
    row, column = np.repeat(first_row, lengths) + at // width, at % width
    x, y = np.zeros((2, int(pieces.sum()), width), "int32")
    x[row, column], y[row, column] = inputs, targets
    return Examples(x, y)


def _source(data: Sequence[str]) -> tuple[list[str], Any]:
    """Names, and what gives numbered blocks of lines, from the beginning each time."""
    if not data or list(data) == [demonstration.NAME]:
        return [demonstration.NAME], lambda: iter([(0, demonstration.normal())])
    if "-" in data:
        raise InputError("expected files to learn from, received -: it can be read only once")
    paths = lines.paths(data)
    return [str(path) for path in paths], lambda: sessions.blocks(paths)


def _first_blocks(blocks: Any) -> Iterator[tuple[int, list[bytes]]]:
    total = 0
    for number, some in blocks():
        yield number, some[: log_formats.SAMPLE]
        total += len(some)
        if total >= log_formats.SAMPLE:
            return


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float,
    seed: int,
) -> Calibrated:
    """What is strange, from normal sessions; the false alarms on further ones."""
    from keras_recipes.anomaly.logs.detector import Detector
    from keras_recipes.anomaly.numpy_lstm import Twin

    parts: Parts = data.sequences
    twin, kinds = Twin.of(model), data.implied["classes"] - UNSEEN
    net = _net_values(twin, parts)
    counts, apart = normality.Counts.of(_known_counts(parts, kinds), seed)
    learned = {
        "tails": {
            view: normality.tail(view, values).to_json()
            for view, values in {**net, "counts": apart}.items()
        },
        "counts": counts.to_json(),
    }
    detector = Detector.of(model, {**data.learned, **learned})
    allowed = normality.promised(false_alarm_rate, false_alarms_per_day, detector.sessions_a_day)
    known = len(net["order"])
    if 0 < known * allowed < 1:
        log.info(
            "one false alarm in %s sessions is rarer than %s of them can show: the threshold is "
            "extrapolated",
            f"{1 / allowed:,.0f}",
            f"{known:,}",
        )
    alarms = detector.judge(parts.test).scores(allowed) >= 0.5
    achieved = {
        "promised_false_alarms": allowed,
        "false_alarms": float(alarms.mean()),
        "held_out_sessions": float(len(alarms)),
    }
    return Calibrated(learned, achieved)


def _net_values(twin: "Twin", parts: Parts) -> "dict[str, np.ndarray]":
    """The net's views of normal sessions: of those held back, and if that is fair of all."""
    import numpy as np

    both, nats = [], []
    for part in (parts.validation, parts.train):
        inputs, targets, starts = part.steps()
        seen = twin.surprises(inputs, targets, starts)
        both.append((normality.worst(seen.nats, starts)[0], np.log1p(seen.runs)))
        nats.append(float(seen.nats.mean()))
    # Rare ways of being normal are missed where few sessions are looked at; but sessions that the
    # net knows by heart would promise too much.
    fair = both if nats[1] >= KNOWN_BY_HEART * nats[0] else both[:1]
    surprise, order = (np.concatenate(values) for values in zip(*fair, strict=True))
    return {"surprise": surprise, "order": order}


def _known_counts(parts: Parts, kinds: int) -> "np.ndarray":
    """The counts of all normal sessions known, those from before the last training included."""
    import numpy as np

    known = [parts.train, parts.validation]
    tables = [normality.table(part.symbols - UNSEEN, part.lengths, kinds) for part in known]
    if parts.before:
        earlier = len(Templates.from_json(parts.before["templates"]).patterns) + FIRST - UNSEEN
        references = normality.Counts.from_json(parts.before["counts"], earlier).references
        # Twice, since they count as seen and not as strange.
        tables += 2 * [np.pad(references, ((0, 0), (0, kinds - earlier)))]
    return np.concatenate(tables)


def check(
    learned: Mapping[str, Any], asked: Sequence[str] | None, values: Mapping[str, Any]
) -> None:
    """Refuses, without the net, what it could not judge.

    Args:
        learned: In the card.
        asked: Files; None where there are none to look at.
        values: Options.

    Raises:
        InputError: There is no such file, or it has no sessions; labels that cannot be read; or no
            false alarm is allowed.
        CorruptModelError: What was learned is damaged.
    """
    from keras_recipes.anomaly.logs.detector import known

    layout = known(learned)["layout"]
    normality.promised(values["false_alarm_rate"], values["false_alarms_per_day"], 0.0)
    if values.get("labels"):
        labelled.read(values["labels"])
    if asked:
        names, blocks = _named(list(asked))
        parser = log_formats.Parser(layout)
        if not any(len(parser.parse(some)) for _, some in blocks):
            raise _without_sessions(names, layout)


def answer(
    fitted: Fitted,
    asked: Any,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float,
    only_anomalies: bool,
    timeout: float,
    open_sessions: int,
    state: str,
) -> Iterator[Row]:
    """A row for each session; see the recipe's `answer`."""
    detector = _detector(fitted)
    allowed = normality.promised(false_alarm_rate, false_alarms_per_day, detector.sessions_a_day)
    if lines.on_standard_input(asked):
        from keras_recipes.anomaly.logs.stream import Live

        live = Live(
            detector, allowed, timeout=timeout or None, most=open_sessions, state=state or None
        )
        found = live.rows(lines.arriving(live.tick))
        return summary.anomalies(found, "sessions") if only_anomalies else found
    if state:
        raise InputError("state: is kept of standard input; give - instead of files")
    names, found_sessions = _asked(detector, asked)
    verdicts = detector.judge(found_sessions)
    return verdicts.rows(allowed, names, only_anomalies=only_anomalies)


def _detector(fitted: Fitted) -> "Detector":
    from keras_recipes.anomaly.logs.detector import Detector

    if fitted.card is None:
        raise InputError("a pair without a card cannot read logs: what it learned is in the card")
    return Detector.of(fitted.model, fitted.card.learned)


def _asked(detector: "Detector", asked: Any) -> tuple[list[str], Sequences]:
    """The sessions that are asked about, and the names of the files that they are in."""
    texts = files.as_texts(asked)
    if texts is None:
        raise InputError(
            f"expected paths of logs, or a list of their lines, received {described(asked)}"
        )
    if isinstance(asked, list | tuple) and not _is_path(asked[0]):
        names, blocks = [""], iter([(0, [text.encode(errors="replace") for text in texts])])
    else:
        names, blocks = _named(texts)
    collected = sessions.collected(detector.layout, blocks).sequences()
    found = sessions.with_symbols(collected, detector.templates)
    if not len(found):
        raise _without_sessions(names, detector.layout)
    return names, found


def _is_path(item: str | Path) -> bool:
    """Whether a path is meant, and not a line of a log."""
    if isinstance(item, Path) or item == demonstration.BROKEN:
        return True
    if not any(map(str.isspace, item)) and (os.sep in item or item.lower().endswith(lines.ENDINGS)):
        return True
    return os.path.exists(item)  # noqa: PTH110  a line may be longer than any name


def _named(texts: list[str]) -> tuple[list[str], Iterator[tuple[int, list[bytes]]]]:
    """The names of files, and their lines in numbered blocks."""
    if texts == [demonstration.BROKEN]:
        return texts, iter([(0, demonstration.broken())])
    names, given = _source(texts)
    return names, given()


def _without_sessions(names: list[str], layout: log_formats.Layout) -> InputError:
    return InputError(f"{', '.join(names)}: expected sessions by {layout.by}, found none")


def assess(
    fitted: Fitted,
    asked: Sequence[str] | None,
    *,
    labels: str,
    false_alarm_rate: float,
    false_alarms_per_day: float,
    seed: int,
) -> Measured:
    """Precision, recall, F1 and AUC-PR with labels, or how many alarms without."""
    detector = _detector(fitted)
    assert fitted.card is not None
    allowed = normality.promised(false_alarm_rate, false_alarms_per_day, detector.sessions_a_day)
    _, found = _asked(detector, [Path(text) for text in asked or fitted.card.data["paths"] or ()])
    if asked is None:
        found = found.some(normality.deal(found.names, seed, SHARES) == TEST)
    verdicts = detector.judge(found)
    scores = verdicts.scores(allowed)
    metrics = {
        "sessions": float(len(scores)),
        "anomalies": float((scores >= 0.5).sum()),
        "loss": float(verdicts.surprise.mean()),
    }
    truth = _truth(labels, asked, found.names)
    if truth is None:
        return Measured({**metrics, "alarms": float((scores >= 0.5).mean())})
    return Measured({**metrics, **_against(truth, scores)})


def _truth(file: str, asked: Sequence[str] | None, names: Sequence[str]) -> "np.ndarray | None":
    if not file and list(asked or ()) == [demonstration.BROKEN]:
        return labelled.matched(demonstration.truth(), names, demonstration.BROKEN)
    return labelled.matched(labelled.read(file), names, file) if file else None


def _against(truth: "np.ndarray", scores: "np.ndarray") -> dict[str, float]:
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    said = scores >= 0.5
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, said, average="binary", zero_division=0.0
    )
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc_pr": float(average_precision_score(truth, scores)) if truth.any() else 0.0,
        "false_alarms": float(said[truth == 0].mean()) if (truth == 0).any() else 0.0,
    }


def figures(
    fitted: Fitted, data: Sequence[str], *, false_alarm_rate: float, false_alarms_per_day: float
) -> "Iterator[tuple[str, Figure]]":
    """The scores with the threshold; the strangest session, event by event."""
    import numpy as np

    from keras_recipes.report import plots

    detector = _detector(fitted)
    allowed = normality.promised(false_alarm_rate, false_alarms_per_day, detector.sessions_a_day)
    names, found = _asked(detector, [Path(text) for text in data])
    verdicts = detector.judge(found)
    scores = verdicts.scores(allowed)
    yield "scores", plots.scores(scores, ", ".join(data))
    session = int(scores.argmax())
    (row,) = detector.judge(found.some(np.arange(len(found)) == session)).rows(allowed, names)
    yield "session", plots.surprises(*verdicts.steps(session), row["session"], _in_words(row))


def _in_words(row: Row) -> str:
    """What an answer says of a session, in three lines."""
    lines = [f"score {row['score']:.3g}, decided by event {row['position']}"]
    return "\n".join([*lines, *(f"{name}: {row[name]}" for name in ("observed", "expected"))])
