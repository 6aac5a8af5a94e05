"""The curve of the loss, with notes on how training and validation loss differ."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keras_recipes.report import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_recipes.models.history import History


def figures(
    history: "History | None", unit: str, *, summed_gradients: bool, dropout: float
) -> "Iterator[tuple[str, Figure]]":
    """Yield the curve of the loss, if the fit kept a history.

    Args:
        history: The history of the fit.
        unit: The unit of a mean loss.
        summed_gradients: Whether the training loss is summed over time.
        dropout: The dropout rate in training.
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
