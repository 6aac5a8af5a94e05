"""The time in a log, which goes on with its lines although some of them are late or wrong."""

LATE_SECONDS = 60.0
"""Seconds that a line may be behind the clock before it counts as behind."""

SET_BACK_AFTER = 100
"""The number of lines in a row that are behind after which the clock is set back to them."""


class LogClock:
    """The time in a log.

    The clock follows two different times in a row, so that one wrong time cannot put it forward,
    also where the lines after it have no time and take over this one. If many lines in a row are
    behind the clock, the source's clock was set back, or it followed wrong times.

    Attributes:
        now: The time in seconds since 1970; 0 before the second time.
        last: The time of the last line.
    """

    __slots__ = ("_behind", "last", "now")

    def __init__(self) -> None:
        self.now, self.last, self._behind = 0.0, 0.0, 0

    def read(self, when: float) -> bool:
        """Take over the time of the next line; return whether the clock was set back."""
        if when != self.last:
            confirmed = min(self.last, when)
            if confirmed > self.now:
                self.now = confirmed
            self.last = when
        if when >= self.now - LATE_SECONDS:
            self._behind = 0
            return False
        self._behind += 1
        if self._behind < SET_BACK_AFTER:
            return False
        self.now, self._behind = when, 0
        return True
