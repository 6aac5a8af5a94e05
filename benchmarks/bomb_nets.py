"""Bombs in nets: layers and operations that make much of a small input, or compute for long."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks import bomb
from benchmarks.bomb import LARGE, Arguments, Bomb, Make
from tests.untrusted import hostile_cases

PAIR = ["model.json", "--weights", "model.weights.h5", "x.npy"]
WIDEST = 1_000
"""The longest axis of an input, which should be small itself."""

SETTINGS: dict[str, dict[str, Any]] = {
    "SVD": {"full_matrices": True, "compute_uv": True},
    "Qr": {"mode": "complete"},
}
"""Settings of the operations that need some."""

Shape = list[int | None]


@dataclass(frozen=True)
class Step:
    """A layer or an operation, which is called with the output of the step before.

    Attributes:
        kind: The name of its class.
        settings: Its settings.
        module: Its module.
        times: How often the output is given.
        keywords: The names by which it is given; if there are none, it is given by position.
    """

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    module: str = "keras.layers"
    times: int = 1
    keywords: tuple[str, ...] = ()

    def as_json(self, name: str, before: str, shape: Sequence[int | None]) -> dict[str, Any]:
        """Return the step as Keras writes it."""
        history = {"shape": [None, *shape], "dtype": "float32", "keras_history": [before, 0, 0]}
        given = {"class_name": "__keras_tensor__", "config": history}
        args = [] if self.keywords else [given] * self.times
        node = {"args": args, "kwargs": dict.fromkeys(self.keywords, given)}
        return layer_json(self.module, self.kind, {"name": name, **self.settings}, name, [node])

    def inner(self, name: str) -> dict[str, Any]:
        """Return the layer as Keras writes it inside another one."""
        config = {"name": name, **self.settings}
        return {
            "module": self.module,
            "class_name": self.kind,
            "config": config,
            "registered_name": None,
        }


def layer_json(
    module: str, kind: str, config: dict[str, Any], name: str, nodes: list[Any]
) -> dict[str, Any]:
    """Return a layer of a net as Keras writes it."""
    return {
        "module": module,
        "class_name": kind,
        "config": config,
        "registered_name": None,
        "name": name,
        "inbound_nodes": nodes,
    }


def pair(folder: Path, layers: list[dict[str, Any]], x: np.ndarray) -> Arguments:
    """Write a chain of layers without weights."""
    config: dict[str, Any] = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": None,
        "config": {
            "name": "g",
            "trainable": True,
            "layers": layers,
            "input_layers": [["in", 0, 0]],
            "output_layers": [[layers[-1]["name"], 0, 0]],
        },
    }
    (folder / "model.json").write_text(json.dumps(config))
    with h5py.File(folder / "model.weights.h5", "w") as file:
        file.create_group("layers")
    np.save(folder / "x.npy", x)
    return PAIR


def chain(shape: Sequence[int | None], *steps: Step) -> Make:
    """Return a maker of a net of an input and steps."""

    def make(folder: Path) -> Arguments:
        start = {"batch_shape": [None, *shape], "dtype": "float32", "name": "in"}
        layers = [layer_json("keras.layers", "InputLayer", start, "in", [])]
        before = "in"
        for number, step in enumerate(steps):
            layers.append(step.as_json(name := f"s{number}", before, shape))
            before = name
        sizes = [min(size or 4, WIDEST) for size in shape]
        return pair(folder, layers, np.ones([2, *sizes], "float32"))

    return make


def shown(kind: str, settings: dict[str, Any]) -> str:
    """Return a short name of a layer or an operation with its settings."""
    return f"{kind}({', '.join(f'{name}={str(value)[:20]}' for name, value in settings.items())})"


def layer(kind: str, shape: Shape, /, *, answered: bool = False, **settings: Any) -> Bomb:
    """Return a bomb of one layer; `answered` says that the budget may be enough for it."""
    made = chain(shape, Step(kind, settings))
    return Bomb("layers", shown(kind, settings), made, answered)


def operation(
    module: str,
    kind: str,
    shape: Shape,
    /,
    times: int = 1,
    *,
    answered: bool = False,
    **settings: Any,
) -> Bomb:
    """Return a bomb of one operation; `answered` says that the budget may be enough for it."""
    step = Step(kind, settings, f"keras.src.ops.{module}", times)
    return Bomb("operations", shown(kind, settings), chain(shape, step), answered)


def of_layers() -> Iterator[Bomb]:
    """Return the bombs of layers."""
    yield layer("UpSampling1D", [4, 4], size=LARGE)
    yield layer("UpSampling2D", [4, 4, 1], size=[60_000, 60_000])
    yield layer("UpSampling2D", [4, 4, 1], size=[9_000, 9_000], interpolation="bilinear")
    yield layer("UpSampling3D", [4, 4, 4, 1], size=[999, 999, 999])
    yield layer("ZeroPadding1D", [4, 4], padding=[LARGE, LARGE])
    yield layer("ZeroPadding2D", [4, 4, 1], padding=[[50_000] * 2] * 2)
    yield layer("ZeroPadding3D", [4, 4, 4, 1], padding=[[900] * 2] * 3)
    yield layer("RepeatVector", [4], n=LARGE)
    yield layer("CategoryEncoding", [4], num_tokens=2 * LARGE, output_mode="multi_hot")
    yield layer("CategoryEncoding", [4], num_tokens=LARGE, output_mode="one_hot")
    yield layer("Resizing", [4, 4, 1], height=90_000, width=90_000)
    yield layer("CenterCrop", [4, 4, 1], height=90_000, width=90_000)
    yield layer("Dense", [4], units=LARGE)
    yield layer("Embedding", [4], input_dim=LARGE, output_dim=99)
    yield layer("Conv1D", [9, 4], filters=LARGE, kernel_size=[3])
    yield layer("Conv2D", [9, 9, 1], filters=9, kernel_size=[60_000, 60_000], padding="same")
    yield layer("Conv2DTranspose", [9, 9, 1], filters=9, kernel_size=[3, 3], strides=[9_999, 9_999])
    yield layer("DepthwiseConv2D", [9, 9, 1], kernel_size=[3, 3], depth_multiplier=LARGE)
    yield layer("LSTM", [5, 4], units=900_000)
    yield layer("GRU", [5, 4], units=900_000)
    yield layer("SimpleRNN", [LARGE, 4], units=4)
    yield layer("Flatten", [60_000, 60_000])
    boundaries = [float(n) for n in range(900_000)]
    yield layer("Discretization", [4], answered=True, bin_boundaries=boundaries)
    yield layer("MaxPooling1D", [4, 4], pool_size=[LARGE], strides=[1], padding="same")
    yield layer("STFTSpectrogram", [99], frame_length=9, frame_step=1, fft_length=LARGE)
    yield layer("MelSpectrogram", [99], num_mel_bins=90_000, fft_length=90_000)
    yield layer("RandomGaussianBlur", [9, 9, 1], kernel_size=[30_001, 30_001], sigma=[9.0, 9.0])
    yield layer("Equalization", [9, 9, 1], bins=LARGE)
    yield layer("HashedCrossing", [4], num_bins=LARGE, output_mode="one_hot")
    yield Bomb("layers", "20,000 layers", chain([4], *[Step("Identity")] * 20_000))
    doubled = [Step("UpSampling1D", {"size": 2})] * 40
    yield Bomb("layers", "40 layers that double", chain([4, 4], *doubled))


def of_calls() -> Iterator[Bomb]:
    """Return the bombs of layers that are called by keyword, or that other layers hold."""
    repeat, mean = Step("RepeatVector", {"n": 10_000_000}), Step("GlobalAveragePooling1D")
    for kind, steps in {
        "LSTM": (Step("LSTM", {"units": 1}, keywords=("sequences",)),),
        "Bidirectional": (
            Step(
                "Bidirectional",
                {"layer": Step("GRU", {"units": 1}).inner("i")},
                keywords=("sequences",),
            ),
        ),
        "Attention": (Step("Attention", keywords=("inputs",)), mean),
        "MultiHeadAttention": (
            Step("MultiHeadAttention", {"num_heads": 1, "key_dim": 1}, keywords=("query", "value")),
            mean,
        ),
        "Conv1D": (
            Step("Conv1D", {"filters": 99, "kernel_size": [3]}, keywords=("inputs",)),
            mean,
        ),
    }.items():
        name = f"{kind} by keyword, over ten million steps"
        yield Bomb("layers by keyword", name, chain([4], repeat, *steps))
    enlarged = Step("UpSampling2D", {"size": [30_000, 30_000]})
    pooled = Step("GlobalAveragePooling2D")
    picture = {
        "UpSampling2D": [enlarged, pooled],
        "ZeroPadding2D": [Step("ZeroPadding2D", {"padding": [[50_000] * 2] * 2}), pooled],
        "Resizing": [Step("Resizing", {"height": 90_000, "width": 90_000}), pooled],
        "RandomGaussianBlur": [
            Step("RandomGaussianBlur", {"kernel_size": [30_001] * 2, "sigma": [9.0, 9.0]})
        ],
    }
    for kind, inside in picture.items():
        held = [step.inner(f"i{number}") for number, step in enumerate(inside)]
        pipeline = Step("Pipeline", {"layers": held})
        yield Bomb("layers in others", f"{kind} in a Pipeline", chain([4, 4, 1], pipeline))
        name = f"{kind} in a Pipeline in a Pipeline"
        outer = Step("Pipeline", {"layers": [pipeline.inner("p")]})
        yield Bomb("layers in others", name, chain([4, 4, 1], outer))
    wrapped = Step(
        "TimeDistributed", {"layer": Step("RepeatVector", {"n": 100_000_000}).inner("i")}
    )
    yield Bomb("layers in others", "RepeatVector in TimeDistributed", chain([4, 4], wrapped))
    deep = Step("Identity").inner("i")
    for number in range(60):
        deep = Step("TimeDistributed", {"layer": deep}).inner(f"t{number}")
    sixty = Step("TimeDistributed", {"layer": deep})
    yield Bomb("layers in others", "TimeDistributed, sixty deep", chain([1] * 62, sixty))
    cells = Step(
        "RNN", {"cell": [Step("LSTMCell", {"units": 9}).inner(f"c{n}") for n in range(99)]}
    )
    repeated = Step("RepeatVector", {"n": 99_000})
    yield Bomb("layers in others", "99 cells, 99,000 steps", chain([4], repeated, cells))


def of_operations() -> Iterator[Bomb]:
    """Return the bombs of operations."""
    yield operation("numpy", "Tile", [4], repeats=[1, LARGE])
    yield operation("numpy", "Repeat", [4], repeats=LARGE, axis=1)
    yield operation("numpy", "BroadcastTo", [4], shape=[LARGE, 9, 4])
    yield operation("numpy", "Pad", [4], pad_width=[[0, 0], [LARGE, LARGE]])
    yield operation("nn", "OneHot", [4], num_classes=LARGE)
    yield operation("nn", "MultiHot", [4], num_classes=LARGE)
    yield operation("image", "Resize", [4, 4, 1], size=[90_000, 90_000])
    sides = ("top", "left", "bottom", "right")
    pads: dict[str, Any] = {f"{side}_padding": 90_000 for side in sides}
    yield operation("image", "PadImages", [4, 4, 1], **pads)
    yield operation("image", "GaussianBlur", [9, 9, 1], kernel_size=[20_001, 20_001], sigma=[9, 9])
    yield operation("image", "ElasticTransform", [9, 9, 1], alpha=20.0, sigma=90_000.0, seed=1)
    yield operation("image", "SSIM", [9, 9, 1], times=2, max_val=1.0, filter_size=20_001)
    yield operation("image", "ExtractPatches", [999, 999, 1], size=[900, 900], strides=[1, 1])
    yield operation("numpy", "Diff", [99], n=LARGE)
    yield operation("numpy", "Histogram", [4], bins=LARGE)
    yield operation("math", "RFFT", [4], fft_length=LARGE)
    yield operation("math", "IRFFT", [4], fft_length=LARGE)
    yield operation("math", "STFT", [99], sequence_length=9, sequence_stride=1, fft_length=LARGE)
    yield operation("math", "ExtractSequences", [99_999], sequence_length=50_000, sequence_stride=1)
    yield operation("math", "SegmentSum", [4], times=2, num_segments=LARGE)
    yield operation("numpy", "Bincount", [4], minlength=LARGE)
    yield operation("numpy", "Roll", [4], answered=True, shift=LARGE)
    yield operation("core", "Scatter", [4], times=2, shape=[LARGE, 99])
    yield operation("nn", "Fold", [4, 4], output_size=[90_000, 90_000], kernel_size=[2, 2])
    yield operation("nn", "Unfold", [99, 99, 9], kernel_size=[3, 3], padding=90_000)
    yield operation("nn", "AdaptiveAveragePool", [9, 9, 1], output_size=[90_000, 90_000])
    pool: dict[str, Any] = {"pool_size": [90_000, 90_000], "padding": "same"}
    yield operation("nn", "MaxPool", [9, 9, 1], answered=True, **pool)
    square = Step("Outer", module="keras.src.ops.numpy", times=2)
    yield Bomb("operations", "Outer, nine times", chain([99], *[square] * 9))
    kron = Step("Kron", module="keras.src.ops.numpy", times=2)
    yield Bomb("operations", "Kron, nine times", chain([9, 9], *[kron] * 9))
    # What they compute with is larger than what they give.
    wide = [500], Step("RepeatVector", {"n": 3_000})
    mean = Step("GlobalAveragePooling1D")
    for name, made in {
        "CDist": Step("CDist", module="keras.src.ops.math", times=2),
        "Einsum": Step("Einsum", {"subscripts": "xab,xcd->x"}, "keras.src.ops.numpy", 2),
        "DotProductAttention": Step("AdditiveAttention", keywords=("inputs",)),
        "Correlate": Step("Tensordot", {"axes": 0}, "keras.src.ops.numpy", 2),
    }.items():
        yield Bomb("operations", f"{name} of 3,000 x 500", chain(wide[0], wide[1], made, mean))
    for name in ("SVD", "Pinv", "Eigh", "Eig", "Qr", "Inv", "Det", "MatrixRank", "Lstsq"):
        times = 2 if name == "Lstsq" else 1
        made = Step(name, SETTINGS.get(name, {}), "keras.src.ops.linalg", times)
        repeat = Step("RepeatVector", {"n": 5_000})
        yield Bomb("operations", f"{name} of 5,000 x 5,000", chain([5_000], repeat, made))


@cache
def _good_pair() -> Path:
    folder = bomb.kept / "good"
    folder.mkdir()
    hostile_cases.good_pair(folder)
    return folder


def of_cases() -> Iterator[Bomb]:
    """Return those of the tests' hostile files that would harm the machine."""
    for case in hostile_cases.CASES:
        if not case.plain and "pipe" not in case.name and "device" not in case.name:
            yield Bomb("weights and graphs", case.name.replace("_", " "), _from_case(case))


def _from_case(case: hostile_cases.Case) -> Make:
    def make(folder: Path) -> Arguments:
        for path in _good_pair().iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        case.make(folder)
        return list(case.arguments)

    return make
