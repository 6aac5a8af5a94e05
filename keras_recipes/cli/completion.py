"""Shell completion: what Tab offers for a half-typed command.

Click calls these functions, and writes the scripts for the shells (`docs/completion.md`). Nothing
heavy is imported, so that Tab answers at once.
"""

import contextlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from keras_recipes.errors import RecipeError

if TYPE_CHECKING:
    from keras_recipes.recipe import Recipe

Items = list[CompletionItem[str]]


def names(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Return the names of recipes."""
    from keras_recipes import catalog

    return _beginning(typed, catalog.names())


def models(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Return recipes, saved models and model files; the shell adds other files."""
    from keras_recipes import catalog
    from keras_recipes.models.endings import ENDINGS
    from keras_recipes.saved import locate

    saved = sorted(str(card.parent) for card in locate.DEFAULT_FOLDER.glob(f"*/{locate.CARD}"))
    endings = {*ENDINGS.values(), ".json", *locate.WHOLE}
    with contextlib.suppress(OSError):
        saved += sorted(str(p) for p in Path(typed).parent.iterdir() if p.suffix in endings - {""})
    # A file from elsewhere may have control characters in its name. A terminal would obey them.
    saved = [name for name in saved if name.isprintable()]
    # The entry for files is first, because Bash forgets what came before it.
    return [CompletionItem(typed, type="file"), *_beginning(typed, [*catalog.names(), *saved])]


def files(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Let the shell offer files and folders."""
    return [CompletionItem(typed, type="file")]


def presets(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Return the presets of the recipe that was typed before."""
    recipe = _recipe(context)
    return _beginning(typed, recipe.presets) if recipe else []


def formats(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Return the formats of an export."""
    from keras_recipes.models.endings import ENDINGS

    return _beginning(typed, ENDINGS)


def assignments(context: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Return the options that the command takes, as `KEY=`, or after `KEY=` its values."""
    from keras_recipes import options

    recipe = _recipe(context)
    if recipe is None:
        return []
    commands = options.taken_by(recipe)
    known = {
        name: option
        for name, option in options.of(recipe).items()
        if context.command.name in commands[name]
    }
    key, assigned, _ = typed.partition("=")
    if not assigned:
        return [
            CompletionItem(f"{name}=", help=option.expected + option.unset)
            for name, option in known.items()
            if name.startswith(typed)
        ]
    option = known.get(key.replace("-", "_"))
    if option is None:
        return []
    choices = ("true", "false") if option.kind is bool else option.choices
    return _beginning(typed, [f"{key}={choice}" for choice in choices])


def _beginning(typed: str, texts: Iterable[str]) -> Items:
    return [CompletionItem(text) for text in texts if text.startswith(typed)]


def _recipe(context: click.Context) -> "Recipe | None":
    """Return the recipe that was typed before, or the recipe of the model that was typed."""
    from keras_recipes import catalog
    from keras_recipes.saved import locate

    # While the last option has no value yet, Click keeps the arguments in `args`.
    named = [context.params.get("name"), context.params.get("model"), *context.args]
    first = next(filter(None, named), None)
    with contextlib.suppress(RecipeError, OSError):
        if first is not None and catalog.canonical(first):
            return catalog.get(first)
        card = locate.card_of(first) if first is not None else None
        return catalog.get(card.recipe) if card else None
    return None


class _Bash(BashComplete):
    """Bash's completion. Bash splits words at `=`, and adds a blank after a completed word."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n",
        '    [[ "${COMPREPLY[0]}" == *= ]] && compopt -o nospace\n\n    return 0\n',
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words as they were typed, before Bash split them at `=`."""
        before, current = super().get_completion_args()
        words = list(_joined([*before, current]))
        self.kept = words[-1].rpartition("=")[0] + "=" if current != words[-1] else ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the part that replaces Bash's own last word."""
        item.value = item.value.removeprefix(self.kept)
        return super().format_completion(item)


def _joined(words: list[str]) -> Iterator[str]:
    whole = words[0] if words else ""
    for before, word in pairwise(words):
        if "=" in (before, word):
            whole += word
        else:
            yield whole
            whole = word
    yield whole


def register() -> None:
    """Make Click use this module's completion for Bash."""
    add_completion_class(_Bash, "bash")
