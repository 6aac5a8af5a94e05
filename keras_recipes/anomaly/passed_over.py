"""Warnings about lines of a stream that are passed over: all are counted, and a few are told.

A stream must go on whatever its lines hold, and a million bad lines must not fill the disk with
warnings.
"""

import logging
import time

TOLD = 3
"""The number of lines in `PERIOD` that are told one by one; the others are only counted."""

PERIOD = 60.0
"""Seconds until lines are told one by one again."""

log = logging.getLogger(__name__)


class PassedOver:
    """Counts the lines that a stream passes over, and warns about some of them.

    Attributes:
        count: The number of lines so far.
    """

    def __init__(self, noun: str) -> None:
        """Prepare to count.

        Args:
            noun: What a line is called, such as "row".
        """
        self.count, self._noun = 0, noun
        self._told, self._silent, self._begun = 0, 0, time.monotonic()

    def __call__(self, message: str) -> None:
        """Count a line; warn unless `TOLD` of them were told in this `PERIOD`.

        Args:
            message: Why it is passed over.
        """
        self.count += 1
        if time.monotonic() - self._begun >= PERIOD:
            self._tell_count()
            self._told, self._begun = 0, time.monotonic()
        if self._told < TOLD:
            self._told += 1
            log.warning("%s; %s skipped", message, self._noun)
        else:
            self._silent += 1

    def report(self) -> None:
        """Warn how many lines were passed over if not every one was told."""
        if self.count > TOLD:
            log.warning("%s %ss were skipped", f"{self.count:,}", self._noun)

    def _tell_count(self) -> None:
        if self._silent:
            log.warning("%s more %ss were skipped", f"{self._silent:,}", self._noun)
        self._silent = 0
