"""The article's LSTM, on the events of a log, step by step: python recipes/lstm_anomaly.py.

The article («人工神经网络概念梳理与实例演示», Deeplearning4j) takes the net that writes the next
character, and trains it on normal network activity only. What does not fit then has a large
surprise: -log of the probability that the net gave to what came next, in nats. Here the net learns
a synthetic log of 600 sessions. Measured: the largest surprise of a normal session is 0.7 nats, of
a session that ends too early 7.6, and of a session in another order 6.5.
"""

import numpy as np

from keras_recipes import backend, build_lstm_anomaly

backend.start()  # imports Keras without TensorFlow's messages about the machine
import keras
from keras.initializers import RandomNormal
from keras.layers import RNN, Dense, Rescaling, Reshape

from keras_recipes.cells.peephole_lstm import PeepholeLSTMCell

# Prepare and split the data. 1 is the beginning of a session, 2 its end, and 0 is padding. Between
# them are the same four events. The second of them may come twice.
VOCABULARY, BATCH = 7, 50
random = np.random.default_rng(123)
sessions = [[1, 3, 4, *[4] * random.integers(0, 2), 5, 6, 2] for _ in range(600)]
rows = np.array([session + [0] * (8 - len(session)) for session in sessions], "int32")
train, held_out = rows[:500], rows[500:]

keras.utils.set_random_seed(123)  # the article's seed
# Deeplearning4j's Xavier weights are normal with variance 2 / (fan in + fan out); for the LSTM that
# is 2 / (1 + 10 + 10). The article's GravesLSTM (tanh, 1 input, 10 outputs) has peepholes, by which
# its gates read the state. Keras' LSTM has none. So the cell comes from this package; it has
# 4 * 1 * 10 + 10 * (4 * 10 + 3) + 4 * 10 = 510 parameters.
weights = [RandomNormal(stddev=(2 / 21) ** 0.5) for _ in range(3)]
graves = RNN(PeepholeLSTMCell(10, *weights), return_sequences=True, name="lstm")
last = RandomNormal(stddev=(2 / (10 + VOCABULARY)) ** 0.5)
normalise = [Rescaling(1 / (VOCABULARY - 1)), Reshape((-1, 1))]  # a token is a number from 0 to 1
softmax = Dense(VOCABULARY, activation="softmax", kernel_initializer=last, name="next")
model = keras.Sequential([keras.Input((None,), dtype="int32"), *normalise, graves, softmax])
model.summary()

# Deeplearning4j sums the gradient over time and divides it by the batch size before clipping.
model.compile(
    optimizer=keras.optimizers.SGD(0.005, momentum=0.9, nesterov=True, clipvalue=0.5),
    loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0, reduction="sum"),
    loss_weights=[1 / BATCH],
)
# The target of each token is the next token. The recipe's default learns faster and better: it has
# one-hot tokens, Keras' LSTM and Adam. It also stops early by its loss on validation data, which
# this small and regular log does not need.
model.fit(train[:, :-1], train[:, 1:], batch_size=BATCH, epochs=60, verbose=0)


def surprise(session: list[int]) -> float:
    """Return the largest surprise, -log p, over the tokens of a session, in nats."""
    given = np.asarray(model(np.array([session[:-1]], "int32")))[0]
    return max(float(-np.log(p[s])) for p, s in zip(given, session[1:], strict=True) if s)


threshold = max(surprise(list(session)) for session in held_out)
for name, session in {
    "normal": [1, 3, 4, 5, 6, 2],
    "ends too early": [1, 3, 4, 2],
    "in another order": [1, 3, 6, 4, 5, 2],
}.items():
    verdict = "anomaly" if surprise(session) > threshold else "normal"
    print(f"{name}: surprise {surprise(session):.1f} nats, {verdict}")

recipe = build_lstm_anomaly(cell="peephole", encoding="number", classes=VOCABULARY)
recipe.set_weights(model.get_weights())
same = np.allclose(recipe(rows), model(rows), atol=1e-5)
print("build_lstm_anomaly(cell='peephole', encoding='number') with these weights, the same:", same)
