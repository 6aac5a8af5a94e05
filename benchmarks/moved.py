"""What pooling does when an image moves by one pixel: python benchmarks/moved.py.

MNIST's 10,000 test images are moved by one pixel up, down, left and right. For the shipped LeNet-5
it prints how much each layer's output changes: the mean length of the difference, divided by the
mean length of the output. For both shipped nets it prints the share of answers that stay the same.
"""

import logging

import numpy as np

from keras_recipes import backend, load
from keras_recipes.digits import data as digits

MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))
LAYERS = ("C1", "S2", "C3", "S4")


def moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return the images moved by whole pixels; what leaves the image is lost."""
    wider = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    return np.roll(wider, (down, right), axis=(1, 2))[:, 1:-1, 1:-1]


def outputs(name: str, layers: tuple[str, ...], images: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of some layers and of the net, a row of numbers per image."""
    import keras

    model = load(name).model
    seen = keras.Model(
        model.inputs, [*(model.get_layer(layer).output for layer in layers), model.outputs[0]]
    )
    found = seen.predict(images.reshape(-1, *model.input_shape[1:]), batch_size=1000, verbose=0)
    return [part.reshape(len(images), -1) for part in (found if layers else [found])]


def lengths(rows: np.ndarray) -> float:
    return float(np.linalg.norm(rows, axis=1).mean())


def main() -> None:
    backend.start()
    images = digits.load(["mnist"], seed=0).test.x.reshape(-1, 28, 28)
    for name, layers in (("lenet5", LAYERS), ("mnist-mlp", ())):
        *before, answers = outputs(name, layers, images)
        changes, same = [], []
        for move in MOVES:
            *after, others = outputs(name, layers, moved(images, *move))
            changes.append(
                [lengths(b - a) / lengths(a) for a, b in zip(before, after, strict=True)]
            )
            same.append(np.mean(answers.argmax(axis=1) == others.argmax(axis=1)))
        for layer, change in zip(layers, np.mean(changes, axis=0), strict=True):
            print(f"{name}, {layer}: changes by {change:.0%}")
        print(f"{name}: {np.mean(same):.2%} of the answers stay the same")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
