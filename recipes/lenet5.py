"""LeNet-5, layer by layer as in the paper, on MNIST: python recipes/lenet5.py."""

import keras
import numpy as np

from keras_recipes import build_lenet5

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

model = build_lenet5()  # pads and scales the pixels itself: feed it uint8
model.summary()

model.optimizer.learning_rate = 0.002
model.fit(
    x_train,
    np.eye(10)[y_train],
    batch_size=128,
    epochs=4,
    validation_split=0.1,
    verbose=2,
)

loss, accuracy = model.evaluate(x_test, np.eye(10)[y_test], verbose=0)
print(f"right on {accuracy:.2%} of the test images")
