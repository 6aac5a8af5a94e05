"""The recipe on a table with parts left out, all with the same trained net.

A net is trained once for each table and seed, as `recipes fit` does it, and its weights are kept
in a folder. What `recipes fit` and `recipes predict` do besides is then done once for each variant.
"""

import importlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.series_data import Case
from keras_recipes import catalog, fit
from keras_recipes.anomaly.series import calibration, source
from keras_recipes.anomaly.series.online_lstm import weights_of
from keras_recipes.anomaly.series.table import TableDetector
from keras_recipes.commands.fit import prepare, settled
from keras_recipes.recipe import Row

SERIES = "keras_recipes.anomaly.series"

Changes = Mapping[str, Any]
"""New values by the names of what they replace: a module below `SERIES`, a point, a name."""

FEATURES = ("deviation", "shift", "change", "spread", "surprise")


def _without_feature(left_out: str) -> Changes:
    weights = np.array([feature != left_out for feature in FEATURES], float)
    return {"detector._EQUAL_WEIGHTS": weights / weights.sum()}


class _Nothing:
    """A view that has nothing to say about any series."""

    @staticmethod
    def of(*_: Any) -> None:
        return None


EVERYTHING = "everything"

VARIANTS: dict[str, Changes] = {
    EVERYTHING: {},
    **{f"without {feature}": _without_feature(feature) for feature in FEATURES},
    "without shapes": {"detector.ShapeView": _Nothing},
    "the LSTM does not go on learning": {"detector.LEARNING_RATE": 0.0},
    "without the columns together": {"joint_detector.JointView": _Nothing},
    "without the columns alone": {"joint_detector.COLUMN_FACTOR": 1e6},
}
"""The recipe, and the recipe without one of its parts."""


@contextmanager
def changed(changes: Changes) -> Iterator[None]:
    """Give names in the recipe's modules other values for a while."""
    before = []
    for name, value in changes.items():
        module_name, *parts, attribute = name.split(".")
        owner: Any = importlib.import_module(f"{SERIES}.{module_name}")
        for part in parts:
            owner = getattr(owner, part)
        before.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, value)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)


def _matters(changes: Changes, table: TableDetector) -> bool:
    """Return whether these changes can change the rows of this table's detectors."""
    shapes = any(detector.knows_shapes for detector in table.detectors.values())
    for name in changes:
        if name.startswith("joint_detector."):
            matters = len(table.detectors) > 1
        else:
            matters = shapes or "shape" not in name.lower()
        if matters:
            return True
    return False


def rows(
    case: Case, seed: int, options: Mapping[str, Any], nets: Path, variants: Sequence[Changes]
) -> Iterator[list[Row]]:
    """Yield the rows of `recipes predict` about the judged records, for each variant."""
    recipe = catalog.get("lstm-anomaly")
    with tempfile.TemporaryDirectory() as folder:
        normal, judged = case.write(Path(folder))
        given = {"seed": seed, **options}
        task = prepare(recipe, [str(normal)], settled(recipe, None, given), None, given, None)
        observed, _ = task.data.sequences
        trained = weights(case, seed, options, nets, normal)

        def asked(changes: Changes) -> tuple[TableDetector, list[Row]]:
            with changed(changes):
                table, _ = calibration.learn(trained, observed, None, task.options["threshold"])
                return table, list(table.rows(source.to_judge([str(judged)], table)))

        table, usual = asked({})
        for changes in variants:
            yield asked(changes)[1] if _matters(changes, table) else usual


def name_of(case: Case, seed: int) -> str:
    """Return the name of what is kept about a table and a seed."""
    return f"{case.family}-{case.name}-{seed}".replace("/", "-").replace(" ", "-")


def weights(
    case: Case, seed: int, options: Mapping[str, Any], nets: Path, normal: Path
) -> list[np.ndarray]:
    """Return the weights of a net for a table, which is trained if it was not kept."""
    path = nets / f"{name_of(case, seed)}.npz"
    if not path.is_file():
        fitted = fit("lstm-anomaly", normal, seed=seed, show_progress=False, **options)
        nets.mkdir(parents=True, exist_ok=True)
        np.savez(path, *weights_of(fitted.net))
    with np.load(path) as kept:
        return [kept[key] for key in kept]
