"""The step function as a Keras layer: what a perceptron puts out."""

from typing import Any

from keras import ops

from keras_recipes.own_layers import PlainLayer, registered


@registered
class Step(PlainLayer):
    """Gives 1 where the input is at least 0, and 0 elsewhere; any shape, float32.

    The gradient passes as if the layer were not there, since that of a step is 0. With the mean
    absolute error as the loss, and one example per update, gradient descent then is the perceptron
    rule: add the input times (target - output) times the learning rate to the weights.
    """

    without_gradient = (
        "a step function: its gradient is 0 or undefined, and the perceptron rule passes the error "
        "on as if it were not there; choose a net without it"
    )

    def call(self, inputs: Any) -> Any:
        """The same shape, each value 0 or 1."""
        steps = ops.cast(inputs >= 0, inputs.dtype)
        return inputs + ops.stop_gradient(steps - inputs)
