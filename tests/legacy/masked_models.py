"""Random small models of Keras 2 with masked sequences, grown step by step from drawn choices."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS, INNER, FEATURES, WORDS = 5, 4, 3, 6
Draw = Callable[[list[Any]], Any]
"""Takes a list and returns one of its items."""


class Grower:
    """Grows a model: pools of its tensors by shape, from which each step takes.

    Attributes:
        sequences: Tensors of shape (N, STEPS, FEATURES).
        nested: Tensors of shape (N, STEPS, INNER, FEATURES).
        vectors: Tensors of shape (N, FEATURES).
        long: Sequences of other lengths or with more features.
    """

    def __init__(self, keras: Any, draw: Draw) -> None:
        self.keras, self.kinds, self.draw = keras, keras.layers, draw
        self.inputs: list[Any] = []
        self.sequences: list[Any] = []
        self.nested: list[Any] = []
        self.vectors: list[Any] = []
        self.long: list[Any] = []
        self.shared: list[Any] = []
        self.made: list[str] = []

    def model(self) -> Any:
        """A model with one to five steps after its inputs."""
        for _ in range(self.draw([1, 2])):
            self.draw([self.embedded, self.embedded, self.masked])()
        if self.draw([False, False, True]):
            self.draw([self.hierarchy, self.masked_hierarchy])()
        for _ in range(self.draw([1, 2, 3, 4, 5])):
            steps = [*self.on_sequences(), *(self.on_nested() if self.nested else [])]
            step = self.draw(steps)
            self.made.append(step.__name__)
            # Keras 2 cannot build a masked sequence after an unmasked one, for example.
            with contextlib.suppress(ValueError, TypeError):
                step()
        return self.keras.Model(self.inputs, self.outputs())

    def outputs(self) -> list[Any]:
        """What was made last: sequences themselves, and read by layers that use masks."""
        last = self.sequences[-1]
        found = [last, self.kinds.LSTM(2)(last), self.kinds.GlobalAveragePooling1D()(last)]
        found += [self.kinds.GRU(2)(x) for x in self.long[-1:]]
        if self.nested:
            inner = self.kinds.TimeDistributed(self.kinds.LSTM(2))(self.nested[-1])
            found += [inner, self.kinds.SimpleRNN(2)(inner)]
        return [*found, *self.vectors[-1:]]

    def input(self, shape: tuple[int, ...], dtype: str) -> Any:
        self.inputs.append(self.keras.Input(shape, dtype=dtype))
        return self.inputs[-1]

    def embedded(self) -> None:
        ids = self.input((STEPS,), "int32")
        zero = self.draw([True, True, True, False])
        self.sequences.append(self.kinds.Embedding(WORDS, FEATURES, mask_zero=zero)(ids))

    def masked(self) -> None:
        x = self.input((STEPS, FEATURES), "float32")
        self.sequences.append(self.kinds.Masking(0.0)(x))

    def hierarchy(self) -> None:
        ids = self.input((STEPS, INNER), "int32")
        embedding = self.kinds.Embedding(WORDS, FEATURES, mask_zero=True)
        self.nested.append(self.draw([embedding, self.kinds.TimeDistributed(embedding)])(ids))

    def masked_hierarchy(self) -> None:
        x = self.input((STEPS, INNER, FEATURES), "float32")
        masking = self.kinds.Masking(0.0)
        self.nested.append(self.draw([masking, self.kinds.TimeDistributed(masking)])(x))

    def one(self) -> Any:
        """One of the newest sequences."""
        return self.draw(self.sequences[-3:])

    def on_sequences(self) -> list[Callable[[], None]]:
        return [
            self.elementwise, self.recurrent, self.two_ways, self.from_states, self.by_cells,
            self.merged, self.merged, self.side_by_side, self.one_after_the_other, self.attended,
            self.by_heads, self.inner_model, self.inner_sequential, self.again, self.dropped,
            self.masked_again, self.every_step, self.repeated, self.averaged, self.operation,
        ]  # fmt: skip

    def on_nested(self) -> list[Callable[[], None]]:
        return [self.read_inner, self.read_inner, self.inner_elementwise, self.encoded]

    def elementwise(self) -> None:
        kinds = self.kinds
        kind = self.draw(["Dense", "Dropout", "LayerNormalization", "PReLU", "ReLU", "tanh", "BN"])
        layers: dict[str, Callable[[], Any]] = {
            "Dense": lambda: kinds.Dense(FEATURES),
            "Dropout": lambda: kinds.SpatialDropout1D(0.5),
            "LayerNormalization": kinds.LayerNormalization,
            "PReLU": kinds.PReLU,
            "ReLU": lambda: kinds.LeakyReLU(0.1),
            "tanh": lambda: kinds.Activation(self.draw(["tanh", "hard_sigmoid"])),
            "BN": kinds.BatchNormalization,
        }
        self.keep(layers[kind]())

    def keep(self, layer: Any) -> None:
        """Call a layer on a sequence, and keep both."""
        self.shared.append(layer)
        self.sequences.append(layer(self.one()))

    def rnn(self, **settings: Any) -> Any:
        kind = self.draw([self.kinds.LSTM, self.kinds.GRU, self.kinds.SimpleRNN])
        if kind is self.kinds.GRU:
            settings["reset_after"] = self.draw([True, False])
        if kind is not self.kinds.SimpleRNN and self.draw([True, False]):
            settings["recurrent_activation"] = "hard_sigmoid"
        settings["zero_output_for_mask"] = self.draw([False, False, True])
        settings["unroll"] = self.draw([False, False, True])
        return kind(FEATURES, go_backwards=self.draw([False, True]), **settings)

    def recurrent(self) -> None:
        if self.draw([True, True, False]):
            self.keep(self.rnn(return_sequences=True))
        else:
            self.vectors.append(self.rnn()(self.one()))

    def two_ways(self) -> None:
        mode = self.draw(["sum", "ave", "mul", None, "concat"])
        rnn = self.kinds.LSTM if self.draw([True, False]) else self.kinds.GRU
        layer = self.kinds.Bidirectional(rnn(FEATURES, return_sequences=True), merge_mode=mode)
        made = layer(self.one())
        if mode == "concat":
            self.long.append(made)
        else:
            self.sequences += list(made) if mode is None else [made]

    def from_states(self) -> None:
        """A decoder: its states are what an encoder left."""
        kinds, x, y = self.kinds, self.one(), self.one()
        if self.draw([True, False]):
            _, *states = kinds.Bidirectional(kinds.LSTM(FEATURES, return_state=True))(x)
            decoder = kinds.Bidirectional(
                kinds.LSTM(FEATURES, return_sequences=True), merge_mode="sum"
            )
        else:
            _, *states = kinds.LSTM(FEATURES, return_state=True)(x)
            decoder = kinds.LSTM(FEATURES, return_sequences=True, return_state=True)
        made = decoder(y, initial_state=states)
        self.sequences.append(made[0] if isinstance(made, list) else made)

    def by_cells(self) -> None:
        cells = [self.kinds.LSTMCell(2), self.kinds.GRUCell(FEATURES)]
        cell = self.draw([cells, cells[1]])
        self.keep(self.kinds.RNN(cell, return_sequences=True))

    def merged(self) -> None:
        kind = self.draw(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
        self.sequences.append(getattr(self.kinds, kind)()([self.one(), self.one()]))

    def side_by_side(self) -> None:
        whole = self.kinds.Concatenate(axis=self.draw([-1, 2]))([self.one(), self.one()])
        self.long.append(whole)
        self.sequences.append(self.kinds.Dense(FEATURES)(whole))

    def one_after_the_other(self) -> None:
        self.long.append(self.kinds.Concatenate(axis=1)([self.one(), self.one()]))

    def attended(self) -> None:
        layer = self.draw([self.kinds.Attention, self.kinds.AdditiveAttention])()
        many = [self.one(), self.one(), *([self.one()] if self.draw([True, False]) else [])]
        self.sequences.append(layer(many, use_causal_mask=self.draw([False, False, True])))

    def by_heads(self) -> None:
        layer, call = self.kinds.MultiHeadAttention(2, 2), {}
        if self.draw([True, False]):
            call["key"] = self.one()
        call["use_causal_mask"] = self.draw([False, False, True])
        if self.draw([False, False, True]):
            made, scores = layer(self.one(), self.one(), return_attention_scores=True, **call)
            self.vectors.append(scores)
        else:
            made = layer(self.one(), self.one(), **call)
        self.sequences.append(made)

    def inner_model(self) -> None:
        """A model in the model, called twice; it may make masks of its own."""
        kinds, x = self.kinds, self.keras.Input((STEPS, FEATURES))
        masks = kinds.Masking(0.3)(x) if self.draw([True, False]) else x
        y = kinds.GRU(FEATURES, return_sequences=True)(kinds.Dense(FEATURES)(masks))
        inner = self.keras.Model(x, [kinds.Add()([x, y]), kinds.LSTM(FEATURES)(y)])
        self.keras.Model(x, y)  # another model with the same layers
        for _ in range(self.draw([1, 2])):
            sequence, vector = inner(self.one())
            self.sequences.append(sequence)
            self.vectors.append(vector)

    def inner_sequential(self) -> None:
        kinds = self.kinds
        head = [kinds.Input((STEPS, FEATURES))] if self.draw([True, False]) else []
        layers = [
            kinds.Dense(FEATURES),
            kinds.Dropout(0.2),
            kinds.LSTM(FEATURES, return_sequences=True),
        ]
        self.keep(self.keras.Sequential([*head, *layers]))

    def again(self) -> None:
        """A layer that was called before is called on another sequence."""
        if self.shared:
            self.keep(self.draw(self.shared))

    def dropped(self) -> None:
        layer = self.draw(
            [self.kinds.Conv1D(FEATURES, 2, padding="same"), self.kinds.Reshape((STEPS, FEATURES))]
        )
        self.keep(layer)

    def masked_again(self) -> None:
        self.keep(self.kinds.Masking(self.draw([0.0, 1.0])))

    def every_step(self) -> None:
        self.keep(self.kinds.TimeDistributed(self.kinds.Dense(FEATURES, activation="relu")))

    def repeated(self) -> None:
        if self.vectors and self.vectors[-1].shape.rank == 2:
            self.sequences.append(self.kinds.RepeatVector(STEPS)(self.vectors[-1]))

    def averaged(self) -> None:
        self.vectors.append(self.kinds.GlobalAveragePooling1D()(self.one()))

    def operation(self) -> None:
        self.sequences.append(self.one() * 0.5 + self.one())

    def read_inner(self) -> None:
        """At every step, read the inner steps: to a sequence, or to as many inner steps."""
        kinds = self.kinds
        inner = self.draw([
            kinds.LSTM(FEATURES), kinds.GRU(FEATURES, return_sequences=True),
            kinds.GlobalAveragePooling1D(),
            kinds.Bidirectional(kinds.LSTM(FEATURES), merge_mode="sum"),
        ])  # fmt: skip
        self.place(kinds.TimeDistributed(inner)(self.nested[-1]))

    def place(self, made: Any) -> None:
        (self.nested if made.shape.rank == 4 else self.sequences).append(made)

    def inner_elementwise(self) -> None:
        layer = self.draw(
            [self.kinds.Dense(FEATURES), self.kinds.TimeDistributed(self.kinds.Dense(FEATURES))]
        )
        self.nested.append(layer(self.nested[-1]))

    def encoded(self) -> None:
        """A model at every step that reads words: the form of hierarchical attention."""
        kinds, x = self.kinds, self.keras.Input((INNER,), dtype="int32")
        y = kinds.Embedding(WORDS, FEATURES, mask_zero=True)(x)
        y = kinds.GRU(FEATURES, return_sequences=self.draw([True, False]))(y)
        ids = self.input((STEPS, INNER), "int32")
        self.place(kinds.TimeDistributed(self.keras.Model(x, y))(ids))


def inputs(model: Any, random: np.random.Generator) -> list[np.ndarray]:
    """Four inputs for each input: some steps are zeros, and one example of each is zeros only."""
    arrays = []
    for tensor in model.inputs:
        shape = [4, *tensor.shape[1:]]
        whole = tensor.dtype.name.startswith("int")
        values = random.integers(0, WORDS, shape) if whole else random.normal(size=shape)
        steps = shape if whole else shape[:-1]
        kept = random.random(steps) < 0.6
        values = values * (kept if whole else kept[..., None])
        values[0] = 0
        arrays.append(values.astype(tensor.dtype.name))
    return arrays
