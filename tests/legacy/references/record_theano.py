"""Record what Keras before 2.3 on Theano computes: run once, with those versions installed.

    pip install numpy==1.23.5 scipy==1.11.4 h5py==3.10.0 theano==1.0.5 keras==1.2.2
    KERAS_BACKEND=theano python record_theano.py keras-1.2.2.npz

and the same for keras 1.0.8 and 2.2.4. Python 3.11 wants `collections.Iterable` and its like and
`inspect.getargspec` put back, and Theano's compiled scan left out, before they start. The file
holds for every model: its JSON, its weights file, an input (or several) and the output.
"""

import os
import sys
import tempfile

import keras
import numpy as np
import theano.ifelse  # noqa: F401, Keras 1 forgot to
from keras import layers as L
from keras.models import Model, Sequential

VERSION = keras.__version__
ONE = VERSION.startswith("1")
random = np.random.RandomState(7)


def sequential(*layers):
    model = Sequential()
    for layer in layers:
        model.add(layer)
    return model


def functional(inputs, outputs):
    return Model(input=inputs, output=outputs) if ONE else Model(inputs=inputs, outputs=outputs)


def shuffled(model):
    """Weights that no initializer would make; variances are positive."""
    new = []
    for weight in model.get_weights():
        new.append(random.uniform(-0.8, 0.9, weight.shape).astype("float32"))
    model.set_weights(new)
    for layer in getattr(model, "layers", []):
        positive(layer)
    return model


def positive(layer):
    for inner in getattr(layer, "layers", []):
        positive(inner)
    if layer.__class__.__name__ == "BatchNormalization":
        weights = layer.get_weights()
        weights[3] = abs(weights[3]) + 0.1
        layer.set_weights(weights)


TH, TF = {"dim_ordering": "th"}, {"dim_ordering": "tf"}


