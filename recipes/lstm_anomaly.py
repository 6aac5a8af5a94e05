"""The article's net on symbols of a log, in its own order: python recipes/lstm_anomaly.py."""

import keras
import numpy as np

from keras_recipes import build_lstm_anomaly

# Normal sessions: 1 begins one, 2 ends it, 0 fills up. Between them the same four events, the
# second of which may come twice.
random = np.random.default_rng(123)
sessions = [[1, 3, 4, *[4] * random.integers(0, 2), 5, 6, 2] for _ in range(500)]
rows = np.array([session + [0] * (8 - len(session)) for session in sessions], "int32")

# "seed 123, Xavier, Nesterov momentum 0.9, learning rate 0.005, gradients clipped at 0.5,
#  GravesLSTM with tanh, 1 in, 10 out, then softmax"
keras.utils.set_random_seed(123)
model = build_lstm_anomaly(
    cell="peephole",
    encoding="number",
    optimizer="nesterov",
    learning_rate=0.005,
    summed_gradients=True,
    clip=0.5,
    classes=7,
)
model.summary()  # the layer lstm has 510 parameters

# Each symbol is to predict the next one; normal data only.
model.fit(rows[:, :-1], rows[:, 1:], batch_size=64, epochs=60, verbose=0)


def surprise(session: list[int]) -> float:
    """The largest -log p of any event of the session, in nats."""
    symbols = np.array([session], "int32")
    given = np.asarray(model.predict(symbols[:, :-1], verbose=0))[0]
    return max(float(-np.log(p[s])) for p, s in zip(given, session[1:], strict=True))


for name, session in {
    "normal": [1, 3, 4, 5, 6, 2],
    "ends too early": [1, 3, 4, 2],
    "in another order": [1, 3, 6, 4, 5, 2],
}.items():
    print(f"{name}: {surprise(session):.1f} nats")
