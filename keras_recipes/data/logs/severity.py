"""The level of a message, such as INFO or FATAL, and how severe it is."""

import re

_RANKS = (
    ("trace", "debug", "fine", "finer", "finest", "verbose"),
    ("info", "information", "notice", "log", "config"),
    ("warn", "warning"),
    ("error", "err", "severe"),
    ("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic"),
)

RANK = {word: rank for rank, words in enumerate(_RANKS) for word in words}

NAMES = tuple(words[0].upper() for words in _RANKS)

USUAL = RANK["info"]
"""The rank of a message without a level."""

HIGHEST = len(_RANKS) - 1

SEARCHED = 200
"""The number of bytes at the beginning of a message in which its level is looked for."""

# In capitals, as the first word, or after the name of its field or a bracket.
_WORDS = b"|".join(word.encode() for word in sorted(RANK, key=len, reverse=True))
_LEVEL = re.compile(
    rb"(?<![\w-])(" + _WORDS.upper() + rb")(?![\w-])"
    rb"|(?i:(?:^\W{0,3}|(?:level|severity)\W{1,4}|[\[<|])(" + _WORDS + rb")(?![\w-]))"
)


def of_word(word: str) -> int | None:
    """Return the rank of a word if it is a level in capitals or in brackets, else None."""
    plain = word.strip("[]<>(){}|:,\"'*")
    if not plain.isupper() and plain == word:
        return None
    return RANK.get(plain.lower())


def of_message(message: bytes) -> int | None:
    """Return how severe a message is, from 0 to `HIGHEST`, by the first level that it names."""
    found = _LEVEL.search(message, 0, SEARCHED)
    return None if found is None else RANK[(found[1] or found[2]).decode().lower()]
