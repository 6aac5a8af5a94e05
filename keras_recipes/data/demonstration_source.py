"""Synthetic source text in the manner of Java, for recipes without any data.

All of it is invented, and it is not meant to compile. Brackets are nested and always close, each
field has its getter, and each line is indented by its depth.
"""

import random
from collections.abc import Iterator

NAME = "source"
SYNTHETIC = f"{NAME} (synthetic)"
"""The name of this text in messages and tables."""

CLASSES = 260

# fmt: off
_NOUNS = (
    "account", "amount", "basket", "branch", "buffer", "cache", "channel", "counter",
    "customer", "depot", "entry", "event", "filter", "index", "invoice", "item", "label",
    "ledger", "limit", "message", "number", "order", "packet", "parcel", "payment", "price",
    "queue", "rate", "record", "route", "sample", "schedule", "score", "shelf", "signal",
    "stock", "table", "ticket", "token", "total", "value", "vector", "weight", "window",
)
_VERBS = (
    "add", "apply", "check", "clear", "collect", "count", "find", "load", "merge", "move",
    "pack", "remove", "reset", "send",
)
# fmt: on
_TYPES = ("int", "long", "double", "boolean", "String", "int[]", "List<String>")
_NUMBERS = ("int", "long", "double")


def text() -> str:
    """Return the source text, about 300,000 characters; it is the same in every run."""
    number = random.Random(5)
    return "\n".join(line for _ in range(CLASSES) for line in _class(number)) + "\n"


def _class(number: random.Random) -> Iterator[str]:
    nouns = number.sample(_NOUNS, number.randint(3, 6))
    fields = {noun: number.choice(_TYPES) for noun in nouns[1:]}
    fields.setdefault("count", "int")
    name = "".join(noun.capitalize() for noun in nouns[: number.randint(1, 2)])
    yield from (f"package {number.choice(_NOUNS)}.{number.choice(_NOUNS)};", "")
    if "List<String>" in fields.values():
        yield from ("import java.util.List;", "")
    yield f"/** Keeps the {nouns[0]} of each {nouns[1]}. */"
    yield f"public class {name} {{"
    yield from (f"    private {kind} {field};" for field, kind in fields.items())
    field, kind = number.choice(list(fields.items()))
    yield from ("", f"    public {name}({kind} {field}) {{", f"        this.{field} = {field};")
    yield "    }"
    for field, kind in number.sample(list(fields.items()), min(3, len(fields))):
        start = "is" if kind == "boolean" else "get"
        yield from ("", f"    public {kind} {start}{field.capitalize()}() {{")
        yield from (f"        return {field};", "    }")
    for _ in range(number.randint(1, 3)):
        yield from _method(number, fields)
    yield from ("}", "")


def _method(number: random.Random, fields: dict[str, str]) -> Iterator[str]:
    verb, noun = number.choice(_VERBS), number.choice(_NOUNS)
    known = [name for name, kind in fields.items() if kind in _NUMBERS] + [noun]
    kind = number.choice(("void", *_NUMBERS))
    yield from (
        "",
        f"    public {kind} {verb}{noun.capitalize()}({number.choice(_NUMBERS)} {noun}) {{",
    )
    for _ in range(number.randint(1, 3)):
        yield from _statement(number, known, 2)
    if kind != "void":
        yield f"        return {_expression(number, known, 1)};"
    yield "    }"


def _statement(number: random.Random, known: list[str], depth: int) -> Iterator[str]:
    margin, kind = "    " * depth, number.random()
    if kind < 0.5 or depth > 4:
        yield f"{margin}{_simple(number, known)};"
    elif kind < 0.7:
        i = "ijk"[depth - 2]
        yield f"{margin}for (int {i} = 0; {i} < {number.choice(known)}; {i}++) {{"
        yield from _block(number, [*known, i], depth)
    elif kind < 0.8:
        yield f"{margin}while ({_condition(number, known)}) {{"
        yield from _block(number, known, depth)
    else:
        yield f"{margin}if ({_condition(number, known)}) {{"
        if number.random() < 0.4:
            yield from list(_block(number, known, depth))[:-1]
            yield f"{margin}}} else {{"
        yield from _block(number, known, depth)


def _block(number: random.Random, known: list[str], depth: int) -> Iterator[str]:
    for _ in range(number.choice((1, 1, 2))):
        yield from _statement(number, known, depth + 1)
    yield "    " * depth + "}"


def _simple(number: random.Random, known: list[str]) -> str:
    name, kind = number.choice(known), number.random()
    if kind < 0.5:
        return f"{name} = {_expression(number, known, 2)}"
    if kind < 0.7:
        return f"{name} {number.choice('+-*')}= {_expression(number, known, 1)}"
    if kind < 0.85:
        return f"values[{_expression(number, known, 1)}] = {name}"
    call = f"{number.choice(_VERBS)}{number.choice(_NOUNS).capitalize()}"
    return f"{call}({_expression(number, known, 1)})"


def _condition(number: random.Random, known: list[str]) -> str:
    left, right = (_expression(number, known, 1) for _ in range(2))
    return f"{left} {number.choice(('<', '>', '==', '!='))} {right}"


def _expression(number: random.Random, known: list[str], depth: int) -> str:
    kind = number.random()
    if depth == 0 or kind < 0.45:
        return number.choice(known) if number.random() < 0.7 else str(number.randint(0, 9))
    inside = _expression(number, known, depth - 1)
    if kind < 0.6:
        return f"values[{inside}]"
    if kind < 0.7:
        return f"Math.{number.choice(('abs', 'sqrt', 'floor'))}({inside})"
    return f"({inside} {number.choice('+-*/')} {_expression(number, known, depth - 1)})"
