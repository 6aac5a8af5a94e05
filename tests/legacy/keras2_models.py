"""Small models of Keras 2, made by tf-keras: one for each layer and each thing that changed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Case = tuple[str, Callable[[], Any]]


def shapes(form: str, *size: int, channels: int = 2) -> dict[str, Any]:
    """Settings of a first layer whose input has this shape."""
    shape = (channels, *size) if form == "channels_first" else (*size, channels)
    return {"data_format": form, "input_shape": shape}


def cases() -> list[Case]:
    """Every model, by name."""
    import tf_keras
    from tf_keras import layers as L

    def one(layer: Any) -> Callable[[], Any]:
        return lambda: tf_keras.Sequential([layer()])

    makers = [*dense(L), *convolutions(L), *pictures(L), *recurrent(L), *attention(L), *plain(L)]
    single = [(name, one(layer)) for name, layer in makers]
    return [*single, *graphs(tf_keras, L), *operations(tf_keras, L)]


def dense(L: Any) -> Iterator[Case]:
    names = """elu exponential gelu hard_sigmoid linear relu selu sigmoid softmax softplus softsign
    swish tanh""".split()
    for name in names:
        yield f"Dense {name}", lambda n=name: L.Dense(3, activation=n, input_shape=(4,))
        yield f"Activation {name}", lambda n=name: L.Activation(n, input_shape=(3, 4))
    yield "Dense no bias", lambda: L.Dense(3, use_bias=False, input_shape=(4,))
    yield "Dense 3d", lambda: L.Dense(3, input_shape=(5, 4))
    yield (
        "Dense regularized",
        lambda: L.Dense(
            3,
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l1_l2",
            kernel_constraint="max_norm",
            kernel_initializer="he_normal",
            input_shape=(4,),
        ),
    )
    yield "Dense float64", lambda: L.Dense(3, dtype="float64", input_shape=(4,))
    yield "Dense mixed_float16", lambda: L.Dense(3, dtype="mixed_float16", input_shape=(4,))
    yield "Dense LeakyReLU", lambda: L.Dense(3, activation=L.LeakyReLU(0.1), input_shape=(4,))
    yield "EinsumDense", lambda: L.EinsumDense("abc,cd->abd", (None, 3), input_shape=(5, 4))
    yield (
        "EinsumDense bias",
        lambda: L.EinsumDense(
            "abc,cd->abd", (None, 3), bias_axes="d", activation="hard_sigmoid", input_shape=(5, 4)
        ),
    )


def convolutions(L: Any) -> Iterator[Case]:
    for form in ("channels_last", "channels_first"):
        # TensorFlow computes some of these with channels first only on GPUs.
        if form == "channels_last":
            yield "Conv1D", lambda: L.Conv1D(3, 3, strides=2, input_shape=(8, 2))
            yield "Conv1D causal", lambda: L.Conv1D(3, 3, padding="causal", input_shape=(8, 2))
            yield "Conv1D dilated", lambda: L.Conv1D(3, 3, dilation_rate=2, input_shape=(8, 2))
            yield "Conv1D groups", lambda: L.Conv1D(4, 3, groups=2, input_shape=(8, 2))
        yield (
            f"Conv2D {form}",
            lambda f=form: L.Conv2D(3, (2, 3), activation="relu", **shapes(f, 7, 6)),
        )
        yield (
            f"Conv2D same {form}",
            lambda f=form: L.Conv2D(3, (2, 3), strides=2, padding="same", **shapes(f, 7, 6)),
        )
    first, last = "channels_first", "channels_last"
    yield "Conv2D first square", lambda: L.Conv2D(3, 2, padding="same", **shapes(first, 3, 3))
    yield (
        "Conv2D first softmax",
        lambda: L.Conv2D(3, 2, activation="softmax", **shapes(first, 5, 4)),
    )
    yield (
        "Conv2D hard_sigmoid",
        lambda: L.Conv2D(3, 2, activation="hard_sigmoid", **shapes(last, 5, 6)),
    )
    yield "Conv2D dilated", lambda: L.Conv2D(3, 2, dilation_rate=(2, 1), **shapes(last, 7, 6))
    yield "Conv2D groups", lambda: L.Conv2D(4, 2, groups=2, **shapes(last, 7, 6))
    yield "Conv3D", lambda: L.Conv3D(3, 2, strides=(1, 2, 1), **shapes(last, 4, 5, 4))
    yield "Conv1DTranspose", lambda: L.Conv1DTranspose(3, 3, strides=2, **shapes(last, 6))
    for padding in ("valid", "same"):
        yield (
            f"Conv2DTranspose {padding}",
            lambda p=padding: L.Conv2DTranspose(3, 3, strides=2, padding=p, **shapes(last, 5, 4)),
        )
        yield (
            f"Conv2DTranspose {padding} output_padding",
            lambda p=padding: L.Conv2DTranspose(
                3, 3, strides=2, padding=p, output_padding=1, **shapes(last, 5, 4)
            ),
        )
    yield "Conv3DTranspose", lambda: L.Conv3DTranspose(3, 2, strides=2, **shapes(last, 3, 3, 2))
    yield "DepthwiseConv1D", lambda: L.DepthwiseConv1D(3, depth_multiplier=2, **shapes(last, 8))
    yield (
        "DepthwiseConv2D",
        lambda: L.DepthwiseConv2D(
            3, depth_multiplier=2, activation="hard_sigmoid", padding="same", **shapes(last, 5, 6)
        ),
    )
    yield (
        "SeparableConv1D",
        lambda: L.SeparableConv1D(3, 3, depth_multiplier=2, **shapes(last, 8)),
    )
    yield (
        "SeparableConv2D",
        lambda: L.SeparableConv2D(3, 3, activation="hard_sigmoid", strides=2, **shapes(last, 7, 6)),
    )
    yield (
        "SeparableConv2D no bias",
        lambda: L.SeparableConv2D(3, 3, use_bias=False, **shapes(last, 7, 6)),
    )
    yield (
        "LocallyConnected1D",
        lambda: L.LocallyConnected1D(3, 3, strides=2, activation="relu", input_shape=(9, 2)),
    )
    for form in ("channels_last", "channels_first"):
        yield (
            f"LocallyConnected2D {form}",
            lambda f=form: L.LocallyConnected2D(
                3, (2, 3), strides=(1, 2), activation="hard_sigmoid", **shapes(f, 5, 7)
            ),
        )
    yield (
        "LocallyConnected2D no bias",
        lambda: L.LocallyConnected2D(3, (2, 3), use_bias=False, **shapes(last, 5, 7)),
    )


def pictures(L: Any) -> Iterator[Case]:
    for n, size in ((1, (8,)), (2, (8, 7)), (3, (5, 4, 6))):
        for kind in ("Max", "Average"):
            pool, whole = getattr(L, f"{kind}Pooling{n}D"), getattr(L, f"Global{kind}Pooling{n}D")
            for padding in ("valid", "same"):
                yield (
                    f"{kind}Pooling{n}D {padding}",
                    lambda p=pool, d=padding, s=size: p(
                        2, padding=d, **shapes("channels_last", *s)
                    ),
                )
            yield (
                f"Global{kind}Pooling{n}D",
                lambda w=whole, s=size: w(**shapes("channels_last", *s)),
            )
            yield (
                f"Global{kind}Pooling{n}D first",
                lambda w=whole, s=size: w(keepdims=True, **shapes("channels_first", *s)),
            )
        yield (
            f"Cropping{n}D",
            lambda c=getattr(L, f"Cropping{n}D"), s=size: c(1, input_shape=(*s, 2)),
        )
        yield (
            f"ZeroPadding{n}D",
            lambda z=getattr(L, f"ZeroPadding{n}D"), s=size: z(2, input_shape=(*s, 2)),
        )
        yield (
            f"UpSampling{n}D",
            lambda u=getattr(L, f"UpSampling{n}D"), s=size: u(2, input_shape=(*s, 2)),
        )
    yield (
        "UpSampling2D bilinear",
        lambda: L.UpSampling2D(3, interpolation="bilinear", input_shape=(4, 5, 2)),
    )
    yield "UpSampling2D first", lambda: L.UpSampling2D((2, 3), **shapes("channels_first", 4, 5))
    yield "ZeroPadding2D sides", lambda: L.ZeroPadding2D(((1, 2), (0, 3)), input_shape=(4, 5, 2))
    yield (
        "Cropping2D sides",
        lambda: L.Cropping2D(((1, 2), (0, 1)), **shapes("channels_first", 4, 5)),
    )
    yield "Rescaling", lambda: L.Rescaling(1 / 255, offset=-0.5, input_shape=(4, 5, 2))
    yield "Resizing", lambda: L.Resizing(8, 9, input_shape=(4, 5, 2))
    yield "CenterCrop", lambda: L.CenterCrop(2, 3, input_shape=(4, 5, 2))
    yield "RandomFlip", lambda: L.RandomFlip("horizontal", input_shape=(4, 5, 2))
    yield "RandomRotation", lambda: L.RandomRotation(0.2, input_shape=(4, 5, 2))
    yield "RandomZoom", lambda: L.RandomZoom(0.2, input_shape=(4, 5, 2))
    yield "RandomTranslation", lambda: L.RandomTranslation(0.2, 0.1, input_shape=(4, 5, 2))
    yield "RandomContrast", lambda: L.RandomContrast(0.2, input_shape=(4, 5, 2))
    yield "RandomBrightness", lambda: L.RandomBrightness(0.2, input_shape=(4, 5, 3))
    yield "RandomCrop", lambda: L.RandomCrop(3, 3, input_shape=(4, 5, 2))
    yield "RandomHeight", lambda: L.RandomHeight(0.2, input_shape=(4, 5, 2))
    yield "Normalization", lambda: L.Normalization(input_shape=(5,))
    yield (
        "Normalization given",
        lambda: L.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0], input_shape=(2,)),
    )
    yield (
        "CategoryEncoding",
        lambda: L.CategoryEncoding(9, output_mode="one_hot", input_shape=(1,), dtype="int32"),
    )
    yield "Hashing", lambda: L.Hashing(5, input_shape=(3,), dtype="int32")
    yield "Discretization", lambda: L.Discretization([-0.5, 0.0, 0.5], input_shape=(3,))


def recurrent(L: Any) -> Iterator[Case]:
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        rnn = getattr(L, kind)
        yield kind, lambda r=rnn: r(3, input_shape=(5, 2))
        yield (
            f"{kind} sequences",
            lambda r=rnn: r(3, return_sequences=True, go_backwards=True, input_shape=(5, 2)),
        )
        yield f"{kind} no bias", lambda r=rnn: r(3, use_bias=False, unroll=True, input_shape=(5, 2))
        yield (
            f"{kind} relu dropout",
            lambda r=rnn: r(
                3, activation="relu", dropout=0.2, recurrent_dropout=0.1, input_shape=(5, 2)
            ),
        )
        yield (
            f"{kind} stateful",
            lambda r=rnn: r(3, stateful=True, batch_input_shape=(4, 5, 2)),
        )
        yield (
            f"Bidirectional {kind}",
            lambda r=rnn: L.Bidirectional(r(3, return_sequences=True), input_shape=(5, 2)),
        )
        cell = getattr(L, f"{kind}Cell")
        yield (
            f"RNN {kind}Cell",
            lambda c=cell: L.RNN(c(3), return_sequences=True, input_shape=(5, 2)),
        )
    for kind in ("GRU", "LSTM"):
        rnn = getattr(L, kind)
        old = {"recurrent_activation": "hard_sigmoid"}
        yield f"{kind} hard_sigmoid", lambda r=rnn: r(3, **old, input_shape=(5, 2))
        yield (
            f"Bidirectional {kind} hard_sigmoid",
            lambda r=rnn: L.Bidirectional(r(3, **old), merge_mode="ave", input_shape=(5, 2)),
        )
        cell = getattr(L, f"{kind}Cell")
        yield f"RNN {kind}Cell hard_sigmoid", lambda c=cell: L.RNN(c(3, **old), input_shape=(5, 2))
    yield (
        "SimpleRNN hard_sigmoid",
        lambda: L.SimpleRNN(3, activation="hard_sigmoid", input_shape=(5, 2)),
    )
    yield "GRU reset before", lambda: L.GRU(3, reset_after=False, input_shape=(5, 2))
    yield (
        "GRU candidate hard_sigmoid",
        lambda: L.GRU(3, activation="hard_sigmoid", input_shape=(5, 2)),
    )
    yield "StackedRNNCells", lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], input_shape=(5, 2))
    yield (
        "Bidirectional two layers",
        lambda: L.Bidirectional(
            L.LSTM(3, return_sequences=True),
            backward_layer=L.GRU(3, return_sequences=True, go_backwards=True),
            merge_mode="sum",
            input_shape=(5, 2),
        ),
    )
    for n, size in ((1, (6,)), (2, (5, 6)), (3, (4, 4, 3))):
        rnn = getattr(L, f"ConvLSTM{n}D")
        yield (
            f"ConvLSTM{n}D",
            lambda r=rnn, s=size: r(2, 3, padding="same", input_shape=(3, *s, 2)),
        )
    yield (
        "ConvLSTM2D strides",
        lambda: L.ConvLSTM2D(
            2, 2, strides=2, return_sequences=True, activation="relu", input_shape=(3, 6, 5, 2)
        ),
    )
    yield "TimeDistributed Dense", lambda: L.TimeDistributed(L.Dense(3), input_shape=(5, 2))
    yield (
        "TimeDistributed Conv2D",
        lambda: L.TimeDistributed(
            L.Conv2D(3, 2, activation="hard_sigmoid"), input_shape=(3, 5, 4, 2)
        ),
    )
    yield (
        "TimeDistributed BatchNormalization",
        lambda: L.TimeDistributed(L.BatchNormalization(), input_shape=(3, 4)),
    )
    yield (
        "TimeDistributed Activation",
        lambda: L.TimeDistributed(L.Activation("hard_sigmoid"), input_shape=(3, 4)),
    )


def attention(L: Any) -> Iterator[Case]:
    yield "BatchNormalization", lambda: L.BatchNormalization(input_shape=(5,))
    yield (
        "BatchNormalization axis",
        lambda: L.BatchNormalization(axis=1, epsilon=0.01, input_shape=(3, 4, 5)),
    )
    yield (
        "BatchNormalization bare",
        lambda: L.BatchNormalization(center=False, scale=False, input_shape=(4, 5, 3)),
    )
    yield (
        "BatchNormalization no scale",
        lambda: L.BatchNormalization(scale=False, input_shape=(4, 5, 3)),
    )
    yield "LayerNormalization", lambda: L.LayerNormalization(input_shape=(3, 5))
    yield "LayerNormalization axes", lambda: L.LayerNormalization(axis=[1, 2], input_shape=(3, 5))
    yield "GroupNormalization", lambda: L.GroupNormalization(groups=2, input_shape=(3, 3, 4))
    yield "UnitNormalization", lambda: L.UnitNormalization(input_shape=(3, 5))
    yield "BatchNormalization square", lambda: L.BatchNormalization(axis=1, input_shape=(3, 4, 3))


def plain(L: Any) -> Iterator[Case]:
    yield "LeakyReLU", lambda: L.LeakyReLU(0.2, input_shape=(5,))
    yield "PReLU", lambda: L.PReLU(input_shape=(3, 5))
    yield "PReLU shared", lambda: L.PReLU(shared_axes=[1, 2], input_shape=(3, 4, 5))
    yield "ELU", lambda: L.ELU(0.7, input_shape=(5,))
    yield "ReLU", lambda: L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2, input_shape=(5,))
    yield "ThresholdedReLU", lambda: L.ThresholdedReLU(0.4, input_shape=(5,))
    yield "Softmax", lambda: L.Softmax(axis=1, input_shape=(3, 5))
    yield "Flatten", lambda: L.Flatten(input_shape=(2, 3, 4))
    yield "Flatten first", lambda: L.Flatten(data_format="channels_first", input_shape=(2, 3, 4))
    yield "Reshape", lambda: L.Reshape((4, -1), input_shape=(2, 6))
    yield "Permute", lambda: L.Permute((2, 1), input_shape=(2, 6))
    yield "RepeatVector", lambda: L.RepeatVector(3, input_shape=(4,))
    yield "Identity", lambda: L.Identity(input_shape=(4,))
    yield "ActivityRegularization", lambda: L.ActivityRegularization(l1=0.1, input_shape=(4,))
    yield "Dropout", lambda: L.Dropout(0.4, noise_shape=(None, 1), seed=3, input_shape=(4,))
    yield "AlphaDropout", lambda: L.AlphaDropout(0.4, input_shape=(4,))
    yield "GaussianDropout", lambda: L.GaussianDropout(0.4, input_shape=(4,))
    yield "GaussianNoise", lambda: L.GaussianNoise(0.4, input_shape=(4,))
    yield "SpatialDropout1D", lambda: L.SpatialDropout1D(0.4, input_shape=(4, 3))
    yield "SpatialDropout2D", lambda: L.SpatialDropout2D(0.4, input_shape=(4, 5, 3))
    yield "SpatialDropout3D", lambda: L.SpatialDropout3D(0.4, input_shape=(4, 5, 3, 2))
    yield "Embedding", lambda: L.Embedding(9, 4, input_length=6)
    yield "Masking", lambda: L.Masking(0.0, input_shape=(5, 2))


def graphs(keras: Any, L: Any) -> Iterator[Case]:
    Model, Input = keras.Model, keras.Input
    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):

        def merged(merge: Any = getattr(L, kind)) -> Any:
            a, b = Input((4,)), Input((4,))
            return Model([a, b], merge()([L.Dense(3)(a), L.Dense(3)(b)]))

        yield kind, merged

    def dotted(**settings: Any) -> Any:
        a, b = Input((3, 4)), Input((5, 4))
        return Model([a, b], L.Dot(**settings)([a, b]))

    yield "Dot", lambda: dotted(axes=2)
    yield "Dot normalize", lambda: dotted(axes=(2, 2), normalize=True)

    def shared() -> Any:
        a, b = Input((4,)), Input((4,))
        layer = L.Dense(3, activation="tanh")
        return Model([a, b], L.Dense(2)(L.Concatenate()([layer(a), layer(b), layer(a)])))

    yield "shared layer", shared

    def inner() -> Any:
        x = Input((4,))
        y = L.BatchNormalization()(L.Dense(4)(x))
        return Model(x, L.Dense(4, trainable=False)(L.Add()([x, y])))

    def nested() -> Any:
        a, within = Input((4,)), inner()
        return Model(a, L.Add()([within(within(a)), within(a)]))

    def deeper() -> Any:
        a = Input((4,))
        middle = keras.Sequential([L.Dense(4), inner(), L.BatchNormalization(), L.Dense(4)])
        return Model(a, [middle(a), L.Dense(2)(inner()(a))])

    def output() -> Any:
        a, within = Input((4,)), inner()
        return Model(a, [within(L.Dense(4)(a)), within(a)])

    yield "nested model twice", nested
    yield "nested deeper", deeper
    yield "nested model as output", output
    yield "nested first", lambda: keras.Sequential([inner(), L.Dense(2)])
    yield (
        "nested deferred Sequential",
        lambda: keras.Sequential(
            [L.Dense(4, input_shape=(3,)), keras.Sequential([L.Dense(3), L.BatchNormalization()])]
        ),
    )

    def frozen() -> Any:
        a, within = Input((4,)), inner()
        within.trainable = False
        return Model(a, L.Dense(2)(within(a)))

    yield "nested frozen", frozen
    yield (
        "TimeDistributed model",
        lambda: keras.Sequential([L.TimeDistributed(inner(), input_shape=(5, 4)), L.LSTM(3)]),
    )

    def by_name() -> Any:
        a, b = Input((4,), name="a"), Input((4,), name="b")
        return Model({"a": a, "b": b}, {"x": L.Dense(2)(a), "y": L.Add()([a, b])})

    yield "inputs and outputs by name", by_name

    def states() -> Any:
        a, b = Input((5, 2)), Input((3,))
        _, h, c = L.LSTM(3, return_state=True)(a)
        y = L.LSTM(3, return_sequences=True)(a, initial_state=[h, c])
        return Model([a, b], [y, L.GRU(3)(a, initial_state=b)])

    yield "initial_state", states

    def two_ways() -> Any:
        a = Input((5, 2))
        y, *rest = L.Bidirectional(L.LSTM(3, return_state=True))(a)
        return Model(a, L.Bidirectional(L.LSTM(3))(a, initial_state=rest))

    yield "Bidirectional initial_state", two_ways

    def masked() -> Any:
        a = Input((6,), dtype="int32")
        x = L.Embedding(9, 4, mask_zero=True)(a)
        return Model(a, [L.LSTM(3)(x), L.GlobalAveragePooling1D()(x)])

    yield "Embedding mask_zero", masked

    def attended(layer: Any, **call: Any) -> Any:
        q, v = Input((3, 4)), Input((5, 4))
        return Model([q, v], layer([q, v], **call))

    yield "Attention", lambda: attended(L.Attention())
    yield "Attention scale", lambda: attended(L.Attention(use_scale=True))
    yield "Attention concat", lambda: attended(L.Attention(score_mode="concat"))
    yield "Attention causal", lambda: attended(L.Attention(), use_causal_mask=True)
    yield "AdditiveAttention", lambda: attended(L.AdditiveAttention())

    def heads(**call: Any) -> Any:
        q, v = Input((3, 4)), Input((5, 4))
        return Model([q, v], L.MultiHeadAttention(2, 3)(q, v, **call))

    yield "MultiHeadAttention", heads
    yield "MultiHeadAttention self", lambda: itself(keras, L)
    yield "training=False", lambda: dropping(keras, L)


def itself(keras: Any, L: Any) -> Any:
    a = keras.Input((4, 6))
    y, scores = L.MultiHeadAttention(2, 3, value_dim=2, use_bias=False, output_shape=5)(
        a, a, return_attention_scores=True, use_causal_mask=True
    )
    return keras.Model(a, [y, scores])


def dropping(keras: Any, L: Any) -> Any:
    a = keras.Input((4,))
    return keras.Model(a, L.BatchNormalization()(L.Dropout(0.5)(a, training=False), training=False))


def operations(keras: Any, L: Any) -> Iterator[Case]:
    import tensorflow as tf

    def called(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Callable[[], Any]:
        def make() -> Any:
            inputs = [keras.Input(shape) for shape in shapes or ((3, 4),)]
            return keras.Model(inputs, function(*inputs))

        return make

    yield "x + 1", called(lambda x: x + 1.0)
    yield "1 - x", called(lambda x: 1.0 - x)
    yield "x * y", called(lambda x, y: x * y, (3, 4), (3, 4))
    yield "x / y", called(lambda x: x / 3.0)
    yield "-x", called(lambda x: -x)
    yield "x ** 2", called(lambda x: x**2)
    yield "x[:, 1:]", called(lambda x: x[:, 1:])
    yield "x[:, -1]", called(lambda x: x[:, -1])
    yield "x[..., ::2]", called(lambda x: x[..., ::2])
    yield "x[:, tf.newaxis]", called(lambda x: x[:, tf.newaxis])
    yield "tf.concat", called(lambda x, y: tf.concat([x, y], axis=-1), (3, 4), (3, 4))
    yield "tf.stack", called(lambda x, y: tf.stack([x, y], axis=1), (3, 4), (3, 4))
    yield "tf.reduce_mean", called(lambda x: tf.reduce_mean(x, axis=1))
    yield "tf.reduce_sum", called(lambda x: tf.reduce_sum(x, axis=[1, 2], keepdims=True))
    yield "tf.reduce_max", called(lambda x: tf.math.reduce_max(x, -1))
    yield "tf.expand_dims", called(lambda x: tf.expand_dims(x, 1))
    yield "tf.expand_dims named", called(lambda x: tf.expand_dims(x, axis=-1))
    yield "tf.squeeze", called(lambda x: tf.squeeze(x, axis=2), (3, 1))
    yield "tf.reshape", called(lambda x: tf.reshape(x, (-1, 12)))
    yield "tf.transpose", called(lambda x: tf.transpose(x, [0, 2, 1]))
    yield "tf.matmul", called(lambda x, y: tf.matmul(x, y), (3, 4), (4, 2))
    yield "tf.clip_by_value", called(lambda x: tf.clip_by_value(x, -0.5, 0.5))
    yield "tf.cast", called(lambda x: tf.cast(x, tf.float64))
    yield "tf.maximum", called(lambda x: tf.maximum(x, 0.1))
    yield "tf.math.log", called(lambda x: tf.math.log(tf.abs(x) + 1.0))
    for name in ("relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "silu", "relu6"):
        yield f"tf.nn.{name}", called(getattr(tf.nn, name))
    yield "tf.nn.softmax axis", called(lambda x: tf.nn.softmax(x, axis=1))
    yield "tf.nn.leaky_relu", called(lambda x: tf.nn.leaky_relu(x, alpha=0.1))
    yield "tf.nn.gelu", called(lambda x: tf.nn.gelu(x))
    yield "tf.sqrt", called(lambda x: tf.sqrt(tf.abs(x)))
    for name in ("exp", "square", "sin", "cos", "abs", "sign", "floor"):
        yield f"tf.math.{name}", called(getattr(tf.math, name))


def shuffle(model: Any, random: np.random.Generator) -> None:
    """Assign weights that no initializer makes; variances and counts stay valid."""
    for weight in model.weights:
        if weight.dtype.name.startswith("int"):
            continue
        values = random.uniform(-0.8, 0.9, weight.shape)
        if "variance" in weight.name:
            values = abs(values) + 0.1
        weight.assign(values.astype(weight.dtype.name))
    for layer in model._flatten_layers():
        layer.finalize_state()


def inputs(model: Any, random: np.random.Generator) -> list[np.ndarray]:
    """Four inputs for each input of a model."""
    arrays = []
    for tensor in model.inputs:
        shape = [4, *(n or 5 for n in tensor.shape[1:])]
        whole = any(layer.__class__.__name__ in WHOLE for layer in model.layers)
        values = random.integers(0, 9, shape) if whole else random.normal(size=shape)
        if any(layer.__class__.__name__ == "Masking" for layer in model.layers):
            values[:, 3:] = 0
        arrays.append(values.astype(tensor.dtype.name))
    return arrays


WHOLE = {"Embedding", "CategoryEncoding", "Hashing"}
