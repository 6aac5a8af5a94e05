"""The fast loop: one compiled function trains whole epochs with the model's own train step.

Keras' `fit` returns to Python after each step. For a small net this costs a thousand times as much
as the step itself. Here the data is a constant of the compiled function, and Python passes only the
order of the examples. The metrics come back as one array with a row for each epoch. The losses
equal those of `fit` up to rounding, because the step is the model's own `train_step`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipes import backend
from keras_recipes.data.dataset import Examples

if TYPE_CHECKING:
    import keras

EpochsCall = Callable[[int, int], dict[str, np.ndarray]]
"""`call(first_epoch, count)` trains `count` epochs and returns the metrics after each of them."""


def train(
    model: "keras.Model",
    call: EpochsCall,
    *,
    first_epoch: int,
    epochs: int,
    epochs_per_call: int = 1,
    callbacks: "Iterable[keras.callbacks.Callback]" = (),
) -> Iterator[dict[str, np.ndarray]]:
    """Train from `first_epoch` up to `epochs`. Stop iterating to stop the training.

    Of Keras' callbacks, `on_epoch_begin` is called before each call with the number of its first
    epoch, and `on_epoch_end` after it with the number and the metrics of its last epoch.
    `on_*_batch_*` are not called.

    Args:
        model: The model that `call` trains.
        call: The function from `compile_epochs`.
        first_epoch: The number of epochs already trained.
        epochs: The number of epochs after which to stop.
        epochs_per_call: The number of epochs in one call.
        callbacks: Keras callbacks.

    Yields:
        The metrics of each call by name: a float64 array with one value per epoch.
    """
    import keras

    listeners = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs)
    model.stop_training = False
    listeners.on_train_begin()
    try:
        while first_epoch < epochs and not model.stop_training:
            count = min(epochs_per_call, epochs - first_epoch)
            with backend.handing_over_arrays():  # Keras' callbacks convert the learning rate
                listeners.on_epoch_begin(first_epoch)
            values = call(first_epoch, count)
            first_epoch += count
            last = {name: float(column[-1]) for name, column in values.items()}
            with backend.handing_over_arrays():
                listeners.on_epoch_end(first_epoch - 1, last)
            yield values
    finally:
        listeners.on_train_end()


def compile_epochs(
    model: "keras.Model",
    data: Examples,
    *,
    batch_size: int | None,
    seed: int,
    jit_compile: bool,
    replicas: int = 1,
    augment: "keras.Layer | None" = None,
) -> EpochsCall:
    """Return a function that trains epochs of a model.

    Args:
        model: A model that is compiled and built.
        data: The training data.
        batch_size: Number of examples per update; the last batch of an epoch may be smaller, as in
            Keras. None uses all examples.
        seed: Seed of the order of the examples, which depends on it and the number of the epoch.
        jit_compile: Whether XLA compiles the function (for TensorFlow; JAX always uses XLA).
        replicas: Number of parts of a batch that go through the net at the same time (for
            TensorFlow); see `cpu_kernels`.
        augment: A layer that changes the inputs of each batch at random.
    """
    import keras

    _build_all(model, data)
    orders = _Orders(len(data), min(batch_size or len(data), len(data)), seed)

    def vary(inputs: Any) -> Any:
        return inputs if augment is None else augment(inputs, training=True)

    if keras.backend.backend() == "tensorflow":
        return _tensorflow(model, data, orders, jit_compile, vary, replicas)
    if keras.backend.backend() == "jax" and augment is None:
        return _jax(model, data, orders)
    if keras.backend.backend() == "torch":
        return _torch(model, data, orders, vary)
    return _fitted(model, data, orders, vary)


class _Orders:
    """The order of the examples: one array of indices per epoch, which is cut into batches."""

    def __init__(self, examples: int, batch: int, seed: int) -> None:
        self.examples, self.batch, self.seed = examples, batch, seed
        self.steps, self.last_batch = divmod(examples, batch)  # the last batch may be smaller

    def __call__(self, first_epoch: int, count: int) -> np.ndarray:
        """Return indices of shape (count, examples), int32."""
        if self.steps == 1 and not self.last_batch:
            # In a single batch the order changes only the rounding.
            return np.broadcast_to(np.arange(self.examples, dtype="int32"), (count, self.examples))
        generators = (np.random.default_rng([self.seed, first_epoch + i]) for i in range(count))
        return np.stack([g.permutation(self.examples).astype("int32") for g in generators])


def _build_all(model: "keras.Model", data: Examples) -> None:
    """Create all variables, because none may be created inside a compiled loop."""
    outputs = model(data.x[:1], training=False)
    model.compute_loss(x=data.x[:1], y=data.y[:1], y_pred=outputs)
    model.compute_metrics(x=data.x[:1], y=data.y[:1], y_pred=outputs)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _tensorflow(
    model: "keras.Model",
    data: Examples,
    orders: _Orders,
    jit_compile: bool,
    vary: Callable[[Any], Any],
    replicas: int,
) -> EpochsCall:
    import tensorflow as tf

    from keras_recipes.train.cpu_kernels import cpu_optimized

    x, y = tf.constant(data.x), tf.constant(data.y)
    names = list(model.get_metrics_result())

    def step(rows: Any) -> None:
        model.train_step((vary(tf.gather(x, rows)), tf.gather(y, rows)))

    def epoch(order: Any) -> Any:
        model.reset_metrics()
        full = tf.reshape(order[: orders.steps * orders.batch], (orders.steps, orders.batch))

        def body(i: Any) -> Any:
            step(full[i])
            return i + 1

        tf.while_loop(lambda i: i < orders.steps, body, [0])
        if orders.last_batch:
            step(order[-orders.last_batch :])
        return tf.stack([tf.cast(v, tf.float32) for v in model.get_metrics_result().values()])

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run(order: Any) -> Any:
        count = order.shape[0]

        def body(i: Any, rows: Any) -> Any:
            return i + 1, tf.tensor_scatter_nd_update(rows, [[i]], [epoch(order[i])])

        with cpu_optimized(model, replicas, xla=jit_compile and not backend.gpus()):
            start = [0, tf.zeros((count, len(names)))]
            return tf.while_loop(lambda i, _: i < count, body, start)[1]

    def call(first_epoch: int, count: int) -> dict[str, np.ndarray]:
        rows = run(orders(first_epoch, count)).numpy().astype("float64")
        return {name: rows[:, i] for i, name in enumerate(names)}

    return call


def _jax(model: "keras.Model", data: Examples, orders: _Orders) -> EpochsCall:
    import jax
    import jax.numpy as jnp
    import keras

    x, y = jnp.asarray(data.x), jnp.asarray(data.y)
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )

    def step(state: Any, rows: Any) -> Any:
        logs, state = model.train_step(state, (x[rows], y[rows]))
        return state, logs

    # On a CPU, XLA takes twice as long for a convolution in a loop as for one outside.
    convolutions = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    layers = model._flatten_layers()
    one_by_one = not backend.gpus() and any(isinstance(one, convolutions) for one in layers)
    step = jax.jit(step) if one_by_one else step
    scan = _scan if one_by_one else jax.lax.scan

    def epoch(state: Any, order: Any) -> Any:
        state = (*state[:3], [jnp.zeros_like(value) for value in state[3]])
        full = order[: orders.steps * orders.batch].reshape(orders.steps, orders.batch)
        state, logs = scan(step, state, full)
        if orders.last_batch:
            return step(state, order[-orders.last_batch :])
        return state, {name: column[-1] for name, column in logs.items()}

    def epochs(state: Any, order: Any) -> Any:
        return scan(epoch, state, order)

    run = epochs if one_by_one else jax.jit(epochs)

    def call(first_epoch: int, count: int) -> dict[str, np.ndarray]:
        state = tuple([variable.value for variable in group] for group in variables)
        state, logs = run(state, orders(first_epoch, count))
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return {name: np.asarray(column, "float64") for name, column in logs.items()}

    return call


def _scan(step: Callable[[Any, Any], Any], state: Any, items: Any) -> Any:
    """Do what `jax.lax.scan` does, with a call for each item."""
    found = []
    for item in items:
        state, logs = step(state, item)
        found.append(logs)
    return state, {name: [logs[name] for logs in found] for name in found[0]}


def _torch(
    model: "keras.Model", data: Examples, orders: _Orders, vary: Callable[[Any], Any]
) -> EpochsCall:
    """Train by steps without a loader, which would put each batch together from single examples.

    `torch.compile` does not pay: compiling takes longer than most fits.
    """
    import keras
    import torch

    x, y = keras.ops.convert_to_tensor(data.x), keras.ops.convert_to_tensor(data.y)

    def epoch(order: np.ndarray) -> dict[str, float]:
        model.reset_metrics()
        model.train()
        for rows in torch.tensor(order, device=x.device).split(orders.batch):
            model.train_step((vary(x[rows]), y[rows]))
        model.eval()
        return {name: float(value) for name, value in model.get_metrics_result().items()}

    def call(first_epoch: int, count: int) -> dict[str, np.ndarray]:
        return _columns([epoch(order) for order in orders(first_epoch, count)])

    return call


def _fitted(
    model: "keras.Model", data: Examples, orders: _Orders, vary: Callable[[Any], Any]
) -> EpochsCall:
    """Train one epoch at a time by Keras' `fit`, for what cannot be compiled into a loop."""
    import keras

    def epoch(order: np.ndarray) -> dict[str, float]:
        x, y = keras.ops.convert_to_numpy(vary(data.x[order])), data.y[order]
        run = model.fit(x, y, batch_size=orders.batch, shuffle=False, verbose=0)
        return {name: float(column[0]) for name, column in run.history.items()}

    def call(first_epoch: int, count: int) -> dict[str, np.ndarray]:
        return _columns([epoch(order) for order in orders(first_epoch, count)])

    return call


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
