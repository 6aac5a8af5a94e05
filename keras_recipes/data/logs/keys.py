"""The keys of sessions in lines of text: what looks like one, and whether it makes sessions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from keras_recipes.data.logs import json_fields

FEWEST = 20
"""The smallest number of sessions that can show that a text is the key of sessions."""

ENOUGH = 1_000
"""The number of bytes at the beginning of a line in which keys are looked for."""

_WORDS = (
    rb"session|sess|sid|request|req|trace|txn|transaction|job|task|order|conn|connection|"
    rb"correlation|corr|flow|call|invocation|execution|operation|activity|conversation|run|build|"
    rb"cart|payment|customer|client|account|invoice|ticket|batch|device|workflow|user|ord|tx|jid"
)
_VALUE = rb"[\"']?\s?[=:#]\s?[\"'<\[(]?[\w.+/@-]+"
_NAMED = rb"(?i)\b(?:" + _WORDS + rb")(?:[ _.-]?id)?" + _VALUE
_NAME = re.compile(
    rb"(?i)\b((?:[a-z]{1,12}[_.-])?(?:" + _WORDS + rb")(?:[ _.-]?id)?|[a-z][a-z_.-]{0,30}id|id)"
    rb"(?=" + _VALUE + rb")"
)
_PREFIXED = re.compile(rb"\b([A-Za-z]+[_-])-?\d{4,}")
_PREFIX_OF_LETTERS = re.compile(
    rb"(?i)\b((?:" + _WORDS + rb"|trx|usr|cust|pay|inv|msg|message|event|evt|op|proc|id|uid|acct|"
    rb"upload)[_-])[0-9A-Za-z]{3,}"
)
_NUMBERED = re.compile(rb"(?i)\b(" + _WORDS + rb"|spid)\d+")

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_MAIL = (
    # Postfix' short and long queue ids, Exim's message ids and Sendmail's
    rb"(?<=\]: )(?:[0-9A-F]{6,14}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,16})(?=: )",
    rb"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6}(?:[0-9A-Za-z]{5})?-[0-9A-Za-z]{2}(?:[0-9A-Za-z]{2})?\b",
    rb"(?<=\]: )[0-9A-Za-z]{8}\d{6}(?=: )",
)
"""Keys that many lines of a mail server lack: those of connections before a message."""

_LATER = (
    rb"\baudit\([\d.]*:\d+\)",  # an event of Linux' audit, whose time has been taken out
    rb"\b[\w.-]+\[\d+\]",  # a program and its process
    rb"\b[0-9a-f]{16,}\b",
    rb"\[pid:? ?\d+\]",
    rb"\b[0-9a-f]{8}\.[0-9a-f]{1,8}\b",  # PostgreSQL's %c
    rb"<\d+\.\d+\.\d+>",  # a process of Erlang
    rb"\bGC\(\d+\)",
    rb"\[C-[0-9a-f]{8}\]",  # a call of Asterisk
    rb"\b\d+(?=[ \t](?:Connect|Query|Quit|Execute|Prepare|Init DB|Statistics|Close stmt)\b)",
    rb"(?i)\b(?:connection|session|request|job|task|transaction|order|call|build)\s#?\d+\b",
    rb"(?<=\[)[0-9a-f]{6,15}(?=\])",
    rb"(?<=\[)\d{1,10}(?=\])",  # a process, as PostgreSQL writes it
    rb"(?<=\()\d{4,12}(?=\))",
    rb"\b\d{1,3}(?:\.\d{1,3}){3}[:#]\d{2,5}\b",  # a client's address and port
)


def pattern_of(lines: Sequence[bytes]) -> str | None:
    """Return a regular expression of text that looks like the key of sessions, or None.

    Args:
        lines: The first lines of a log, without their times.
    """
    lines = [line[:ENOUGH] for line in lines]
    for pattern, share in _candidates(lines):
        found = _found(pattern, lines)
        if groups(found, len(lines), share=share):
            simple = _simple(found)
            same = simple is not None and _found(simple, lines) == found
            return str(simple if simple and same else pattern, "ascii", "replace")
    return None


def _found(pattern: bytes, lines: Sequence[bytes]) -> list[bytes]:
    return [match[0] for match in map(re.compile(pattern).search, lines) if match]


def _simple(keys: Sequence[bytes]) -> bytes | None:
    """Return a pattern that is easy to read for keys such as `job_id=7`, or None."""
    names = {re.split(rb"(?<=[=:#])", key, maxsplit=1)[0] for key in keys}
    if len(names) != 1 or not re.fullmatch(rb"[A-Za-z][\w.-]*[=:#]", name := names.pop()):
        return None
    return rb"\b" + re.escape(name) + rb"\s?[\w.-]+"


def _candidates(lines: Sequence[bytes]) -> Iterator[tuple[bytes, float]]:
    """Yield regular expressions, with the share of the lines that must have such a key."""
    prefixes = {m for line in lines for m in _PREFIXED.findall(line)}
    yield from ((re.escape(p) + rb"-?\d+", 0.9) for p in sorted(prefixes)[:50])
    yield _UUID, 0.9
    yield from ((pattern, 0.9) for pattern in _by_name(lines))
    yield _NAMED, 0.9
    yield from ((pattern, 0.4) for pattern in _MAIL)
    yield from ((pattern, 0.9) for pattern in _LATER)
    numbered = {m for line in lines for m in _NUMBERED.findall(line)}
    yield from ((rb"\b" + word + rb"\d+\b", 0.9) for word in sorted(numbered))
    prefixes = {m for line in lines for m in _PREFIX_OF_LETTERS.findall(line)}
    yield from ((rb"\b" + re.escape(p) + rb"[0-9A-Za-z]+", 0.9) for p in sorted(prefixes)[:50])


def _by_name(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield patterns of the keys with a name that nearly all lines have, those to prefer first."""
    counts = Counter(name for line in lines for name in set(_NAME.findall(line)))
    common = [name for name, count in counts.items() if count >= 0.9 * len(lines)]

    def rank(name: bytes) -> int:
        plain, order = re.sub(rb"[^a-z]", b"", name.lower()).decode(), json_fields.SESSION
        if plain in ("pid", "tid", "threadid", "processid"):
            return len(order) + 1
        return order.index(plain) if plain in order else len(order)

    for name in sorted(sorted(common), key=rank):
        yield rb"\b" + re.escape(name) + _VALUE


def groups(keys: Sequence[bytes], lines: int, least: int = FEWEST, share: float = 0.9) -> bool:
    """Return whether nearly every line has a key, and the keys are many but recur.

    Args:
        keys: The keys of the lines that have one.
        lines: The number of lines.
        least: The smallest number of different keys.
        share: The smallest share of lines with a key.
    """
    distinct = len(set(keys))
    return len(keys) >= share * max(1, lines) and distinct >= least and len(keys) >= 1.5 * distinct
