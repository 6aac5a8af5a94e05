"""The article's LSTM, on event types of a log, in its own order: python recipes/lstm_anomaly.py.

The article («人工神经网络概念梳理与实例演示», Deeplearning4j) turns the net that writes the next
character around: trained on normal network activity only, it is surprised by what does not fit.
Here it learns a log of 600 sessions, made from a seed. Measured: a normal session surprises it by
at most 0.7 nats, one that ends too early by 7.6, one in another order by 6.5.
"""

import numpy as np

from keras_recipes import backend, build_lstm_anomaly

backend.start()  # imports Keras without what TensorFlow says of the machine
import keras
from keras.initializers import RandomNormal
from keras.layers import RNN, Dense, Rescaling, Reshape

from keras_recipes.anomaly.peephole_lstm import PeepholeLSTMCell

# Prepare and split. 1 begins a normal session, 2 ends it, 0 fills up; between them are the same
# four events, the second of which may come twice.
VOCABULARY, BATCH = 7, 50
random = np.random.default_rng(123)
sessions = [[1, 3, 4, *[4] * random.integers(0, 2), 5, 6, 2] for _ in range(600)]
rows = np.array([session + [0] * (8 - len(session)) for session in sessions], "int32")
train, held_back = rows[:500], rows[500:]

keras.utils.set_random_seed(123)  # the article's seed
# Xavier weights as Deeplearning4j has them: normal, variance 2 / (fan in + fan out), for the LSTM
# 2 / (1 + 10 + 10). GravesLSTM, tanh, 1 in, 10 out, has gates that see the state by peepholes, as
# Keras' LSTM has not: 4 * 1 * 10 + 10 * (4 * 10 + 3) + 4 * 10 = 510 parameters.
weights = [RandomNormal(stddev=(2 / 21) ** 0.5) for _ in range(3)]
graves = RNN(PeepholeLSTMCell(10, *weights), return_sequences=True, name="lstm")
last = RandomNormal(stddev=(2 / (10 + VOCABULARY)) ** 0.5)
normalise = [Rescaling(1 / (VOCABULARY - 1)), Reshape((-1, 1))]  # a token is a number from 0 to 1
softmax = Dense(VOCABULARY, activation="softmax", kernel_initializer=last, name="next")
model = keras.Sequential([keras.Input((None,), dtype="int32"), *normalise, graves, softmax])
model.summary()

# Deeplearning4j sums the gradient over time and divides by the number of examples, before clipping.
model.compile(
    optimizer=keras.optimizers.SGD(0.005, momentum=0.9, nesterov=True, clipvalue=0.5),
    loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0, reduction="sum"),
    loss_weights=[1 / BATCH],
)
# Each token is to predict the next one. The recipe's default differs, for it learns faster and
# better: one-hot tokens, Keras' LSTM, Adam; it stops by data held back, which this small log, the
# same from end to end, does not need.
model.fit(train[:, :-1], train[:, 1:], batch_size=BATCH, epochs=60, verbose=0)


def surprise(session: list[int]) -> float:
    """The largest -log p of any token of the session, in nats."""
    given = np.asarray(model(np.array([session[:-1]], "int32")))[0]
    return max(float(-np.log(p[s])) for p, s in zip(given, session[1:], strict=True) if s)


limit = max(surprise(list(session)) for session in held_back)
for name, session in {
    "normal": [1, 3, 4, 5, 6, 2],
    "ends too early": [1, 3, 4, 2],
    "in another order": [1, 3, 6, 4, 5, 2],
}.items():
    verdict = "anomaly" if surprise(session) > limit else "normal"
    print(f"{name}: {surprise(session):.1f} nats, {verdict}")

recipe = build_lstm_anomaly(cell="peephole", encoding="number", classes=VOCABULARY)
recipe.set_weights(model.get_weights())
same = np.allclose(recipe(rows), model(rows), atol=1e-5)
print("build_lstm_anomaly(cell='peephole', encoding='number') with these weights, the same:", same)
