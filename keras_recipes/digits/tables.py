"""A table of images: what each file with many images holds, whatever its format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keras_recipes.digits.labelled import Labelled, as_images, labelled
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Table:
    """Images of one file, with or without labels.

    Attributes:
        source: The name of the file or array, for messages and answers.
        images: As for `labelled.as_images`.
        labels: As for `labelled.labelled`; None if there are none.
        names: The label for each number, if the labels are numbers that stand for names.
    """

    source: str
    images: "np.ndarray"
    labels: "np.ndarray | None" = None
    names: Mapping[int, str] | None = None

    def as_images(self) -> "np.ndarray":
        """Return the images as uint8 of shape (N, 28, 28); see `labelled.as_images`."""
        return as_images(self.source, self.images)

    def labelled(self) -> Labelled:
        """Return the images with their labels.

        Raises:
            InputError: There are no labels, or they do not fit the images.
        """
        if self.labels is None:
            raise InputError(
                f"{self.source}: expected images with labels, received images only, which "
                "`recipes predict` reads; add the labels, or name other data"
            )
        return labelled(self.source, self.images, self.labels, self.names)
