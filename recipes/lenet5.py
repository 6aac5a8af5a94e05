"""LeNet-5, layer by layer, on MNIST: python recipes/lenet5.py.

The articles give the formula for the side of a map, O = (W - K + 2P) / S + 1, and the order of the
layers: convolution, pooling, convolution, pooling, convolution, fully connected. Sizes and names
are those of LeCun et al. 1998, who report that 99.05 % of the test images are right. Measured with
seed 0, after four epochs: 98.7 %.

The paper's net has 60,000 parameters and this one 61,706. C3 is connected to all maps of S2 (900
more), pooling has no parameters (44 fewer), and a dense layer makes the outputs, instead of
distances to fixed pictures (850 more).

The program writes no files. It downloads MNIST into Keras' cache if it is not there yet.
"""

import numpy as np

from keras_recipes import backend, build_lenet5

backend.start()  # imports Keras without TensorFlow's messages about the machine

import keras
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D, Rescaling, ZeroPadding2D

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
keras.utils.set_random_seed(0)

# W: side of the input, K: side of the kernel, P: padding, S: stride.
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        ZeroPadding2D(2),  # the paper's 32 x 32
        Rescaling(1.275 / 255, offset=-0.1),  # the paper's -0.1 to 1.175: zero mean, variance 1
        # C1: (32 - 5 + 2 * 0) / 1 + 1 = 28, so 28 x 28 x 6; (5 * 5 * 1 + 1) * 6 = 156 parameters
        Conv2D(6, 5, activation="relu", name="C1"),
        # S2: (28 - 2 + 2 * 0) / 2 + 1 = 14, so 14 x 14 x 6; no parameters
        MaxPooling2D(2, name="S2"),
        # C3: (14 - 5 + 2 * 0) / 1 + 1 = 10, so 10 x 10 x 16; (5 * 5 * 6 + 1) * 16 = 2416
        Conv2D(16, 5, activation="relu", name="C3"),
        # S4: (10 - 2 + 2 * 0) / 2 + 1 = 5, so 5 x 5 x 16; no parameters
        MaxPooling2D(2, name="S4"),
        # C5: (5 - 5 + 2 * 0) / 1 + 1 = 1, so 1 x 1 x 120; (5 * 5 * 16 + 1) * 120 = 48120
        Conv2D(120, 5, activation="relu", name="C5"),
        Flatten(),
        # F6: (120 + 1) * 84 = 10164
        Dense(84, activation="relu", name="F6"),
        # output: (84 + 1) * 10 = 850
        Dense(10, activation="softmax", name="output"),
    ]
)
model.summary()

# Gradient descent in mini-batches of 64, one of the sizes in the articles. The recipe trains
# differently, six epochs by AdamW with a falling rate and label smoothing, and reads more digits
# right; see docs/recipes/lenet5.md.
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="categorical_crossentropy")
model.fit(x_train, np.eye(10)[y_train], batch_size=64, epochs=4, verbose=2)

answers = model.predict(x_test, verbose=0).argmax(axis=1)
print(f"right: {np.mean(answers == y_test):.2%} of the test images; the paper: 99.05%")

recipe, paper = build_lenet5(), build_lenet5(variant="1998")
here, there = model.count_params(), paper.count_params()
print(f"parameters: {here:,} here, {there:,} in the paper's net")
recipe.set_weights(model.get_weights())
same = recipe.predict(x_test, verbose=0).argmax(axis=1) == answers
print(f"build_lenet5() with these weights: {same.mean():.2%} of the answers the same")
