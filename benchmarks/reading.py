"""How long it takes to bring a picture of a digit into MNIST's form, by its size.

    python -m benchmarks.reading [ROUNDS]

The time is that of the processor for one picture after decoding, in milliseconds: the median of the
rounds. Two pictures of `strangers.py` are measured: one drawn with a mouse on even paper, and one
photographed in bad light, whose paper has to be found first. The last row is a photograph of 12
megapixels in colour, after decoding.
"""

import statistics
import sys
import time

from PIL import Image

from benchmarks import strangers
from keras_recipes.digits import pictures

SIZES = (16, 28, 64, 200, 640, 1_000)
LARGE = (4_000, 3_000)


def milliseconds(picture: Image.Image, rounds: int) -> float:
    """Return the median of the processor's time, after one round that is not counted."""
    times = []
    for _ in range(rounds + 1):
        before = time.process_time()
        pictures.normalize(pictures.grey(picture))
        times.append(time.process_time() - before)
    return 1_000 * statistics.median(times[1:])


def main(rounds: int) -> None:
    """Print a table of the times."""
    drawn = {kind: picture for kind, label, picture in strangers.strangers(0) if label == 3}
    print(f"{'size':>12} {'mouse':>8} {'photo':>8}")
    for shape in (*((size, round(0.75 * size)) for size in SIZES), LARGE):
        times = [
            milliseconds(drawn[kind].convert("RGB").resize(shape), rounds)
            for kind in ("mouse", "photo")
        ]
        print(f"{shape[0]:>5} x {shape[1]:>4}", *(f"{took:8.1f}" for took in times))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
