"""Which sessions are known to be anomalies: CSV with the columns `session` and `anomaly`."""

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipes.errors import InputError

if TYPE_CHECKING:
    import numpy as np

_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "anomaly", "anomalous", "abnormal"), 1),
    **dict.fromkeys(("0", "false", "no", "normal", "-"), 0),
}

log = logging.getLogger(__name__)


def read(file: str) -> dict[str, int]:
    """Session to 1 (anomaly) or 0.

    The columns are called `session` (or `id`, `blockid`) and `anomaly` (or `label`), in any case;
    an anomaly is 1, true, yes or anomaly.

    Raises:
        InputError: There is no such file, or something else is in it.
    """
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as text:
            rows = csv.reader(text)
            header = [name.strip().lower() for name in next(rows, [])]
            key = _column(header, ("session", "id", "blockid", "key"), file)
            label = _column(header, ("anomaly", "label", "is_anomaly"), file)
            return {
                row[key].strip(): _truth(row[label], f"{file} line {rows.line_num}")
                for row in rows
                if len(row) > max(key, label)
            }
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: expected CSV text: {error}") from None


def matched(labels: Mapping[str, int], names: Sequence[str], file: str) -> "np.ndarray":
    """The labels of these sessions, int64 of shape (N,).

    Raises:
        InputError: Some session has no label.
    """
    import numpy as np

    without = [name for name in names if name not in labels]
    if without:
        raise InputError(
            f"{file}: no label for {len(without):,} of {len(names):,} sessions, such as "
            f"{without[0]!r}"
        )
    unused = len(labels.keys() - set(names))
    if unused:
        log.warning("%s: %s labelled sessions do not occur in the log", file, f"{unused:,}")
    return np.array([labels[name] for name in names], "int64")


def _column(header: Sequence[str], names: Sequence[str], file: str) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    raise InputError(f"{file}: expected the columns session,anomaly, found {','.join(header)}")


def _truth(text: str, where: str) -> int:
    value = _TRUTH.get(text.strip().lower())
    if value is None:
        raise InputError(f"{where}: expected anomaly 0 or 1, received {text!r}")
    return value
