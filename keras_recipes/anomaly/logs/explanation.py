"""What was strange in a session, in words that an operator can act on.

Rows of files and of streams get their words here, so that they are the same.
"""

from dataclasses import dataclass, replace

from keras_recipes.anomaly.logs.new_events import News
from keras_recipes.data.logs import parser
from keras_recipes.data.logs.measurements import UNIT_NAMES, UNITS
from keras_recipes.data.logs.templates import END, UNSEEN, Templates

NEW_EVENTS = "new events"
"""What decides where no feature does."""


@dataclass(frozen=True)
class Reason:
    """What was the least usual in a session.

    Attributes:
        position: Which event it was, from 0; the number of events for the end.
        observed: What was found there.
        expected: What was likely instead.
        sentence: Both as a sentence.
    """

    position: int
    observed: str
    expected: str
    sentence: str


def surprising(
    templates: Templates, position: int, token_id: int, likeliest: int, message: bytes
) -> Reason:
    """Return the reason for the largest surprise.

    Args:
        templates: The templates.
        position: The event's position, from 0.
        token_id: The token id of the event.
        likeliest: The token id of the likeliest event.
        message: The masked message if it is a new event.
    """
    observed, expected = templates.describe(token_id, message), templates.describe(likeliest)
    if token_id == UNSEEN:
        sentence = how_often_seen(templates, message)
    elif token_id == END:
        sentence = f"ended without {expected}"
    elif token_id == likeliest:
        sentence = f"seldom at this place: {observed}"
    elif likeliest == END:
        sentence = f"expected the end of the session, got {observed}"
    else:
        sentence = f"expected {expected} next, got {observed}"
    return Reason(position, observed, expected, sentence)


def unusual_count_of_news(
    templates: Templates, position: int, message: bytes, count: int, nearest: int, most: int
) -> Reason:
    """Return the reason for the number of events without a token id: new ones and rare ones.

    Args:
        templates: The templates.
        position: As for `unusual_count`.
        message: The masked message of the last of them.
        count: As for `unusual_count`.
        nearest: As for `unusual_count`.
        most: The largest number of such events in a normal session.
    """
    name = templates.describe(UNSEEN, message)
    if count and not most:
        sentence = how_often_seen(templates, message)
    elif count > most:
        sentence = f"{count} new or rare events, normally at most {most}"
    else:
        sentence = f"{count} new or rare events, but {nearest} in the most similar normal session"
    return Reason(position, f"{count} x {name}", f"{nearest} x {name}", sentence)


def unusual_count(
    name: str, position: int, count: int, nearest: int, normal: tuple[int, int]
) -> Reason:
    """Return the reason for the count of a template.

    Args:
        name: The template's event in words.
        position: The position of the last such event, from 0; the number of events without any.
        count: How often it occurred.
        nearest: How often it occurs in the nearest normal session.
        normal: The smallest and the largest number of times that it occurs in a normal session.
    """
    least, most = normal
    if not count:
        sentence = f"ended without {name}"
    elif count > most:
        sentence = f"{count} x {name}, normally " + (f"at most {most}" if most else "never")
    elif count < least:
        sentence = f"{count} x {name}, normally at least {least}"
    else:
        sentence = f"{count} x {name}, but {nearest} in the most similar normal session"
    return Reason(position, f"{count} x {name}", f"{nearest} x {name}", sentence)


def unusual_measurement(
    name: bytes, value: float, unit: int, normal: tuple[float, float], position: int, event: str
) -> Reason:
    """Return the reason for a measurement.

    Args:
        name: What is written before the number.
        value: The number in seconds, in bytes or as it is.
        unit: The number of the unit in which it is written.
        normal: The ends of the normal range.
        position: The event's position, from 0.
        event: The event in words.
    """
    spelt = UNIT_NAMES[unit]

    def in_unit(number: float) -> str:
        amount = number / UNITS[spelt]
        whole = round(amount)
        return str(whole) if abs(amount - whole) < 1e-6 * max(1, whole) else f"{amount:.4g}"

    is_large = value > normal[1]
    expected = f"at most {in_unit(normal[1])}" if is_large else f"at least {in_unit(normal[0])}"
    blank = b" " if spelt.isalpha() else b""
    measured = parser.readable(name + in_unit(value).encode() + blank + spelt)
    return Reason(position, f"{measured} in {event}", expected, f"{measured}, normally {expected}")


def news(templates: Templates, found: News) -> Reason:
    """Return the reason for the last of a session's new events."""
    position, _, message = found.last
    observed = templates.describe(UNSEEN, message)
    return Reason(position, observed, "a known event", never_seen(message))


def how_often_seen(templates: Templates, message: bytes) -> str:
    """Return an event without a token id as a sentence, by its masked message."""
    if templates.is_rare(message):
        return f"seen in one normal session: {parser.readable(message)}"
    return never_seen(message)


def never_seen(message: bytes) -> str:
    """Return a new event's masked message as a sentence."""
    return f"never seen: {parser.readable(message)}"


def many_unlikely(reason: Reason) -> Reason:
    """Return the reason for many unlikely events, by that for the least likely one."""
    return replace(reason, sentence=f"many unlikely events, above all: {reason.sentence}")


def in_words(reason: Reason | None, found: News, line: int | str) -> str:
    """Return the explanation of a row: why it is an anomaly, and its new events in any case.

    Args:
        reason: Why the session is an anomaly; None if it is none.
        found: The new events.
        line: The line of the first of the most severe new events.
    """
    parts = []
    if reason is not None:
        parts.append(reason.sentence)
    if found.count:
        told = never_seen(found.message)
        if reason is None or told not in reason.sentence:
            parts.append(told)
        parts[-1] += f" (line {line})"
        if found.total > 1:
            parts[-1] += f" and {found.total - 1} more new event{'s' * (found.total > 2)}"
    return "; ".join(parts)
