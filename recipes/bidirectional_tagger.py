"""A net that reads a sentence in both directions: python recipes/bidirectional_tagger.py.

The article («人工神经网络概念梳理与实例演示») explains why a net may have to read backwards too:
whether "is" or "are" belongs in a gap can depend on a name that comes later, as in "here ___ Lucy"
and "here ___ Lucy and Tom". Here two nets of about the same size fill such gaps in Keras: one LSTM
reads forwards, the other net has an LSTM for each direction.

Measured with seed 0 on 500 held-out sentences: both nets fill every gap right if the names come
before it. If they come after it, the net that reads forwards fills 42.3 % right, no better than
a guess, and the other one fills all of them right. It takes 15 seconds.

Writes nothing.
"""

import random

import numpy as np

from keras_recipes import backend

backend.start()  # imports Keras without what TensorFlow says of the machine

import keras
from keras.layers import LSTM, Bidirectional, Dense, Embedding

NAMES = ["Lucy", "Tom", "Anna", "Ben", "Mary", "Paul", "Nina", "Hugo", "they", "she"]
ADVERBS = ["here", "now", "today", "there", "again", "perhaps", "often", "still"]
ENDS = ["happy", "late", "ready", "tired", "outside"]
WORDS = ["", "___", "and", *NAMES, *ADVERBS, *ENDS]  # 0 fills up short sentences
TAGS = ["no gap", "is", "are"]
LENGTH = 12

number = random.Random(0)


def sentence() -> tuple[list[str], str, bool]:
    """Words with a gap, the word that belongs in it, and whether the names come after it."""
    name, other = number.sample(NAMES, 2)
    names = [name, "and", other] if number.random() < 0.5 else [name]
    adverbs = number.sample(ADVERBS, number.randint(1, 4))
    later = number.random() < 0.5
    # "Lucy and Tom today ___ happy" or "here ___ today Lucy and Tom"
    words = [adverbs[0], "___", *adverbs[1:], *names] if later else [*names, *adverbs, "___"]
    is_plural = len(names) > 1 or names == ["they"]
    return [*words, number.choice(ENDS)], "are" if is_plural else "is", later


seen: set[str] = set()
sentences: list[tuple[list[str], str, bool]] = []
while len(sentences) < 2_500:
    words, verb, later = sentence()
    if " ".join(words) not in seen:  # no held-out sentence is in the training data
        seen.add(" ".join(words))
        sentences.append((words, verb, later))

# One row per sentence: the numbers of its words, and a tag for each word.
x, y = np.zeros((2, len(sentences), LENGTH), "int32")
for row, (words, verb, _) in enumerate(sentences):
    x[row, : len(words)] = [WORDS.index(word) for word in words]
    y[row, words.index("___")] = TAGS.index(verb)
gap, after = y > 0, np.array([later for *_, later in sentences])
held_out = np.arange(len(x)) >= 2_000

for name in ("forwards", "both directions"):
    keras.utils.set_random_seed(0)
    if name == "forwards":
        recurrent = LSTM(32, return_sequences=True)
    else:
        recurrent = Bidirectional(LSTM(21, return_sequences=True))
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            Embedding(len(WORDS), 8),
            recurrent,
            Dense(len(TAGS), activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x[~held_out], y[~held_out], epochs=12, verbose=0)
    answers = model.predict(x, verbose=0).argmax(-1)
    for where, chosen in (("before", held_out & ~after), ("after", held_out & after)):
        there = chosen[:, None] & gap
        right = np.mean(answers[there] == y[there])
        print(
            f"{name}, {model.count_params():,} parameters, names {where} the gap: "
            f"{right:.1%} of {there.sum()} gaps right"
        )

    here = np.zeros((2, LENGTH), "int32")
    here[0, :4] = [WORDS.index(word) for word in ("here", "___", "Lucy", "happy")]
    here[1, :6] = [WORDS.index(word) for word in ("here", "___", "Lucy", "and", "Tom", "happy")]
    filled = [TAGS[tag] for tag in model.predict(here, verbose=0).argmax(-1)[:, 1]]
    print(f"  here {filled[0]} Lucy happy; here {filled[1]} Lucy and Tom happy")
