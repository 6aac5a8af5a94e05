"""The recipes on a GPU: python -m benchmarks.gpu [RECIPE]...

On a machine with a GPU, each recipe is fitted by `--device auto`. This prints what the fit said of
the device, and how far the answers of its saved pair on the CPU are from those on the GPU. Then it
times epochs of LeNet-5 and of the LSTM next to Keras' own `fit` and to plain PyTorch on the same
GPU (if it is installed), and prints whether an LSTM runs on cuDNN, with a mask and without.

On every machine, it shows what `--device gpu` and `recipes doctor` say without a GPU, which is
hidden from them if there is one. Without a GPU this is all that is done.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import backends, digits
from benchmarks.kills import make_data

ALIKE = 1e-4
"""The largest difference between answers on the two devices."""

TIMED = ("lenet5", "lstm-anomaly")


def recipes(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "keras_recipes", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def without_gpu(hidden: dict[str, str]) -> bool:
    """Print what the program says if there is no GPU; return whether it is as promised."""
    refused = recipes("fit", "xor", "--device", "gpu", **hidden)
    print(f"recipes fit xor --device gpu, without one: exit status {refused.returncode}")
    print(refused.stderr.rstrip())
    for finding in json.loads(recipes("doctor", "--json", **hidden).stdout):
        if finding["what"] == "gpu":
            print(f"recipes doctor: gpu {finding['found']}: {finding['fix']}", flush=True)
    errors = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    return refused.returncode == 2 and len(errors) == 1 and "Traceback" not in refused.stderr


def gpus() -> list[str]:
    """Return the GPUs that Keras finds in this process."""
    from keras_recipes import backend

    return backend.gpus()


def process(device: str) -> ProcessPoolExecutor:
    """Return a new process that computes on this device."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, backends.start, ("tensorflow", device))


def fit(name: str) -> str:
    """Fit a recipe as users do; return what it said of the device, and what the card says."""
    data = backends.DATA[name]
    asked = ["fit", name, *(["--data", data] if data else []), "--out", f"{name}-tensorflow"]
    short = [] if data is None else ["--epochs", f"{backends.EPOCHS}"]
    done = recipes(*asked, *short)
    if done.returncode:
        return f"FAILED: {done.stderr.strip().splitlines()[-1]}"
    card = json.loads(Path(f"{name}-tensorflow", "card.json").read_text())
    backend = card["training"]["backend"]
    told = any(line.startswith("fitting") and backend in line for line in done.stderr.splitlines())
    return f"{backend}{'' if told else ', NOT SAID'}"


def keep_sample(name: str) -> None:
    """Write test examples of a recipe to where `backends.predicted` reads them."""
    np.save(f"{name}.npy", backends.task_of(name).data.test.x[: backends.SAMPLE])


def torch_epoch(name: str) -> Callable[[], object] | None:
    """Return a function that trains an epoch in plain PyTorch on the GPU, if PyTorch has one."""
    if not importlib.util.find_spec("torch"):
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    task = backends.task_of(name)
    data, batch = task.data.train, task.plan.batch_size or len(task.data.train)
    loss_of, weights, examples = (_torch_lenet if name == "lenet5" else _torch_lstm)(data)
    adam = torch.optim.Adam(weights)

    def epoch() -> None:
        for rows in torch.randperm(examples, device="cuda").split(batch):
            adam.zero_grad()
            loss_of(rows).backward()
            adam.step()
        torch.cuda.synchronize()

    return epoch


def _torch_lenet(data: Any) -> tuple[Callable[[Any], Any], list[Any], int]:
    import torch

    net = digits.torch_net("lenet5").cuda()
    x, y = digits.torch_images(data.x).cuda(), torch.tensor(data.y.argmax(axis=1)).cuda()
    loss = torch.nn.functional.cross_entropy
    return lambda rows: loss(net(x[rows]), y[rows]), list(net.parameters()), len(x)


