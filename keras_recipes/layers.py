"""The custom Keras layers, under the names that saved models use.

Importing this module registers the layers. The loader imports it. Without this package, Keras
cannot open a model that has such a layer; the model's card says so.
"""

from keras_recipes.cells.coupled_lstm import CoupledLSTMCell
from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell
from keras_recipes.digits.augmentation import MeanOfViews, TurnedViews
from keras_recipes.digits.lenet1998 import (
    DistanceToCodes,
    ScaledTanh,
    TableConv2D,
    TrainableSubsampling2D,
)
from keras_recipes.digits.preprocessing import (
    Deskew,
    OrientedGradients,
    PrincipalComponents,
    Standardization,
)
from keras_recipes.step_unit import Step

__all__ = [
    "CoupledLSTMCell",
    "Deskew",
    "DistanceToCodes",
    "MeanOfViews",
    "OrientedGradients",
    "PeepholeLSTMCell",
    "PrincipalComponents",
    "ScaledTanh",
    "Standardization",
    "Step",
    "TableConv2D",
    "TrainableSubsampling2D",
    "TurnedViews",
]
