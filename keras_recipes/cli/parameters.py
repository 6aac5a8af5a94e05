"""Arguments and options that several commands share, and the reading of `--set`."""

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
    help="The weights file, if MODEL is a .json file. The default is the .h5 file next to it.",
)


PRESET = click.option(
    "--preset",
    metavar="P",
    shell_complete=completion.presets,
    help="A named set of options; `recipes show NAME` lists them.",
)


def data(purpose: str) -> Callable[[Any], Any]:
    """Return the option `--data`.

    Args:
        purpose: What the data is for, to complete the first sentence of its help text; and what is
            used without it.
    """
    return click.option(
        "--data",
        metavar="D",
        multiple=True,
        shell_complete=completion.files,
        help=f"A file, a folder or a quoted pattern such as 'data/*.csv' {purpose} May be given "
        "several times.",
    )


def assignments(example: str) -> Callable[[Any], Any]:
    """Return the option `--set`.

    Args:
        example: A `KEY=VALUE` for its help text.
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


def shorthand(name: str, kind: type[int | float], meaning: str) -> Callable[[Any], Any]:
    """Return an option that is short for `--set NAME=VALUE`.

    Args:
        name: The recipe's option.
        kind: The type of its value.
        meaning: A sentence for its help text.
    """
    return click.option(
        f"--{name.replace('_', '-')}",
        type=kind,
        metavar="N" if kind is int else "F",
        help=f"{meaning} Short for --set {name}={'N' if kind is int else 'F'}.",
    )


def given(
    recipe: "Recipe",
    assignments: Iterable[str],
    shorthands: Mapping[str, Any],
    command: "Command",
    learned: "Learned | None" = None,
) -> dict[str, Any]:
    """Return the options that were given by `--set` or by a shorthand such as `--seed`, checked.

    Args:
        recipe: The recipe that declares the options.
        assignments: The `key=value` texts of `--set`.
        shorthands: The value of each shorthand by name; None if it was not given.
        command: The command that was called.
        learned: What the model learned from its data, if there is a model.

    Raises:
        InputError: An option is given twice, has no effect here, or has a wrong value.
    """
    from keras_recipes import options

    short = {name: value for name, value in shorthands.items() if value is not None}
    found = options.parse(recipe, assignments, command, learned)
    if twice := sorted(found.keys() & short.keys()):
        shorthand = f"--{twice[0].replace('_', '-')}"
        raise InputError(f"{twice[0]}: given twice, by {shorthand} and by --set; leave one out")
    return {**found, **options.check(recipe, short, command, learned)}


def given_to(
    model: "Found", assignments: Iterable[str], shorthands: Mapping[str, Any], command: "Command"
) -> dict[str, Any]:
    """Return the options that were given for a model; a model without a card has no options."""
    if model.card is None:
        short = (f"{name}={value}" for name, value in shorthands.items() if value is not None)
        if there := [*assignments, *short]:
            raise InputError(
                f"--set {there[0]}: {model.name} has no card, so it has no options; leave --set out"
            )
        return {}
    from keras_recipes import catalog

    recipe = catalog.get(model.card.recipe)
    return given(recipe, assignments, shorthands, command, model.card.learned)
