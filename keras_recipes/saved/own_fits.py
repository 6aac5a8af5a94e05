"""Which models were fitted by the user on this machine: the digests of their cards, in a file.

A card's digests show that a model's files belong together, and not who made them. A model is the
user's own if a fit on this machine has written the card's digest into a file that nobody else can
write.
"""

import hashlib
import logging
import os
import stat
from pathlib import Path

from keras_recipes.saved.locate import CARD, Located, shipped_folder
from keras_recipes.untrusted import strict_json

MOST_BYTES = 1 << 20
"""The largest size of the file; beyond it, the fits so far count as models from elsewhere."""

log = logging.getLogger(__name__)


def record(folder: Path) -> None:
    """Record a fit that was saved. If that fails, the model counts as one from elsewhere.

    Args:
        folder: The model's folder.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    try:
        line = f"{_digest(folder / CARD)}\n".encode()
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, flags, 0o600)
        try:
            if os.fstat(descriptor).st_size > MOST_BYTES:
                os.truncate(descriptor, 0)
            os.write(descriptor, line)  # a short line is appended whole
        finally:
            os.close(descriptor)
    except OSError as error:
        log.debug("this fit is not recorded as one of this machine: %s", error)


def is_own(located: Located) -> bool:
    """Return whether a model comes with this package, or was fitted by the user on this machine."""
    if located.format or located.weights or not located.path.is_dir():
        return False
    if shipped_folder().resolve() in located.path.resolve().parents:
        return True
    try:
        return f"{_digest(located.path / CARD)}\n".encode() in _known()
    except OSError:
        return False


def _known() -> bytes:
    """Return the file's content, or nothing if others could have written it."""
    with _place().open("rb") as file:
        status = os.fstat(file.fileno())
        if os.name != "nt":
            others = stat.S_IWGRP | stat.S_IWOTH
            if status.st_uid != os.geteuid() or status.st_mode & others:
                log.debug("%s: others can write it, so it counts for nothing", _place())
                return b""
        return file.read(2 * MOST_BYTES)


def _digest(card: Path) -> str:
    with card.open("rb") as file:
        return hashlib.sha256(file.read(strict_json.MOST_BYTES)).hexdigest()


def _place() -> Path:
    import platformdirs

    return platformdirs.user_state_path("keras_recipes") / "fits"
