"""The recipe on a table with parts left out or constants changed, all with the same trained net.

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


VARIANTS: dict[str, Changes] = {
    "everything": {},
    "weights left alone": {"detector.LEARNING_RATE": 0.0},
    **{f"without {feature}": _without_feature(feature) for feature in FEATURES},
    "without shapes": {"detector.ShapeView": _Nothing},
    "without the columns together": {"joint_detector.JointView": _Nothing},
    "without the columns alone": {"joint_detector.COLUMN_FACTOR": 1e6},
}
"""The recipe, and the recipe without one of its parts."""


@contextmanager
def changed(changes: Changes) -> Iterator[None]:
    """Give names in the recipe's modules other values for a while."""
    before = []
    for name, value in changes.items():
        module_name, attribute = name.split(".")
        module = importlib.import_module(f"{SERIES}.{module_name}")
        before.append((module, attribute, getattr(module, attribute)))
        setattr(module, attribute, value)
    try:
        yield
    finally:
        for module, attribute, value in before:
            setattr(module, attribute, value)


def rows(
    case: Case, seed: int, options: Mapping[str, Any], nets: Path, variants: Sequence[Changes]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of `recipes predict` about the judged records, for each variant."""
    from keras_recipes import catalog
    from keras_recipes.anomaly.series import calibration, source
    from keras_recipes.commands.fit import prepare, settled

    recipe = catalog.get("lstm-anomaly")
    with tempfile.TemporaryDirectory() as folder:
        normal, judged = case.write(Path(folder))
        given = {"seed": seed, **options}
        values = settled(recipe, None, given)
        weights = _weights(case, seed, options, nets, normal)
        for changes in variants:
            with changed(changes):
                task = prepare(recipe, [str(normal)], dict(values), None, given, None)
                observed, _ = task.data.sequences
                table, _ = calibration.learn(weights, observed, None, task.options["threshold"])
                yield list(table.rows(source.to_judge([str(judged)], table)))


def _weights(
    case: Case, seed: int, options: Mapping[str, Any], nets: Path, normal: Path
) -> list[np.ndarray]:
    from keras_recipes import fit
    from keras_recipes.anomaly.series.online_lstm import weights_of

    name = f"{case.family}-{case.name}-{seed}".replace("/", "-").replace(" ", "-")
    path = nets / f"{name}.npz"
    if path.is_file():
        with np.load(path) as kept:
            return [kept[key] for key in kept]
    fitted = fit("lstm-anomaly", normal, seed=seed, show_progress=False, **options)
    found = weights_of(fitted.model)
    nets.mkdir(parents=True, exist_ok=True)
    np.savez(path, *found)
    return found
