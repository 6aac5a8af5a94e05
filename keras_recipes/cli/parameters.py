"""Arguments and options that several commands have, and how `--set` is read."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from keras_recipes.cli import completion
from keras_recipes.errors import InputError

if TYPE_CHECKING:
    from keras_recipes.recipe import Command, Learned, Recipe
    from keras_recipes.saved.load import Found

NAME = click.argument("name", metavar="NAME", shell_complete=completion.names)
MODEL = click.argument("model", metavar="MODEL", shell_complete=completion.models)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
WEIGHTS = click.option(
    "--weights",
    metavar="F",
    shell_complete=completion.files,
    help="The weights of a MODEL that is a .json file.",
)


def assignments(example: str) -> Callable[[Any], Any]:
    """The option `--set`.

    Args:
        example: Stands in its help.
    """
    return click.option(
        "--set",
        "assignments",
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.assignments,
        help=f"Set an option of the recipe, for example --set {example}; `recipes show NAME` "
        "lists them. May be given several times.",
    )


def given(
    recipe: "Recipe",
    assignments: Iterable[str],
    shorthands: Mapping[str, Any],
    command: "Command",
    learned: "Learned | None" = None,
) -> dict[str, Any]:
    """What was set by `--set` and by the options that are short for it, checked.

    Args:
        recipe: Whose options they are.
        assignments: `key=value` texts.
        shorthands: By name; None where one was not given.
        command: That was called.
        learned: By the model that is asked, if there is one.

    Raises:
        InputError: One is given twice, or has no effect there, or cannot have that value.
    """
    from keras_recipes import options

    short = {name: value for name, value in shorthands.items() if value is not None}
    found = options.parse(recipe, assignments, command, learned)
    if twice := sorted(found.keys() & short.keys()):
        raise InputError(f"{twice[0]}: given twice, as --{twice[0]} and by --set; leave one out")
    return {**found, **options.check(recipe, short, command, learned)}


def given_to(
    model: "Found", assignments: Iterable[str], shorthands: Mapping[str, Any], command: "Command"
) -> dict[str, Any]:
    """The same for a model, which has no options where it has no card."""
    if model.card is None:
        short = (f"{name}={value}" for name, value in shorthands.items() if value is not None)
        if there := [*assignments, *short]:
            raise InputError(
                f"--set {there[0]}: {model.name} has no card and so no options; leave it out"
            )
        return {}
    from keras_recipes import catalog

    recipe = catalog.get(model.card.recipe)
    return given(recipe, assignments, shorthands, command, model.card.learned)
