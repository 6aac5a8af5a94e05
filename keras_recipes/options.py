"""The options of a recipe: read from its functions' signatures, and checked before use."""

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from keras_recipes import bounds
from keras_recipes.bounds import Bound
from keras_recipes.errors import CorruptModelError, InputError, printable
from keras_recipes.recipe import About, Command, Learned, Options, Recipe, Step

if TYPE_CHECKING:
    from keras_recipes.models.card import Card

LARGEST_INTEGER = 2**53
"""The largest value of an option. Up to this, every reader of a card reads the same number."""

LONGEST_TEXT = 4_096
"""The most characters of a text that is an option's value."""

ABOUT: tuple[About, ...] = ("net", "data", "training", "answers", "measurement")

COMMANDS: tuple[Command, ...] = ("fit", "evaluate", "predict")

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Option:
    """An option: one keyword parameter of one of a recipe's functions.

    Attributes:
        name: The key in `--set key=value`.
        kind: The type of its values: `int`, `float`, `bool` or `str`.
        default: Its default value.
        optional: Whether it may be None, which means that it is not set.
        choices: The allowed values, if they are a list.
        bounds: The bounds of its values.
    """

    name: str
    kind: type
    default: Any
    optional: bool
    choices: tuple[Any, ...]
    bounds: tuple[Bound, ...]

    @property
    def expected(self) -> str:
        """The valid values in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        return f"{noun[self.kind]} {bounds.in_words(self.bounds)}".strip()

    @property
    def unset(self) -> str:
        """The words " or none" if the option may be None."""
        return " or none" if self.optional else ""

    @property
    def stays(self) -> bool:
        """Whether its value is taken from a card.

        A free text names a file. A card may come from elsewhere, so it must not name files.
        """
        return self.kind is not str or bool(self.choices)

    def parse(self, text: str) -> Any:
        """Return the value of a text that a user wrote.

        Raises:
            InputError: The text is no valid value.
        """
        if self.optional and text.lower() in ("", "none"):
            return None
        try:
            value = _truth(text) if self.kind is bool else self.kind(text)
        except ValueError:
            raise self._refusal(text) from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """Return the value, converted to the option's type if nothing is lost by that.

        Raises:
            InputError: The value has a wrong type or is out of range.
        """
        if value is None and self.optional:
            return None
        value = self._converted(value)
        if type(value) is not self.kind or (isinstance(value, float) and not math.isfinite(value)):
            raise self._refusal(value)
        if self.choices and value not in self.choices:
            raise self._refusal(value)
        if not bounds.met(value, self.bounds):
            raise self._refusal(value)
        if limit := _beyond(value):
            raise self._refusal(value, limit)
        return value

    def _converted(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if self.kind is float and isinstance(value, numbers.Real):
            return _float(value)
        if self.kind is int and isinstance(value, numbers.Integral):
            return int(value)
        return value

    def _refusal(self, value: Any, limit: str = "") -> InputError:
        return InputError(
            f"{self.name}: expected {self.expected}{limit}{self.unset}, received {_quoted(value)}"
        )


def steps(recipe: Recipe, learned: Learned | None = None) -> tuple[Step, ...]:
    """Return the recipe's functions that have options.

    Args:
        recipe: The recipe.
        learned: What a model learned from its data; None for the functions of all models.
    """
    fit: frozenset[Command] = frozenset({"fit"})
    found = [
        Step(recipe.build, "net", fit),
        Step(recipe.training, "training", fit),
        *recipe.answers.steps(learned),
    ]
    # The order is that in which the functions are called.
    return tuple(sorted(found, key=lambda step: ABOUT.index(step.about)))


def of(
    recipe: Recipe, command: Command | None = None, learned: Learned | None = None
) -> dict[str, Option]:
    """Return the options of a recipe by name.

    Args:
        recipe: The recipe.
        command: If given, only the options that this command takes.
        learned: If given, only the options that have an effect on a model that learned this.

    Raises:
        TypeError: Two functions of the recipe declare the same option, or a function takes an
            option that none declares.
    """
    known = _declared(recipe)
    some = {
        name: None
        for step in steps(recipe, learned)
        for name in taken(step.function)
        if command is None or _takes(step, command, known[name])
    }
    return {name: known[name] for name in known if name in some}


def _takes(step: Step, command: Command, option: Option) -> bool:
    return command in step.commands or (command == "fit" and step.kept and option.stays)


def _declared(recipe: Recipe) -> dict[str, Option]:
    found: dict[str, Option] = {}
    for function in _functions(recipe):
        for option in declared(function):
            if option.name in found:
                raise TypeError(f"{recipe.name}: {option.name} is declared twice")
            found[option.name] = option
    for function in _functions(recipe):
        if missing := taken(function) - found.keys():
            raise TypeError(f"{recipe.name}: nothing declares {min(missing)}")
    return found


def _functions(recipe: Recipe) -> list[Callable[..., Any]]:
    return list(dict.fromkeys(step.function for step in steps(recipe)))


def resolve(recipe: Recipe, preset: str | None, given: Options) -> dict[str, Any]:
    """Return the values of all options: what was given, else the preset's, else the default.

    Raises:
        InputError: The preset or an option is unknown, or a value has a wrong type or is out of
            range.
    """
    defaults = {name: option.default for name, option in of(recipe).items()}
    return {**defaults, **check(recipe, {**_preset(recipe, preset), **given})}


def of_model(recipe: Recipe, card: "Card", command: Command, given: Options) -> dict[str, Any]:
    """Return the values of all options for a model: what was given, else the card's value.

    A free text is not taken from a card: it names a file, and the card may come from elsewhere.

    Args:
        recipe: The model's recipe.
        card: The model's card.
        command: The command that uses the options.
        given: The options that the user gave.

    Raises:
        InputError: A given option is not one of the command, or has no effect on this model.
        CorruptModelError: The card has a value that the option cannot have.
    """
    known = of(recipe)
    mine = [option for option in known.values() if option.stays and option.name in card.options]
    try:
        kept = {option.name: option.check(card.options[option.name]) for option in mine}
    except InputError as error:
        raise CorruptModelError(f"the model's card is damaged: {error}") from None
    # A card of an older version may lack options that were added later.
    defaults = {option.name: option.default for option in known.values()}
    return {**defaults, **kept, **check(recipe, given, command, card.learned)}


def check(
    recipe: Recipe,
    values: Options,
    command: Command | None = None,
    learned: Learned | None = None,
) -> dict[str, Any]:
    """Check values of options, and return them converted to the options' types.

    Args:
        recipe: The recipe.
        values: The values by name.
        command: If given, the command that has to take all of them.
        learned: If given, what the model learned on which they have to have an effect.

    Raises:
        InputError: An option is unknown or has no effect here, or a value has a wrong type or is
            out of range.
    """
    known = of(recipe)
    for name, value in values.items():
        check_name(recipe, name, command, learned)
        _refuse_former(recipe, name, value)
    return {name: known[name].check(value) for name, value in values.items()}


def check_name(
    recipe: Recipe, name: str, command: Command | None, learned: Learned | None = None
) -> None:
    """Refuse an option that is unknown or has no effect; see `check`."""
    known = of(recipe)
    if name not in known:
        raise _unknown(recipe, name, of(recipe, command, learned))
    if learned is not None and name not in of(recipe, None, learned):
        why = recipe.answers.misplaced(name, learned) or "has no effect on this model"
        raise InputError(f"{name}: {why}; leave it out")
    if command is not None and name not in of(recipe, command, learned):
        takes = " or ".join(f"`recipes {other}`" for other in taken_by(recipe)[name])
        kept = "is not kept with a model" if command == "fit" else "has no effect here"
        raise InputError(f"{name}: {kept}; give it to {takes}")


def renamed(recipe: Recipe, values: Options) -> dict[str, Any]:
    """Return the options of an older card with their current names and values."""
    known = of(recipe)

    def today(name: str, value: Any) -> tuple[str, Any]:
        now = recipe.former.get(f"{name}={value}")
        name, value = recipe.former.get(name, name), now.partition("=")[2] if now else value
        # In older cards an empty text or 0 means that an option is not set.
        unset = name in known and known[name].optional and value in ("", 0)
        return name, None if unset else value

    return dict(today(name, value) for name, value in values.items())


def parse(
    recipe: Recipe,
    assignments: Iterable[str],
    command: Command | None = None,
    learned: Learned | None = None,
) -> dict[str, Any]:
    """Return the values of `key=value` texts, checked; see `check`.

    Raises:
        InputError: A text has no `=`, an unknown key, or an invalid value.
    """
    known = of(recipe)
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"--set: expected key=value, received {_quoted(assignment)}")
        name = name.strip().replace("-", "_")
        check_name(recipe, name, command, learned)
        _refuse_former(recipe, name, text.strip())
        values[name] = known[name].parse(text.strip())
    return values


def taken_by(recipe: Recipe) -> dict[str, list[str]]:
    """Return the commands that take each option, by its name."""
    takes = {command: of(recipe, command) for command in COMMANDS}
    return {name: [c for c, known in takes.items() if name in known] for name in of(recipe)}


def parts(recipe: Recipe) -> dict[str, str]:
    """Return what each option is about: net, data, training, answers or measurement."""
    found: dict[str, str] = {}
    for step in steps(recipe):
        for option in declared(step.function):
            found[option.name] = step.about
    return found


def descriptions(recipe: Recipe) -> dict[str, str]:
    """Return the explanation of each option, from the docstring of its function."""
    import docstring_parser

    meanings: dict[str, str] = {}
    for function in _functions(recipe):
        documented = docstring_parser.parse(inspect.getdoc(function) or "").params
        said = {p.arg_name: " ".join((p.description or "").split()) for p in documented}
        meanings.update((option.name, said.get(option.name, "")) for option in declared(function))
    return meanings


def call(function: Callable[..., _R], *arguments: Any, options: Options) -> _R:
    """Call a function of a recipe with the options that it takes."""
    return function(*arguments, **{name: options[name] for name in taken(function)})


def builder(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Wrap a builder so that it refuses the values that `--set` would refuse, then starts Keras.

    Raises:
        InputError: On a call, a value has a wrong type or is out of range, or Keras cannot start.
    """
    known = {option.name: option for option in declared(function)}
    signature = inspect.signature(function)

    @functools.wraps(function)
    def build(*arguments: _P.args, **given: _P.kwargs) -> _R:
        for name in known.keys() & given.keys():
            given[name] = known[name].check(given[name])
        signature.bind(*arguments, **given)  # raises TypeError for an unknown keyword
        from keras_recipes import backend  # which help and lists do not need

        # A builder is often the first call of a program: Keras starts without its messages.
        backend.start()
        return function(*arguments, **given)

    return build


