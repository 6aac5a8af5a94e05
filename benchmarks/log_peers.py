"""Other ways to find anomalous sessions, for comparison with the recipe in `benchmarks.logs`.

They get the same sessions and the same templates as the recipe, and besides the templates that
occur in one session only, which the recipe leaves out. No threshold is chosen on labels:

unseen template        a session has a template that no normal session has
unseen event counts    no normal session has each template as often
unseen bigram, trigram two or three events follow each other that do not in any normal session; the
                       beginning and the end of a session are events, unless sessions are windows
counts out of range    a template occurs more or less often than in any normal session
PCA of the counts      the residual of as many principal components as explain 95 % (Xu et al., SOSP
                       2009). The threshold is the quantile of the validation sessions' residuals
                       that allows the recipe's share of false alarms
DeepLog's rule         an event is not among the g that the recipe's net expects most (Du, Li,
                       Zheng, Srikumar, CCS 2017). g is 9, as published; or the smallest number that
                       allows the recipe's share of false alarms on the validation sessions

The normal sessions are those of the training and of the validation part. PCA learns from the
training part alone.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.log_fits import Fit
from keras_recipes.anomaly.logs.detector import LogDetector
from keras_recipes.anomaly.logs.event_counts import count_matrix
from keras_recipes.data.logs.sessions import Sequences
from keras_recipes.data.logs.templates import END, START, UNSEEN

PUBLISHED_TOP = 9


@dataclass(frozen=True)
class Rule:
    """A rule that judges sessions.

    Attributes:
        score: Returns how unusual each of N sessions is, of shape (N,).
        threshold: A session whose score is larger is an anomaly.
    """

    score: Callable[[Sequences], np.ndarray]
    threshold: float = 0.0


class Vocabulary:
    """The recipe's templates, and the messages of other templates that normal sessions have."""

    def __init__(self, one: Fit) -> None:
        size = one.detector.templates.vocabulary_size
        single = {
            part.messages[number]
            for part in one.known
            for number in np.unique(part.message_ids[part.token_ids == UNSEEN]).tolist()
        }
        self._numbers = {message: size + n for n, message in enumerate(sorted(single))}
        self.size = size + len(single)

    def token_ids(self, found: Sequences) -> np.ndarray:
        """Return the token ids of all events; `UNSEEN` is a template of no normal session."""
        table = np.array([self._numbers.get(message, UNSEEN) for message in found.messages])
        return np.where(found.token_ids == UNSEEN, table[found.message_ids], found.token_ids)

    def counts(self, found: Sequences) -> np.ndarray:
        """Return the count of each token in each session, of shape (N, size)."""
        return count_matrix(self.token_ids(found), found.lengths, self.size)


def unseen_template(one: Fit) -> Rule:
    words = Vocabulary(one)
    return Rule(lambda found: words.counts(found)[:, UNSEEN])


def unseen_counts(one: Fit) -> Rule:
    words = Vocabulary(one)
    known = {row.tobytes() for part in one.known for row in words.counts(part)}
    return Rule(lambda found: np.array([row.tobytes() not in known for row in words.counts(found)]))


def unseen_ngram(length: int) -> Callable[[Fit], Rule]:
    """Return the rule for sequences of so many events."""

    def rule(one: Fit) -> Rule:
        words, ends = Vocabulary(one), "window" not in one.options

        def grams(found: Sequences) -> Iterator[list[tuple[int, ...]]]:
            token_ids = words.token_ids(found).tolist()
            for first, last in itertools.pairwise(found.starts.tolist()):
                events = token_ids[first:last]
                whole = [START, *events, END] if ends else events
                yield list(zip(*(whole[n:] for n in range(length)), strict=False))

        known = {gram for part in one.known for some in grams(part) for gram in some}
        return Rule(
            lambda found: np.array([sum(g not in known for g in some) for some in grams(found)])
        )

    return rule


def counts_out_of_range(one: Fit) -> Rule:
    words = Vocabulary(one)
    known = np.log2(1.0 + np.concatenate([words.counts(part) for part in one.known]))
    least, most = known.min(axis=0), known.max(axis=0)

    def score(found: Sequences) -> np.ndarray:
        counts = np.log2(1.0 + words.counts(found))
        return np.asarray(np.maximum(counts - most, least - counts).clip(0).sum(axis=1))

    return Rule(score)


def pca(one: Fit) -> Rule:
    from sklearn.decomposition import PCA

    words = Vocabulary(one)
    model = PCA(n_components=0.95).fit(words.counts(one.parts.train))

    def residual(found: Sequences) -> np.ndarray:
        counts = words.counts(found)
        again = model.inverse_transform(model.transform(counts))
        # Rounded, because equal sessions differ by rounding errors.
        return np.asarray(((counts - again) ** 2).sum(axis=1).round(9))

    held = residual(one.parts.validation)
    return Rule(residual, float(np.quantile(held, 1 - one.rate, method="higher")))


def deeplog(top: int | None) -> Callable[[Fit], Rule]:
    """Return DeepLog's rule with this g; None takes it from the validation sessions."""

    def rule(one: Fit) -> Rule:
        def ranks(found: Sequences) -> np.ndarray:
            return worst_ranks(one.detector, found)

        if top is not None:
            return Rule(ranks, top - 1)
        held = ranks(one.parts.validation)
        return Rule(ranks, float(np.quantile(held, 1 - one.rate, method="higher")))

    return rule


def worst_ranks(detector: LogDetector, found: Sequences) -> np.ndarray:
    """Return how many tokens the net expects more than the most unexpected event, of shape (N,)."""
    inputs, targets, starts = found.steps()
    worst = np.zeros(len(found))
    for number, (first, last) in enumerate(itertools.pairwise(starts.tolist())):
        h, c = (state[0] for state in detector.lstm.start(1))
        outputs = []
        for token_id in inputs[first:last]:
            h, c = detector.lstm.step(token_id, h, c)
            outputs.append(h)
        logits = detector.lstm.logits(np.stack(outputs))
        asked = logits[np.arange(last - first), targets[first:last]]
        worst[number] = (logits > asked[:, None]).sum(axis=1).max()
    return worst


PEERS: dict[str, Callable[[Fit], Rule]] = {
    "unseen template": unseen_template,
    "unseen bigram": unseen_ngram(2),
    "unseen trigram": unseen_ngram(3),
    "unseen event counts": unseen_counts,
    "counts out of range": counts_out_of_range,
    "PCA of the counts": pca,
    f"DeepLog's rule, g = {PUBLISHED_TOP}": deeplog(PUBLISHED_TOP),
    "DeepLog's rule, g from validation": deeplog(None),
}
