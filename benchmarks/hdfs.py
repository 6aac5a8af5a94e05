"""Anomalies in the HDFS log: the recipe, its parts, and baselines.

    python benchmarks/hdfs.py TRAIN.log DEV.log DEV_LABELS.csv

TRAIN holds normal sessions only. All is learned on it, and all thresholds are set on it. DEV is
only for measuring. Precision and F1 are those at a prevalence of one anomaly in thirty sessions,
whatever DEV's prevalence is. The 95 % intervals are from 1,000 bootstrap samples of DEV's sessions,
with the first seed. HDFS: Xu, Huang, Fox, Patterson, Jordan, *Detecting Large-Scale System Problems
by Mining Console Logs*, SOSP 2009.

The baselines are counts or trigrams of events that no normal session has; PCA of the counts (Xu et
al.) with as many components as explain 95 %, and the residual's quantile on held-out normal
sessions as its threshold; and DeepLog's rule (Du et al., CCS 2017) with the recipe's net: an event
that is not among the nine likeliest is an anomaly. Thresholds are set for the same share of false
alarms as the recipe's where this is possible.
"""

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipes import backend, options
from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.dataset import Parts
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import EventCounts, count_matrix
from keras_recipes.anomaly.logs.stream import LogStream
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.commands import evaluate as evaluation
from keras_recipes.commands import fit as fitting
from keras_recipes.cookbook import lstm_anomaly
from keras_recipes.data import labels, lines
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.logs import parser, sessions
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.data.logs.templates import UNSEEN, Templates
from keras_recipes.train import compiled_loop

SEEDS = (0, 1, 2)
PREVALENCE = 1 / 30
FALSE_ALARMS = 0.0002
ROUNDS = 1_000
TOP = 9
TURNS = 9


@dataclass(frozen=True)
class Fit:
    """The detector of one seed, and the sessions to measure it on."""

    detector: LogDetector
    parts: Parts
    dev: Sequences
    truth: np.ndarray
    seconds: float


def fit(train: str, dev: str, truth: str, seed: int) -> Fit:
    started = time.perf_counter()
    fitted = fitting.fit("lstm-anomaly", train, seed=seed, show_progress=False)
    seconds = time.perf_counter() - started
    assert fitted.card is not None
    detector = LogDetector.of(fitted.model, fitted.card.learned)
    found = parsed(detector, dev)
    anomalous = labels.matched(labels.read(truth), found.names, truth)
    parts = normal(train, seed=seed).sequences
    return Fit(detector, parts, found, anomalous, seconds)


def normal(path: str, **given: Any) -> Dataset:
    """Return the recipe's data set of a normal log."""
    recipe = lstm_anomaly.RECIPE
    return recipe.answers.data_set([path], options.resolve(recipe, None, given), None)


def parsed(detector: LogDetector, path: str) -> Sequences:
    collected = sessions.collect(detector.layout, sessions.blocks([Path(path)]))
    return sessions.with_token_ids(collected.sequences(), detector.templates)


def f1(truth: np.ndarray, alarms: np.ndarray) -> tuple[float, float, float]:
    """Return F1 and precision at the prevalence, and recall."""
    recall = float(alarms[truth == 1].mean())
    false = float(alarms[truth == 0].mean())
    right = PREVALENCE * recall
    precision = right / max(right + (1 - PREVALENCE) * false, 1e-12)
    return 2 * right / max(right + (1 - PREVALENCE) * false + PREVALENCE, 1e-12), precision, recall


def interval(truth: np.ndarray, alarms: np.ndarray) -> tuple[float, float]:
    random = np.random.default_rng(0)
    values = []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(truth), len(truth))
        values.append(f1(truth[rows], alarms[rows])[0])
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


Way = Callable[[Fit], tuple[np.ndarray, np.ndarray]]
"""A function that says which of DEV's and of the held-out normal sessions are anomalies."""


