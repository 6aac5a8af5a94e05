"""The article's multilayer perceptron, 784-16-10, on MNIST: python recipes/mnist_mlp.py.

The net of the article («一文读懂神经网络») has 784 inputs, one hidden layer and ten outputs, and
12,730 parameters in all. From this follow 16 hidden units. The units are sigmoid, and gradient
descent minimizes the cross-entropy or the mean squared error. The article reports no accuracy.
Measured with seed 0, after ten epochs: 94 % of the test images are right, with either loss.

The program writes no files. It downloads MNIST into Keras' cache if it is not there yet.
"""

import numpy as np

from keras_recipes import backend, build_mnist_mlp

backend.start()  # imports Keras without TensorFlow's messages about the machine

import keras
from keras.layers import Dense, Flatten, Rescaling

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
targets = np.eye(10)[y_train]

# Ten sigmoid outputs are ten answers yes or no, so the loss is the binary cross-entropy. Keras
# takes the mean of the ten, so each gets a tenth of the gradient. The squared error is flat where a
# unit is sure of a wrong answer. Therefore the learning rates are large. The recipe trains
# differently, 60 epochs by AdamW with a falling rate, and reads more digits right; see
# docs/recipes/mnist-mlp.md.
for loss, rate in (("binary_crossentropy", 2.0), ("mean_squared_error", 10.0)):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            Rescaling(1 / 255),  # grey values from 0 to 1
            Flatten(),  # 784 inputs, one per pixel
            Dense(16, activation="sigmoid"),  # 784 * 16 weights, 16 biases
            Dense(10, activation="sigmoid"),  # 16 * 10 weights, 10 biases
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss)
    model.fit(x_train, targets, batch_size=32, epochs=10, verbose=2)
    answers = model.predict(x_test, verbose=0).argmax(axis=1)
    print(f"{loss}: {np.mean(answers == y_test):.2%} of the test images right")

recipe = build_mnist_mlp()
here, there = model.count_params(), recipe.count_params()
print(f"parameters: {here:,} here, {there:,} in build_mnist_mlp()")

# The recipe's net ends in a softmax, so its outputs add up to 1. Their order is the same.
recipe.set_weights(model.get_weights())
same = recipe.predict(x_test, verbose=0).argmax(axis=1) == answers
print(f"build_mnist_mlp() with these weights: {same.mean():.2%} of the answers the same")