def one_layer_cases():
    """Name, a function that makes the layer, and the shape of its input."""
    c2, pic, pict = L.Convolution2D, (2, 7, 6), (7, 6, 2)
    yield "dense", lambda: L.Dense(3, activation="relu", input_dim=4), (4,)
    yield "dense_no_bias", lambda: L.Dense(3, bias=False, input_dim=4), (4,)
    yield "dense_hard_sigmoid", lambda: L.Dense(3, activation="hard_sigmoid", input_dim=4), (4,)
    yield (
        "dense_regularized",
        lambda: L.Dense(3, W_regularizer="l2", W_constraint="maxnorm", input_dim=4),
        (4,),
    )
    for name in (
        "softmax",
        "softplus",
        "softsign",
        "relu",
        "tanh",
        "sigmoid",
        "hard_sigmoid",
        "linear",
    ):
        yield "activation_" + name, lambda: L.Activation(name, input_shape=(4,)), (4,)
    yield "activation_softmax_3d", lambda: L.Activation("softmax", input_shape=(3, 4)), (3, 4)
    yield "convolution1d", lambda: L.Convolution1D(3, 3, input_shape=(8, 2)), (8, 2)
    yield (
        "convolution1d_same",
        lambda: L.Convolution1D(3, 4, border_mode="same", input_shape=(8, 2)),
        (8, 2),
    )
    yield (
        "convolution1d_same_strides",
        lambda: L.Convolution1D(3, 3, subsample_length=2, border_mode="same", input_shape=(8, 2)),
        (8, 2),
    )
    for o, s in ((TH, pic), (TF, pict)):
        n = "_" + o["dim_ordering"]
        yield "convolution2d" + n, lambda: c2(3, 2, 3, input_shape=s, **o), s
        yield (
            "convolution2d_same" + n,
            lambda: c2(3, 3, 3, border_mode="same", activation="relu", input_shape=s, **o),
            s,
        )
        yield (
            "convolution2d_same_even" + n,
            lambda: c2(3, 2, 4, border_mode="same", input_shape=s, **o),
            s,
        )
        yield (
            "convolution2d_same_strides" + n,
            lambda: c2(3, 3, 3, border_mode="same", subsample=(2, 2), input_shape=s, **o),
            s,
        )
        yield (
            "convolution2d_hard_sigmoid" + n,
            lambda: c2(3, 2, 2, activation="hard_sigmoid", bias=False, input_shape=s, **o),
            s,
        )
        yield (
            "atrous2d" + n,
            lambda: L.AtrousConvolution2D(3, 2, 2, atrous_rate=(2, 2), input_shape=s, **o),
            s,
        )
        for mode in ("valid", "same"):
            yield (
                "maxpool_%s" % mode + n,
                lambda: L.MaxPooling2D(
                    (3, 3), strides=(2, 2), border_mode=mode, input_shape=s, **o
                ),
                s,
            )
            yield (
                "averagepool_%s" % mode + n,
                lambda: L.AveragePooling2D(
                    (3, 3), strides=(2, 2), border_mode=mode, input_shape=s, **o
                ),
                s,
            )
        yield "globalmax2d" + n, lambda: L.GlobalMaxPooling2D(input_shape=s, **o), s
        yield "globalaverage2d" + n, lambda: L.GlobalAveragePooling2D(input_shape=s, **o), s
        yield (
            "locally2d" + n,
            lambda: L.LocallyConnected2D(3, 2, 3, activation="tanh", input_shape=s, **o),
            s,
        )
        out = (None, 3, 9, 8) if n == "_th" else (None, 9, 8, 3)
        yield (
            "deconvolution" + n,
            lambda: L.Deconvolution2D(3, 3, 3, output_shape=out, input_shape=s, **o),
            s,
        )
        out = (None, 3, 14, 12) if n == "_th" else (None, 14, 12, 3)
        yield (
            "deconvolution_same" + n,
            lambda: L.Deconvolution2D(
                3, 3, 3, output_shape=out, subsample=(2, 2), border_mode="same", input_shape=s, **o
            ),
            s,
        )
        out = (None, 3, 16, 14) if n == "_th" else (None, 16, 14, 3)
        yield (
            "deconvolution_strides" + n,
            lambda: L.Deconvolution2D(
                3, 3, 3, output_shape=out, subsample=(2, 2), input_shape=s, **o
            ),
            s,
        )
    # Keras 1 did not save the order of axes of these.
    yield "upsampling2d", lambda: L.UpSampling2D((2, 3), input_shape=pic, **TH), pic
    yield "zeropadding2d", lambda: L.ZeroPadding2D((1, 2), input_shape=pic, **TH), pic
    yield "cropping1d", lambda: L.Cropping1D((1, 2), input_shape=(6, 2)), (6, 2)
    yield "zeropadding1d", lambda: L.ZeroPadding1D(2, input_shape=(6, 2)), (6, 2)
    yield "upsampling1d", lambda: L.UpSampling1D(2, input_shape=(6, 2)), (6, 2)
    yield "maxpool1d", lambda: L.MaxPooling1D(2, input_shape=(6, 2)), (6, 2)
    yield "averagepool1d", lambda: L.AveragePooling1D(3, stride=1, input_shape=(6, 2)), (6, 2)
    yield "globalmax1d", lambda: L.GlobalMaxPooling1D(input_shape=(6, 2)), (6, 2)
    yield (
        "locally1d",
        lambda: L.LocallyConnected1D(3, 3, subsample_length=2, input_shape=(8, 2)),
        (8, 2),
    )
    yield (
        "convolution3d",
        lambda: L.Convolution3D(2, 2, 3, 2, input_shape=(2, 4, 5, 4), **TH),
        (2, 4, 5, 4),
    )
    yield (
        "maxpool3d",
        lambda: L.MaxPooling3D((2, 2, 2), input_shape=(2, 4, 4, 4), **TH),
        (2, 4, 4, 4),
    )
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        rnn = getattr(L, kind)
        yield kind.lower(), lambda: rnn(3, input_shape=(5, 2)), (5, 2)
        yield (
            kind.lower() + "_gpu",
            lambda: rnn(3, consume_less="gpu", return_sequences=True, input_shape=(5, 2)),
            (5, 2),
        )
        yield (
            kind.lower() + "_cpu_back",
            lambda: rnn(3, consume_less="cpu", go_backwards=True, input_shape=(5, 2)),
            (5, 2),
        )
    yield "lstm_sigmoid", lambda: L.LSTM(3, inner_activation="sigmoid", input_shape=(5, 2)), (5, 2)
    yield (
        "gru_hard_sigmoid",
        lambda: L.GRU(3, activation="hard_sigmoid", input_shape=(5, 2)),
        (5, 2),
    )
    yield (
        "convlstm_th",
        lambda: L.ConvLSTM2D(2, 3, 3, border_mode="same", input_shape=(3, 2, 5, 4), **TH),
        (3, 2, 5, 4),
    )
    yield (
        "convlstm_tf",
        lambda: L.ConvLSTM2D(
            2, 3, 3, border_mode="same", return_sequences=True, input_shape=(3, 5, 4, 2), **TF
        ),
        (3, 5, 4, 2),
    )
    yield (
        "bidirectional",
        lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), input_shape=(5, 2)),
        (5, 2),
    )
    yield (
        "bidirectional_sum",
        lambda: L.Bidirectional(L.GRU(3), merge_mode="sum", input_shape=(5, 2)),
        (5, 2),
    )
    yield "timedistributed", lambda: L.TimeDistributed(L.Dense(3), input_shape=(5, 2)), (5, 2)
    yield (
        "timedistributed_conv",
        lambda: L.TimeDistributed(c2(3, 2, 2, **TH), input_shape=(3, 2, 5, 4)),
        (3, 2, 5, 4),
    )
    yield "timedistributeddense", lambda: L.TimeDistributedDense(3, input_shape=(5, 2)), (5, 2)
    yield "maxout", lambda: L.MaxoutDense(3, nb_feature=4, input_dim=5), (5,)
    yield "highway", lambda: L.Highway(activation="tanh", input_dim=5), (5,)
    yield "batchnormalization", lambda: L.BatchNormalization(input_shape=(5,)), (5,)
    yield (
        "batchnormalization_axis1",
        lambda: L.BatchNormalization(axis=1, epsilon=0.01, input_shape=(3, 4, 5)),
        (3, 4, 5),
    )
    yield "batchnormalization_mode1", lambda: L.BatchNormalization(mode=1, input_shape=(5,)), (5,)
    yield "leakyrelu", lambda: L.LeakyReLU(0.2, input_shape=(5,)), (5,)
    yield "prelu", lambda: L.PReLU(input_shape=(3, 5)), (3, 5)
    yield "elu", lambda: L.ELU(0.7, input_shape=(5,)), (5,)
    yield "thresholdedrelu", lambda: L.ThresholdedReLU(0.4, input_shape=(5,)), (5,)
    yield "parametricsoftplus", lambda: L.ParametricSoftplus(input_shape=(3, 5)), (3, 5)
    yield "srelu", lambda: L.SReLU(input_shape=(3, 5)), (3, 5)
    yield "flatten", lambda: L.Flatten(input_shape=(2, 3, 4)), (2, 3, 4)
    yield "reshape", lambda: L.Reshape((4, -1), input_shape=(2, 6)), (2, 6)
    yield "permute", lambda: L.Permute((2, 1), input_shape=(2, 6)), (2, 6)
    yield "repeatvector", lambda: L.RepeatVector(3, input_shape=(4,)), (4,)
    yield "dropout", lambda: L.Dropout(0.4, input_shape=(4,)), (4,)
    yield "gaussiannoise", lambda: L.GaussianNoise(0.4, input_shape=(4,)), (4,)
    yield "gaussiandropout", lambda: L.GaussianDropout(0.4, input_shape=(4,)), (4,)
    yield "activityregularization", lambda: L.ActivityRegularization(l1=0.1, input_shape=(4,)), (4,)
    yield "prelu_shared", lambda: L.PReLU(shared_axes=[1, 2], input_shape=(3, 4, 5)), (3, 4, 5)
    yield "srelu_shared", lambda: L.SReLU(shared_axes=[1], input_shape=(3, 5)), (3, 5)
    yield "atrous1d", lambda: L.AtrousConvolution1D(3, 3, atrous_rate=2, input_shape=(9, 2)), (9, 2)
    yield "spatialdropout1d", lambda: L.SpatialDropout1D(0.4, input_shape=(4, 3)), (4, 3)
    yield "zeropadding2d_sides", lambda: L.ZeroPadding2D((1, 2, 3, 0), input_shape=pic, **TH), pic
    yield "cropping2d", lambda: L.Cropping2D(((1, 2), (0, 1)), input_shape=pic, **TH), pic
    yield "spatialdropout2d", lambda: L.SpatialDropout2D(0.4, input_shape=pic, **TH), pic


