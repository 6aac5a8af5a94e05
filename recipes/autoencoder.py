"""A net that draws its input again: python recipes/autoencoder.py [LABELS].

The articles name the autoencoder, 784-128-32-128-784 here: its target is its input, and the middle
has room for 32 numbers only. They use it to find where a deep net's weights start. The second half
of this script does so: a perceptron learns LABELS labels (1,000 without an argument), once from
random weights and once from the encoder's weights.

Writes nothing but MNIST, into Keras' cache, if it is not there yet.
"""

import sys

import numpy as np

from keras_recipes import backend, build_autoencoder
from keras_recipes.cookbook.autoencoder import encoder_of

backend.start()  # imports Keras without what TensorFlow says of the machine

import keras
from keras.layers import Dense, Flatten, Rescaling

labels = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
targets, test_targets = (x.reshape(-1, 784) / np.float32(255) for x in (x_train, x_test))

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((28, 28)),
        Rescaling(1 / 255),
        Flatten(),
        Dense(128, activation="relu"),  # 784 * 128 weights + 128 biases
        Dense(32, name="code"),  # 128 * 32 + 32
        Dense(128, activation="relu"),  # 32 * 128 + 128
        Dense(784, activation="sigmoid"),  # 128 * 784 + 784
    ]
)
model.compile(keras.optimizers.Adam(0.005), loss="mean_squared_error")
model.fit(x_train, targets, batch_size=128, epochs=5, verbose=2)

outputs = model.predict(x_test, verbose=0)
mean_image = targets.mean(axis=0)
print(f"mean squared difference per pixel: {np.mean((test_targets - outputs) ** 2):.4f}")
print(f"the mean image as every answer: {np.mean((test_targets - mean_image) ** 2):.4f}")

recipe = build_autoencoder()
here, there = model.count_params(), recipe.count_params()
print(f"parameters: {here:,} here, {there:,} in build_autoencoder()")
recipe.set_weights(model.get_weights())
same = np.allclose(recipe.predict(x_test, verbose=0), outputs, atol=1e-5)
print(f"build_autoencoder() with these weights: the same: {same}")


def perceptron(start: keras.Model) -> keras.Model:
    """784-128-32-10: a copy of an encoder, and a softmax."""
    copy = keras.models.clone_model(start)  # with random weights
    # Codes are large numbers: random output weights would begin with answers that are very sure.
    output = Dense(10, activation="softmax", kernel_initializer="zeros")
    classifier = keras.Sequential([*copy.layers, output])
    loss = "sparse_categorical_crossentropy"
    classifier.compile(keras.optimizers.Adam(), loss=loss, metrics=["accuracy"])
    return classifier


encoder = encoder_of(model)
updates = 1_500  # the same for any number of labels
for name, weights in {
    "random weights": None,
    "the encoder's weights": encoder.get_weights(),
}.items():
    keras.utils.set_random_seed(0)
    classifier = perceptron(encoder)
    if weights:
        classifier.set_weights([*weights, *classifier.get_weights()[-2:]])
    epochs = -(-updates // -(-labels // 32))
    classifier.fit(x_train[:labels], y_train[:labels], batch_size=32, epochs=epochs, verbose=0)
    accuracy = classifier.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{labels:,} labels, from {name}: {accuracy:.2%} of the test images right")
