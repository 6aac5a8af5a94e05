"""Making the model that an accepted configuration describes, its sizes known before its memory.

Keras builds models in a scope that gives variables a shape and no value. What is built there is
measured, given its weights by `weights`, and used: nothing is allocated that was not counted, and
no initializer runs.
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

SECONDS, SECONDS_A_LAYER = 2.0, 0.03
"""Processor time in which a model has to be built."""

# Layers that compute with their input's size while they are built, even without memory for
# variables. A first look at the model has a layer in their place that passes its input on.
_EAGER = {"Normalization"}


class _TooSlowError(Exception):
    """Raised in the thread that builds, by the one that watches it."""


def build(architecture: Architecture, tree: Tree, where: str, weights_where: str) -> "keras.Model":
    """Builds a model and gives it its weights; it is not compiled yet.

    Args:
        architecture: From `architecture.read`.
        tree: From `hdf5.read`.
        where: The configuration's file, for the messages.
        weights_where: The weights' file.

    Raises:
        CorruptModelError: Keras builds no such model, or the weights are not this model's.
        UnsafeModelError: It is larger than the limits, or takes too long.
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
    """Builds a model and gives it weights that are not laid out as in its own file.

    Args:
        architecture: From `architecture.read`.
        where: The configuration's file, for the messages.
        find: Given the model, whose variables have no values yet, the array of each by its id.

    Raises:
        CorruptModelError: Keras builds no such model.
        UnsafeModelError: It is larger than the limits, or takes too long.
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
    """Compiles as the configuration says.

    Raises:
        CorruptModelError: Keras cannot compile so.
    """
    if architecture.compiled:
        with _explained(where):
            model.compile_from_config(copy.deepcopy(architecture.compiled))


def _deserialize(config: dict[str, Any]) -> "keras.Model":
    import keras
    from keras.src.saving.serialization_lib import ObjectSharingScope

    # Keras takes what it is given to pieces.
    with sizes.Scope(), ObjectSharingScope():
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    if not model.built or not model.inputs:
        raise ValueError("it does not say which shape its inputs have; save it after it was built")
    return model


def _without_eager(config: dict[str, Any]) -> dict[str, Any] | None:
    """The configuration with stand-ins for layers that compute while they are built."""
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
            f"{where}: refused, it takes too long to build; ask whoever made it for a smaller one"
        ) from None
    except MemoryError:
        raise UnsafeModelError(
            f"{where}: refused, it needs more memory than there is; ask for a smaller one"
        ) from None
    except Exception as error:
        raise CorruptModelError(
            f"{where}: no model that Keras opens: {printable(first_line(error), 160)}; "
            "get it again, or save it again"
        ) from error


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Keras keeps a list of variables without values, and later makes values for all of them."""
    from keras.src.backend.common import global_state

    name = "uninitialized_variables"
    before = list(global_state.get_global_attribute(name) or [])
    try:
        yield
    finally:
        global_state.set_global_attribute(name, before)


@contextmanager
def _time_limit(layers: int) -> Iterator[None]:
    """Raises `_TooSlowError` in this thread, wherever it is, when its processor time is up."""
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
    """This thread's processor time, readable from another one; else the time of day."""
    if hasattr(time, "pthread_getcpuclockid"):
        identifier = time.pthread_getcpuclockid(threading.get_ident())
        return lambda: time.clock_gettime(identifier)
    return time.monotonic


def _raise_in(thread: int, error: type[Exception]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
