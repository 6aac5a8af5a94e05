"""Templates of a log's messages, found by Drain.

Drain is by He, Zhu, Zheng, Lyu, *Drain: An Online Log Parsing Approach with Fixed Depth Tree*, ICWS
2017. The implementation is drain3's (`drain3-improved`, the fork that is maintained). Drain gets
each distinct masked message once. After that, a line needs only a look-up.

Token ids: 0 is padding, 1 the beginning of a session, 2 its end, 3 a new event, and the numbers
from 4 on are the templates.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_recipes.data import lines
from keras_recipes.data.logs import masking, parser, severity
from keras_recipes.errors import CorruptModelError, printable

PADDING, START, END, UNSEEN, FIRST = range(5)

REMEMBERED, REMEMBERED_BYTES = 200_000, 1 << 26
"""The largest number of masked messages that are cached with their token ids, and their bytes."""

MOST = 1_000
"""The largest number of templates; events of any further template are new events."""

# A word as people write it, and not a path or an identifier without its digits.
_PLAIN = re.compile(r"[\W_]?[^\W\d_]+(?:[_-][^\W\d_]+)*[\W_]?")

WILDCARD = "<*>"

MOST_WORDS = 100
"""The largest number of words at one place of a template that can be a closed set."""

HEAD_SHARE = 0.95
"""The smallest share of lines that have their level at the same place."""

LONGEST_HEAD = 10
"""The largest number of words of a head."""

MOST_HEADS = 100
"""The largest number of different heads."""

JOINT = "\N{OPEN BOX}"
"""What joins the words of a head; no blank, because a template is split at blanks."""

LONGEST = 10 * parser.LONGEST_MESSAGE
"""The largest number of characters of a template, which may have control characters escaped."""

# Letters of hexadecimal numbers that remain after their digits were removed.
_HEX = re.compile(rb"(?<![A-Za-z])(?:0x)?[a-f]+(?![A-Za-z])|(?<![A-Za-z])[A-F]{2,}(?![A-Za-z])")


class Templates:
    """A fixed list of templates, which gives the token ids of messages.

    Attributes:
        patterns: The templates, words with `<*>` for any word, in the order of their token ids.
        examples: A readable message of each template.
        head: The number of words at the beginning that are compared as one word, such as a host, a
            program and a level. Otherwise they would make any two messages alike.
        rare: Templates without a token id of their own, because one normal session only has them.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        examples: Sequence[str],
        head: int = 0,
        rare: Sequence[str] = (),
    ) -> None:
        self.patterns, self.examples, self.head = list(patterns), list(examples), head
        self.rare = list(rare)
        self._drain, self._rare = _tree(self.patterns), _tree(self.rare)
        self._token_ids: dict[bytes, int] = {}
        self._bytes = 0
        self._are_rare: dict[bytes, bool] = {}

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids, including the special ones."""
        return len(self.patterns) + FIRST

    @property
    def have_levels(self) -> bool:
        """Whether any of the templates names a level."""
        return any(severity.of_message(text.encode()) is not None for text in self.examples)

    def token_id(self, message: bytes) -> int:
        """Return the token id of a masked message."""
        token_id = self._token_ids.get(message)
        if token_id is None:
            self._make_room(message)
            cluster = self._drain.match(self._compared(message), "fallback")
            token_id = self._token_ids[message] = int(cluster.cluster_id) if cluster else UNSEEN
        return token_id

    def is_new(self, message: bytes) -> bool:
        """Return whether no normal session had an event like this one, which has no token id."""
        return not self.is_rare(message)

    def is_rare(self, message: bytes) -> bool:
        """Return whether one normal session had an event like this one, which has no token id."""
        known = self._are_rare.get(message)
        if known is None:
            self._make_room(message)
            known = self._rare.match(self._compared(message), "fallback") is not None
            self._are_rare[message] = known
        return known

    def _make_room(self, message: bytes) -> None:
        """Empty the caches if they are full, before this message is added."""
        if len(self._token_ids) >= REMEMBERED or self._bytes > REMEMBERED_BYTES:
            self._token_ids.clear()
            self._are_rare.clear()
            self._bytes = 0
        self._bytes += len(message)

    def token_ids(self, messages: Iterable[bytes]) -> list[int]:
        """Return the token ids of many masked messages."""
        known, ask = self._token_ids.get, self.token_id
        # A look-up in the dictionary is faster than a call of a Python function.
        return [known(message) or ask(message) for message in messages]

    def _compared(self, message: bytes) -> str:
        """Return the words of a masked message that are compared."""
        return _joined(_words(message), self.head)

    def describe(self, token_id: int, message: bytes = b"") -> str:
        """Return an event in words: its template's example, or the message of a new event."""
        if token_id >= FIRST:
            return self.examples[token_id - FIRST]
        unseen = "(seen in one session)" if self.is_rare(message) else "(never seen)"
        special = ("", "(start of session)", "(end of session)", unseen)
        return f"{special[token_id]} {parser.readable(message)}".rstrip()

    @classmethod
    def mine(
        cls,
        messages: Sequence[bytes],
        before: "Templates | None" = None,
        *,
        counts: "Sequence[int] | None" = None,
    ) -> "Templates":
        """Find the templates of messages; if there are too many, only the first are kept.

        Where a template has `<*>` for few words, each of them in many lines, it becomes a template
        for each of these words, because such a word tells how something ended.

        Args:
            messages: Distinct masked messages, in an order that is always the same.
            before: Templates that keep their token ids; new templates come after them.
            counts: The number of lines of each message; None splits no templates.
        """
        head = before.head if before else _head(messages, counts or [1] * len(messages))
        drain = _tree(before.patterns if before else ())
        examples = dict(enumerate(before.examples, FIRST)) if before else {}
        for message in messages:
            cluster, _ = drain.add_log_message(_joined(_words(message), head))
            examples.setdefault(cluster.cluster_id, parser.readable(message))
        clusters = sorted(drain.clusters, key=lambda c: c.cluster_id)[:MOST]
        patterns = [cluster.get_template() for cluster in clusters]
        found = cls(patterns, [examples[c.cluster_id] for c in clusters], head)
        if counts is None:
            return found
        return found._split(messages, counts, len(before.patterns) if before else 0)

    def _split(self, messages: Sequence[bytes], counts: Sequence[int], kept: int) -> "Templates":
        """Return templates with the words of closed sets instead of `<*>`.

        Args:
            messages: Distinct masked messages.
            counts: The number of lines of each message.
            kept: The number of templates, from the first, that must stay as they are.
        """
        lines_of: dict[int, dict[tuple[str, ...], tuple[int, bytes]]] = defaultdict(dict)
        for message, count, token_id in zip(
            messages, counts, self.token_ids(messages), strict=True
        ):
            if token_id >= FIRST + kept and WILDCARD in self.patterns[token_id - FIRST]:
                words = tuple(self._compared(message).split())
                so_far, first = lines_of[token_id].get(words, (0, message))
                lines_of[token_id][words] = (so_far + count, first)
        patterns: dict[str, str] = {}
        for number, (pattern, example) in enumerate(zip(self.patterns, self.examples, strict=True)):
            patterns |= _with_closed_words(pattern, lines_of[number + FIRST]) or {pattern: example}
        some = list(patterns.items())[:MOST]
        return self.of(some)

    def of(self, some: Iterable[tuple[str, str]], rare: Sequence[str] = ()) -> "Templates":
        """Return templates with the same head, given as patterns and examples."""
        patterns, examples = [], []
        for pattern, example in some:
            patterns.append(pattern)
            examples.append(example)
        return Templates(patterns, examples, self.head, rare)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        values = {"patterns": self.patterns, "examples": self.examples, "head": self.head}
        return {**values, "rare": self.rare}

    @classmethod
    def from_json(cls, values: Any) -> "Templates":
        """Return the templates of `to_json`'s values, which may be untrusted.

        Raises:
            CorruptModelError: The values are damaged.
        """
        lists = values if isinstance(values, dict) else {}
        patterns, examples = lists.get("patterns"), lists.get("examples")
        head, rare = lists.get("head", 0), lists.get("rare", [])
        if (
            isinstance(patterns, list)
            and isinstance(examples, list)
            and isinstance(rare, list)
            and len(patterns) == len(examples) <= MOST
            and len(rare) <= MOST
            and all(map(_is_text, patterns + examples + rare))
            and type(head) is int
            and 0 <= head <= LONGEST_HEAD
        ):
            # Examples are printed in terminals, so control characters are escaped.
            return cls(patterns, [printable(text, LONGEST) for text in examples], head, rare)
        raise CorruptModelError("the card's templates are damaged; fit again")


