"""The models of a server: those that were named when it was started, each opened once."""

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TypeVar

import numpy as np

from keras_recipes import catalog
from keras_recipes.answers.per_input import PerInput
from keras_recipes.answers.streams import Streams
from keras_recipes.answers.text import Text
from keras_recipes.errors import InputError
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted, Opened
from keras_recipes.models.runtime import Runtime
from keras_recipes.recipe import Answers, Recipe
from keras_recipes.saved.load import Found, find
from keras_recipes.serve import tensors
from keras_recipes.serve.batching import Batcher
from keras_recipes.serve.refusals import Refusal

DEFAULT = ("mnist-mlp", "lenet5")
"""The models of a server that was started without any: those that come with this package."""

VERSION = "1"
"""The version of every model; a server has one of each."""

_Kind = TypeVar("_Kind", bound=Answers)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model of a server.

    Attributes:
        name: The name in the address.
        found: The open model, which computes through the batcher.
        card: Its card; None if no recipe made it.
        recipe: Its recipe; None if no recipe made it.
        platform: The name and version of what computes it.
        batcher: The batcher; None if the recipe needs more than a net's outputs.
        takes: The net's input; None without a batcher.
        gives: The net's output; None without a batcher.
    """

    name: str
    found: Found
    card: Card | None
    recipe: Recipe | None
    platform: str
    batcher: Batcher | None = None
    takes: tensors.Spec | None = None
    gives: tensors.Spec | None = None

    @property
    def streams(self) -> Streams | None:
        """The model's answers if it judges streams."""
        return self._answers(Streams)

    @property
    def writes(self) -> bool:
        """Whether the model continues a text."""
        return self._answers(Text) is not None

    @property
    def sees(self) -> bool:
        """Whether the model answers about pictures."""
        return _reads_pictures(self.recipe)

    def _answers(self, kind: type[_Kind]) -> _Kind | None:
        answers = self.recipe.answers if self.recipe else None
        return answers if isinstance(answers, kind) else None


Counted = Callable[[str, int], None]
"""What is told a model's name and the number of inputs of each of its batches."""


class Models:
    """The models of a server by name.

    Args:
        asked: The MODEL arguments, as of `recipes predict`.
        counted: Called for each batch.

    Raises:
        InputError: There is no such model, or two have one name.
        UnsafeModelError: As for `open_model`.
        CorruptModelError: As for `open_model`.
    """

    def __init__(self, asked: Iterable[str], counted: Counted) -> None:
        self.by_name: dict[str, Served] = {}
        for text in tuple(asked) or DEFAULT:
            found = find(text)
            name = catalog.canonical(text) or found.name
            if not _NAME.fullmatch(name):
                raise InputError(
                    f"{text}: expected a name of letters, digits, -, _ and . for the address, "
                    "received another; rename the folder or the file"
                )
            if name in self.by_name:
                raise InputError(f"{text}: a second model with the name {name}; rename one of them")
            self.by_name[name] = _opened(name, found, counted)

    def named(self, name: str) -> Served:
        """Return a model.

        Raises:
            Refusal: There is no model of this name.
        """
        served = self.by_name.get(name)
        if served is None:
            raise Refusal(404, f"no model {name!r}; there are: {', '.join(self.by_name)}")
        return served

    def close(self) -> None:
        """End the threads of all models when they are done."""
        for served in self.by_name.values():
            if served.batcher:
                served.batcher.close()


def _opened(name: str, found: Found, counted: Counted) -> Served:
    opened, card = found.open(), found.card
    recipe = catalog.get(card.recipe) if card else None
    if recipe and recipe.answers.needs_keras:
        platform = f"keras_recipes {version('keras_recipes')}"
        return Served(name=name, found=found, card=card, recipe=recipe, platform=platform)
    takes, gives = _ends(recipe, opened.runtime)
    if _reads_pictures(recipe):
        # The first picture should not wait for what reads it.
        importlib.import_module("keras_recipes.digits.pictures")
    batcher = Batcher(opened.runtime, name, lambda rows: counted(name, rows))
    return Served(
        name=name,
        found=Found(_through(batcher, opened)),
        card=card,
        recipe=recipe,
        platform=batcher.name,
        batcher=batcher,
        takes=takes,
        gives=gives,
    )


def _reads_pictures(recipe: Recipe | None) -> bool:
    answers = recipe.answers if recipe else None
    return isinstance(answers, PerInput) and answers.columns[0] == "file"


def _through(runtime: Runtime, opened: Fitted | Opened) -> Opened:
    """Return the same model, computed by another runtime."""
    if isinstance(opened, Opened):
        return replace(opened, light=runtime)
    assert opened.place is not None
    return Opened(runtime, opened.card, opened.place)


def _ends(recipe: Recipe | None, runtime: Runtime) -> tuple[tensors.Spec, tensors.Spec]:
    """Return the input and the output of a net; it computes once, so the first answer is fast."""
    shape = runtime.input_shape
    nothing: np.ndarray = np.zeros((1, *(n or 1 for n in shape)), "float32")
    if recipe:
        assert isinstance(recipe.answers, PerInput)
        # The recipe knows of what type the net's inputs are.
        nothing = recipe.answers.as_batch(nothing.astype("uint8")).x
    outputs = runtime.outputs(nothing)
    takes = tensors.Spec("input", tensors.datatype_of(nothing.dtype), _free(shape))
    gives = tensors.Spec("output", tensors.datatype_of(outputs.dtype), _free(outputs.shape[1:]))
    return takes, gives


def _free(shape: Iterable[int | None]) -> list[int]:
    return [-1, *(-1 if n is None else n for n in shape)]


def described(models: Mapping[str, Served]) -> str:
    """Return the models and what computes them, in words."""
    return ", ".join(f"{name} ({served.platform})" for name, served in models.items())
