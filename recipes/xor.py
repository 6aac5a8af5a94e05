"""The program of the XOR article in Keras 3, in the article's order: python recipes/xor.py.

The article («用Python实现神经网络(附完整代码)») trains for 100 epochs and prints the outputs 0.0036
0.9912 0.9929 0.0091 and the classes 0 1 1 0. Measured with seed 0: the outputs 0.478 0.521 0.510
0.522 and the classes 0 1 1 1 after 100 epochs; 0.003 0.993 0.993 0.008 and 0 1 1 0 after 3,100
epochs. The program writes the net to basic_model.json and its weights to basic.weights.h5, in the
current folder. A comment "once:" quotes the article's line where Keras 3 needs another one.
"""

from pathlib import Path

import numpy as np

from keras_recipes import backend, build_xor

backend.start()  # imports Keras without TensorFlow's messages about the machine
import keras
from keras.layers import Activation, Dense

x_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y_train = np.array([[0], [1], [1], [0]])


def start(seed: int) -> keras.Model:
    """Return the article's net with random weights."""
    keras.utils.set_random_seed(seed)
    layers = [Dense(10), Activation("tanh"), Dense(1), Activation("sigmoid")]
    model = keras.Sequential([keras.Input((2,)), *layers])
    sgd = keras.optimizers.SGD(learning_rate=0.1)  # once: SGD(lr=0.1)
    model.compile(loss="binary_crossentropy", optimizer=sgd, metrics=["accuracy"])
    return model


def show(when: str) -> float:
    """Print outputs and classes, and return the largest error."""
    outputs = model.predict(x_train)
    classes = (model.predict(x_train) > 0.5).astype(int)  # once: model.predict_classes(x_train)
    print(f"{when}:", *(f"{x:.4f}" for x in outputs.ravel()), "classes", *classes.ravel())
    return float(abs(outputs - y_train).max())


seed, epochs = 0, 100
model = start(seed)
model.summary()
keras.config.disable_interactive_logging()  # no progress bar for each of the calls below
model.fit(x_train, y_train, epochs=100)
error = show("today, 100 epochs")
print("the article, 100 epochs: 0.0036 0.9912 0.9929 0.0091 classes 0 1 1 0")

# The article advises to call fit again, to train longer, or to start from other random weights.
# Thousands of such epochs take minutes, because each epoch is one small step and fit returns to
# Python after each. So repeat the four points 1,000 times: one epoch then has 1,000 such steps, and
# steps_per_execution makes them one call.
x_long, y_long = np.tile(x_train, (1_000, 1)), np.tile(y_train, (1_000, 1))
while error > 0.0091 and seed < 5:
    if epochs > 10_000:  # start from other random weights
        seed, epochs, model = seed + 1, 0, start(seed + 1)
    model.steps_per_execution = 1_000
    model.make_train_function(force=True)
    model.fit(x_long, y_long, batch_size=4, shuffle=False)
    epochs += 1_000
    error = show(f"today, {epochs:,} epochs")

Path("basic_model.json").write_text(model.to_json())
model.save_weights("basic.weights.h5")  # once: model.save_weights("basic_weights.h5")
print("wrote basic_model.json and basic.weights.h5; now read again, without training:")
model = keras.models.model_from_json(Path("basic_model.json").read_text())
model.load_weights("basic.weights.h5")
show("the saved net")
model = build_xor()  # the same net, which `recipes fit xor` trains
model.load_weights("basic.weights.h5")
show("build_xor() with the saved weights")