def ours(*features: str, ending: bool = True) -> Way:
    def way(one: Fit) -> tuple[np.ndarray, np.ndarray]:
        held = [seen(one, part, ending) for part in (one.parts.train, one.parts.validation)]
        net = {
            feature: scores.null_distribution(
                feature, np.concatenate([values[feature] for values in held])
            )
            for feature in features
            if feature != "counts"
        }
        nulls = {feature: net.get(feature, one.detector.nulls[feature]) for feature in features}

        def alarms(found: Sequences) -> np.ndarray:
            values = {**Verdicts.of(one.detector, found).values, **seen(one, found, ending)}
            return scores.score(scores.p_values(nulls, values), FALSE_ALARMS) >= 0.5

        return alarms(one.dev), alarms(one.parts.test)

    return way


def seen(one: Fit, found: Sequences, ending: bool) -> dict[str, np.ndarray]:
    """Return the net's features of whole sessions, or of sessions without their ends."""
    inputs, targets, starts = found.steps()
    if not ending:
        last = starts[1:] - 1
        inputs, targets = np.delete(inputs, last), np.delete(targets, last)
        starts = starts - np.arange(len(starts))
    surprises = one.detector.lstm.surprises(inputs, targets, starts)
    return {
        "surprise": scores.session_maxima(surprises.surprise, starts)[0],
        "order": np.log1p(surprises.cusum),
    }


