"""A recipe's options: read from its functions' signatures, checked before anything runs."""

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, get_args, get_origin

from keras_recipes import bounds
from keras_recipes.bounds import Bound
from keras_recipes.errors import InputError, printable
from keras_recipes.recipe import Recipe

LARGEST_INTEGER = 2**53
"""No option's value is larger: up to here every reader of a card reads the same number."""

LONGEST_TEXT = 4_096
"""No option's value is a longer text."""

FITTING = ("build", "read", "training", "calibrate", "interpret", "answer")
"""The functions of a recipe that have a part in `fit`."""

STAYING = ("interpret", "answer")
"""What `fit` is told of these stays with the model."""

PREDICTING = ("inputs", "interpret", "answer")
"""Those that have a part in `predict`."""

ASSESSING = ("assess",)
"""Those that have a part in `evaluate`, where a recipe does that itself."""

OWNERS = tuple(dict.fromkeys((*FITTING, *PREDICTING, *ASSESSING)))
"""All whose keyword-only parameters are options, where a recipe has them."""

_PART = {"build": "net", "read": "data", "training": "training", "assess": "measurement"}
"""What the options of a function are about; those of the other functions, the answers."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Option:
    """One keyword of one of a recipe's functions.

    Attributes:
        name: The key in `--set key=value`.
        kind: `int`, `float`, `bool` or `str`.
        default: Its value when nothing is said.
        choices: The only values allowed, if there is such a list.
        bounds: What the value has to compare with.
    """

    name: str
    kind: type
    default: Any
    choices: tuple[Any, ...]
    bounds: tuple[Bound, ...]

    @property
    def expected(self) -> str:
        """What a valid value looks like, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        return f"{noun[self.kind]} {bounds.in_words(self.bounds)}".strip()

    @property
    def stays(self) -> bool:
        """Whether a card may settle it; a free text names a file, and a card may be anybody's."""
        return self.kind is not str or bool(self.choices)

    def parse(self, text: str) -> Any:
        """The value that a user wrote.

        Raises:
            InputError: It is no such value.
        """
        try:
            value = _truth(text) if self.kind is bool else self.kind(text)
        except ValueError:
            raise self._refusal(text) from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """The value, converted to the option's type where nothing is lost.

        Raises:
            InputError: The value has the wrong type or is out of range.
        """
        if not isinstance(value, bool):
            if self.kind is float and isinstance(value, numbers.Real):
                value = _float(value)
            elif self.kind is int and isinstance(value, numbers.Integral):
                value = int(value)
        if type(value) is not self.kind or (isinstance(value, float) and not math.isfinite(value)):
            raise self._refusal(value)
        if self.choices and value not in self.choices:
            raise self._refusal(value)
        if not bounds.met(value, self.bounds):
            raise self._refusal(value)
        if limit := _beyond(value):
            raise self._refusal(value, limit)
        return value

    def _refusal(self, value: Any, limit: str = "") -> InputError:
        return InputError(f"{self.name}: expected {self.expected}{limit}, received {_shown(value)}")


def of(recipe: Recipe, owners: Sequence[str] = OWNERS) -> dict[str, Option]:
    """The options of these functions of the recipe, in the order of their signatures.

    Raises:
        TypeError: Two of the recipe's functions use one name for different things.
    """
    found: dict[str, Option] = {}
    for function in _functions(recipe, owners):
        for option in declared(function):
            if found.setdefault(option.name, option) != option:
                raise TypeError(f"{recipe.name}: {option.name} means two things")
    return found


def resolve(recipe: Recipe, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """All of the recipe's options: defaults, over them the preset, over it what was given.

    Raises:
        InputError: An unknown preset or option, or a value of the wrong type or out of range.
    """
    defaults = {name: option.default for name, option in of(recipe).items()}
    return {**defaults, **check(recipe, {**_preset(recipe, preset), **given})}


def check(
    recipe: Recipe, values: Mapping[str, Any], owners: Sequence[str] = OWNERS
) -> dict[str, Any]:
    """The values, if they are ones for options of these functions of the recipe.

    Raises:
        InputError: An unknown option, or a value of the wrong type or out of range.
    """
    known = of(recipe, owners)
    for name in values:
        if name not in known:
            raise _unknown(recipe, name, known)
    return {name: known[name].check(value) for name, value in values.items()}


def renamed(recipe: Recipe, values: Mapping[str, Any]) -> dict[str, Any]:
    """Options that an older card holds, by the names and values that they have today."""

    def today(name: str, value: Any) -> tuple[str, Any]:
        now = recipe.former.get(f"{name}={value}")
        return recipe.former.get(name, name), now.partition("=")[2] if now else value

    return dict(today(name, value) for name, value in values.items())


def parse(
    recipe: Recipe, assignments: Iterable[str], owners: Sequence[str] = OWNERS
) -> dict[str, Any]:
    """Values from `key=value` texts.

    Raises:
        InputError: No `=`, an unknown key, or a value of the wrong kind.
    """
    known = of(recipe, owners)
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"--set: expected key=value, received {_shown(assignment)}")
        name = name.strip().replace("-", "_")
        if name not in known:
            raise _unknown(recipe, name, known)
        values[name] = known[name].parse(text.strip())
    return values


