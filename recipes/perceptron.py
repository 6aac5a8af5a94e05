"""One neuron learns AND and OR, and cannot learn XOR: python recipes/perceptron.py.

The article («一文读懂神经网络») explains Rosenblatt's perceptron: a weighted sum of two inputs, a
bias, a step function. Its rule is written out here in NumPy; the same neuron with a sigmoid then
learns by gradient descent in Keras. Both draw a line through the plane. Measured with seed 0: AND
is right after 7 passes of the rule, OR after 5; XOR never is.

Writes nothing.
"""

import numpy as np

from keras_recipes import backend, build_perceptron

backend.start()  # imports Keras without what TensorFlow says of the machine

import keras
from keras.layers import Activation, Dense

x_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
tables = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}

for name, targets in tables.items():
    # Without the bias, inputs of zero would force the sum to zero: the line would pass (0, 0).
    weights, bias = np.random.default_rng(0).normal(size=2), 0.0
    wrong, passes = 4, 0
    while wrong and passes < 100:
        wrong, passes = 0, passes + 1
        for x, target in zip(x_train, targets, strict=True):
            error = target - int(x @ weights + bias >= 0)  # -1, 0 or 1
            weights, bias = weights + error * x, bias + error
            wrong += error != 0
    line = f"{weights[0]:.2f} x1 + {weights[1]:.2f} x2 + {bias:.2f} = 0"
    found = f"all right after {passes} passes" if not wrong else f"{wrong} wrong in pass {passes}"
    print(f"perceptron rule, {name}: {found}, line {line}")

recipe = build_perceptron()
for name, targets in tables.items():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), Dense(1), Activation("sigmoid")])
    model.compile(keras.optimizers.SGD(1.0), "binary_crossentropy")
    # The four points 2,000 times over are one epoch of 2,000 updates with all four.
    x, y = np.tile(x_train, (2_000, 1)), np.tile(np.array(targets)[:, None], (2_000, 1))
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    outputs = model.predict(x_train, verbose=0).ravel()
    right = int(np.sum((outputs >= 0.5) == targets))
    print(f"gradient descent, {name}:", *(f"{p:.3f}" for p in outputs), f"{right} of 4 right")

    recipe.set_weights(model.get_weights())
    same = np.allclose(recipe.predict(x_train, verbose=0).ravel(), outputs, atol=1e-6)
    print(f"build_perceptron() with these weights: the same: {same}")