def _with_closed_words(
    pattern: str, lines: "Mapping[tuple[str, ...], tuple[int, bytes]]"
) -> dict[str, str]:
    """Return the templates that a template becomes, each with an example; none if it stays.

    Args:
        pattern: The template.
        lines: The words of its messages, the number of lines of each, and a message.
    """
    words = pattern.split()
    closed = []
    for place, word in enumerate(words):
        if word == WILDCARD:
            often: Counter[str] = Counter()
            for found, (count, _) in lines.items():
                often[found[place]] += count
            if len(often) <= MOST_WORDS and _is_closed(often):
                closed.append(place)
    split: dict[str, str] = {}
    for found, (_, message) in lines.items() if closed else ():
        spelt = [found[place] if place in closed else word for place, word in enumerate(words)]
        split.setdefault(" ".join(spelt), parser.readable(message))
    return split


def _is_closed(often: "Counter[str]") -> bool:
    """Return whether words are a closed set: words as people write them, or with kept digits."""
    if all(masking.has_kept_digits(word) for word in often):
        return True
    return all(map(_PLAIN.fullmatch, often)) and masking.is_closed(often)


def _joined(words: str, head: int) -> str:
    return words.replace(" ", JOINT, head - 1) if head > 1 else words


def _head(messages: Sequence[bytes], counts: Sequence[int]) -> int:
    """Return the number of words that lead to the level of nearly all lines, or 0."""
    heads: list[set[str]] = [set() for _ in range(LONGEST_HEAD)]
    levels = [0] * LONGEST_HEAD
    for message, count in zip(messages, counts, strict=True):
        words = _words(message).split(None, LONGEST_HEAD)
        for place, word in enumerate(words[:LONGEST_HEAD]):
            if len(heads[place]) <= MOST_HEADS:
                heads[place].add(" ".join(words[: place + 1]))
            levels[place] += count * (severity.of_word(word) is not None)
    enough = HEAD_SHARE * sum(counts)
    for place in range(LONGEST_HEAD):
        if levels[place] >= enough and len(heads[place]) <= MOST_HEADS:
            return place + 1
    return 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _drain() -> Any:
    from drain3.drain import Drain

    drain = Drain(depth=5, sim_th=0.6, max_children=100, parametrize_numeric_tokens=False)
    drain.clusters_counter = FIRST - 1
    return drain


def _tree(patterns: Sequence[str]) -> Any:
    """Return Drain's tree of templates; the number of the first is `FIRST`."""
    from drain3.drain import LogCluster

    drain = _drain()
    for number, pattern in enumerate(patterns, FIRST):
        cluster = LogCluster(pattern.split(), number)
        drain.id_to_cluster[number] = cluster
        drain.add_seq_to_prefix_tree(drain.root_node, cluster)
    drain.clusters_counter = len(patterns) + FIRST - 1
    return drain


def _words(message: bytes) -> str:
    return " ".join(lines.decode(_HEX.sub(b"", message)).split())
