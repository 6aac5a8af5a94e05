"""Build the model of an accepted configuration; its sizes are known before memory is used.

Keras builds the model in a scope that gives variables a shape but no value. The model is then
measured, receives its values from `weights`, and is used. Only memory that was counted is
allocated, and no initializer runs.
"""

import copy
import ctypes
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes.errors import (
    CorruptModelError,
    RecipeError,
    UnsafeModelError,
    first_line,
    printable,
)
from keras_recipes.untrusted import allowed, limits, sizes, weights
from keras_recipes.untrusted.architecture import Architecture
from keras_recipes.untrusted.hdf5 import Tree

if TYPE_CHECKING:
    import keras

SECONDS, SECONDS_A_LAYER = 8.0, 0.03
"""Seconds of processor time within which a model has to be built.

A net that deskews and averages turned versions takes two seconds on an ordinary machine, and twice
as long where other programs compute beside it.
"""

# These layers compute with the size of their input while they are built, even without memory for
# variables. In the first pass over the model, a layer that returns its input replaces them.
_EAGER = {"Normalization"}


class _TooSlowError(Exception):
    """The thread that builds the model receives this from the thread that watches it."""


def build(architecture: Architecture, tree: Tree, where: str, weights_where: str) -> "keras.Model":
    """Build a model and assign its weights, without compiling it.

    Args:
        architecture: The result of `architecture.read`.
        tree: The result of `hdf5.read`.
        where: The path of the configuration, for the messages.
        weights_where: The path of the weights, for the messages.

    Raises:
        CorruptModelError: Keras cannot build the model, or the weights are another model's.
        UnsafeModelError: The model exceeds the limits, or takes too long to build.
    """
    return build_with(
        architecture,
        where,
        lambda model: weights.matched(model, tree, weights_where, architecture.names),
    )


def build_with(
    architecture: Architecture,
    where: str,
    find: "Callable[[keras.Model], dict[int, np.ndarray]]",
) -> "keras.Model":
    """Build a model and assign weights in another layout than its own file's.

    Args:
        architecture: The result of `architecture.read`.
        where: The path of the configuration, for the messages.
        find: Takes the model, whose variables have no values yet. Returns the array of each
            variable by the variable's id.

    Raises:
        CorruptModelError: Keras cannot build the model.
        UnsafeModelError: The model exceeds the limits, or takes too long to build.
    """
    if architecture.own:
        importlib.import_module(allowed.OWN_MODULE)
    with _nothing_left_behind():
        with _explained(where), _time_limit(architecture.layers):
            if (first_look := _without_eager(architecture.config)) is not None:
                sizes.check(_deserialize(first_look))
            model = _deserialize(architecture.config)
            sizes.check(model)
        weights.give(model, find(model))
    return model


def compile_settings(model: "keras.Model", architecture: Architecture, where: str) -> None:
    """Compile a model with the settings of its configuration.

    Raises:
        CorruptModelError: Keras cannot compile the model with these settings.
    """
    if architecture.compiled:
        with _explained(where):
            model.compile_from_config(copy.deepcopy(architecture.compiled))


def _deserialize(config: dict[str, Any]) -> "keras.Model":
    import keras
    from keras.src.saving.serialization_lib import ObjectSharingScope

    # Keras changes the dictionary that it receives.
    with sizes.Scope(), ObjectSharingScope():
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    if not model.built or not model.inputs:
        raise ValueError("the shape of its inputs is missing; save it after it was built")
    return model


def _without_eager(config: dict[str, Any]) -> dict[str, Any] | None:
    """Return the configuration with stand-ins for layers that compute while they are built."""
    changed = copy.deepcopy(config)
    waiting, found = [changed], False
    while waiting:
        item: Any = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            if item.get("class_name") in _EAGER and item.get("module") == "keras.layers":
                name = item["config"].get("name")
                item.update(class_name="Identity", config={"name": name} if name else {})
                found = True
            waiting.extend(item.values())
    return changed if found else None


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except RecipeError:
        raise
    except sizes.ModelTooLargeError as error:
        raise UnsafeModelError(f"{where}: refused, {error}; {limits.advice()}") from None
    except _TooSlowError:
        raise UnsafeModelError(
            f"{where}: refused, it takes too long to build; ask its author for a smaller model"
        ) from None
    except MemoryError:
        raise UnsafeModelError(
            f"{where}: refused, it needs more memory than there is; ask for a smaller model"
        ) from None
    except Exception as error:
        raise CorruptModelError(
            f"{where}: Keras cannot open it: {printable(first_line(error), 160)}; "
            "get it again, or save it again"
        ) from error


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Restore Keras' list of variables without values; it would create values for them later."""
    from keras.src.backend.common import global_state

    name = "uninitialized_variables"
    before = list(global_state.get_global_attribute(name) or [])
    try:
        yield
    finally:
        global_state.set_global_attribute(name, before)


@contextmanager
def _time_limit(layers: int) -> Iterator[None]:
    """Raise `_TooSlowError` in this thread when it has used up its processor time."""
    thread, clock = threading.get_ident(), _clock()
    end = clock() + SECONDS + SECONDS_A_LAYER * layers
    over, lock = threading.Event(), threading.Lock()

    def watch() -> None:
        while not over.wait(0.05):
            with lock:
                if clock() > end and not over.is_set():
                    _raise_in(thread, _TooSlowError)
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            over.set()
        watcher.join()


def _clock() -> Callable[[], float]:
    """Return a clock of this thread's processor time for another thread; else of wall time."""
    if hasattr(time, "pthread_getcpuclockid"):
        identifier = time.pthread_getcpuclockid(threading.get_ident())
        return lambda: time.clock_gettime(identifier)
    return time.monotonic


def _raise_in(thread: int, error: type[Exception]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