def merged(mode, **kw):
    one = sequential(L.Dense(4, input_dim=3), L.Activation("tanh"))
    two = sequential(L.Dense(4, input_dim=2))
    return sequential(L.Merge([one, two], mode=mode, **kw), L.Dense(2))


def graph_cases():
    """Name and model."""
    for mode in ("sum", "mul", "ave", "max", "concat", "dot"):
        yield "merge_" + mode, merged(mode, **({"dot_axes": 1} if mode == "dot" else {}))
    a, b = L.Input((4,)), L.Input((4,))
    shared = L.Dense(3, activation="tanh")
    joined = L.merge([shared(a), shared(b)], mode="concat")
    yield "shared", functional([a, b], L.Dense(2)(joined))
    a = L.Input((4,))
    inner = sequential(L.Dense(4, input_dim=4), L.Activation("tanh"), L.Dense(4))
    yield "nested_sequential_twice", functional(a, inner(inner(a)))
    if VERSION != "1.0.8":  # this version cannot share a BatchNormalization
        a = L.Input((4,))
        inner = sequential(L.Dense(4, input_dim=4), L.BatchNormalization(), L.Dense(4))
        yield "nested_sequential", functional(a, inner(L.Dense(4)(a)))
        x = L.Input((4,))
        within = functional(x, L.merge([L.Dense(4)(x), L.BatchNormalization()(x)], mode="sum"))
        a = L.Input((4,))
        h = within(a)
        yield (
            "nested_model_two_outputs",
            functional(a, [L.Dense(2)(h), L.merge([h, a], mode="mul")]),
        )
    a = L.Input((6,), dtype="int32")
    h = L.Embedding(9, 4, mask_zero=True)(a)
    yield "masked_lstm", functional(a, L.LSTM(3)(h))
    yield (
        "embedding_sequential",
        sequential(L.Embedding(9, 4, input_length=6), L.Flatten(), L.Dense(2)),
    )
    yield "masking", sequential(L.Masking(0.0, input_shape=(5, 2)), L.LSTM(3))
    if VERSION != "1.0.8":
        yield (
            "sequential_in_sequential",
            sequential(sequential(L.Dense(4, input_dim=3), L.BatchNormalization()), L.Dense(2)),
        )
    yield (
        "timedistributed_model",
        sequential(
            L.TimeDistributed(sequential(L.Dense(4, input_dim=3), L.Dense(2)), input_shape=(5, 3))
        ),
    )
    net = [
        L.Convolution2D(4, 3, 3, border_mode="same", input_shape=(1, 10, 10)),
        L.Activation("relu"),
        L.MaxPooling2D((2, 2)),
        L.ZeroPadding2D((1, 1)),
        L.Convolution2D(3, 2, 2),
        L.UpSampling2D((2, 2)),
        L.BatchNormalization(axis=1),
        L.Flatten(),
        L.Dense(5),
        L.Dropout(0.5),
        L.Activation("softmax"),
    ]
    yield "cnn_theano_defaults", sequential(*net)


