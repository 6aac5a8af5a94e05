"""How long it takes to bring a picture of a digit into MNIST's form, by its size.

    python -m benchmarks.reading [ROUNDS]

The time is that of the processor for one picture after decoding, in milliseconds: the median of the
rounds. Two pictures of `strangers.py` are measured: one drawn with a mouse on even paper, and one
photographed in bad light, whose paper has to be found first. The last two rows are of 12 megapixels
in colour: after decoding, and as a JPEG file that has to be decoded as well.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable

from PIL import Image

from benchmarks import strangers
from keras_recipes.digits import pictures

SIZES = (16, 28, 64, 200, 640, 1_000)
LARGE = (4_000, 3_000)


def milliseconds(read: Callable[[], object], rounds: int) -> float:
    """Return the median of the processor's time, after one round that is not counted."""
    times = []
    for _ in range(rounds + 1):
        before = time.process_time()
        read()
        times.append(time.process_time() - before)
    return 1_000 * statistics.median(times[1:])


def decoded(picture: Image.Image) -> Callable[[], object]:
    return lambda: pictures.normalize(pictures.grey(picture))


def file(picture: Image.Image) -> Callable[[], object]:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=90)
    return lambda: pictures.read_file("a photograph", io.BytesIO(written.getvalue()))


def main(rounds: int) -> None:
    """Print a table of the times."""
    drawn = {kind: picture for kind, label, picture in strangers.strangers(0) if label == 3}
    print(f"{'size':>12} {'mouse':>8} {'photo':>8}")
    shapes = [*((size, round(0.75 * size)) for size in SIZES), LARGE]
    rows = [(f"{shape[0]:>5} x {shape[1]:>4}", shape, decoded) for shape in shapes]
    for name, shape, reader in [*rows, ("JPEG file", LARGE, file)]:
        times = [
            milliseconds(reader(drawn[kind].convert("RGB").resize(shape)), rounds)
            for kind in ("mouse", "photo")
        ]
        print(f"{name:>12}", *(f"{took:8.1f}" for took in times), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
