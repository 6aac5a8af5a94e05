"""What is strange, learned with the trained net from normal sessions; false alarms on others."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.dataset import Parts
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import EventCounts, count_matrix
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.anomaly.numpy_lstm import NumpyLSTM
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.templates import UNSEEN, Templates
from keras_recipes.recipe import Calibrated

if TYPE_CHECKING:
    import keras

KNOWN_BY_HEART = 0.9
"""If training sessions surprise the net less than so much of what others do, it knows them."""

log = logging.getLogger(__name__)


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: float,
    false_alarms_per_day: float | None,
    seed: int,
) -> Calibrated:
    """See `kind.calibrate`."""
    parts: Parts = data.sequences
    lstm, event_types = NumpyLSTM.of(model), data.implied["classes"] - UNSEEN
    views = _net_views(lstm, parts)
    counts, distances = EventCounts.of(_known_counts(parts, event_types), seed)
    learned = {
        "tails": {
            view: scores.null_distribution(view, values).to_json()
            for view, values in {**views, "counts": distances}.items()
        },
        "counts": counts.to_json(),
    }
    detector = LogDetector.of(model, {**data.learned, **learned})
    rate = scores.allowed_rate(false_alarm_rate, false_alarms_per_day, detector.sessions_per_day)
    known = len(views["order"])
    if 0 < known * rate < 1:
        log.info(
            "one false alarm in %s sessions is rarer than %s of them can show: the threshold is "
            "extrapolated",
            f"{1 / rate:,.0f}",
            f"{known:,}",
        )
    alarms = Verdicts.of(detector, parts.test).scores(rate) >= 0.5
    metrics = {
        "promised_false_alarms": rate,
        "false_alarms": float(alarms.mean()),
        "held_out_sessions": float(len(alarms)),
    }
    return Calibrated(learned, metrics)


def _net_views(lstm: NumpyLSTM, parts: Parts) -> dict[str, np.ndarray]:
    """The net's views of normal sessions: of those held back, and if that is fair of all."""
    both, nats = [], []
    for part in (parts.validation, parts.train):
        inputs, targets, starts = part.steps()
        seen = lstm.surprises(inputs, targets, starts)
        both.append((scores.session_maxima(seen.nats, starts)[0], np.log1p(seen.cusum)))
        nats.append(float(seen.nats.mean()))
    # Rare ways of being normal are missed where few sessions are looked at; but sessions that the
    # net knows by heart would promise too much.
    fair = both if nats[1] >= KNOWN_BY_HEART * nats[0] else both[:1]
    surprise, order = (np.concatenate(values) for values in zip(*fair, strict=True))
    return {"surprise": surprise, "order": order}


def _known_counts(parts: Parts, event_types: int) -> np.ndarray:
    """The counts of all normal sessions known, those from before the last training included."""
    known = [parts.train, parts.validation]
    counts = [count_matrix(part.token_ids - UNSEEN, part.lengths, event_types) for part in known]
    if parts.before:
        templates = Templates.from_json(parts.before["templates"])
        earlier = templates.vocabulary_size - UNSEEN
        references = EventCounts.from_json(parts.before["counts"], earlier).references
        # Twice, since they count as seen and not as strange.
        counts += 2 * [np.pad(references, ((0, 0), (0, event_types - earlier)))]
    return np.concatenate(counts)
