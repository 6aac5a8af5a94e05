"""Start Keras quietly, on the requested device, with a seed."""

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

from keras_recipes.errors import InputError, no_memory

if TYPE_CHECKING:
    import keras

BACKENDS = ("tensorflow", "jax", "torch")

# What TensorFlow prints when it starts without a problem: absl's announcement, every INFO line
# with its continuation, and the failed search for a GPU on machines that have none.
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
"""More replicas would make the parts of a usual batch too small to be worth a core."""


def choose(device: str, *, side_by_side: bool = False, deterministic: bool = False) -> None:
    """Set what Keras will compute on; call this before Keras is imported.

    Args:
        device: The device to open: "cpu", "gpu" or "auto".
        side_by_side: Whether the parts of a batch, as many as `replicas` returns, are trained at
            the same time. TensorFlow then gives each operation only its share of the cores:
            operations that all used every core would wait for each other.
        deterministic: Whether each operation gets one core, because the order of a sum changes with
            the number of threads.
    """
    if deterministic:
        if "keras" not in sys.modules:
            os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    elif side_by_side:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(_cores() // _replicas()))
    if device == "cpu":
        # A GPU that was opened cannot be released again.
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ.setdefault("JAX_PLATFORMS", "cpu")


def check_not_forked() -> None:
    """Refuse to compute in a child that was forked after the backend started.

    The threads of TensorFlow and of JAX do not exist in such a child, which would wait for them
    for ever.

    Raises:
        InputError: This process is such a child.
    """
    if _started_in not in (None, os.getpid()) and name() != "torch":
        raise InputError(
            f"this process was forked after {name()} had started, and would wait for ever; start "
            "processes with multiprocessing.get_context('spawn'), or load the model in the child "
            "only"
        )


_started_in: int | None = None
"""The process in which `start` imported Keras or found it imported."""

_threads: str | None = None
"""The threads for each operation of TensorFlow at that time; None is one for each core."""


def start(device: str = "auto", *, deterministic: bool = False) -> None:
    """Import Keras, unless it is imported already, without the start-up messages of its backend.

    Other lines still reach stderr.

    Args:
        device: As for `choose`. With "gpu" there has to be a GPU.
        deterministic: As for `choose`. There has to be no GPU.

    Raises:
        InputError: The backend is not installed, or there is no GPU; or `deterministic` is asked of
            a GPU, of another backend than TensorFlow, or after TensorFlow started its threads.
    """
    # This hides INFO lines after the import, such as XLA's. Warnings and errors are still shown.
    global _started_in, _threads
    check_not_forked()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if "keras" not in sys.modules:
        choose(device, deterministic=deterministic)
    if _started_in is None:
        _threads = os.environ.get("TF_NUM_INTRAOP_THREADS")
    _started_in = os.getpid()
    if "keras" not in sys.modules:
        with _without_startup_messages():
            _import_keras()
    if device == "gpu" and not gpus():
        raise InputError("--device gpu: no GPU was found; run `recipes doctor` to see why")
    if deterministic:
        _check_deterministic()


def _check_deterministic() -> None:
    if name() != "tensorflow" or gpus():
        raise InputError(
            f"--deterministic: expected TensorFlow on a CPU, received {describe()}; add --device "
            "cpu and unset KERAS_BACKEND"
        )
    if _threads != "1":
        raise InputError(
            "--deterministic: TensorFlow has started already, with several threads for each "
            "operation; set TF_NUM_INTRAOP_THREADS=1 before, or fit in a new process"
        )


def _import_keras() -> None:
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    if asked not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND: expected {', '.join(BACKENDS)}, received {asked!r}; unset it"
        )
    try:
        import keras
    except (ImportError, ValueError, MemoryError, OSError, RuntimeError) as error:
        if short := no_memory(error, "to start Keras"):
            raise short from error
        if not isinstance(error, ImportError | ValueError):
            raise
        raise InputError(
            f"Keras does not start with KERAS_BACKEND={asked} ({error}): "
            f"pip install 'keras_recipes[{asked}]', or unset KERAS_BACKEND"
        ) from error
    # The first tensor opens the device, which prints the second half of the messages.
    keras.ops.zeros(())


def describe() -> str:
    """Describe the running backend and its device, such as "tensorflow 2.21.0 on CPU"."""
    version = sys.modules[name()].__version__
    return f"{name()} {version} on {'GPU' if gpus() else 'CPU'}"


def gpus() -> list[str]:
    """Return the names of the GPUs that the backend computes on."""
    import keras

    if name() == "torch":  # Keras cannot list PyTorch's devices
        import torch

        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]


def replicas(side_by_side: bool, *, deterministic: bool = False) -> int:
    """Return into how many parts a CPU's cores divide a batch; 1 means that it stays whole.

    Args:
        side_by_side: Whether the cores divide batches at all. A GPU never does.
        deterministic: Whether the number of parts is the same for every number of cores.
    """
    if not side_by_side or gpus():
        return 1
    return MOST_REPLICAS if deterministic else _replicas()


def _replicas() -> int:
    return min(_cores(), MOST_REPLICAS)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # counts only the cores that a container may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def name() -> str:
    """Return the running backend or, before Keras is imported, the one set in the environment."""
    if "keras" not in sys.modules:
        return os.environ.get("KERAS_BACKEND", "tensorflow")
    import keras

    return str(keras.backend.backend())


def seed(number: int) -> None:
    """Seed the random numbers of Python, NumPy and Keras."""
    import keras

    # Keras imports TensorFlow here to seed it too, whatever the backend is.
    with contextlib.nullcontext() if "tensorflow" in sys.modules else _without_startup_messages():
        keras.utils.set_random_seed(number)


@contextmanager
def handing_over_arrays() -> Iterator[None]:
    """Suppress a deprecation warning while Keras gives NumPy its variables.

    NumPy 2 deprecates `__array__` without `copy`, which Keras 3.15 and TensorFlow 2.21 still use.
    The fix has to be made there.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning
        )
        yield


def to_numpy(values: "keras.KerasTensor") -> np.ndarray:
    """Return the values of a variable or tensor of the running backend as an array."""
    import keras

    with handing_over_arrays():
        array: np.ndarray = keras.ops.convert_to_numpy(values)
    return array


_output_is_shared = False


def share_output() -> None:
    """Suppress no output from now on, because threads of this process print at any time.

    Standard output and error belong to the whole process. If two threads divert them in turn, they
    may stay diverted.
    """
    global _output_is_shared
    _output_is_shared = True


@contextmanager
def suppressed_output() -> Iterator[None]:
    """Discard everything that the block prints, native code included, and Python's warnings.

    Use this for libraries that print while they work and raise an exception when they fail.
    """
    if _output_is_shared:
        yield
        return
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
    """Collect native code's stderr in the block, and print all but start-up messages after it."""
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
