"""Metrics by epoch, and the CSV file that stores them with a model."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def epochs_in_words(epochs: int) -> str:
    """Return a number of epochs in words: "1 epoch", "2,750 epochs"."""
    return f"{epochs:,} epoch{'' if epochs == 1 else 's'}"


@dataclass(frozen=True)
class History:
    """The metrics of the epochs that are kept; they are not averaged over the stride.

    Attributes:
        epochs: Numbers of the epochs that are kept, counted from 1, int64 of shape (rows,).
        values: Float64 array of shape (rows,) by name of the metric.
        stride: One of so many epochs is kept; the last epoch is always kept.
    """

    epochs: "np.ndarray"
    values: "Mapping[str, np.ndarray]"
    stride: int = 1

    @classmethod
    def of(cls, calls: "Sequence[Mapping[str, np.ndarray]]") -> "History":
        """Return the history of consecutive calls, with every epoch kept."""
        import numpy as np

        values = {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}
        return cls(np.arange(1, len(values["loss"]) + 1), values)

    def thinned(self, rows: int) -> "History":
        """Return about `rows` of the epochs, evenly spaced, and the last one."""
        import numpy as np

        stride = max(1, -(-len(self.epochs) // rows))
        kept = np.union1d(np.arange(stride - 1, len(self.epochs), stride), [len(self.epochs) - 1])
        values = {name: column[kept] for name, column in self.values.items()}
        return History(self.epochs[kept], values, self.stride * stride)

    def to_csv(self) -> bytes:
        """Return a header and one line for each epoch that is kept."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *self.values])
        columns = [self.epochs.tolist(), *(column.tolist() for column in self.values.values())]
        writer.writerows(zip(*columns, strict=True))
        return text.getvalue().encode()

    @classmethod
    def from_csv(cls, content: bytes, stride: int) -> "History":
        """Read what `to_csv` wrote."""
        import numpy as np

        names, *rows = csv.reader(io.StringIO(content.decode()))
        table = np.array(rows, "float64").reshape(-1, len(names))
        values = {name: table[:, i] for i, name in enumerate(names) if i}
        return cls(table[:, 0].astype("int64"), values, stride)
