"""Parsing lines one by one where a search in some of them would take for ever.

The regular expression for sessions comes from a card. On most lines it is fast, and on a line that
somebody made for it, it may compute for years.
"""

from collections.abc import Callable, Iterator

from keras_recipes.data.logs.parser import Parser, Records
from keras_recipes.errors import UnsafeModelError
from keras_recipes.untrusted import budget

PATIENCE = 0.5
"""The largest processor time in seconds for a line, or for a block that takes 0.03 normally."""


def parsed(parser: Parser, block: list[bytes], refuse: Callable[[str], None]) -> Iterator[Records]:
    """Yield the records of the next lines; pass over a line that takes too long.

    Args:
        parser: The parser. A line that is passed over changes nothing but the number of lines, and
            lines that follow it do not belong to the session before it.
        block: The lines.
        refuse: Gets the reason for each line that is passed over.
    """
    before = dict(vars(parser))
    try:
        yield parser.parse(block, PATIENCE)
        return
    except UnsafeModelError:
        vars(parser).update(before)
    for line in block:
        before = dict(vars(parser))
        try:
            found = parser.parse([line], PATIENCE)
        except UnsafeModelError:
            vars(parser).update(before)
            parser.line, parser.key = parser.line + 1, b""
            refuse(f"line {parser.line}: takes too long to search for {parser.rule}")
        else:
            yield found
        budget.progress()