def _torch_lstm(data: Any) -> tuple[Callable[[Any], Any], list[Any], int]:
    import torch

    from keras_recipes.cookbook.lstm_anomaly import PADDING

    classes = int(max(data.x.max(), data.y.max())) + 1
    lstm = torch.nn.LSTM(classes, 10, batch_first=True).cuda()
    dense = torch.nn.Linear(10, classes).cuda()
    x, y = (torch.tensor(part).long().cuda() for part in (data.x, data.y))
    functions = torch.nn.functional

    def loss(rows: Any) -> Any:
        outputs = dense(lstm(functions.one_hot(x[rows], classes).float())[0])
        return functions.cross_entropy(outputs.transpose(1, 2), y[rows], ignore_index=PADDING)

    return loss, [*lstm.parameters(), *dense.parameters()], len(x)


def torch_times(name: str) -> float | None:
    epoch = torch_epoch(name)
    if epoch is None:
        return None
    epoch()
    return statistics.median(backends.seconds(epoch) for _ in range(backends.ROUNDS))


def on_cudnn(masked: bool) -> str:
    """Return whether a training step of an LSTM contains cuDNN's operation, and why not."""
    import keras
    import tensorflow as tf

    layers = [
        keras.Input((12,), dtype="int32"),
        keras.layers.Embedding(8, 10, mask_zero=masked),
        keras.layers.LSTM(10, return_sequences=True),
    ]
    model = keras.Sequential(layers)
    traced = tf.function(lambda x: model(x, training=True)).get_concrete_function(
        tf.TensorSpec((4, 12), "int32")
    )
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    if any(node.op.startswith("CudnnRNN") for node in nodes):
        return "on cuDNN"
    lstm = model.layers[-1]
    reasons = {
        "Keras finds no GPU": not tf.config.list_logical_devices("GPU"),
        "the layer was told not to": lstm.use_cudnn is False,
        "its activations are not cuDNN's": lstm.activation is not keras.activations.tanh,
    }
    return f"not on cuDNN: {next((why for why, holds in reasons.items() if holds), 'unknown why')}"


def with_gpu(names: list[str]) -> bool:
    """Print what the recipes do on the GPU; return whether it is as promised."""
    right = True
    print("| Recipe | `--device auto` | Largest difference on the CPU | Alike |")
    print("| --- | --- | --- | --- |", flush=True)
    with process("auto") as gpu, process("cpu") as cpu:
        for name in names:
            said = fit(name)
            apart = float("nan")
            if said.endswith("on GPU"):
                cpu.submit(keep_sample, name).result()
                one, other = (
                    pool.submit(backends.predicted, name, "tensorflow").result()
                    for pool in (gpu, cpu)
                )
                apart = float(abs(one - other).max())
            alike = apart <= ALIKE
            right &= alike
            print(f"| {name} | {said} | {apart:.1e} | {'yes' if alike else 'NO'} |", flush=True)
        for masked in (False, True):
            told = gpu.submit(on_cudnn, masked).result()
            print(f"an LSTM {'with' if masked else 'without'} a mask: {told}")
    for name in (name for name in TIMED if name in names):
        with process("auto") as keras, process("auto") as torch:
            ours, ratio = keras.submit(backends.epoch_times, name).result()
            theirs = torch.submit(torch_times, name).result()
        told = "PyTorch has no GPU here" if theirs is None else f"PyTorch {theirs / ours:.1f} x"
        print(f"{name}: {ours * 1e3:.3g} ms an epoch; Keras {ratio:.1f} x, {told}", flush=True)
    return right


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    names = parser.parse_args().recipes or list(backends.DATA)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        with process("auto") as looking:
            found = looking.submit(gpus).result()
        print(f"GPU: {', '.join(found) or 'none on this machine, so nothing was fitted on one'}")
        right = without_gpu({"CUDA_VISIBLE_DEVICES": "-1"} if found else {})
        if found:
            make_data()
            right &= with_gpu(names)
        os.chdir("/")
    sys.exit(not right)


if __name__ == "__main__":
    main()
