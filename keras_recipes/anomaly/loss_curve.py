"""How the loss fell, with what makes it another one in training than on validation data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keras_recipes.report import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_recipes.models.history import History


def figures(
    history: "History | None", unit: str, *, summed_gradients: bool, dropout: float
) -> "Iterator[tuple[str, Figure]]":
    """The curve of the loss, where a history was kept.

    Args:
        history: Of the fit.
        unit: Of the loss where it is a mean.
        summed_gradients: Whether the loss is summed over time.
        dropout: While training.
    """
    if not history:
        return
    notes = []
    if summed_gradients:
        unit = "nats"
        notes.append("training: summed over a sequence; validation: mean of its steps")
    if dropout:
        notes.append(f"training with dropout {dropout}, validation without")
    yield "loss", plots.curve(history, "loss", unit, note="\n".join(notes))
