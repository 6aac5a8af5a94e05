"""The definition of a recipe: frozen values and functions, without behaviour of its own.

Everything that a user may set is a keyword-only parameter of one of a recipe's functions. A keyword
with a default declares an option; the number is written nowhere else. A keyword without a default
takes the option of the same name that another function of the recipe declares.
`keras_recipes.options` reads both from the signatures.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, Literal

from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import InputError
from keras_recipes.models.fitted import Askable, Fitted

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

    from keras_recipes.models.card import Card

Options = Mapping[str, Any]
"""The values of options by name."""

Learned = Mapping[str, Any]
"""What a model learned from its data besides the weights, as JSON values; the card keeps it."""

Command = Literal["fit", "predict", "evaluate"]
"""The commands that take options of a recipe."""

About = Literal["net", "data", "training", "answers", "measurement"]
"""The part of a recipe that an option is about."""

Row = dict[str, Any]
"""One row of an answer: column name to plain Python value."""


Details = dict[str, list[Row]]
"""Detailed tables of a measurement by name."""


@dataclass(frozen=True)
class Metric:
    """A metric: what it means and how it is printed.

    Attributes:
        meaning: One sentence about it.
        kind: A share is printed in percent, a count as a whole number.
    """

    meaning: str
    kind: Literal["number", "share", "count"] = "number"


@dataclass(frozen=True, kw_only=True)
class Source:
    """The article of a recipe, the results that it reports, and the differences to it.

    Attributes:
        article: The article's title or author.
        reported: The metrics that the article reports.
        data: The name of the data set (`Dataset.name`) that these were measured on.
        deviations: What the recipe does differently, and why.
    """

    article: str
    reported: Mapping[str, float]
    deviations: tuple[str, ...]
    data: str = ""

    def reported_on(self, data: str) -> dict[str, float]:
        """Return the reported metrics, or none if they were measured on other data than this."""
        return dict(self.reported) if data == self.data else {}


@dataclass(frozen=True)
class LayerSummary:
    """One line of the layer table that `recipes show` prints without importing Keras."""

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


@dataclass(frozen=True)
class Goal:
    """The result that a fit has to reach.

    Attributes:
        metric: The name of the metric.
        at_most: The largest value of the metric that reaches the goal.
        text: The goal in words, which completes "reached: ...".
    """

    metric: str
    at_most: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The training of a recipe. Its `training` function makes the plan from the options.

    Attributes:
        epochs: Number of epochs of one attempt. An attempt ends earlier if it reaches the goal, and
            later by `extra_epochs` if it does not.
        batch_size: Number of examples per update; None uses all training examples.
        seed: Seed of the first weights, the order of the examples and all other random numbers.
        epochs_per_call: Number of epochs in one compiled call. The goal is checked, callbacks are
            called and a fit can be stopped between two calls.
        jit_compile: Whether XLA compiles the call. On a CPU it makes dense nets faster and
            convolutions slower.
        jit_compile_on_gpu: Whether XLA compiles the call on a GPU too, if `jit_compile` is true.
            cuDNN's LSTM is faster there, and XLA cannot use it.
        rate: A function from the number of an epoch, counted from 0, to its learning rate; None
            leaves the rate to the optimizer.
        augment: A function that makes a Keras layer, which changes the inputs at random during
            training.
        patience: Number of calls without a smaller validation loss after which training ends and
            the best weights are kept; 0 trains all epochs and keeps the last weights.
        goal: The goal at which to stop, or None to train all `epochs`.
        extra_epochs: Number of further epochs for an attempt that missed the goal.
        restarts: Number of restarts from other random weights after that.
        frozen: The name of the last layer, counted from the input, whose weights stay as they are;
            None trains all. It needs a model to start from.
    """

    epochs: int
    batch_size: int | None
    seed: int
    epochs_per_call: int = 1
    jit_compile: bool = True
    jit_compile_on_gpu: bool = True
    rate: Callable[[int], float] | None = None
    augment: "Callable[[], keras.Layer] | None" = None
    patience: int = 0
    goal: Goal | None = None
    extra_epochs: int = 0
    restarts: int = 0
    frozen: str | None = None


@dataclass(frozen=True)
class Course:
    """What a recipe chooses for its training when it knows the data.

    Attributes:
        options: Values for options that are not set.
        note: What was chosen and why, in words; an empty text says nothing.
    """

    options: Options
    note: str


