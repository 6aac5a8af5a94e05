"""Starting Keras: quietly, on the device asked for, from a seed."""

import contextlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import keras

BACKENDS = ("tensorflow", "jax", "torch")

# What a healthy start of TensorFlow prints: absl's own announcement, every line of level INFO with
# its continuation, and the failed look for a GPU on machines that have none.
_STARTUP_MESSAGES = re.compile(
    r"""^(
        WARNING:\ All\ log\ messages\ before\ absl::InitializeLog
      | I\d{4}\ |\d{4}-\d\d-\d\d\ [\d:.]+:\ I[ ]
      | To\ enable\ the\ following\ instructions
      | .*failed\ call\ to\ cuInit
      | .*Unable\ to\ register\ cu\w+\ (plugin\ )?factory
      | $
    )""",
    re.VERBOSE,
)


MOST_REPLICAS = 4
"""Smaller parts of a usual batch are not worth a core."""


def choose(device: str, *, side_by_side: bool = False) -> None:
    """Says, before Keras is imported, what it is to compute on.

    Args:
        device: Which to open: "cpu", "gpu" or "auto".
        side_by_side: Whether as many parts of a batch as `replicas` says will be trained at once.
            Then TensorFlow gives each operation its share of the cores only: all of them for each
            operation means that they wait for each other.
    """
    if side_by_side:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(_cores() // _replicas()))
    if device == "cpu":
        # A GPU that was opened cannot be given back.
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ.setdefault("JAX_PLATFORMS", "cpu")


def start(device: str = "auto") -> None:
    """Imports Keras, if nobody has yet, without its backend's start-up chatter.

    Lines that are not start-up chatter still reach stderr.

    Args:
        device: As for `choose`; a "gpu" that is asked for must be there.

    Raises:
        InputError: The backend is not installed, or there is no such device.
    """
    # INFO lines later than the import, such as XLA's; warnings and errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if "keras" not in sys.modules:
        choose(device)
        with _without_startup_messages():
            _import_keras()
    if device == "gpu" and not gpus():
        raise InputError("--device gpu: no GPU is seen here; `recipes doctor` says why")


def _import_keras() -> None:
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    if asked not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND: expected {', '.join(BACKENDS)}, received {asked!r}; unset it"
        )
    try:
        import keras
    except (ImportError, ValueError) as error:
        raise InputError(
            f"Keras does not start with KERAS_BACKEND={asked} ({error}): "
            f"pip install 'keras_recipes[{asked}]', or unset KERAS_BACKEND"
        ) from error
    # The first tensor opens the device, which is the second half of the chatter.
    keras.ops.zeros(())


def describe() -> str:
    """The running backend and the device it computes on, such as "tensorflow 2.21.0 on CPU"."""
    version = sys.modules[name()].__version__
    return f"{name()} {version} on {'GPU' if gpus() else 'CPU'}"


def gpus() -> list[str]:
    """The GPUs that the backend computes on."""
    import keras

    if name() == "torch":  # for which Keras has no list of devices
        import torch

        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]


def replicas(side_by_side: bool) -> int:
    """Into how many parts a CPU's cores divide a batch between them; 1 leaves it whole.

    Args:
        side_by_side: Whether they do; never on a GPU.
    """
    return _replicas() if side_by_side and not gpus() else 1


def _replicas() -> int:
    return min(_cores(), MOST_REPLICAS)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # what a container allows, where the system can say so
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def name() -> str:
    """The backend that Keras runs on or, before it is imported, that the environment asks for."""
    if "keras" not in sys.modules:
        return os.environ.get("KERAS_BACKEND", "tensorflow")
    import keras

    return str(keras.backend.backend())


def seed(number: int) -> None:
    """Seeds Python's, NumPy's and Keras' random numbers."""
    import keras

    # Keras imports TensorFlow here, to seed it too, whatever it runs on.
    with contextlib.nullcontext() if "tensorflow" in sys.modules else _without_startup_messages():
        keras.utils.set_random_seed(number)


@contextmanager
def handing_over_arrays() -> Iterator[None]:
    """Meanwhile Python does not warn of the old way in which Keras gives NumPy its variables.

    NumPy 2 deprecates that Keras 3.15 and TensorFlow 2.21 know no `copy` there; we cannot mend it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning
        )
        yield


def to_numpy(values: "keras.KerasTensor") -> np.ndarray:
    """What a variable or tensor of the running backend holds."""
    import keras

    with handing_over_arrays():
        array: np.ndarray = keras.ops.convert_to_numpy(values)
    return array


@contextmanager
def suppressed_output() -> Iterator[None]:
    """Discards what is printed meanwhile, by native code too, and Python's warnings.

    For libraries that chatter while they work and raise an exception when they fail.
    """
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        _diverted(1, nowhere.fileno()),
        _diverted(2, nowhere.fileno()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _diverted(descriptor: int, elsewhere: int) -> Iterator[None]:
    kept = os.dup(descriptor)
    os.dup2(elsewhere, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


@contextmanager
def _without_startup_messages() -> Iterator[None]:
    """Passes on, when it ends, what native code wrote to stderr, but for start-up messages."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        try:
            with _diverted(2, held.fileno()), contextlib.ExitStack() as ending:
                ending.callback(sys.stderr.flush)
                yield
        finally:
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if not _STARTUP_MESSAGES.match(line):
                    print(line, file=sys.stderr)