def keras2_cases():
    """Models of Keras 2 on Theano that differ from TensorFlow."""
    for form, s in (("channels_first", (2, 7, 6)), ("channels_last", (7, 6, 2))):
        f = {"data_format": form, "input_shape": s}
        n = "_" + form
        yield "conv2d" + n, sequential(L.Conv2D(3, (2, 3), **f))
        yield "conv2d_same_even" + n, sequential(L.Conv2D(3, (2, 4), padding="same", **f))
        yield "conv2d_same_strides" + n, sequential(L.Conv2D(3, 3, strides=2, padding="same", **f))
        yield "conv2d_dilated" + n, sequential(L.Conv2D(3, 3, dilation_rate=2, padding="same", **f))
        yield "depthwise" + n, sequential(L.DepthwiseConv2D(3, depth_multiplier=2, **f))
        yield "separable" + n, sequential(L.SeparableConv2D(3, 3, **f))
        yield "transpose" + n, sequential(L.Conv2DTranspose(3, 3, strides=2, **f))
        yield (
            "transpose_same" + n,
            sequential(L.Conv2DTranspose(3, 3, strides=2, padding="same", **f)),
        )
        yield (
            "locally" + n,
            sequential(L.LocallyConnected2D(3, (2, 3), activation="hard_sigmoid", **f)),
        )
        yield "maxpool_same" + n, sequential(L.MaxPooling2D(3, strides=2, padding="same", **f))
        yield "flatten" + n, sequential(L.Conv2D(3, 2, **f), L.Flatten(), L.Dense(2))
    yield "conv1d", sequential(L.Conv1D(3, 3, padding="causal", input_shape=(8, 2)))
    yield (
        "conv3d",
        sequential(L.Conv3D(2, 2, input_shape=(4, 4, 4, 2), data_format="channels_last")),
    )
    yield "lstm", sequential(L.LSTM(3, input_shape=(5, 2)))
    yield "gru", sequential(L.GRU(3, input_shape=(5, 2)))
    a, s = L.Input((5, 2)), L.Input((3,))
    yield "initial_state", functional([a, s], L.GRU(3)(a, initial_state=s))
    a = L.Input((5, 2))
    yield "bidirectional", functional(a, L.Bidirectional(L.LSTM(3))(a))
    yield "cells", sequential(L.RNN([L.LSTMCell(3), L.GRUCell(2)], input_shape=(5, 2)))
    a = L.Input((4,))
    inner = sequential(L.Dense(4, input_dim=4), L.BatchNormalization(), L.Dense(4))
    yield "nested_twice", functional(a, L.add([inner(a), inner(inner(a))]))