@dataclass(frozen=True)
class Guess:
    """The result of guessing without looking at the inputs.

    Attributes:
        metric: The name of the metric.
        value: The metric's value for the guesses, on the test part of the data.
        text: How to guess, in words.
        best: The metric's best value.
    """

    metric: str
    value: float
    text: str
    best: float

    def is_as_good_as(self, reached: float) -> bool:
        """Return whether guessing is as good as a model that reached this value."""
        return abs(self.best - reached) >= abs(self.best - self.value) and reached != self.best


@dataclass(frozen=True)
class Measured:
    """The result of a measurement.

    Attributes:
        metrics: The metrics by name.
        details: Detailed tables by name.
        data: The name of the data.
    """

    metrics: dict[str, float]
    details: Details = field(default_factory=dict)
    data: str = ""


@dataclass(frozen=True)
class Calibrated:
    """The result of a calibration with the trained net, such as a threshold.

    Attributes:
        learned: The values that are added to what the model learned.
        metrics: The metrics that are added to the model's.
    """

    learned: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Rows:
    """An answer that is a table.

    Attributes:
        rows: The rows, as they are computed.
        columns: The keys of the rows in order; None takes the keys of the first row.
        live: Whether the rows answer a stream, so that somebody may wait for each of them.
    """

    rows: Iterator[Row]
    columns: tuple[str, ...] | None = None
    live: bool = False


@dataclass(frozen=True)
class Prose:
    """An answer that is plain text, in pieces."""

    pieces: Iterator[str]


Answer = Rows | Prose


class Words(tuple[str, ...]):
    """The inputs that were typed on the command line: values, paths, `-`."""

    def check(self) -> None:
        """Refuse missing or empty inputs.

        Raises:
            InputError: There is no input, or an empty one.
        """
        if not self:
            raise InputError("nothing to predict: give values, files, or - for standard input")
        if "" in self:
            raise InputError("expected values, files, or -, received an empty text")


@dataclass(frozen=True)
class Step:
    """One of a recipe's functions, and the commands that take its options.

    Attributes:
        function: The function.
        about: The part of the recipe that its options are about; `recipes show` groups them by it.
        commands: The commands that call the function.
        kept: Whether `fit` also takes its options and keeps them with the model.
    """

    function: Callable[..., Any]
    about: About
    commands: frozenset[Command]
    kept: bool = False


