"""Data sets that have a name: MNIST and scikit-learn's digits."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.digits.labelled import Found, labelled
from keras_recipes.errors import SUBSTITUTION, InputError

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

MNIST = "mnist"
"""The name of the data set, for `--data` and in every result."""


NETWORK_SECONDS = 10.0


def mnist_is_here() -> bool:
    """Return whether MNIST is in Keras' cache."""
    return _mnist_cache().is_file()


def _mnist_cache() -> Path:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "datasets" / "mnist.npz"


def mnist_or_digits() -> Found:
    """Read MNIST or, if it cannot be loaded, scikit-learn's digits with a warning."""
    try:
        return mnist()
    except InputError as error:
        log.log(SUBSTITUTION, "%s; using scikit-learn's 1,797 digits instead", error)
        return digits()


def mnist() -> Found:
    """Read MNIST from Keras' cache, or download it."""
    from keras_recipes import backend

    backend.start()
    import keras

    with _network_timeout():
        try:
            (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
        except Exception as error:
            reason = str(error).rpartition("-- ")[2] or type(error).__name__
            raise InputError(
                f"MNIST is not in {_mnist_cache().parent} and cannot be downloaded ({reason})"
            ) from error
    train, test = labelled("MNIST", x, y), labelled("MNIST", x_test, y_test)
    return Found(MNIST, train, test)


@contextlib.contextmanager
def _network_timeout() -> Iterator[None]:
    """Stop waiting for a network that does not answer, and keep stdout free, inside the block."""
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        socket.setdefaulttimeout(before)


def digits() -> Found:
    """Read scikit-learn's digits, enlarged to MNIST's size."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    def enlarged(grey: "np.ndarray") -> "np.ndarray":
        # MNIST's digits fill 20 x 20 pixels in the middle of 28 x 28.
        large = Image.fromarray(grey).resize((20, 20), Image.Resampling.BICUBIC)
        return np.pad(np.asarray(large).clip(0, 255), 4)

    images, labels = load_digits(return_X_y=True)
    small = (images.reshape(-1, 8, 8) * (255 / 16)).astype("float32")
    return Found("digits", labelled("digits", np.stack(list(map(enlarged, small))), labels))
