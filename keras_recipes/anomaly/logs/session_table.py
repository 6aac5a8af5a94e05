"""The sessions of a stream: the open ones by the time of their end, and the last closed ones.

A line that comes after its session is closed does not open a second session of the same name: it is
late if its time is within the session, and otherwise it begins a session with a number, such as
`order-5 (2)`. Files need none of this, because they are read as a whole.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterator

from keras_recipes.anomaly.logs.open_sessions import OpenSession

MOST_KINDS = 2_000_000
"""The largest number of kinds of events of all open sessions together, 250 bytes each.

Beyond it, the session that has been silent the longest is closed. 50,000 sessions reach it with 40
kinds of events each.
"""

SPARE = 1_000
"""Entries of the queue beyond two for each session at which it is made anew."""


class SessionTable:
    """The open sessions by key, and the keys of the last closed ones.

    Attributes:
        open: The open sessions. Their `due` and `line` may change at any time, if `queue` is called
            after `due` was put earlier.
        kinds: How many kinds of events the open sessions have, added up.
        closed: For the last closed sessions, by key: the time before which a line of it is late
            (None if no line is late), and how many sessions of this key there were.
    """

    def __init__(self, most: int) -> None:
        """Make an empty table.

        Args:
            most: The largest number of open sessions, and of closed ones that are remembered.
        """
        self.open: dict[bytes, OpenSession] = {}
        self.kinds = 0
        self.closed: OrderedDict[bytes, tuple[float | None, int]] = OrderedDict()
        self._most = most
        # Entries are not changed when a session goes on. They are checked when they come first.
        self._queue: list[tuple[float, int, bytes]] = []

    def is_late(self, key: bytes, when: float) -> bool:
        """Return whether a line of this time belongs to a session that is closed."""
        until = self.closed[key][0] if key in self.closed else None
        return until is not None and when < until

    def sessions_of(self, key: bytes) -> int:
        """Return how many closed sessions of this key are remembered."""
        return self.closed[key][1] if key in self.closed else 0

    def add(self, key: bytes, session: OpenSession) -> None:
        """Add an open session, whose `due` is set."""
        self.open[key] = session
        self.kinds += len(session.counts)
        self._push(key, session)

    def queue(self, key: bytes, session: OpenSession) -> None:
        """Make sure that a session is looked at when it is due."""
        if session.due < session.queued:
            self._push(key, session)

    def due(self, now: float) -> Iterator[bytes]:
        """Yield the keys of the sessions that are over at this time, the longest silent first.

        The caller closes each of them before it asks for the next.
        """
        while self._queue and self._queue[0][0] <= now:
            key = self._first()
            if key is None or self.open[key].due > now:
                return
            yield key

    def surplus(self) -> bytes | None:
        """Return the key of the session to close because there are too many, or None."""
        full = len(self.open) > self._most or self.kinds > MOST_KINDS
        return self._first() if full else None

    def close(self, key: bytes, until: float | None, *, again: bool) -> OpenSession:
        """Take a session from the open ones.

        Args:
            key: Its key.
            until: The time before which a later line of it is late; None if no line is.
            again: Whether this key can come again.
        """
        session = self.open.pop(key)
        self.kinds -= len(session.counts)
        if again:
            self.remember(key, until, self.sessions_of(key) + 1)
        return session

    def remember(self, key: bytes, until: float | None, count: int) -> None:
        """Remember a closed session; see `closed`."""
        self.closed[key] = until, count
        self.closed.move_to_end(key)
        if len(self.closed) > self._most:
            self.closed.popitem(last=False)

    def set_back(self, due: float) -> None:
        """Follow a clock that was set back.

        No line of a closed session is late any more, and no open session is due after `due`.
        """
        self.closed = OrderedDict((key, (None, count)) for key, (_, count) in self.closed.items())
        for session in self.open.values():
            session.due = min(session.due, due)
        self._make_anew()

    def _first(self) -> bytes | None:
        """Return the key of the session that is due first; correct the queue on the way."""
        while self._queue:
            due, line, key = self._queue[0]
            session = self.open.get(key)
            if session is None or session.queued != due:
                heapq.heappop(self._queue)
            elif (session.due, session.line) > (due, line):
                session.queued = session.due
                heapq.heapreplace(self._queue, (session.due, session.line, key))
            else:
                return key
        return None

    def _push(self, key: bytes, session: OpenSession) -> None:
        session.queued = session.due
        heapq.heappush(self._queue, (session.due, session.line, key))
        if len(self._queue) > 2 * len(self.open) + SPARE:
            self._make_anew()

    def _make_anew(self) -> None:
        for session in self.open.values():
            session.queued = session.due
        self._queue = [(session.due, session.line, key) for key, session in self.open.items()]
        heapq.heapify(self._queue)
