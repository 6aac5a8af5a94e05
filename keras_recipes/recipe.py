"""What a recipe *is*: plain frozen values and a handful of functions, no behaviour of its own.

A recipe's functions are keyword-only in everything a user may set, and their keyword defaults are
the only home of those numbers; `keras_recipes.options` reads them from the signatures.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

from keras_recipes.data.dataset import Batch, Dataset
from keras_recipes.models.fitted import Fitted

Row = dict[str, Any]
"""One prediction: column name to plain Python value."""


Details = dict[str, list[Row]]
"""Further tables by name."""


@dataclass(frozen=True)
class Metric:
    """A number that a recipe measures, and how people read it.

    Attributes:
        meaning: One sentence.
        kind: A share is printed in per cent, a count as a whole number.
    """

    meaning: str
    kind: Literal["number", "share", "count"] = "number"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a recipe comes from, what is reported there, and where we deviate from it.

    Attributes:
        article: Its author or title.
        reported: Metrics that it gives.
        data: The name of the data set (`Dataset.name`) that these were measured on.
        deviations: What is done otherwise here, and why.
    """

    article: str
    reported: Mapping[str, float]
    deviations: tuple[str, ...]
    data: str = ""

    def reported_on(self, data: str) -> dict[str, float]:
        """What may stand beside metrics of a data set: nothing, where the article's is another."""
        return dict(self.reported) if data == self.data else {}


@dataclass(frozen=True)
class Layer:
    """One line of the layer table that `recipes show` prints without importing Keras."""

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