class Answers(ABC):
    """How a recipe reads data, answers, measures and draws.

    `keras_recipes.answers` has a subclass for each kind of answer: one row for each input
    (`PerInput`), rows for a stream of records (`Streams`), text that continues a prompt (`Text`).

    Methods that need the open model return a function that takes it. So wrong input is refused
    before a model is opened.
    """

    needs_keras: bool = False
    """Whether answers need more than the model's outputs, so that an export cannot give them."""

    @abstractmethod
    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """Return the functions that have options.

        Args:
            learned: What a model learned from its data; None if there is no model yet.
        """

    @abstractmethod
    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """Read the data to fit on.

        Args:
            data: Paths; an empty sequence means the recipe's own data.
            options: The values of all options.
            learned: What a model learned that continues its training, if there is one.
        """

    @abstractmethod
    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """Make a data set of inputs and targets from Python."""

    @abstractmethod
    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """Return a function that takes the open model and returns its answer.

        Args:
            card: The model's card.
            asked: `Words` from the command line, or Python values.
            given: The options that the user gave.
            options: The values of all options: what was given, else the card's value.

        Raises:
            InputError: An input cannot be read, or an option has no effect on it.
        """

    @abstractmethod
    def assess(
        self, recipe: "Recipe", card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """Return a function that takes the open model and measures it.

        Args:
            recipe: The model's recipe.
            card: The model's card.
            data: Data as for `fit`; None for the model's own data.
            options: The values of all options: what was given, else the card's value.
        """

    @abstractmethod
    def draw(
        self, recipe: "Recipe", card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """Return a function that takes the open model and yields named pictures; see `assess`."""

    def calibrate(
        self, model: "keras.Model", data: Dataset, options: Options
    ) -> "Calibrated | None":
        """Calibrate with the trained net, for example a threshold; None if there is nothing."""
        return None

    def written(
        self, model: "keras.Model", data: Dataset, epochs: int, options: Options
    ) -> str | None:
        """Return a text that a model in training writes after so many epochs, or None."""
        return None

    def check_same(self, learned: Learned, data: Dataset) -> None:
        """Refuse data on which the model cannot be measured or continue its training."""
        return

    def outputs_kept(self, learned: Learned, data: Dataset) -> tuple[int | None, ...] | None:
        """Return which outputs of a model its continued training on other classes keeps.

        Returns:
            For each class of the data the output of the model that stands for it, or None for a new
            class. None for the whole if the outputs stay as they are.
        """
        return None

    def matched(self, learned: Learned, data: Dataset) -> Dataset:
        """Return data to measure a model on, as the model needs it; refuse other data."""
        self.check_same(learned, data)
        return data

    def misplaced(self, option: str, learned: Learned) -> str | None:
        """Return why an option has no effect on a model that learned this, if a reason is known."""
        return None


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A kind of records that a model is fitted on and then watches; see `answers.Streams`.

    Attributes:
        noun: The name of one source of records in a message, such as "a log".
        plural: The plural, such as "logs".
        read: A function that reads paths to a data set. Its second argument is what a model learned
            that continues its training, or None.
        calibrate: A function that takes the trained net and its data, and calibrates.
        columns: A function from what was learned to the keys of the rows.
        check: A function that refuses, without the net, records that cannot be judged. It takes
            what was learned, and paths (None if there are none to check).
        judge: A function that takes the model and paths or Python values, and yields rows.
        watch: A function that takes the model and blocks of lines as they arrive (an empty
            block means that time passed), and yields rows.
        assess: A function that takes the model and paths (None for the model's own data),
            and measures.
        figures: A function that takes the fitted model and paths, and yields named pictures.
    """

    noun: str
    plural: str
    read: Callable[Concatenate[Sequence[str], Learned | None, ...], Dataset]
    calibrate: "Callable[Concatenate[keras.Model, Dataset, ...], Calibrated]"
    columns: Callable[Concatenate[Learned, ...], tuple[str, ...]]
    check: Callable[Concatenate[Learned, Sequence[str] | None, ...], None]
    judge: Callable[Concatenate[Askable, Any, ...], Iterator[Row]]
    watch: Callable[Concatenate[Askable, Iterator[list[bytes]], ...], Iterator[Row]]
    assess: Callable[Concatenate[Askable, Sequence[str] | None, ...], Measured]
    figures: "Callable[Concatenate[Fitted, Sequence[str], ...], Iterator[tuple[str, Figure]]]"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe: one article as a net that can be built, trained, asked, measured and drawn.

    Attributes:
        name: The name on the command line, in lower case with hyphens.
        summary: One line about the recipe.
        source: The article.
        data: One line about the data that the recipe needs.
        layers: The layers of `build()` with its defaults; a test compares them with the model.
        build: A function that returns the compiled model.
        training: A function that returns the `Plan`.
        measure: A function from targets and outputs to metrics.
        metrics: All metrics of the recipe in the order in which they are printed. The most
            important one is the first.
        answers: The functions with which the recipe reads data, answers, measures and draws.
        example: A function from the names of the data that a model was fitted on to inputs for
            `recipes predict MODEL`, as an example.
        presets: Named sets of options.
        data_here: A function that returns whether the recipe's own data is on this machine.
        adapt: A function that computes weights of a new net from the training inputs which
            training does not change, such as their mean. A model that continues its training keeps
            its own.
        guess: A function that returns how good guessing is on the data.
        course: A function from all options and the data to the values of options of the training
            that are not set.
        settled: Options that cannot change when a model continues its training.
        anew: Options that a model which continues its training on other data does not keep, with
            their values.
        former: Former names of options, and former values as `name=value`, with the current ones;
            older cards have them. A former preset is `preset=NAME`.
        keeps_first_weights: Whether the untrained weights are kept, for pictures of before and
            after.
        side_by_side: Whether each core of a CPU trains a part of a batch. This makes small
            convolutions faster. It must be False for a net that treats a batch as a whole (batch
            normalisation).
    """

    name: str
    summary: str
    source: Source
    data: str
    layers: tuple[LayerSummary, ...]
    build: "Callable[..., keras.Model]"
    training: Callable[..., Plan]
    measure: "Callable[[np.ndarray, np.ndarray], dict[str, float]]"
    metrics: Mapping[str, Metric]
    answers: Answers
    example: Callable[[Sequence[str]], str]
    presets: Mapping[str, Options] = field(default_factory=dict)
    data_here: Callable[[], bool] = lambda: True
    adapt: "Callable[[keras.Model, np.ndarray], None] | None" = None
    guess: Callable[[Dataset], Guess] | None = None
    course: Callable[[Options, Dataset], Course] | None = None
    settled: tuple[str, ...] = ()
    anew: Options = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    keeps_first_weights: bool = False
    side_by_side: bool = False

    @property
    def parameters(self) -> int:
        """The number of parameters of the default net."""
        return sum(layer.parameters for layer in self.layers)
