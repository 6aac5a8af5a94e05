"""The multilayer perceptron of the article, 784-16-10, on MNIST: python recipes/mnist_mlp.py."""

import keras
import numpy as np

from keras_recipes import build_mnist_mlp

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

model = build_mnist_mlp()  # scales the pixels itself: feed it the uint8 images as they are
model.summary()

model.optimizer.learning_rate = 0.02
model.fit(
    x_train,
    np.eye(10)[y_train],
    batch_size=128,
    epochs=10,
    validation_split=0.1,
    verbose=2,
)

loss, accuracy = model.evaluate(x_test, np.eye(10)[y_test], verbose=0)
print(f"right on {accuracy:.2%} of the test images")
