"""What the parts of the recipe are worth on HDFS, other nets, and speeds, for `benchmarks.logs`."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.log_data import Labelled
from benchmarks.log_fits import Fit, fit, percent
from benchmarks.log_peers import Rule
from keras_recipes import options
from keras_recipes.anomaly.logs import scores
from keras_recipes.anomaly.logs.event_counts import EventCounts, count_matrix
from keras_recipes.anomaly.logs.stream import LogStream
from keras_recipes.anomaly.logs.verdicts import Verdicts
from keras_recipes.commands import evaluate as evaluation
from keras_recipes.commands import fit as fitting
from keras_recipes.cookbook import lstm_anomaly
from keras_recipes.data import lines
from keras_recipes.data.dataset import Dataset
from keras_recipes.data.logs import parser, sessions
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.data.logs.templates import Templates
from keras_recipes.train import compiled_loop

TURNS = 9
FLAGGED = float(np.nextafter(0.5, 0.0))
"""The largest score that is no anomaly."""


def only(*features: str, ending: bool = True) -> Callable[[Fit], Rule]:
    """Return the recipe with some of its features, whose thresholds are set anew."""

    def learn(one: Fit) -> Rule:
        held = [seen(one, part, ending) for part in (one.parts.train, one.parts.validation)]
        net = {
            feature: scores.null_distribution(
                feature, np.concatenate([values[feature] for values in held])
            )
            for feature in features
            if feature != "counts"
        }
        nulls = {feature: net.get(feature, one.detector.nulls[feature]) for feature in features}

        def score(found: Sequences) -> np.ndarray:
            values = {**Verdicts.of(one.detector, found).values, **seen(one, found, ending)}
            return scores.score(scores.p_values(nulls, values), one.rate)

        return Rule(score, FLAGGED)

    return learn


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


def without_miner(one: Fit) -> Rule:
    """Judge by the counts only, with every distinct masked message as its own template."""
    types = {
        message: i for i, message in enumerate(sorted({m for p in one.known for m in used(p)}), 1)
    }

    def table(found: Sequences) -> np.ndarray:
        event_types = np.array([types.get(x, 0) for x in found.messages])[found.message_ids]
        return count_matrix(event_types, found.lengths, len(types) + 1)

    counts, apart = EventCounts.of(np.concatenate([table(part) for part in one.known]), 0)
    null = scores.null_distribution("counts", apart)
    return Rule(
        lambda found: scores.score(null.p_value(counts.distances(table(found))[0]), one.rate),
        FLAGGED,
    )


def used(found: Sequences) -> set[bytes]:
    return {found.messages[i] for i in np.unique(found.message_ids).tolist()}


PARTS: dict[str, Callable[[Fit], Rule]] = {
    "the recipe's net alone": only("surprise", "order"),
    "its net without the ending": only("surprise", "order", ending=False),
    "its counts alone": only("counts"),
    "net and counts, without the ending": only("surprise", "order", "counts", ending=False),
    "its counts, each distinct message a template": without_miner,
}


def reordered(fits: list[Fit]) -> None:
    """Print the share of alarms for reordered normal sessions, which only the net can detect."""
    print("| Held-out normal sessions, reordered | Flagged by the net | Flagged by the counts |")
    print("| --- | --- | --- |")
    for what in ("reversed", "last event first", "halves exchanged"):
        shares = []
        for one in fits:
            values = Verdicts.of(one.detector, changed(one.parts.test, what)).values
            nulls = one.detector.nulls
            alarms = {v: nulls[v].p_value(values[v]) <= one.rate / len(nulls) for v in nulls}
            net = alarms["surprise"] | alarms["order"]
            shares.append([float(net.mean()), float(alarms["counts"].mean())])
        with_net, counts = np.mean(shares, axis=0)
        print(f"| {what} | {percent(with_net, 1)} | {percent(counts, 1)} |")
    print()


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


def speed(train: Path) -> None:
    """Print how fast a log is read, judged and trained on."""
    one = fit(train, seed=0)
    print("| What | Speed |\n| --- | --- |")
    print(f"| a fit of {sum(1 for _ in train.open('rb')):,} lines | {one.seconds:.0f} s |")
    parsing(one, train)
    judging(one, train)
    steps(train)
    print()


def parsing(one: Fit, train: Path) -> None:
    started = time.perf_counter()
    columns = sessions.SessionCollector(one.detector.layout)
    parse = parser.Parser(one.detector.layout).parse
    for block in lines.blocks(train):
        columns.add(parse(block), 0)
    found = columns.sequences()
    reading = time.perf_counter() - started
    mining = timed(lambda: Templates.mine(list(columns.message_ids)))
    sorting = timed(lambda: sessions.with_token_ids(found, one.detector.templates))
    print(f"| reading and parsing | {len(found.token_ids) / reading:,.0f} lines per second |")
    print(f"| mining {len(columns.message_ids):,} masked messages | {mining * 1e3:.0f} ms |")
    print(f"| templates of {len(found):,} sessions | {sorting * 1e3:.0f} ms |")


def judging(one: Fit, train: Path) -> None:
    found = one.parts.train
    many = found.subset(np.sort(np.arange(10 * len(found)) % len(found)))
    seconds = min(timed(lambda: Verdicts.of(one.detector, many)) for _ in range(5))
    print(f"| judging sessions in bulk | {len(many.token_ids) / seconds:,.0f} events per second |")
    live, blocks = LogStream(one.detector, one.rate), list(lines.blocks(train))
    seconds = timed(lambda: list(live.rows(blocks)))
    print(f"| judging live | {seconds / sum(map(len, blocks)) * 1e3:.4f} ms per line |")


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def normal(path: Path) -> Dataset:
    """Return the recipe's data set of a normal log."""
    recipe = lstm_anomaly.RECIPE
    return recipe.answers.data_set([str(path)], options.resolve(recipe, None, {}), None)


def steps(train: Path) -> None:
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
        f"| training | {updates / ours_:,.0f} steps per second; plain Keras "
        f"{updates / theirs:,.0f}; median ratio of {TURNS} turns {ratio:.1f} |"
    )
    print(f"| compiling, once | {compiling:.1f} s |")


NETS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "the default": (None, {}),
    "`cell=peephole`": (None, {"cell": "peephole"}),
    "`encoding=embedding`": (None, {"encoding": "embedding"}),
    "`encoding=number`": (None, {"encoding": "number"}),
    "`units=32`": (None, {"units": 32}),
    "`dropout=0.2`": (None, {"dropout": 0.2}),
    "the preset `article`": ("article", {}),
}


def nets(log: Labelled) -> None:
    """Print the results of other nets, to compare them with the default net."""
    print("| Net | Validation loss | Precision | Recall | AUC-PR | Seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (preset, values) in NETS.items():
        fitted = fitting.fit(
            "lstm-anomaly", str(log.train), preset=preset, show_progress=False, **values
        )
        assert fitted.card is not None and fitted.history is not None
        measured = evaluation.evaluate(fitted, str(log.test), labels=str(log.labels))
        loss = min(fitted.history.values["val_loss"])
        print(
            f"| {name} | {loss:.3f} | {measured['precision']:.3f} | {measured['recall']:.3f} | "
            f"{measured['auc_pr']:.4f} | {fitted.card.training['seconds']:.0f} |",
            flush=True,
        )
    print()
