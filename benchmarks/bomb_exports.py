"""Bombs in exports: graphs of ONNX, of TensorFlow and of LiteRT that loop, fill or grow."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bomb
from benchmarks.bomb import LARGE, Arguments, Bomb


def write_onnx(folder: Path, nodes: list[Any], constants: dict[str, Any]) -> Arguments:
    """Write a graph from x, of shape (N, 4), to y."""
    import onnx
    from onnx import helper, numpy_helper

    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", 4])],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    np.save(folder / "x.npy", np.ones((2, 4), "float32"))
    return ["m.onnx", "x.npy"]


def looped(folder: Path, turns: int, body: list[Any]) -> Arguments:
    """Write a loop whose body computes v_out of v_in."""
    import onnx
    from onnx import helper

    def value(name: str, kind: int, shape: list[int] | None) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    kinds = onnx.TensorProto
    keep = helper.make_node("Identity", ["go"], ["still"])
    inner = helper.make_graph(
        [keep, *body],
        "body",
        [value("turn", kinds.INT64, []), value("go", kinds.BOOL, []), value("v_in", 1, None)],
        [value("still", kinds.BOOL, []), value("v_out", 1, None)],
    )
    loop = helper.make_node("Loop", ["turns", "yes", "x"], ["grown"], body=inner)
    mean = helper.make_node("ReduceMean", ["grown"], ["m"], keepdims=1)
    added = helper.make_node("Add", ["x", "m"], ["y"])
    constants = {"turns": np.int64(turns), "yes": np.bool_(True)}
    return write_onnx(folder, [loop, mean, added], constants)


def summed(folder: Path, kind: str, constants: dict[str, Any], **settings: Any) -> Arguments:
    """Write a graph that adds to x the mean of what one operation makes of constants."""
    from onnx import helper

    nodes = [
        helper.make_node(kind, list(constants), ["large"], **settings),
        helper.make_node("Cast", ["large"], ["numbers"], to=1),
        helper.make_node("ReduceMean", ["numbers"], ["m"], keepdims=0),
        helper.make_node("Add", ["x", "m"], ["y"]),
    ]
    return write_onnx(folder, nodes, constants)


def of_onnx() -> Iterator[Bomb]:
    """Return the bombs of ONNX."""
    from onnx import helper

    def node(*given: Any, **settings: Any) -> Any:
        return helper.make_node(*given, **settings)

    one = np.ones((1, 1), "float32")
    loops = {
        "a loop of 2**62 turns": (2**62, [node("Identity", ["v_in"], ["v_out"])]),
        "a loop that computes without end": (2**62, [node("Sin", ["v_in"], ["v_out"])]),
        "a loop that doubles": (99, [node("Concat", ["v_in", "v_in"], ["v_out"], axis=1)]),
        "a loop of products": (
            2**62,
            [
                node("Transpose", ["v_in"], ["t"], perm=[1, 0]),
                node("MatMul", ["v_in", "t"], ["v_out"]),
            ],
        ),
    }
    for name, (turns, body) in loops.items():
        yield Bomb("ONNX", name, partial(looped, turns=turns, body=body))
    large: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "Expand": ("Expand", {"a": one, "shape": np.array([90_000, 90_000])}, {}),
        "Tile": ("Tile", {"a": one, "times": np.array([1, LARGE])}, {}),
        "ConstantOfShape": ("ConstantOfShape", {"shape": np.array([9 * LARGE])}, {}),
        "Range": (
            "Range",
            {"from": np.int64(0), "to": np.int64(9 * LARGE), "by": np.int64(1)},
            {},
        ),
        "Pad": ("Pad", {"a": one, "pads": np.array([0, 0, LARGE, 9])}, {}),
        "OneHot": (
            "OneHot",
            {
                "a": np.array([1]),
                "depth": np.array([9 * LARGE]),
                "values": np.array([0, 1], "float32"),
            },
            {},
        ),
        "Resize": (
            "Resize",
            {
                "a": np.ones((1, 1, 4, 4), "float32"),
                "roi": np.array([], "float32"),
                "scales": np.array([1, 1, 30_000, 30_000], "float32"),
            },
            {},
        ),
    }
    for name, (kind, constants, settings) in large.items():
        yield Bomb(
            "ONNX",
            f"{name} of thousands of millions",
            partial(summed, kind=kind, constants=constants, **settings),
        )
    for length in (19_000, 200_000):
        many = [node("Identity", ["x"], ["v0"])]
        many += [node("Add", [f"v{n}", f"v{n}"], [f"v{n + 1}"]) for n in range(length)]
        many += [node("Identity", [f"v{length}"], ["y"])]
        made = partial(write_onnx, nodes=many, constants={})
        yield Bomb("ONNX", f"{length:,} operations", made)
    outer = [
        node("ReduceSum", ["x"], ["s"], keepdims=1),
        node("Expand", ["s", "long"], ["column"]),
        node("Transpose", ["column"], ["row"], perm=[1, 0]),
        node("MatMul", ["column", "row"], ["square"]),
        node("ReduceMean", ["square"], ["m"], keepdims=0),
        node("Add", ["x", "m"], ["y"]),
    ]
    constants = {"long": np.array([90_000, 1])}
    yield Bomb("ONNX", "an outer product", partial(write_onnx, nodes=outer, constants=constants))


def loops() -> dict[str, Callable[[Any], Any]]:
    """Return functions of a tensor x of shape (N, 4) in TensorFlow that loop."""
    import tensorflow as tf

    def endless(x: Any) -> Any:
        return tf.while_loop(lambda a: tf.reduce_all(a < 1e38), lambda a: (a * 1.0,), (x,))[0]

    def growing(x: Any) -> Any:
        shapes = tf.TensorShape([]), tf.TensorShape([None, None])
        _, grown = tf.while_loop(
            lambda i, a: i < 60,
            lambda i, a: (i + 1, tf.concat([a, a], 1)),
            (tf.constant(0), x),
            shape_invariants=shapes,
        )
        return x + tf.reduce_mean(grown)

    return {"a loop without end": endless, "a loop that doubles": growing}


def large() -> dict[str, Callable[[Any], Any]]:
    """Return functions of a tensor x of shape (N, 4) in TensorFlow that make large tensors."""
    import tensorflow as tf

    def whole(x: Any, times: float) -> Any:
        return tf.cast(x[0, 0] * times, tf.int32)

    made: dict[str, Callable[[Any], Any]] = {
        "Fill": lambda x: tf.fill([whole(x, 90_000)] * 2, 1.0),
        "Range": lambda x: tf.range(0.0, x[0, 0] * 1.6e7, 0.001),
        "BroadcastTo": lambda x: tf.broadcast_to(x[:1, :1], [whole(x, 90_000)] * 2),
        "an outer product": lambda x: tf.matmul(
            *[tf.tile(x[:1, :1], [whole(x, 60_000), 1])] * 2, transpose_b=True
        ),
        "a resized picture": lambda x: tf.image.resize(x[None, :, :, None], [whole(x, 60_000)] * 2),
        "OneHot": lambda x: tf.one_hot(tf.cast(x, tf.int32), whole(x, 2e9)),
    }

    def added(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: x + tf.reduce_mean(make(x))

    return {name: added(make) for name, make in made.items()}


@cache
def saved(name: str) -> Path:
    """Save a function as a SavedModel."""
    import tensorflow as tf

    place = bomb.kept / f"saved-{abs(hash(name))}"
    module = tf.Module()
    module.v = tf.Variable(1.0)
    compute = {**loops(), **large()}[name]
    spec = [tf.TensorSpec([None, 4], tf.float32, name="x")]
    module.f = tf.function(lambda x: {"y": compute(x * module.v)}, input_signature=spec)
    tf.saved_model.save(module, place, signatures=module.f)
    return place


def of_tensorflow() -> Iterator[Bomb]:
    """Return the bombs of SavedModel and LiteRT, which are of the same functions."""
    import shutil

    def saved_model(folder: Path, name: str) -> Arguments:
        shutil.copytree(saved(name), folder / "m")
        np.save(folder / "x.npy", np.ones((2, 4), "float32"))
        return ["m", "x.npy"]

    def litert(folder: Path, name: str) -> Arguments:
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved(name)))
        (folder / "m.tflite").write_bytes(converter.convert())
        np.save(folder / "x.npy", np.ones((2, 4), "float32"))
        return ["m.tflite", "x.npy"]

    names = [*loops(), *large()]
    for name in names:
        yield Bomb("SavedModel", name, partial(saved_model, name=name))
    for name in names:
        yield Bomb("LiteRT", name, partial(litert, name=name))
