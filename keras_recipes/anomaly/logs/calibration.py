"""Calibration of a log's detector with the trained net, and false alarms on held-out sessions."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.dataset import Parts
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import EventCounts, count_matrix
from keras_recipes.anomaly.logs.new_events import NewEvents
from keras_recipes.anomaly.logs.normal_ranges import NormalRanges
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.anomaly.numpy_lstm import NumpyLSTM
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.logs import severity
from keras_recipes.data.logs.templates import UNSEEN, Templates
from keras_recipes.models.net import Net
from keras_recipes.recipe import Calibrated

if TYPE_CHECKING:
    import keras

OVERFIT = 0.9
"""The net is overfitted if training sessions have less than this share of the others' surprise."""

log = logging.getLogger(__name__)


def calibrate(
    model: "keras.Model",
    data: Dataset,
    *,
    false_alarm_rate: float | None,
    false_alarms_per_day: float | None,
    seed: int,
) -> Calibrated:
    """See `kind.calibrate`."""
    parts: Parts = data.sequences
    net = Net.of(model)
    lstm, event_types = NumpyLSTM.of(net), data.implied["classes"] - UNSEEN
    features = _net_features(lstm, parts)
    counts, features[scores.COUNTS] = EventCounts.of(_known_counts(parts, event_types), seed)
    ranges, beyond = NormalRanges.of(parts.known, _earlier_ranges(parts))
    if len(ranges):
        features[scores.MEASUREMENTS] = beyond
    learned = {
        "tails": {
            feature: scores.null_distribution(feature, values).to_json()
            for feature, values in features.items()
        },
        "ranges": ranges.to_json(),
        "counts": counts.to_json(),
        "new_events": NewEvents.of(NewEvents().novelties(parts.known)).to_json(),
    }
    detector = LogDetector.of(net, {**data.learned, **learned})
    rate = detector.allowed_rate(false_alarm_rate, false_alarms_per_day)
    _say_what_can_be_shown(rate, detector)
    alarms = Verdicts.of(detector, parts.test).scores(rate) >= 0.5
    metrics = {
        "promised_false_alarms": rate,
        "false_alarms": float(alarms.mean()),
        "held_out_sessions": float(len(alarms)),
    }
    return Calibrated(learned, metrics)


def _say_what_can_be_shown(rate: float, detector: LogDetector) -> None:
    known = detector.new_events
    if 0 < rate < 1 / (known.sessions + 1):
        log.info(
            "one false alarm in %s sessions is rarer than %s normal sessions can show: the "
            "threshold is extrapolated",
            f"{1 / rate:,.0f}",
            f"{known.sessions:,}",
        )
    elif rate > scores.RAREST:
        log.info(
            "%s normal sessions can show 1 false alarm in %s; more data allows rarer ones",
            f"{known.sessions:,}",
            f"{1 / rate:,.0f}",
        )
    alone = known.least_anomalous_rank(rate)
    if known.sessions and alone != 0:
        what = "is no anomaly"
        if alone is not None and detector.templates.have_levels:
            what = f"is an anomaly from the level {severity.NAMES[alone]} on"
        often = f"{1 / known.p_value(1):,.0f}"
        log.info("one normal session in %s holds a new kind of event: one alone %s", often, what)


def _earlier_ranges(parts: Parts) -> NormalRanges | None:
    return NormalRanges.from_json(parts.before.get("ranges")) if parts.before else None


def _net_features(lstm: NumpyLSTM, parts: Parts) -> dict[str, np.ndarray]:
    """Return the net's features of normal sessions, each of shape (N,).

    The sessions are those of the validation part, and those of the training part unless the net is
    overfitted.
    """
    both, means = [], []
    for part in (parts.validation, parts.train):
        inputs, targets, starts = part.steps()
        seen = lstm.surprises(inputs, targets, starts)
        both.append((scores.session_maxima(seen.surprise, starts)[0], np.log1p(seen.cusum)))
        means.append(float(seen.surprise.mean()))
    # More sessions show more of the rare normal ones. But training sessions of an overfitted net
    # would make the threshold too low.
    fair = both if means[1] >= OVERFIT * means[0] else both[:1]
    surprise, order = (np.concatenate(values) for values in zip(*fair, strict=True))
    return {scores.SURPRISE: surprise, scores.ORDER: order}


def _known_counts(parts: Parts, event_types: int) -> np.ndarray:
    """Return the counts of all known normal sessions, including those of an earlier training."""
    known = [parts.train, parts.validation]
    counts = [count_matrix(part.token_ids - UNSEEN, part.lengths, event_types) for part in known]
    if parts.before:
        templates = Templates.from_json(parts.before["templates"])
        earlier = templates.vocabulary_size - UNSEEN
        references = EventCounts.from_json(parts.before["counts"], earlier).references
        # They are added twice, because only a session that occurs once has a distance above 0.
        counts += 2 * [np.pad(references, ((0, 0), (0, event_types - earlier)))]
    return np.concatenate(counts)
