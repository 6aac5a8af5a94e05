"""Answers with rows about a stream of records, which have a state between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate

from keras_recipes import options as settings
from keras_recipes.data import files
from keras_recipes.data.dataset import Dataset
from keras_recipes.errors import CorruptModelError, InputError, described, printable
from keras_recipes.models.fitted import Askable, Fitted
from keras_recipes.recipe import (
    Answer,
    Answers,
    Calibrated,
    Command,
    Learned,
    Measured,
    Options,
    Recipe,
    Rows,
    Step,
    Stream,
    Words,
)

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from keras_recipes.models.card import Card


@dataclass(frozen=True, kw_only=True)
class Streams(Answers):
    """Answers about records of several kinds; the training data decides the kind of a model.

    The model keeps the name of its kind as `kind` in what it learned.

    Attributes:
        kinds: The kinds by name.
        of_data: Returns the name of the kind that a new model is fitted on, for paths.
        recognise: Detects the name of the kind of paths.
        has_content: Returns whether a path has any content to detect a kind by.
    """

    kinds: Mapping[str, Stream]
    of_data: Callable[Concatenate[Sequence[str], ...], str]
    recognise: Callable[[Sequence[str]], str]
    has_content: Callable[[str], bool]
    needs_keras = True

    def of(self, learned: Learned) -> Stream:
        """Return the kind that a model was fitted on.

        Raises:
            CorruptModelError: There is no such kind.
        """
        # Models without a kind are older than the second kind, so they are of the first.
        name = learned.get("kind", next(iter(self.kinds)))
        if not isinstance(name, str) or name not in self.kinds:
            raise CorruptModelError(
                f"its card: expected a kind of data ({', '.join(self.kinds)}), received "
                f"{printable(repr(name))}; restore it, or fit again"
            )
        return self.kinds[name]

    def steps(self, learned: Learned | None = None) -> tuple[Step, ...]:
        """See `Answers`; for a fitted model, only the steps of its kind."""
        kinds = [self.of(learned)] if learned else list(self.kinds.values())
        fit: frozenset[Command] = frozenset({"fit"})
        predict: frozenset[Command] = frozenset({"predict"})
        evaluate: frozenset[Command] = frozenset({"evaluate"})
        found = [Step(self.of_data, "data", fit)]
        for kind in kinds:
            found += [
                Step(kind.read, "data", fit),
                Step(kind.calibrate, "answers", fit),
                Step(kind.judge, "answers", predict, kept=True),
                Step(kind.watch, "answers", predict, kept=True),
                Step(kind.assess, "measurement", evaluate),
                Step(kind.check, "answers", frozenset()),
                Step(kind.figures, "answers", frozenset()),
            ]
        return tuple(found)

    def data_set(self, data: Sequence[str], options: Options, learned: Learned | None) -> Dataset:
        """See `Answers`; a model whose training is continued keeps its kind."""
        if learned is None:
            kind = self.kinds[settings.call(self.of_data, data, options=options)]
        else:
            kind = self.of(learned)
        return settings.call(kind.read, data, learned, options=options)

    def data_of_arrays(self, x: Any, y: Any) -> Dataset:
        """Refuse arrays, because records are read from files.

        Raises:
            InputError: Always.
        """
        raise InputError("expected paths of files, received arrays")

    def calibrate(self, model: "keras.Model", data: Dataset, options: Options) -> Calibrated:
        """See `Answers`."""
        return settings.call(self.of(data.learned).calibrate, model, data, options=options)

    def misplaced(self, option: str, learned: Learned) -> str | None:
        """See `Answers`."""
        mine = self.of(learned)
        others = [kind.plural for kind in self.kinds.values() if kind is not mine]
        return f"is an option for {' or '.join(others)}, and this model watches {mine.plural}"

    def ask(
        self, card: "Card", asked: Any, given: Options, options: Options
    ) -> Callable[[Askable], Answer]:
        """See `Answers`."""
        from keras_recipes.data import lines  # imported here, because `recipes list` needs none

        if lines.on_standard_input(asked):
            self.check_live(card, given)
            return self.follow(card, lines.from_standard_input(lines.TICK), options)
        kind = self.of(card.learned)
        columns = settings.call(kind.columns, card.learned, options=options)
        _check_of_files(kind, given)
        # From Python, a list of texts may be the lines of a log.
        paths = files.as_texts(asked) if isinstance(asked, Words | str | Path) else None
        self._check(kind, card.learned, paths, {**options, "state": None})
        judged = [Path(text) for text in asked] if isinstance(asked, Words) else asked

        def judge(model: Askable) -> Answer:
            found = settings.call(kind.judge, model, judged, options=options)
            return Rows(found, columns)

        return judge

    def follow(
        self, card: "Card", blocks: Iterator[list[bytes]], options: Options
    ) -> Callable[[Askable], Rows]:
        """Return a function that takes the open model and answers lines as they arrive.

        Args:
            card: The model's card.
            blocks: The lines, some at a time; an empty list means that time passed.
            options: The values of all options.

        Raises:
            InputError: The state cannot be kept, or an option has a wrong value.
        """
        kind = self.of(card.learned)
        columns = settings.call(kind.columns, card.learned, options=options)
        self._check(kind, card.learned, None, options)

        def watch(model: Askable) -> Rows:
            found = settings.call(kind.watch, model, blocks, options=options)
            return Rows(found, columns, live=True)

        return watch

    def check_live(self, card: "Card", given: Options) -> None:
        """Refuse options that have no effect on lines as they arrive.

        Raises:
            InputError: There is one.
        """
        kind = self.of(card.learned)
        for name in sorted(given.keys() & settings.taken(kind.judge) - settings.taken(kind.watch)):
            raise InputError(f"{name}: is an option for files; leave it out")

    def assess(
        self, recipe: Recipe, card: "Card", data: Any, options: Options
    ) -> Callable[[Askable], Measured]:
        """See `Answers`."""
        kind, paths = self.of(card.learned), _paths(card, data)
        self._check(kind, card.learned, paths, {**options, "state": None, "after": None})

        def measure(model: Askable) -> Measured:
            found = settings.call(kind.assess, model, paths, options=options)
            name = files.in_words(paths) if paths else card.data["name"]
            return Measured(found.metrics, found.details, name)

        return measure

    def draw(
        self, recipe: Recipe, card: "Card", data: Any
    ) -> "Callable[[Fitted], Iterator[tuple[str, Figure]]]":
        """See `Answers`."""
        kind, paths = self.of(card.learned), _paths(card, data)
        options = settings.of_model(recipe, card, "evaluate", {})
        self._check(kind, card.learned, paths, {**options, "state": None, "after": None})

        def figures(model: Fitted) -> "Iterator[tuple[str, Figure]]":
            return settings.call(kind.figures, model, paths or card.paths(), options=options)

        return figures

    def _check(
        self, kind: Stream, learned: Learned, paths: Sequence[str] | None, options: Options
    ) -> None:
        """Refuse data that cannot be judged; the message says if it is of another kind."""
        if paths and files.read_once(paths):
            paths = None  # after a check nothing would be left to judge
        try:
            settings.call(kind.check, learned, paths, options=options)
        except InputError:
            if not paths or not self.has_content(paths[0]):
                raise
            other = self.kinds[self.recognise(paths)]
            if other is kind:
                raise
            raise InputError(
                f"{paths[0]}: looks like {other.noun}, and this model was fitted on {kind.noun}; "
                "name another model, or fit one on such data with --out"
            ) from None


def _check_of_files(kind: Stream, given: Options) -> None:
    """Refuse options that have no effect on files."""
    for name in sorted(given.keys() & settings.taken(kind.watch) - settings.taken(kind.judge)):
        raise InputError(f"{name}: is an option for standard input; give - instead of files")


def _paths(card: "Card", data: Any) -> list[str] | None:
    """Return the paths of given data; None for the data that the model was fitted on."""
    if data is None:
        card.paths()  # refuses data that cannot be read again
        return None
    paths = files.as_texts(data)
    if paths is None:
        raise InputError(f"data: expected paths, received {described(data)}")
    return paths
