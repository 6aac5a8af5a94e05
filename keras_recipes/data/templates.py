"""Kinds of messages: the forms of a log's messages, grouped into templates by Drain.

He, Zhu, Zheng, Lyu, *Drain: An Online Log Parsing Approach with Fixed Depth Tree*, ICWS 2017; the
implementation is drain3's (`drain3-improved`, the fork that is looked after). Mining sees each
distinct form once, and asking is a look-up of the form, so that a line costs no mining.

Symbols: 0 fills up, 1 stands before a session, 2 behind it, 3 is an event of no known kind, and 4
upwards are the templates.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from keras_recipes.data import lines, log_formats
from keras_recipes.errors import CorruptModelError, printable

PADDING, START, END, UNSEEN, FIRST = range(5)

REMEMBERED = 200_000
"""So many forms are remembered with their symbols, at most."""

MOST = 1_000
"""So many templates are kept, at most; what is beyond is an event of no known kind."""

LONGEST = 10 * log_formats.LONGEST_FORM
"""Characters of a template: those of a form, and what stands for control characters."""

_VARIES = "<*>"
# What is left of hexadecimal numbers once their digits are gone.
_HEX = re.compile(rb"(?<![A-Za-z])(?:0x)?[a-f]+(?![A-Za-z])|(?<![A-Za-z])[A-F]{2,}(?![A-Za-z])")


class Templates:
    """A fixed list of templates, and which of them a form is.

    Attributes:
        patterns: Words with `<*>` for any word, in the order of their symbols.
        examples: A readable message for each of them.
    """

    def __init__(self, patterns: Sequence[str], examples: Sequence[str]) -> None:
        from drain3.drain import LogCluster

        self.patterns, self.examples = list(patterns), list(examples)
        self._drain: Any = _drain()
        for number, pattern in enumerate(patterns):
            cluster = LogCluster(pattern.split(), number + FIRST)
            self._drain.id_to_cluster[cluster.cluster_id] = cluster
            self._drain.add_seq_to_prefix_tree(self._drain.root_node, cluster)
        self._drain.clusters_counter = len(patterns) + FIRST - 1
        self._symbols: dict[bytes, int] = {}

    @property
    def symbols(self) -> int:
        """How many symbols there are, the special ones included."""
        return len(self.patterns) + FIRST

    def __call__(self, form: bytes) -> int:
        """The symbol of a form."""
        symbol = self._symbols.get(form)
        if symbol is None:
            if len(self._symbols) >= REMEMBERED:
                self._symbols.clear()
            cluster = self._drain.match(_words(form), "fallback")
            symbol = self._symbols[form] = int(cluster.cluster_id) if cluster else UNSEEN
        return symbol

    def all(self, forms: Iterable[bytes]) -> list[int]:
        """The symbols of many forms."""
        known, ask = self._symbols.get, self.__call__
        # Two look-ups in C are faster than one call of a Python function.
        return [known(form) or ask(form) for form in forms]

    def shown(self, symbol: int, form: bytes = b"") -> str:
        """A symbol for people, one of no known kind with its message's form."""
        special = ("", "(start of session)", "(end of session)", "(never seen)")
        if symbol >= FIRST:
            return self.examples[symbol - FIRST]
        return f"{special[symbol]} {log_formats.readable(form)}".rstrip()

    @classmethod
    def mined(cls, forms: Iterable[bytes], before: "Templates | None" = None) -> "Templates":
        """The templates of distinct forms, the most frequent first where there are too many.

        Args:
            forms: Distinct, in an order that is always the same.
            before: Templates that keep their symbols; new ones come behind them.
        """
        drain = _copy(before) if before else _drain()
        examples = dict(enumerate(before.examples, FIRST)) if before else {}
        for form in forms:
            cluster, _ = drain.add_log_message(_words(form))
            examples.setdefault(cluster.cluster_id, log_formats.readable(form))
        clusters = sorted(drain.clusters, key=lambda c: c.cluster_id)[:MOST]
        patterns = [cluster.get_template() for cluster in clusters]
        return cls(patterns, [examples[c.cluster_id] for c in clusters])

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"patterns": self.patterns, "examples": self.examples}

    @classmethod
    def from_json(cls, values: Any) -> "Templates":
        """What `to_json` gave, trusting nothing in it.

        Raises:
            CorruptModelError: It is something else.
        """
        lists = values if isinstance(values, dict) else {}
        patterns, examples = lists.get("patterns"), lists.get("examples")
        if (
            isinstance(patterns, list)
            and isinstance(examples, list)
            and len(patterns) == len(examples) <= MOST
            and all(map(_is_text, patterns + examples))
        ):
            # Examples are shown in terminals.
            return cls(patterns, [printable(text, LONGEST) for text in examples])
        raise CorruptModelError("the card's templates are damaged; fit again")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _drain() -> Any:
    from drain3.drain import Drain

    drain = Drain(depth=5, sim_th=0.6, max_children=100, parametrize_numeric_tokens=False)
    drain.clusters_counter = FIRST - 1
    return drain


def _copy(templates: Templates) -> Any:
    return Templates(templates.patterns, templates.examples)._drain


def _words(form: bytes) -> str:
    return " ".join(lines.shown(_HEX.sub(b"", form)).split())
