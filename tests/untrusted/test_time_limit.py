"""An untrusted regular expression ends in every thread, and searches in none find less for it."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from keras_recipes.data.logs import parser
from keras_recipes.data.logs.layout import LogLayout, SessionRule
from keras_recipes.errors import UnsafeModelError
from keras_recipes.untrusted import time_limit

LINES = [b"session=a1 begins", b"aaaa no session", b"session=b2 ends"]


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Return what a function returns or raises in another thread than the main one."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "it never ends"
    return found[0]


def parsed(key: str, lines: list[bytes]) -> parser.Records:
    layout = LogLayout(format="text", timed=False, sessions=SessionRule(by="regex", key=key))
    return parser.Parser(layout).parse(lines)


FULL = pytest.mark.full


@pytest.mark.parametrize(
    "key", ["(a+)+$", *[pytest.param(k, marks=FULL) for k in ("(a|a)*$", "a*a*a*a*a*a*b")]]
)
def test_a_slow_rule_of_a_card_is_refused_in_every_thread(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser, "PATIENCE", 0.5)
    begin = time.monotonic()
    said = in_a_thread(lambda: parsed(key, [b"a" * 300 + b"!"]))
    assert isinstance(said, UnsafeModelError)
    assert "takes too long" in str(said)
    assert time.monotonic() - begin < 10
    with pytest.raises(UnsafeModelError, match="takes too long"):
        parsed(key, [b"a" * 300 + b"!"])


def test_other_threads_work_while_one_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "PATIENCE", 1.0)
    thread = threading.Thread(
        target=in_a_thread, args=[lambda: parsed("(a+)+$", [b"a" * 99 + b"!"])]
    )
    thread.start()
    count = 0
    while thread.is_alive():
        time.sleep(0.01)
        count += 1
    assert count > 20


def test_a_thread_finds_the_same_as_the_main_one() -> None:
    for key in (r"session=\w+", "(?<=session=).", "nowhere"):
        assert in_a_thread(lambda key=key: parsed(key, LINES)) == parsed(key, LINES)


def test_a_search_goes_on_after_a_refused_one() -> None:
    pattern, refusal = re.compile(b"(a+)+$"), lambda: UnsafeModelError("too long")
    slow = lambda: time_limit.rehearse(pattern, [b"a" * 99 + b"!"], 0.2, refusal)  # noqa: E731
    quick = lambda: time_limit.rehearse(pattern, [b"a\n\0\xff", b""] * 9, 0.2, refusal)  # noqa: E731
    assert isinstance(in_a_thread(slow), UnsafeModelError)
    assert in_a_thread(quick) is None
    assert isinstance(in_a_thread(slow), UnsafeModelError)
