"""The pages of reference, written out of the program: its commands, its recipes' options."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import click

from keras_recipes import catalog
from keras_recipes.anomaly.logs import kind as logs
from keras_recipes.anomaly.series import verdicts
from keras_recipes.answers.per_input import PerInput
from keras_recipes.cli import commands as recipes
from keras_recipes.commands.show import description
from keras_recipes.recipe import Recipe

ABOUT_COMMANDS = """# Command reference

Every command of `recipes` with its options, as `recipes COMMAND --help` prints them. `make pages`
writes this page. The options of a recipe, which follow `--set`, are on [a page of their
own](options.md). [Completion](../completion.md) lets your shell type names and options.
"""
ABOUT_OPTIONS = """# Options, metrics and columns

Everything that you can set on a recipe, and everything that it tells you, as `recipes show NAME`
prints it. `make pages` writes this page.

`--set KEY=VALUE` sets an option. Give it several times to set several options. From Python the same
names are keywords: `fit("xor", hidden_units=4)`. The model's [card](../glossary.md#card) keeps the
options of the fit. What you give to `evaluate` or `predict` counts for that call only. A
[preset](../glossary.md#preset) is a named set of options; an option that you set yourself counts
more. The default `none` means that the option is not set.
"""
COLUMNS = {
    "input": "The point, as `x1,x2`.",
    "probability": "How likely the answer is, from 0 to 1.",
    "class": "1 where the probability is at least 0.5, else 0.",
    "file": "The picture: its path, or its number in a file of many.",
    "prediction": "The likeliest class, by its label; or `unsure`.",
    "second": "The second-best class.",
    "second_probability": "How likely the second-best class is.",
    "reconstruction_error": "Mean squared difference per pixel to what the net draws of it.",
    "session": "The session: what its lines have in common, or its number.",
    "score": "How strange it is, from 0 to 1; an anomaly has 0.5 or more.",
    "anomaly": "1 for an anomaly, else 0.",
    "position": "Place of the strangest event in the session, counted from 1.",
    "observed": "The event there, as the template of its line.",
    "expected": "The event that was likelier.",
    "line": "Number of the strangest event's line in its file.",
    "new_events": "Number of events of the session, up to that one, that no normal session had.",
    "explanation": "Why the session is an anomaly, and its new events in any case, in a sentence.",
    "timestamp": "Time of the record.",
    "column": "Which column the row is about.",
    "columns": "The columns that deviate, strongest first, joined by `;`; empty outside incidents.",
    "value": "The value of the record.",
    "incident": "The number of the incident that the record belongs to, from 1; 0 outside.",
    "begin": "Time of the incident's first record.",
    "end": "Time of its last record.",
    "peak": "Time of its record with the highest score.",
    "expected_low": "Lower end of the range that was expected.",
    "expected_high": "Upper end of the range that was expected.",
}
"""What the keys of rows mean: only this page says it."""


def commands_page() -> str:
    """docs/reference/commands.md."""
    context = click.Context(recipes, info_name="recipes", **recipes.context_settings)
    return "\n".join([ABOUT_COMMANDS, *_commands(context)])


def _commands(context: click.Context) -> Iterator[str]:
    """A command, and the commands of a group."""
    yield from _command(context)
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _commands(click.Context(command, context, name, **command.context_settings))


def _command(context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    usage = " ".join(context.command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```\n"
    for paragraph in inspect.cleandoc(context.command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            title, *lines = paragraph.splitlines()[1:]
            yield f"{title}\n\n```text\n{inspect.cleandoc(chr(10).join(['', *lines]))}\n```\n"
        else:
            yield f"{paragraph}\n"
    options = [p for p in context.command.get_params(context) if isinstance(p, click.Option)]
    records = filter(None, (option.get_help_record(context) for option in options))
    rows = [[_code(option), _cell(meaning)] for option, meaning in records]
    yield _table(["option", "meaning"], rows)


def options_page() -> str:
    """docs/reference/options.md."""
    return "\n".join([ABOUT_OPTIONS, *(part for name in catalog.names() for part in _recipe(name))])


def _recipe(name: str) -> Iterator[str]:
    recipe = catalog.get(name)
    known = description(recipe)
    yield f"## {name}\n\n{known['summary'][0].upper()}{known['summary'][1:]}.\n"
    for (part, taken_by), options in groupby(
        known["options"], lambda option: (option["part"], option["commands"])
    ):
        yield f"### {name}: options of the {part}, for {_listed(taken_by)}\n"
        yield _table(["option", "default", "meaning"], map(_option, options))
    if recipe.presets:
        yield f"### {name}: presets\n"
        rows = [[_code(preset), _assigned(values)] for preset, values in known["presets"].items()]
        yield _table(["preset", "sets"], rows)
    yield f"### {name}: metrics\n"
    metrics = [[_code(metric), _cell(meaning)] for metric, meaning in known["metrics"].items()]
    yield _table(["metric", "meaning"], metrics)
    for title, columns in _columns(recipe).items():
        yield f"### {name}: columns of a prediction{title}\n"
        yield _table(["column", "meaning"], [[_code(key), COLUMNS[key]] for key in columns])


def _columns(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The keys of a recipe's rows, by what the rows are about."""
    if isinstance(recipe.answers, PerInput):
        return {"": recipe.answers.columns}
    return {
        " about a log": logs.columns({}),
        " about a series of one column": verdicts.OF_A_COLUMN,
        " about a series of several columns": verdicts.OF_A_TABLE,
        " about each column": verdicts.OF_EACH_COLUMN,
        " about incidents": verdicts.OF_AN_INCIDENT,
    }


def _option(option: Mapping[str, Any]) -> list[str]:
    default = _code(_value(option["default"]))
    meaning = f"{_cell(option['meaning'])}<br>Expected: {_cell(option['expected'])}."
    return [_code(option["option"]), default, meaning]


def _listed(names: Iterable[str]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _assigned(values: Mapping[str, Any]) -> str:
    return ", ".join(_code(f"{name}={_value(value)}") for name, value in values.items())


def _value(value: Any) -> str:
    """A value as it is typed after `--set KEY=`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
