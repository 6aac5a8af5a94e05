"""Files in the form that Keras 2 saved."""

import io
from typing import Any

import h5py


def saved(model: Any) -> bytes:
    """The weights file of a Keras 2 model."""
    from tf_keras.src.saving.legacy import hdf5_format

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        hdf5_format.save_weights_to_hdf5_group(file, model)
    return stream.getvalue()
