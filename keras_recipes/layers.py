"""The few Keras layers of our own, by the names that saved models have for them.

Importing this module registers them; the loader does so. Without this package a model that has one
does not open, and its card says so.
"""

from keras_recipes.anomaly.peephole_lstm import PeepholeLSTMCell
from keras_recipes.digits.augmentation import MeanOfViews, TurnedViews
from keras_recipes.digits.lenet1998 import (
    DistanceToCodes,
    ScaledTanh,
    TableConv2D,
    TrainableSubsampling2D,
)
from keras_recipes.digits.preprocessing import Deskew, OrientedGradients
from keras_recipes.step_unit import Step

__all__ = [
    "Deskew",
    "DistanceToCodes",
    "MeanOfViews",
    "OrientedGradients",
    "PeepholeLSTMCell",
    "ScaledTanh",
    "Step",
    "TableConv2D",
    "TrainableSubsampling2D",
    "TurnedViews",
]