@dataclass(frozen=True)
class Goal:
    """The result that a fit has to reach: the metric's value is to be `at_most` this.

    `text` completes the sentence "reached: ...".
    """

    metric: str
    at_most: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a recipe is trained; made by its `training` function from the options.

    Attributes:
        epochs: Epochs of one attempt, before the goal makes it shorter or `extra_epochs` longer.
        batch_size: Examples per update.
        seed: Of the initial weights, the order of the examples and everything else random.
        epochs_per_call: Epochs inside one compiled call. Goals, callbacks, progress and
            interruptions are looked at between calls.
        jit_compile: Whether XLA compiles the call. It wins for dense nets on a CPU and loses for
            convolutions there.
        rate: The learning rate of an epoch, counted from 0; None leaves it to the optimizer.
        augment: Makes a Keras layer that changes the inputs at random while training.
        patience: After so many calls without a smaller validation loss training ends, and the best
            weights are kept; 0 trains all epochs and keeps the last.
        goal: What to stop at, or None to train all `epochs`.
        extra_epochs: How much longer an attempt that missed the goal may train.
        restarts: How often to start again from other weights after that.
    """

    epochs: int
    batch_size: int
    seed: int
    epochs_per_call: int = 1
    jit_compile: bool = True
    rate: Callable[[int], float] | None = None
    augment: "Callable[[], keras.Layer] | None" = None
    patience: int = 0
    goal: Goal | None = None
    extra_epochs: int = 0
    restarts: int = 0


@dataclass(frozen=True)
class Guess:
    """How well somebody does who knows nothing of the inputs.

    Attributes:
        metric: By which of the recipe's metrics.
        value: Its value for the guesses, on the test part of the data.
        text: How to guess so.
        best: The metric's best value.
    """

    metric: str
    value: float
    text: str
    best: float

    def is_as_good_as(self, reached: float) -> bool:
        """Whether a model that reached this could as well have guessed."""
        return abs(self.best - reached) >= abs(self.best - self.value) and reached != self.best


@dataclass(frozen=True)
class Measured:
    """How a model does on some data: the recipe's metrics, and its further tables by name."""

    metrics: dict[str, float]
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class Calibrated:
    """What a recipe found out with the trained net: to be learned besides it, and its metrics."""

    learned: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One article, turned into something that can be built, trained, asked and drawn.

    Most recipes answer each input with one output of the net: they have `inputs`, `as_batch` and
    `interpret`. Those whose answers take more than that (sequences that belong together, a state
    between them) have `answer` and `assess` instead, and get what was learned of the data there.

    Attributes:
        name: As on the command line, lower case with hyphens.
        summary: One line.
        source: The article.
        data: One line: which data the recipe wants.
        data_here: Whether its own data is on this machine.
        layers: What `build()` with its defaults gives; pinned by the contract test.
        columns: Keys of the rows that an answer consists of, in order.
        columns_of: What was learned of the data to these keys, where they are not always `columns`.
        build: Returns the compiled model.
        read: Reads `--data` (an empty sequence means the recipe's own data).
        from_arrays: Makes a data set of inputs and targets given from Python.
        training: Returns the `Plan`.
        measure: Targets and outputs to metrics.
        metrics: Every metric that the recipe gives, the most telling one first, as it is printed.
        example: From the names of the data that a model was fitted on to what may be typed behind
            `recipes predict MODEL` to try it.
        inputs: Reads what is to be predicted: values, files, "-".
        as_batch: The same for Python values.
        interpret: A batch, the model's outputs for it and what was learned of the data to rows.
        figures: Names and draws the recipe's pictures, given the data it was fitted on (where there
            is `answer`, the paths of what is to be drawn).
        answer: The fitted model and what is asked about (paths, or Python values) to rows.
        assess: The fitted model and paths (None: what it was fitted on) to metrics.
        check_answer: Refuses without the model what `answer` would: what was learned, the paths
            that are asked about, the options that were given, all options.
        check_assess: The same of `assess`; the paths may be None.
        check_data: Refuses data that a model cannot go on training with: what it learned, and
            the data.
        guess: How well somebody does on the data who guesses.
        calibrate: The trained net and its data to what is learned after training.
        reads_as_before: Options of `read` that are settled once a model has learned; one that goes
            on training has what it learned handed to `read` as a second argument.
        built_as_before: Options of `build` that weights were learned for, though others of the
            same shapes fit: one that goes on training keeps them.
        presets: Named sets of options.
        details: Targets, outputs and what was learned of the data to further tables by name.
        former: Options, and values of options as `name=value`, by what they were called before;
            cards of that time have them.
        keeps_first_weights: Whether the untrained weights are kept, for before-and-after pictures.
        side_by_side: Whether a CPU's cores train each their part of a batch. It wins for small
            convolutions; not for a net that looks at a batch as a whole (batch normalisation).
    """

    name: str
    summary: str
    source: Source
    data: str
    layers: tuple[Layer, ...]
    columns: tuple[str, ...]
    build: "Callable[..., keras.Model]"
    read: Callable[..., Dataset]
    from_arrays: Callable[[Any, Any], Dataset]
    training: Callable[..., Plan]
    measure: "Callable[[np.ndarray, np.ndarray], dict[str, float]]"
    metrics: Mapping[str, Metric]
    example: Callable[[Sequence[str]], str]
    figures: "Callable[[Fitted, Any], Iterator[tuple[str, Figure]]]"
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inputs: Callable[..., Iterator[Batch]] | None = None
    as_batch: Callable[[Any], Batch] | None = None
    interpret: "Callable[..., Iterable[Row]] | None" = None
    answer: "Callable[..., Iterator[Row]] | None" = None
    assess: "Callable[..., Measured] | None" = None
    check_answer: Callable[..., None] | None = None
    check_assess: Callable[..., None] | None = None
    check_data: Callable[[Mapping[str, Any], Dataset], None] | None = None
    guess: Callable[[Dataset], Guess] | None = None
    calibrate: "Callable[..., Calibrated] | None" = None
    reads_as_before: tuple[str, ...] = ()
    built_as_before: tuple[str, ...] = ()
    data_here: Callable[[], bool] = lambda: True
    details: "Callable[[np.ndarray, np.ndarray, Mapping[str, Any]], Details] | None" = None
    columns_of: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    former: Mapping[str, str] = field(default_factory=dict)
    keeps_first_weights: bool = False
    side_by_side: bool = False

    @property
    def parameters(self) -> int:
        """Parameters of the default net."""
        return sum(layer.parameters for layer in self.layers)