def declared(function: Callable[..., Any]) -> list[Option]:
    """Return the options that a function declares: its keyword-only parameters with a default."""
    return [_option(p) for p in _keywords(function) if p.default is not inspect.Parameter.empty]


def taken(function: Callable[..., Any]) -> set[str]:
    """Return the names of the options that a function takes: its keyword-only parameters."""
    return {parameter.name for parameter in _keywords(function)}


@functools.cache
def _keywords(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def _option(parameter: inspect.Parameter) -> Option:
    annotation, metadata = parameter.annotation, []
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    if optional := type(None) in members:
        (annotation,) = (member for member in members if member is not type(None))
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    kind = type(choices[0]) if choices else annotation
    return Option(parameter.name, kind, parameter.default, optional, choices, bounds.of(metadata))


def check_preset(recipe: Recipe, preset: str | None) -> None:
    """Refuse a preset that the recipe does not have.

    Raises:
        InputError: The recipe has no preset of this name.
    """
    if preset is not None and preset not in recipe.presets:
        _refuse_former(recipe, "preset", preset)
        known = ", ".join(recipe.presets) or "none"
        raise InputError(f"{recipe.name} has no preset {preset!r}; its presets: {known}")


def _refuse_former(recipe: Recipe, name: str, value: Any) -> None:
    """Refuse a value that has another spelling now, and name this spelling."""
    if isinstance(value, str) and (now := recipe.former.get(f"{name}={value}")):
        raise InputError(f"{recipe.name}: {name}={value} is now called {now}; use this name")


def _preset(recipe: Recipe, preset: str | None) -> Mapping[str, Any]:
    check_preset(recipe, preset)
    return {} if preset is None else recipe.presets[preset]


def _unknown(recipe: Recipe, name: str, known: Mapping[str, Option]) -> InputError:
    import difflib

    if now := recipe.former.get(name):
        return InputError(f"{recipe.name}: the option {name} is now called {now}; use this name")
    near = difflib.get_close_matches(name[:80], known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    there = ", ".join(known) or "none"
    return InputError(f"{recipe.name} has no option {_quoted(name)} here{hint} it has {there}")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _beyond(value: Any) -> str:
    """Return in words the limit that a value exceeds, or an empty text: a card has to keep it."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return f", at most {LARGEST_INTEGER:,}"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f" of at most {LONGEST_TEXT:,} characters"
    if isinstance(value, str) and not _is_unicode(value):
        return " in UTF-8"
    return ""


def _is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8; some file names contain half characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quoted(value: Any) -> str:
    """Return a value for a message, shortened if it is long."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1_000:
        return "a longer number"  # Python refuses to write such a long number as text
    return printable(repr(value))


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]
