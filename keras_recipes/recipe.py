"""What a recipe *is*: plain frozen values and a handful of functions, no behaviour of its own.

A recipe's functions are keyword-only in everything a user may set. A keyword with a default
declares an option, and is the only home of that number; a keyword without one takes the option of
that name which another function of the recipe declares. `keras_recipes.options` reads both from
the signatures.
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
"""Values of options by name."""

Learned = Mapping[str, Any]
"""What a model knows of its data besides the weights; JSON values, kept in the card."""

Command = Literal["fit", "predict", "evaluate"]
"""The commands that take options of a recipe."""

About = Literal["net", "data", "training", "answers", "measurement"]
"""What an option is about."""

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
class LayerSummary:
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
    """How a model does on some data: the metrics, further tables by name, and the data's name."""

    metrics: dict[str, float]
    details: Details = field(default_factory=dict)
    data: str = ""


@dataclass(frozen=True)
class Calibrated:
    """What a recipe found out with the trained net: to be learned besides it, and its metrics."""

    learned: Mapping[str, Any]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Rows:
    """An answer that is a table.

    Attributes:
        rows: As they come.
        columns: Keys of the rows in order; None takes those of the first row.
        live: Whether they come as records arrive, and somebody may be waiting for each.
    """

    rows: Iterator[Row]
    columns: tuple[str, ...] | None = None
    live: bool = False


@dataclass(frozen=True)
class Prose:
    """An answer that is plain text, piece by piece."""

    pieces: Iterator[str]


Answer = Rows | Prose


class Words(tuple[str, ...]):
    """What was typed on the command line to be asked about: values, paths, `-`."""

    def check(self) -> None:
        """Refuses nothing at all.

        Raises:
            InputError: There is no word, or an empty one.
        """
        if not self:
            raise InputError("nothing to predict: give values, files, or - for standard input")
        if "" in self:
            raise InputError("expected values, files, or -, received an empty text")


@dataclass(frozen=True)
class Step:
    """One of a recipe's functions, and the commands whose options its keywords are.

    Attributes:
        function: What is called.
        about: What its options are about, as `recipes show` groups them.
        commands: That call it.
        kept: Whether `fit` takes its options too, to be kept with the model.
    """

    function: Callable[..., Any]
    about: About
    commands: frozenset[Command]
    kept: bool = False


class Answers(ABC):
    """What a recipe reads, what it is asked, and what comes out.

    There is a class for each kind of answer in `keras_recipes.answers`: one for each input
    (`PerInput`), rows out of a stream of records (`Streams`), text out of a prompt (`Text`). What
    can be refused without the model is refused before one is opened: the methods that need it
    return a function of it.
    """

    needs_keras: bool = False
    """Whether answers take more of the model than its outputs, which an export cannot give."""

    @abstractmethod
    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """Its functions that have options.

        Args:
            learned: What a model learned of its data; None where it is not known yet.
        """

    @abstractmethod
    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """Data to fit on.

        Args:
            data: Paths; none means the recipe's own data.
            options: All of the recipe's.
            learned: By a model that goes on training.
        """

    @abstractmethod
    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """The same of inputs and targets from Python."""

    @abstractmethod
    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """What answers, once the model is open.

        Args:
            card: The model's.
            asked: `Words`, or Python values.
            given: Options that the user gave.
            options: These, over the card's.

        Raises:
            InputError: What is asked cannot be read, or an option has no effect on it.
        """

    @abstractmethod
    def assess(
        self, recipe: "Recipe", card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """What measures, once the model is open; see `ask`.

        Args:
            recipe: The model's.
            card: The model's.
            data: As for `fit`; None for what the model was fitted on.
            options: Those given, over the card's.
        """

    @abstractmethod
    def draw(
        self, recipe: "Recipe", card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """What draws pictures, each with its name, once the model is open; see `assess`."""

    def calibrate(
        self, model: "keras.Model", data: Dataset, options: Options
    ) -> "Calibrated | None":
        """What is found out with the trained net, to be learned besides it; None for nothing."""
        return None

    def check_same(self, learned: Learned, data: Dataset) -> None:
        """Refuses data that a model cannot be measured on or go on training with."""
        return

    def misplaced(self, option: str, learned: Learned) -> str | None:
        """Why an option of the recipe has no effect on what a model learned."""
        return None


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of records that a model may be fitted on and then watch; see `answers.Streams`.

    Attributes:
        noun: What it is in a message, such as "a log".
        plural: The same of many, such as "logs".
        read: Paths, and what was learned by a model that goes on training, to a data set.
        calibrate: The trained net and its data to what is learned after training.
        columns: What was learned to the keys of the rows.
        check: Refuses, without the net, records that could not be judged: what was learned, and
            paths (None: there are none to look at).
        judge: The fitted model and paths or Python values to rows.
        watch: The fitted model to rows about what arrives on standard input.
        assess: The fitted model and paths (None: what it was fitted on) to metrics.
        figures: The fitted model and paths to pictures.
    """

    noun: str
    plural: str
    read: Callable[Concatenate[Sequence[str], Learned | None, ...], Dataset]
    calibrate: "Callable[Concatenate[keras.Model, Dataset, ...], Calibrated]"
    columns: Callable[[Learned], tuple[str, ...]]
    check: Callable[Concatenate[Learned, Sequence[str] | None, ...], None]
    judge: Callable[Concatenate[Fitted, Any, ...], Iterator[Row]]
    watch: Callable[Concatenate[Fitted, ...], Iterator[Row]]
    assess: Callable[Concatenate[Fitted, Sequence[str] | None, ...], Measured]
    figures: "Callable[Concatenate[Fitted, Sequence[str], ...], Iterator[tuple[str, Figure]]]"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One article, turned into something that can be built, trained, asked and drawn.

    Attributes:
        name: As on the command line, lower case with hyphens.
        summary: One line.
        source: The article.
        data: One line: which data the recipe wants.
        layers: What `build()` with its defaults gives; pinned by the contract test.
        build: Returns the compiled model.
        training: Returns the `Plan`.
        measure: Targets and outputs to metrics.
        metrics: Every metric that the recipe gives, the most telling one first, as it is printed.
        answers: What it reads, what it is asked and what it answers, with the functions for that.
        example: From the names of the data that a model was fitted on to what may be typed behind
            `recipes predict MODEL` to try it.
        presets: Named sets of options.
        data_here: Whether its own data is on this machine.
        guess: How well somebody does on the data who guesses.
        settled: Options that stay as they are when a model goes on training.
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
    layers: tuple[LayerSummary, ...]
    build: "Callable[..., keras.Model]"
    training: Callable[..., Plan]
    measure: "Callable[[np.ndarray, np.ndarray], dict[str, float]]"
    metrics: Mapping[str, Metric]
    answers: Answers
    example: Callable[[Sequence[str]], str]
    presets: Mapping[str, Options] = field(default_factory=dict)
    data_here: Callable[[], bool] = lambda: True
    guess: Callable[[Dataset], Guess] | None = None
    settled: tuple[str, ...] = ()
    former: Mapping[str, str] = field(default_factory=dict)
    keeps_first_weights: bool = False
    side_by_side: bool = False

    @property
    def parameters(self) -> int:
        """Parameters of the default net."""
        return sum(layer.parameters for layer in self.layers)
