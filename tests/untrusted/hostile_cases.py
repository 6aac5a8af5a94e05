"""Hostile or damaged pairs, files and inputs, made by functions; none of them does harm.

A case changes a valid pair (a net of 4-8-8-3) in a folder: its configuration, its weights, or the
files themselves. Code that ran would write a file called PWNED in the working directory.
"""

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

JSON, WEIGHTS, INPUT = "model.json", "model.weights.h5", "input.npy"
PWN = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
LAMBDA = {"class_name": "__lambda__", "config": {"value": "AAAA"}}


@dataclass(frozen=True)
class Case:
    """A case that has to be refused.

    Attributes:
        name: The name of the function that makes it.
        make: Changes the folder.
        codes: The exit statuses that are right: 2 input, 3 unsafe, 4 corrupt.
        arguments: The arguments of `recipes predict`.
        plain: Whether Keras itself can be tried on it without harm to the machine.
    """

    name: str
    make: Callable[[Path], None]
    codes: tuple[int, ...]
    arguments: tuple[str, ...]
    plain: bool


CASES: list[Case] = []


def case(
    *codes: int, arguments: str = f"{JSON} --weights {WEIGHTS} {INPUT}", plain: bool = True
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def add(make: Callable[[Path], None]) -> Callable[[Path], None]:
        CASES.append(Case(make.__name__, make, codes, tuple(arguments.split()), plain))
        return make

    return add


def good_pair(folder: Path) -> None:
    """Write the pair that every case starts from."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    net = [
        layers.Dense(8, "relu", name="a"),
        layers.Dense(8, name="b"),
        layers.Dense(3, name="c"),
    ]
    model = keras.Sequential([keras.Input((4,), name="in"), *net], name="good")
    (folder / JSON).write_text(model.to_json())
    model.save_weights(folder / WEIGHTS)
    np.save(folder / INPUT, np.ones((2, 4), "float32"))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    config = json.loads((folder / JSON).read_text())
    change(config)
    (folder / JSON).write_text(json.dumps(config))


def layer(folder: Path, index: int = 2, **config: Any) -> None:
    """Change arguments of a layer: 1 is a, 2 is b, 3 is c."""
    edit(folder, lambda whole: whole["config"]["layers"][index]["config"].update(config))


def replace(folder: Path, *items: dict[str, Any], index: int = 2) -> None:
    """Put other layers in the place of b."""

    def change(whole: dict[str, Any]) -> None:
        whole["config"]["layers"][index : index + 1] = items
        for item in whole["config"]["layers"]:
            item.pop("build_config", None)  # later layers are built again

    edit(folder, change)


def of(kind: str, module: str = "keras.layers", /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def tensor(*history: Any) -> dict[str, Any]:
    config = {"shape": [None, 4], "dtype": "float32", "keras_history": list(history)}
    return {"class_name": "__keras_tensor__", "config": config}


def node(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"args": list(args), "kwargs": kwargs}


def graph(folder: Path, *middle: dict[str, Any], out: str = "c", source: str = "in") -> None:
    """A functional net: the input, the given layers, and c on the last of `source`."""
    start = of("InputLayer", batch_shape=[None, 4], dtype="float32", name="in")
    end = of("Dense", units=3, name="c")
    layers = [
        {**start, "name": "in", "inbound_nodes": []},
        *middle,
        {**end, "name": "c", "inbound_nodes": [node(tensor(source, 0, 0))]},
    ]
    config = {"name": "g", "trainable": True, "layers": layers}
    config.update(input_layers=[["in", 0, 0]], output_layers=[[out, 0, 0]])
    whole = of("Functional", "keras.src.models.functional", **config)
    (folder / JSON).write_text(json.dumps(whole))


def called(what: dict[str, Any], *nodes: dict[str, Any]) -> dict[str, Any]:
    return {**what, "name": what["config"]["name"], "inbound_nodes": list(nodes)}


# The file itself.


@case(4)
def json_in_utf_16(folder: Path) -> None:
    (folder / JSON).write_bytes((folder / JSON).read_text().encode("utf-16"))


@case(4)
def json_with_a_byte_order_mark(folder: Path) -> None:
    (folder / JSON).write_bytes(b"\xef\xbb\xbf" + (folder / JSON).read_bytes())


@case(4)
def json_with_units_twice(folder: Path) -> None:
    text = (folder / JSON).read_text().replace('"activation": "relu"', '"activation": "tanh"')
    text = text.replace('"use_bias": true', '"use_bias": true, "activation": "linear"', 1)
    (folder / JSON).write_text(text)


@case(4)
def json_with_more_behind_it(folder: Path) -> None:
    (folder / JSON).write_text((folder / JSON).read_text() + "{}")


@case(4)
def json_nested_a_hundred_thousand_deep(folder: Path) -> None:
    (folder / JSON).write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


@case(4)
def json_with_half_a_character(folder: Path) -> None:
    edit(folder, lambda whole: whole["config"].update(name="\ud800"))


@case(4)
def json_with_a_number_beyond_all(folder: Path) -> None:
    replace(folder, of("Rescaling", scale=7777777, name="b"))
    (folder / JSON).write_text((folder / JSON).read_text().replace("7777777", "1e999"))


@case(4)
def json_with_an_integer_of_5000_digits(folder: Path) -> None:
    layer(folder, units=7777777)
    (folder / JSON).write_text((folder / JSON).read_text().replace("7777777", "9" * 4000))


@case(4)
def json_that_is_a_text(folder: Path) -> None:
    # JSON inside a JSON string is a common mistake; that file opens.
    (folder / JSON).write_text(json.dumps("a model"))


@case(4)
def json_cut_in_the_middle(folder: Path) -> None:
    content = (folder / JSON).read_bytes()
    (folder / JSON).write_bytes(content[: len(content) // 2])


@case(3)
def json_is_a_link(folder: Path) -> None:
    (folder / JSON).rename(folder / "elsewhere.json")
    (folder / JSON).symlink_to("elsewhere.json")


@case(3, plain=False)
def json_is_a_pipe(folder: Path) -> None:
    (folder / JSON).unlink()
    os.mkfifo(folder / JSON)


@case(2, 3)
def json_is_a_folder(folder: Path) -> None:
    (folder / JSON).unlink()
    (folder / JSON).mkdir()


@case(3, plain=False)
def json_is_a_device(folder: Path) -> None:
    (folder / JSON).unlink()
    (folder / JSON).symlink_to("/dev/zero")


# Names of classes and functions.


@case(3)
def a_registered_name_that_is_another(folder: Path) -> None:
    edit(folder, lambda w: w["config"]["layers"][2].update(registered_name="Custom>Dense"))


@case(3)
def a_class_of_the_same_name_elsewhere(folder: Path) -> None:
    edit(folder, lambda w: w["config"]["layers"][2].update(module="evil.layers"))


@case(3)
def a_module_that_looks_like_keras(folder: Path) -> None:
    replace(folder, of("load_model", "keras.src.saving.saving_api", filepath="evil.keras"))


@case(3)
def a_function_as_a_layer(folder: Path) -> None:
    item = {
        "module": "keras.config",
        "class_name": "function",
        "config": "disable_interactive_logging",
    }
    replace(folder, {**item, "registered_name": "disable_interactive_logging"})


@case(3)
def a_class_that_changes_the_policy(folder: Path) -> None:
    fn = {"module": "keras.config", "class_name": "function", "config": "set_floatx"}
    layer(folder, dtype={**fn, "registered_name": "set_floatx"})


@case(3)
def a_lambda_in_a_wrapper(folder: Path) -> None:
    inner = of("Lambda", name="l", function=LAMBDA)
    replace(folder, of("TimeDistributed", name="t", layer=inner))


@case(3)
def a_lambda_as_a_cell(folder: Path) -> None:
    replace(folder, of("RNN", name="r", cell=of("Lambda", name="l", function=LAMBDA)))


@case(3)
def a_lambda_in_a_pipeline(folder: Path) -> None:
    replace(folder, of("Pipeline", name="p", layers=[of("Lambda", name="l", function=LAMBDA)]))


@case(3)
def a_lambda_in_a_model_in_a_model(folder: Path) -> None:
    inner = of("Sequential", "keras", name="s", layers=[of("Lambda", name="l", function=LAMBDA)])
    replace(folder, inner)


@case(3)
def an_activation_that_is_a_function_of_os(folder: Path) -> None:
    layer(folder, activation=PWN)


@case(3)
def an_activation_that_deserializes(folder: Path) -> None:
    layer(folder, activation="deserialize")


@case(3)
def an_activation_with_weights_of_its_own(folder: Path) -> None:
    layer(folder, activation=of("Dense", units=8, name="inner"))


@case(3)
def an_initializer_that_is_a_function(folder: Path) -> None:
    layer(folder, kernel_initializer={**PWN, "module": "builtins", "config": "print"})


@case(3)
def a_regularizer_that_is_a_layer(folder: Path) -> None:
    layer(folder, kernel_regularizer=of("Dense", units=3, name="x"))


@case(3)
def a_constraint_that_is_an_optimizer(folder: Path) -> None:
    layer(folder, kernel_constraint=of("SGD", "keras.optimizers"))


@case(4)
def a_quantization_that_is_a_function(folder: Path) -> None:
    layer(folder, quantization_config=PWN)


@case(3, 4)
def a_type_that_quantizes(folder: Path) -> None:
    layer(folder, dtype="int8_from_float32")


@case(3)
def a_vocabulary_that_is_a_file(folder: Path) -> None:
    replace(folder, of("StringLookup", name="s", vocabulary="/etc/passwd"))


@case(3)
def a_vocabulary_that_is_fetched(folder: Path) -> None:
    replace(folder, of("TextVectorization", name="s", vocabulary="http://127.0.0.1:9/x"))


@case(3, 4)
def a_text_split_by_a_function(folder: Path) -> None:
    replace(folder, of("TextVectorization", name="s", vocabulary=["a"], split=PWN))


@case(4)
def weights_hidden_in_an_argument(folder: Path) -> None:
    replace(folder, of("Embedding", name="b", input_dim=2, output_dim=2, weights=[[1, 2], [3, 4]]))


@case(4)
def a_build_config_that_is_an_object(folder: Path) -> None:
    edit(folder, lambda w: w["config"]["layers"][2].update(build_config={"x": PWN}))


@case(4)
def an_entry_beside_the_configuration(folder: Path) -> None:
    edit(folder, lambda w: w["config"]["layers"][2].update(custom_objects=PWN))


@case(3)
def a_file_of_tensorflow_as_a_layer(folder: Path) -> None:
    replace(folder, of("TFSMLayer", name="t", filepath="evil"))


@case(3)
def a_loss_that_is_a_lambda(folder: Path) -> None:
    edit(folder, lambda w: w.update(compile_config={"optimizer": "sgd", "loss": LAMBDA}))


@case(3)
def a_metric_that_is_a_function(folder: Path) -> None:
    compiled = {"optimizer": "sgd", "loss": "mse", "metrics": [[PWN]]}
    edit(folder, lambda w: w.update(compile_config=compiled))


@case(3)
def a_rate_of_learning_that_is_a_function(folder: Path) -> None:
    optimizer = of("SGD", "keras.optimizers", learning_rate=PWN)
    edit(folder, lambda w: w.update(compile_config={"optimizer": optimizer, "loss": "mse"}))


# Arguments.


@case(4)
def units_that_are_true(folder: Path) -> None:
    replace(folder, of("Dense", units=True, name="b"), of("Dense", units=8, name="d"))


@case(4)
def units_that_are_a_text(folder: Path) -> None:
    layer(folder, units="8")


@case(4)
def units_that_are_zero(folder: Path) -> None:
    layer(folder, units=0)


@case(4)
def a_dropout_of_seven(folder: Path) -> None:
    replace(folder, of("Dropout", rate=7, name="b"))


@case(4)
def a_dropout_that_is_true(folder: Path) -> None:
    replace(folder, of("Dropout", rate=True, name="x"), of("Dense", units=8, name="b"))


@case(4)
def a_bias_that_is_the_text_false(folder: Path) -> None:
    layer(folder, use_bias="false")


@case(4)
def a_trainable_that_is_the_text_no(folder: Path) -> None:
    layer(folder, trainable="no")


@case(4)
def an_epsilon_below_zero(folder: Path) -> None:
    norm = of("UnitNormalization", name="u", axis=True)
    replace(folder, of("LayerNormalization", epsilon=-4, name="n"), norm)


@case(4)
def an_axis_that_is_true(folder: Path) -> None:
    replace(folder, of("Softmax", axis=True, name="x"), of("Dense", units=8, name="b"))


@case(4)
def a_slope_that_is_true(folder: Path) -> None:
    replace(folder, of("LeakyReLU", negative_slope=True, name="x"), of("Dense", units=8, name="b"))


@case(4)
def a_name_that_is_a_path(folder: Path) -> None:
    layer(folder, name="../../x")


@case(4)
def a_name_that_clears_the_terminal(folder: Path) -> None:
    layer(folder, name="\x1b[2J\x1b]0;PWNED\x07")


@case(4)
def a_name_that_turns_text_around(folder: Path) -> None:
    layer(folder, name="\u202egnp.exe")


@case(4)
def an_unknown_option(folder: Path) -> None:
    layer(folder, trust_me=True)


@case(4)
def two_layers_of_one_name(folder: Path) -> None:
    one = called(of("Dense", units=4, name="x"), node(tensor("in", 0, 0)))
    graph(folder, one, one, source="x")


# Graphs.


@case(3)
def a_call_with_a_function(folder: Path) -> None:
    graph(folder, called(of("Activation", name="x"), node(tensor("in", 0, 0), foo=PWN)))


@case(3)
def a_call_without_inputs(folder: Path) -> None:
    tile = of("Tile", "keras.src.ops.numpy", name="t", repeats=[100])
    constant = {"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}}
    graph(folder, called(tile, node(constant)))


@case(3)
def a_call_with_a_type_of_tensorflow(folder: Path) -> None:
    spec = {
        "class_name": "__typespec__",
        "config": [],
        "spec_name": "Popen",
        "module": "subprocess",
    }
    graph(folder, called(of("Flatten", name="x"), node(tensor("in", 0, 0), spec)))


@case(3)
def a_call_with_an_object(folder: Path) -> None:
    graph(folder, called(of("Flatten", name="x"), node(tensor("in", 0, 0), of("Dense", units=3))))


@case(3)
def an_operation_that_maps_a_function(folder: Path) -> None:
    what = of("VectorizedMap", "keras.src.ops.core", name="m", function=PWN)
    graph(folder, called(what, node(tensor("in", 0, 0))))


@case(3)
def an_operation_that_loops(folder: Path) -> None:
    what = of("WhileLoop", "keras.src.ops.core", name="m", cond=PWN, body=PWN)
    graph(folder, called(what, node(tensor("in", 0, 0))))


@case(4)
def a_graph_that_goes_in_a_circle(folder: Path) -> None:
    one = called(of("Dense", units=4, name="x"), node(tensor("y", 0, 0)))
    other = called(of("Dense", units=4, name="y"), node(tensor("x", 0, 0)))
    graph(folder, one, other, source="y")


@case(3)
def a_layer_that_is_not_there(folder: Path) -> None:
    graph(folder, source="nobody")


@case(4)
def an_output_that_is_not_there(folder: Path) -> None:
    graph(folder, out="nobody")


@case(4)
def an_index_beyond_all(folder: Path) -> None:
    graph(folder)
    text = (folder / JSON).read_text().replace('[["c", 0, 0]]', '[["c", 0, 99]]')
    (folder / JSON).write_text(text)


@case(4)
def a_negative_index(folder: Path) -> None:
    graph(folder)
    text = (folder / JSON).read_text().replace('[["c", 0, 0]]', '[["c", -1, -1]]')
    (folder / JSON).write_text(text)


@case(4)
def a_shared_object_that_is_two(folder: Path) -> None:
    def change(whole: dict[str, Any]) -> None:
        for index in (1, 2):
            whole["config"]["layers"][index]["shared_object_id"] = 1

    edit(folder, change)


@case(3, plain=False)
def layers_in_reverse_order(folder: Path) -> None:
    chain = [
        called(of("Dense", units=1, name=f"d{i}"), node(tensor(f"d{i - 1}" if i else "in", 0, 0)))
        for i in range(1500)
    ]
    graph(folder, *reversed(chain), source="d1499")


@case(3, plain=False)
def a_layer_called_ten_thousand_times(folder: Path) -> None:
    calls = [node(tensor("in", 0, 0)) for _ in range(10_000)]
    graph(folder, called(of("Dense", units=1, name="d"), *calls))


# Sizes.


@case(3, plain=False)
def many_parameters_in_many_layers(folder: Path) -> None:
    replace(folder, *(of("Dense", units=3000, name=f"x{i}") for i in range(8)))


@case(3, plain=False)
def a_table_of_a_thousand_million(folder: Path) -> None:
    replace(folder, of("Embedding", input_dim=10**9, output_dim=100, name="e"))


@case(3, plain=False)
def a_convolution_of_everything(folder: Path) -> None:
    replace(
        folder,
        of("Reshape", target_shape=[2, 2, 2], name="r"),
        of("Conv2D", filters=10**6, kernel_size=[1000, 1000], padding="same", name="v"),
    )


@case(3, plain=False)
def statistics_of_a_thousand_million(folder: Path) -> None:
    replace(
        folder,
        of("RepeatVector", n=10**9, name="r"),
        of("Normalization", axis=[1], mean=0.0, variance=1.0, name="n"),
        of("GlobalAveragePooling1D", name="g"),
    )


@case(3, plain=False)
def pictures_made_larger_and_small_again(folder: Path) -> None:
    replace(
        folder,
        of("Reshape", target_shape=[2, 2, 2], name="r"),
        of("UpSampling2D", size=[100_000, 100_000], name="u"),
        of("GlobalAveragePooling2D", name="g"),
    )


@case(3, plain=False)
def attention_over_a_million_steps(folder: Path) -> None:
    graph(
        folder,
        called(of("RepeatVector", n=1_000_000, name="r"), node(tensor("in", 0, 0))),
        called(
            of("MultiHeadAttention", num_heads=1, key_dim=1, name="m"),
            node(tensor("r", 0, 0), tensor("r", 0, 0)),
        ),
        called(of("GlobalAveragePooling1D", name="p"), node(tensor("m", 0, 0))),
        source="p",
    )


@case(3, plain=False)
def a_recurrent_layer_of_a_million_steps(folder: Path) -> None:
    replace(folder, of("RepeatVector", n=10**6, name="r"), of("LSTM", units=1, name="l"))


@case(3, plain=False)
def a_recurrent_layer_written_out(folder: Path) -> None:
    replace(
        folder, of("RepeatVector", n=5000, name="r"), of("LSTM", units=1, unroll=True, name="l")
    )


@case(3, plain=False)
def one_hot_of_a_thousand_million(folder: Path) -> None:
    graph(
        folder,
        called(
            of("OneHot", "keras.src.ops.nn", num_classes=2 * 10**9, name="o"),
            node(tensor("in", 0, 0)),
        ),
        called(of("Sum", "keras.src.ops.numpy", axis=-1, name="s"), node(tensor("o", 0, 0))),
        source="s",
    )


@case(3, plain=False)
def repeated_inside_a_model_inside_time(folder: Path) -> None:
    inner = [
        of("InputLayer", batch_shape=[None, 2], name="j"),
        of("RepeatVector", n=10**8, name="r"),
        of("GlobalAveragePooling1D", name="g"),
    ]
    replace(
        folder,
        of("Reshape", target_shape=[4, 2], name="s"),
        of("TimeDistributed", name="t", layer=of("Sequential", "keras", name="m", layers=inner)),
        of("Flatten", name="f"),
    )


@case(3, 4, plain=False)
def wrappers_forty_deep(folder: Path) -> None:
    inner = of("Dense", units=1, name="d")
    for i in range(40):
        inner = of("TimeDistributed", name=f"t{i}", layer=inner)
    replace(folder, of("Reshape", target_shape=[1] * 40 + [8], name="r"), inner)


# Weights.


def weights(folder: Path) -> h5py.File:
    return h5py.File(folder / WEIGHTS, "r+")


def store(folder: Path, path: str, make: Callable[[h5py.File, str], Any]) -> None:
    with weights(folder) as file:
        del file[path]
        make(file, path)


KERNEL = "layers/dense_1/vars/0"


@case(4)
def weights_of_one_layer_less(folder: Path) -> None:
    with weights(folder) as file:
        del file["layers/dense_2"]


@case(4)
def weights_without_one_bias(folder: Path) -> None:
    with weights(folder) as file:
        del file["layers/dense_1/vars/1"]


@case(4)
def weights_with_one_array_more(folder: Path) -> None:
    with weights(folder) as file:
        file["layers/dense_1/other/0"] = np.ones(3, "float32")


@case(4)
def weights_transposed(folder: Path) -> None:
    with weights(folder) as file:
        kernel = file["layers/dense/vars/0"][()].T
    store(folder, "layers/dense/vars/0", lambda f, p: f.create_dataset(p, data=kernel))


@case(4)
def weights_of_another_type(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=np.ones((8, 8), "float64")))


@case(4)
def weights_that_are_whole_numbers(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=np.ones((8, 8), "int8")))


@case(4)
def weights_that_overflow(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=np.full((8, 8), 1e300)))


@case(4)
def weights_of_half_precision(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=np.ones((8, 8), "float16")))


@case(4)
def weights_that_are_true_or_false(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=np.ones((8, 8), bool)))


@case(4)
def weights_of_a_layer_nobody_has(folder: Path) -> None:
    with weights(folder) as file:
        file["layers/lambda/vars/0"] = np.ones(3, "float32")


@case(4)
def weights_with_nan(folder: Path) -> None:
    with weights(folder) as file:
        file[KERNEL][3, 3] = np.nan


@case(3)
def weights_of_texts(folder: Path) -> None:
    texts = np.full((8, 8), "x", object)
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=texts, dtype=h5py.string_dtype()))


@case(3)
def weights_of_records(folder: Path) -> None:
    records = np.zeros((8, 8), [("a", "f4"), ("b", "f4")])
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, data=records))


@case(3, plain=False)
def weights_that_unpack_without_end(folder: Path) -> None:
    def make(file: h5py.File, path: str) -> None:
        shape = (60_000, 2_000)
        data = file.create_dataset(path, shape, "f4", chunks=(6000, 2000), compression="gzip")
        for start in range(0, shape[0], 6000):
            data[start : start + 6000] = 0

    store(folder, KERNEL, make)


@case(3, plain=False)
def weights_declared_and_not_stored(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, (10**6, 10**3), "f4", chunks=(10, 10)))


@case(3)
def weights_partly_made_up(folder: Path) -> None:
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, (8, 8), "f4", fillvalue=9.0))


@case(3)
def weights_in_another_file(folder: Path) -> None:
    (folder / "raw").write_bytes(np.ones(64, "f4").tobytes())
    external = [("raw", 0, h5py.h5f.UNLIMITED)]
    store(folder, KERNEL, lambda f, p: f.create_dataset(p, (8, 8), "f4", external=external))


@case(3)
def weights_mapped_from_another_file(folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = np.ones((8, 8), "f4")
    layout = h5py.VirtualLayout((8, 8), "f4")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "x", (8, 8))
    store(folder, KERNEL, lambda f, p: f.create_virtual_dataset(p, layout))


@case(3)
def weights_mapped_from_the_same_file(folder: Path) -> None:
    layout = h5py.VirtualLayout((8, 8), "f4")
    layout[:] = h5py.VirtualSource(".", "layers/dense_2/vars/x", (8, 8))
    store(folder, KERNEL, lambda f, p: f.create_virtual_dataset(p, layout))


@case(3)
def weights_behind_a_soft_link(folder: Path) -> None:
    def make(file: h5py.File, path: str) -> None:
        file["aside"] = np.ones((8, 8), "f4")
        file[path] = h5py.SoftLink("/aside")

    store(folder, KERNEL, make)


@case(3)
def weights_of_two_layers_that_are_one_array(folder: Path) -> None:
    def make(file: h5py.File, path: str) -> None:
        file[path] = file["layers/dense/vars/1"]

    store(folder, "layers/dense_1/vars/1", make)


@case(3, 4)
def weights_compressed_in_an_unusual_way(folder: Path) -> None:
    def make(file: h5py.File, path: str) -> None:
        file.create_dataset(path, data=np.ones((8, 8), "f4"), compression="lzf")

    store(folder, KERNEL, make)


@case(4)
def weights_behind_something_else(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(b"#!/bin/sh\n".ljust(512, b"\n") + content)


@case(4)
def weights_cut_by_a_byte(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-1])


@case(3)
def weights_are_a_link(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "elsewhere.h5")
    (folder / WEIGHTS).symlink_to("elsewhere.h5")


@case(3, plain=False)
def weights_are_a_pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


@case(2, 3)
def weights_are_a_folder(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).mkdir()


@case(4)
def weights_of_a_net_with_other_names(folder: Path) -> None:
    with weights(folder) as file:
        file["layers/dense_1/vars"].attrs["name"] = "z"


@case(4)
def a_negative_variance(folder: Path) -> None:
    import keras
    from keras import layers

    net = [layers.Dense(3, name="d"), layers.BatchNormalization(name="n")]
    model = keras.Sequential([keras.Input((4,), name="in"), *net], name="good")
    (folder / JSON).write_text(model.to_json())
    model.save_weights(folder / WEIGHTS)
    with weights(folder) as file:
        file["layers/batch_normalization/vars/3"][1] = -5


def legacy(folder: Path) -> h5py.File:
    """Write the same weights in Keras 2's layout."""
    import keras

    model = keras.models.model_from_json((folder / JSON).read_text())
    model.load_weights(folder / WEIGHTS)
    model.save(folder / "model.h5")
    return h5py.File(folder / "model.h5", "r+")


OLD = f"{JSON} --weights model.h5 {INPUT}"


@case(4, arguments=OLD)
def old_weights_in_another_order(folder: Path) -> None:
    with legacy(folder) as file:
        group = file["model_weights"]
        names = [n for n in group.attrs["layer_names"] if n != "in"]
        group.attrs["layer_names"] = [names[1], names[0], *names[2:]]


@case(4, arguments=OLD)
def old_weights_of_other_names(folder: Path) -> None:
    with legacy(folder) as file:
        group = file["model_weights"]
        names = [{"b": "z"}.get(name, name) for name in group.attrs["layer_names"]]
        group.move("b", "z")
        group.attrs["layer_names"] = names


@case(4, arguments=OLD)
def old_weights_with_infinity(folder: Path) -> None:
    with legacy(folder) as file:
        group = file["model_weights/b"]
        group[group.attrs["weight_names"][1]][0] = np.inf


@case(4, arguments=OLD)
def old_weights_used_twice(folder: Path) -> None:
    with legacy(folder) as file:
        group = file["model_weights/b"]
        names = list(group.attrs["weight_names"])
        group.attrs["weight_names"] = [names[0], names[0]]


@case(4, arguments=OLD)
def old_weights_with_arrays_nobody_names(folder: Path) -> None:
    with legacy(folder) as file:
        file["model_weights/b/other"] = np.ones(3, "f4")


# Keras' single file.

ONE = f"model.keras {INPUT}"


def keras_file(folder: Path, **more: bytes) -> dict[str, bytes]:
    members = {
        "metadata.json": b"{}",
        "config.json": (folder / JSON).read_bytes(),
        "model.weights.h5": (folder / WEIGHTS).read_bytes(),
        **more,
    }
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return members


@case(3, arguments=ONE)
def a_keras_file_that_climbs_out(folder: Path) -> None:
    keras_file(folder, **{"../../PWNED": b"x"})


@case(3, arguments=ONE)
def a_keras_file_with_two_configurations(folder: Path) -> None:
    keras_file(folder)
    import warnings

    with zipfile.ZipFile(folder / "model.keras", "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("config.json", (folder / JSON).read_bytes().replace(b"relu", b"tanh"))


@case(4, arguments=ONE)
def a_keras_file_without_weights(folder: Path) -> None:
    keras_file(folder)
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", (folder / JSON).read_bytes())


@case(4, arguments=ONE)
def a_keras_file_with_a_changed_byte(folder: Path) -> None:
    members = keras_file(folder)
    content = (folder / "model.keras").read_bytes()
    place = content.index(members["model.weights.h5"][3000:3050])
    changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    (folder / "model.keras").write_bytes(changed)


@case(3, arguments=ONE, plain=False)
def a_keras_file_that_unpacks_without_end(folder: Path) -> None:
    with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 300_000_000)
        archive.writestr("model.weights.h5", b"")


# Inputs.


def npy(folder: Path, header: str, data: bytes = b"") -> None:
    text = header.encode().ljust(117) + b"\n"
    magic = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
    (folder / INPUT).write_bytes(magic + text + data)


@case(2, plain=False)
def an_input_that_declares_a_million_million(folder: Path) -> None:
    npy(folder, "{'descr': '<f4', 'fortran_order': False, 'shape': (250000000000, 4)}", b"1234")


@case(3)
def an_input_of_python_objects(folder: Path) -> None:
    np.save(folder / INPUT, np.array([[print, 1, 2, 3]], object))


@case(2)
def an_input_with_a_header_of_brackets(folder: Path) -> None:
    npy(folder, "(" * 100 + ")" * 10)


@case(2)
def an_input_of_negative_size(folder: Path) -> None:
    npy(folder, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}")


@case(2)
def an_input_of_texts(folder: Path) -> None:
    np.save(folder / INPUT, np.full((2, 4), "x"))


@case(2)
def an_input_of_records(folder: Path) -> None:
    np.save(folder / INPUT, np.zeros((2, 4), [("a", "f4")]))


@case(2)
def an_input_that_is_complex(folder: Path) -> None:
    np.save(folder / INPUT, np.ones((2, 4), "c8"))


@case(2)
def an_input_with_infinity(folder: Path) -> None:
    np.save(folder / INPUT, np.full((2, 4), np.inf))


@case(2)
def an_input_too_large_for_its_type(folder: Path) -> None:
    np.save(folder / INPUT, np.full((2, 4), 1e300))


@case(2)
def an_input_too_wide(folder: Path) -> None:
    np.save(folder / INPUT, np.ones((2, 5), "f4"))


@case(2)
def an_input_cut_in_the_middle(folder: Path) -> None:
    content = (folder / INPUT).read_bytes()
    (folder / INPUT).write_bytes(content[:-3])


@case(2)
def an_input_with_more_behind_it(folder: Path) -> None:
    (folder / INPUT).write_bytes((folder / INPUT).read_bytes() + b"more")


@case(3, plain=False)
def an_input_that_is_a_pipe(folder: Path) -> None:
    (folder / INPUT).unlink()
    os.mkfifo(folder / INPUT)


@case(3, arguments=f"{JSON} --weights {WEIGHTS} input.npz", plain=False)
def an_input_that_unpacks_without_end(folder: Path) -> None:
    with zipfile.ZipFile(folder / "input.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * 500_000_000)


@case(2, arguments=f"{JSON} --weights {WEIGHTS} input.csv", plain=False)
def an_input_that_is_one_endless_line(folder: Path) -> None:
    with (folder / "input.csv").open("wb") as file:
        for _ in range(100):
            file.write(b"1," * 1_000_000)


def plain_keras(folder: Path, arguments: tuple[str, ...]) -> str:
    """Open a case with Keras itself in the folder; return what is wrong, or "" if nothing is.

    A refusal is right. Opening the case is wrong, whatever happens then.
    """
    import keras

    here = Path.cwd()
    before = keras.config.floatx(), keras.config.dtype_policy().name
    os.chdir(folder)
    try:
        model = _opened_plainly(arguments)
        x = np.load(arguments[-1])
        np.asarray(model(x[:2]))
        return "accepted"
    except Exception as error:
        shown = str(error)
        return "prints control characters" if "\x1b" in shown else ""
    finally:
        os.chdir(here)
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def _opened_plainly(arguments: tuple[str, ...]) -> Any:
    import keras

    if arguments[0].endswith(".keras"):
        return keras.models.load_model(arguments[0])
    model = keras.models.model_from_json(Path(arguments[0]).read_text())
    model.load_weights(arguments[2])
    return model


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
