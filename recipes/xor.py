"""The XOR article's program, line by line, in today's Keras: python recipes/xor.py."""

from pathlib import Path

import numpy as np

from keras_recipes import build_xor

x_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
y_train = np.array([[0], [1], [1], [0]], "float32")

model = build_xor()  # Dense(10, tanh), Dense(1, sigmoid), SGD(learning_rate=0.1)
model.summary()

print("before training:", model.predict(x_train, verbose=0).ravel().round(4))

# The article's fit(epochs=100) is not enough, and fit returns to Python for every one of the
# thousands of tiny steps that are: `recipes fit xor` compiles them into one. The same here by hand:
repeated = 1_000
model.steps_per_execution = repeated
x, y = np.tile(x_train, (repeated, 1)), np.tile(y_train, (repeated, 1))
model.fit(x, y, batch_size=4, shuffle=False, epochs=5, verbose=2)

probabilities = model.predict(x_train, verbose=0)
print("outputs:", probabilities.ravel().round(4))
print("classes:", (probabilities > 0.5).astype(int).ravel())  # once model.predict_classes(x_train)

Path("basic_model.json").write_text(model.to_json())
model.save_weights("basic_weights.weights.h5")  # once "basic_weights.h5"