def inputs_for(model):
    x = []
    for tensor in model.inputs:
        known = getattr(tensor, "_keras_shape", None) or keras.backend.int_shape(tensor)
        shape = [4] + [int(n) if n else 5 for n in known[1:]]
        if "int" in keras.backend.dtype(tensor):
            x.append(random.randint(0, 9, shape).astype("int32"))
        else:
            x.append(random.normal(size=shape).astype("float32"))
    return x


def record(kept, name, model):
    shuffled(model)
    x = inputs_for(model)
    if name == "masking":
        x[0][:, 3:] = 0
    y = model.predict(x if len(x) > 1 else x[0])
    path = os.path.join(tempfile.mkdtemp(), "weights.h5")
    model.save_weights(path)
    kept[name + "/json"] = np.array(model.to_json())
    with open(path, "rb") as file:
        kept[name + "/h5"] = np.frombuffer(file.read(), "uint8")
    for i, part in enumerate(x):
        kept[name + "/x%d" % i] = part
    for i, part in enumerate(y if isinstance(y, list) else [y]):
        kept[name + "/y%d" % i] = part


def weighted(layer):
    """A model of one layer; a dense layer follows a layer without weights."""
    model = sequential(layer)
    if model.weights:
        return model
    if len(model.output_shape) > 2:
        model.add(L.Flatten())
    model.add(L.Dense(2))
    return model


def all_cases():
    """Name and a function that makes the model; call it before the next one."""
    if not ONE:
        for name, model in keras2_cases():
            yield name, lambda: model
        return
    for name, make, _ in one_layer_cases():
        yield name, lambda: weighted(make())
    for name, model in graph_cases():
        yield name, lambda: model


FORGOTTEN = {"deconvolution_same_th", "deconvolution_strides_th", "zeropadding2d_sides"}
"""Models that 1.0.8 saves with other sizes in the JSON than it computed with."""


def main():
    kept, failed, count = {}, [], 0
    for name, make in all_cases():
        if VERSION == "1.0.8" and name in FORGOTTEN:
            continue
        count += 1
        try:
            record(kept, name, make())
        except Exception as error:  # this version could not compute the model either
            failed.append("%s: %s" % (name, str(error).strip().splitlines()[-1][:150]))
    np.savez_compressed(sys.argv[1], **kept)
    print(VERSION, count, "models, recorded except:")
    print("\n".join(failed))


main()
