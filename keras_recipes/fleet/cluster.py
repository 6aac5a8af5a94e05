"""A Ray cluster: one that is there, or one of this machine that ends with its work."""

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keras_recipes import extras, interrupts
from keras_recipes.errors import InputError, RecipeError, StoppedError, first_line, printable

OBJECT_STORE = 100 << 20
"""Bytes of shared memory for what tasks return: models and answers, which are small."""

LONGEST_FOLDER = 40
"""The longest name of a folder for Ray, whose sockets have names of at most 107 characters."""

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # reports nothing to Ray's makers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # no warning that this will change
    "RAY_worker_niceness": "0",  # a job has the priority that the same fit has without Ray
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # prints no news of lost nodes among the results
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
}
"""Settings of Ray, which it reads from the environment."""


def _private() -> dict[str, str]:
    """Return the settings of a cluster of this process alone.

    Ray listens on the loopback device only, as it does by itself on macOS and Windows. Other users
    of the machine can reach that device, so Ray (2.52 or newer) asks for a token.
    """
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


@contextmanager
def connected(address: str | None = None) -> Iterator[None]:
    """Connect to a cluster inside the block, and start one if no address is given.

    A program that is connected already stays so. One that has imported Ray has made its settings.

    Args:
        address: The address of a cluster, or "auto" for the one that this machine is part of.

    Raises:
        InputError: Ray is not installed, or there is no cluster at the address.
        RecipeError: A cluster cannot be started here.
    """
    extras.require("fleet", "fleet")
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield
        return
    if "ray" not in sys.modules:  # Ray reads them when it is imported, and then never again
        os.environ.update(SETTINGS if address else {**SETTINGS, **_private()})
    import ray

    folder = _folder() if address is None else None
    asked: list[int] = []
    try:
        # An exception in the middle of Ray's start would be lost.
        with interrupts.handled(lambda number, frame: asked.append(number)):
            _start(address, folder)
        if asked:
            raise StoppedError("stopped before the first job", asked[0])
        yield
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _start(address: str | None, folder: Path | None) -> None:
    import ray

    try:
        if folder is None:
            ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False)
            return
        ray.init(
            address="local",
            num_cpus=cores(),
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE,
            logging_level=logging.CRITICAL,
            log_to_driver=False,
            _temp_dir=str(folder),
        )
    except Exception as error:  # Ray raises errors of many kinds
        reason = printable(first_line(error), 200)
        if folder is None:
            raise InputError(f"--address {address}: no cluster answers there: {reason}") from error
        raise RecipeError(f"Ray does not start here: {reason}") from error


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _folder() -> Path:
    usual = tempfile.gettempdir()
    short = len(usual) <= LONGEST_FOLDER or os.name == "nt"
    return Path(tempfile.mkdtemp(prefix="fleet-", dir=usual if short else "/tmp"))