def without_miner(one: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Judge by the counts only, with every distinct masked message as its own template."""
    known = [one.parts.train, one.parts.validation]
    types = {message: i for i, message in enumerate(sorted({t for p in known for t in used(p)}), 1)}

    def table(found: Sequences) -> np.ndarray:
        event_types = np.array([types.get(x, 0) for x in found.messages])[found.message_ids]
        return count_matrix(event_types, found.lengths, len(types) + 1)

    counts, apart = EventCounts.of(np.concatenate([table(part) for part in known]), 0)
    null = scores.null_distribution("counts", apart)
    parts = (one.dev, one.parts.test)
    dev, test = (null.p_value(counts.distances(table(part))[0]) for part in parts)
    return dev <= FALSE_ALARMS, test <= FALSE_ALARMS


def used(found: Sequences) -> set[bytes]:
    return {found.messages[i] for i in np.unique(found.message_ids).tolist()}


def table(one: Fit, found: Sequences) -> np.ndarray:
    event_types = len(one.detector.counts.weights)
    return count_matrix(found.token_ids - UNSEEN, found.lengths, event_types)


def unseen_counts(one: Fit) -> tuple[np.ndarray, np.ndarray]:
    known = {
        row.tobytes() for p in (one.parts.train, one.parts.validation) for row in table(one, p)
    }
    dev, test = (
        np.array([row.tobytes() not in known for row in table(one, part)])
        for part in (one.dev, one.parts.test)
    )
    return dev, test


def unseen_trigrams(one: Fit) -> tuple[np.ndarray, np.ndarray]:
    def trigrams(found: Sequences) -> list[set[tuple[int, ...]]]:
        inputs, targets, starts = found.steps()
        whole = [
            [*inputs[a:b].tolist(), int(targets[b - 1])] for a, b in itertools.pairwise(starts)
        ]
        return [{tuple(s[i : i + 3]) for i in range(len(s) - 2)} for s in whole]

    known = set().union(*trigrams(one.parts.train), *trigrams(one.parts.validation))
    dev, test = (
        np.array([bool(grams - known) for grams in trigrams(part)])
        for part in (one.dev, one.parts.test)
    )
    return dev, test


def pca(one: Fit) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import PCA

    model = PCA(n_components=0.95).fit(table(one, one.parts.train))

    def residual(found: Sequences) -> np.ndarray:
        counts = table(one, found)
        again = model.inverse_transform(model.transform(counts))
        return np.asarray(((counts - again) ** 2).sum(axis=1))

    held = residual(one.parts.validation)
    limit = np.quantile(held, 1 - FALSE_ALARMS, method="higher")
    return residual(one.dev) > limit, residual(one.parts.test) > limit


def deeplog(one: Fit) -> tuple[np.ndarray, np.ndarray]:
    lstm = one.detector.lstm

    def alarms(found: Sequences) -> np.ndarray:
        inputs, targets, starts = found.steps()
        missed = np.zeros(len(found), bool)
        for number, (a, b) in enumerate(itertools.pairwise(starts)):
            h, c = (state[0] for state in lstm.start(1))
            for token_id, target in zip(inputs[a:b], targets[a:b], strict=True):
                h, c = lstm.step(token_id, h, c)
                logits = lstm.logits(h)
                missed[number] |= (logits > logits[target]).sum() >= TOP
        return missed

    return alarms(one.dev), alarms(one.parts.test)


WAYS: dict[str, Way] = {
    "recipes fit lstm-anomaly": ours("surprise", "order", "counts"),
    "  the net alone, ending included": ours("surprise", "order"),
    "  the net without the ending": ours("surprise", "order", ending=False),
    "  the counts alone": ours("counts"),
    "  all, without the ending": ours("surprise", "order", "counts", ending=False),
    "  the counts without the miner": without_miner,
    "unseen event counts": unseen_counts,
    "unseen trigrams": unseen_trigrams,
    "PCA of the counts": pca,
    f"DeepLog's rule, top {TOP}": deeplog,
}


def accuracy(fits: list[Fit]) -> None:
    print(f"{'':34} {'F1':>6} {'95 %':>15} {'precision':>9} {'recall':>7}   false alarms")
    for name, way in WAYS.items():
        found = [(one, *way(one)) for one in fits]
        values = np.array([f1(one.truth, dev) for one, dev, _ in found])
        low, high = interval(fits[0].truth, found[0][1])
        normal = [int(dev[one.truth == 0].sum()) for one, dev, _ in found]
        held = [int(test.sum()) for *_, test in found]
        mean = values.mean(axis=0)
        print(
            f"{name:34} {mean[0]:6.3f} {low:7.3f}-{high:.3f}  {mean[1]:9.3f} {mean[2]:7.3f}   "
            f"{normal} of {int((fits[0].truth == 0).sum()):,}; {held} of {len(fits[0].parts.test)}"
        )


def reordered(fits: list[Fit]) -> None:
    """Print the share of alarms for reordered normal sessions, which only the net can detect."""
    print("held-out normal sessions, reordered: share called anomalies")
    for what in ("reversed", "last event first", "halves exchanged"):
        shares = []
        for one in fits:
            found = changed(one.parts.test, what)
            values = Verdicts.of(one.detector, found).values
            limit = FALSE_ALARMS / len(values)
            alarms = {v: one.detector.nulls[v].p_value(values[v]) <= limit for v in values}
            net = alarms["surprise"] | alarms["order"]
            shares.append([float(net.mean()), float(alarms["counts"].mean())])
        with_net, counts = np.mean(shares, axis=0)
        print(f"  {what:20} by the net {with_net:.3f}, by the counts {counts:.3f}")


def changed(found: Sequences, what: str) -> Sequences:
    token_ids = found.token_ids.copy()
    for a, b in itertools.pairwise(found.starts):
        s = token_ids[a:b].copy()
        half = len(s) // 2
        token_ids[a:b] = {
            "reversed": s[::-1],
            "last event first": np.roll(s, 1),
            "halves exchanged": np.concatenate([s[half:], s[:half]]),
        }[what]
    return replace(found, token_ids=token_ids)


def speed(one: Fit, train: str) -> None:
    started = time.perf_counter()
    read = [line for block in lines.blocks(Path(train)) for line in block]
    reading = time.perf_counter() - started
    started = time.perf_counter()
    columns = sessions.SessionCollector(one.detector.layout)
    columns.add(parser.Parser(one.detector.layout).parse(read), 0)
    parsing = time.perf_counter() - started
    started = time.perf_counter()
    mined = Templates.mine(list(columns.message_ids))
    mining = time.perf_counter() - started
    started = time.perf_counter()
    found = sessions.with_token_ids(columns.sequences(), one.detector.templates)
    sorting = time.perf_counter() - started
    print(
        f"lines/s: {len(read) / (reading + parsing):,.0f} read and parsed; mining of "
        f"{len(columns.message_ids)} masked messages into {len(mined.patterns)} templates "
        f"{mining * 1e3:.0f} ms; sorting into {len(found):,} sessions {sorting * 1e3:.0f} ms"
    )
    many = found.subset(np.sort(np.arange(10 * len(found)) % len(found)))
    seconds = min(timed(lambda: Verdicts.of(one.detector, many)) for _ in range(5))
    print(f"bulk scoring: {len(many.token_ids) / seconds:,.0f} events/s")
    live = LogStream(one.detector, FALSE_ALARMS)
    blocks = list(lines.blocks(Path(train)))
    seconds = timed(lambda: list(live.rows(blocks)))
    print(f"live: {seconds / len(read) * 1e3:.4f} ms a line")


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def steps(train: str) -> None:
    """Print the training steps per second of the compiled loop and of plain Keras."""
    data = normal(train)
    examples, classes = data.train, data.implied["classes"]
    updates = -(-len(examples) // 64)
    model = lstm_anomaly.build_lstm_anomaly(classes=classes)
    call = compiled_loop.compile_epochs(model, examples, batch_size=64, seed=0, jit_compile=True)
    compiling = timed(lambda: call(0, 1))
    plain_model = lstm_anomaly.build_lstm_anomaly(classes=classes)

    def plain() -> None:
        plain_model.fit(examples.x, examples.y, batch_size=64, verbose=0)

    plain()
    # They take turns, so that other work of the machine slows down both.
    pairs = [(timed(plain), timed(lambda: call(1, 1))) for _ in range(TURNS)]
    theirs, ours_ = (min(column) for column in zip(*pairs, strict=True))
    ratio = float(np.median([slow / fast for slow, fast in pairs]))
    print(
        f"training steps/s at batch 64: ours {updates / ours_:,.0f}, plain Keras "
        f"{updates / theirs:,.0f}; median ratio of {TURNS} turns {ratio:.1f}; compiling "
        f"{compiling:.1f} s, once"
    )


def nets(train: str, dev: str, truth: str) -> None:
    """Print the results of other nets, to compare them with the default net."""
    print("nets: validation loss (nats per event), F1, seconds of training")
    variants: dict[str, dict[str, Any]] = {
        "default": {},
        "peephole cell": {"cell": "peephole"},
        "embedding": {"encoding": "embedding"},
        "one number": {"encoding": "number"},
        "32 units": {"units": 32},
        "dropout 0.2": {"dropout": 0.2},
    }
    presets = {**{name: (None, values) for name, values in variants.items()}}
    for name, (preset, values) in {**presets, "preset article": ("article", {})}.items():
        fitted = fitting.fit("lstm-anomaly", train, preset=preset, show_progress=False, **values)
        assert fitted.card is not None and fitted.history is not None
        measured = evaluation.evaluate(fitted, dev, labels=truth)
        loss = min(fitted.history.values["val_loss"])
        seconds = fitted.card.training["seconds"]
        precision, recall = measured["precision"], measured["recall"]
        print(
            f"  {name:16} {loss:.3f}  precision {precision:.3f}, recall {recall:.3f}, "
            f"AUC-PR {measured['auc_pr']:.4f}  {seconds:.0f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("dev")
    parser.add_argument("labels")
    parser.add_argument("--parts", default="accuracy,reordered,speed,steps,nets")
    given = parser.parse_args()
    parts = given.parts.split(",")
    backend.start()
    if {"accuracy", "reordered", "speed"} & set(parts):
        fits = [fit(given.train, given.dev, given.labels, seed) for seed in SEEDS]
        print(
            f"seeds {SEEDS}, false alarms promised {FALSE_ALARMS:g}, prevalence 1 in "
            f"{1 / PREVALENCE:.0f}; fitting {', '.join(f'{one.seconds:.0f}' for one in fits)} s"
        )
    if "accuracy" in parts:
        accuracy(fits)
    if "reordered" in parts:
        reordered(fits)
    if "speed" in parts:
        speed(fits[0], given.train)
    if "steps" in parts:
        steps(given.train)
    if "nets" in parts:
        nets(given.train, given.dev, given.labels)


if __name__ == "__main__":
    main()