def fitting(recipe: Recipe, given: Mapping[str, Any]) -> None:
    """Refuses what has no effect in a fit.

    Raises:
        InputError: An option that only other commands take.
    """
    takes = taken_by(recipe)
    for name in given:
        if name in takes and "fit" not in takes[name]:
            commands = " or ".join(f"`recipes {command}`" for command in takes[name])
            raise InputError(f"{name}: is not kept with a model; give it to {commands}")


def evaluating(recipe: Recipe) -> tuple[str, ...]:
    """The functions of the recipe that have a part in `evaluate`."""
    return ASSESSING if recipe.assess else ("read",)


def taken_by(recipe: Recipe) -> dict[str, list[str]]:
    """The commands that take each option."""
    commands = {"fit": FITTING, "evaluate": evaluating(recipe), "predict": PREDICTING}
    taken = {command: set(of(recipe, owners)) for command, owners in commands.items()}
    done = of(recipe, [owner for owner in FITTING if owner not in STAYING])
    taken["fit"] -= {name for name, x in of(recipe, STAYING).items() if not x.stays} - done.keys()
    return {name: [c for c, known in taken.items() if name in known] for name in of(recipe)}


def parts(recipe: Recipe) -> dict[str, str]:
    """What each option is about: net, data, training, answers or measurement."""
    found: dict[str, str] = {}
    for owner in OWNERS:
        for name in of(recipe, (owner,)):
            found.setdefault(name, _PART.get(owner, "answers"))
    return found


def descriptions(recipe: Recipe) -> dict[str, str]:
    """What each option means, from the docstrings of the functions that declare them."""
    import docstring_parser

    meanings: dict[str, str] = {}
    for function in _functions(recipe, OWNERS):
        documented = docstring_parser.parse(inspect.getdoc(function) or "").params
        said = {p.arg_name: " ".join((p.description or "").split()) for p in documented}
        for option in declared(function):
            meanings.setdefault(option.name, said.get(option.name, ""))
    return meanings


def call(recipe: Recipe, owner: str, *arguments: Any, options: Mapping[str, Any]) -> Any:
    """Calls one of the recipe's functions with those of the options that are its own."""
    function: Callable[..., Any] = getattr(recipe, owner)
    mine = {option.name for option in declared(function)}
    return function(*arguments, **{name: value for name, value in options.items() if name in mine})


def checked(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same function, which refuses values that `--set` would refuse before it does anything.

    Raises:
        InputError: When it is called: a value of the wrong type or out of range.
    """
    known = {option.name: option for option in declared(function)}

    @functools.wraps(function)
    def call_checked(*arguments: _P.args, **given: _P.kwargs) -> _R:
        for name in known.keys() & given.keys():
            given[name] = known[name].check(given[name])
        return function(*arguments, **given)

    return call_checked


def declared(function: Callable[..., Any]) -> list[Option]:
    """The options that one function declares: its keyword-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    return [_option(p) for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def _functions(recipe: Recipe, owners: Sequence[str]) -> list[Callable[..., Any]]:
    return [getattr(recipe, owner) for owner in owners if getattr(recipe, owner)]


def _option(parameter: inspect.Parameter) -> Option:
    annotation, metadata = parameter.annotation, []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    kind, default = type(parameter.default), parameter.default
    return Option(parameter.name, kind, default, choices, bounds.of(metadata))


def _preset(recipe: Recipe, preset: str | None) -> Mapping[str, Any]:
    if preset is None:
        return {}
    if preset not in recipe.presets:
        known = ", ".join(recipe.presets) or "none"
        raise InputError(f"{recipe.name} has no preset {preset!r}; its presets: {known}")
    return recipe.presets[preset]


def _unknown(recipe: Recipe, name: str, known: Mapping[str, Option]) -> InputError:
    import difflib

    if now := recipe.former.get(name):
        return InputError(f"{recipe.name}: the option {name} is called {now} now")
    near = difflib.get_close_matches(name[:80], known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    there = ", ".join(known) or "none"
    return InputError(f"{recipe.name} has no option {_shown(name)} here{hint} it has {there}")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _beyond(value: Any) -> str:
    """What more is expected of a value that a card could not keep; nothing of another one."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return f", at most {LARGEST_INTEGER:,}"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f" of at most {LONGEST_TEXT:,} characters"
    if isinstance(value, str) and not _is_unicode(value):
        return " in UTF-8"
    return ""


def _is_unicode(text: str) -> bool:
    """Half a character, as in a file name of an unknown encoding, cannot be written down."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    """A value in a message, however long it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1_000:
        return "a longer number"  # which Python itself refuses to spell out
    return printable(repr(value))


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]
