"""Models from elsewhere: the program `recipes` is held to a budget while it works on one."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_recipes.saved.load import Found

OWN = 10.0
"""How many times the ordinary time a step of the user's own model may take."""

log = logging.getLogger(__name__)

_is_program = False


def may_end_this_process() -> None:
    """Allow this process to be ended when it exceeds a budget; it is the program `recipes`."""
    global _is_program
    _is_program = True


def hold(model: "Found", inputs: Iterable[str] = ()) -> None:
    """Hold this process to a budget, unless the model is the user's own and has no inputs.

    The user's own models may compute longer, but their inputs may come from elsewhere.

    Args:
        model: The model, which was not read yet.
        inputs: Arguments that may be paths of inputs.
    """
    from keras_recipes.saved import own_fits

    located = model.located
    if not _is_program or not located:
        return
    files = [located.path, located.weights]
    if not own_fits.is_own(located):
        hold_files(located.asked, files, inputs)
    elif "-" in (inputs := list(inputs)) or _there(inputs):
        hold_files(f"{located.asked} on these inputs", files, inputs, times=OWN)


def hold_files(
    name: str, files: Iterable[str | Path | None], inputs: Iterable[str] = (), times: float = 1
) -> None:
    """Hold this process to a budget for a model from elsewhere.

    Args:
        name: The name of the model, for the message.
        files: The paths of its files; what does not exist counts as nothing.
        inputs: Arguments that may be paths of inputs.
        times: How many times the ordinary time a step may take.
    """
    from keras_recipes.errors import printable
    from keras_recipes.untrusted import budget

    if _is_program:
        allowed, name = budget.of_files(_there(files), _there(inputs)), printable(name, 200)
        allowed = replace(allowed, seconds=times * allowed.seconds, wall=times * allowed.wall)
        log.debug(
            "%s: is held to %.1f GB, %.0f s a step", name, allowed.memory / 1e9, allowed.seconds
        )
        budget.hold(allowed, name)


def _there(files: Iterable[str | Path | None]) -> list[Path]:
    return [Path(file) for file in files if file and _exists(file)]


def _exists(file: str | Path) -> bool:
    try:
        return Path(file).exists()
    except (OSError, ValueError):  # a value that is no path
        return False
