"""Help and switches that every command has."""

import os
from pathlib import Path

import click
import pytest

from keras_recipes.cli import commands
from tests.command_line import Run


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_has_help_with_an_example(recipes: Run, name: str) -> None:
    text = recipes(name, "--help").stdout
    assert f"recipes {name}" in text.partition("Example:")[2]
    assert recipes(name, "-h").stdout == text


def test_every_option_is_explained() -> None:
    for command in commands.commands.values():
        options = [p for p in command.params if isinstance(p, click.Option)]
        assert [p.name for p in options if not p.help] == [], command.name


def test_no_color_is_asked_for_because_there_is_none(recipes: Run, saved: Path) -> None:
    for environment in ({"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}):
        result = recipes("predict", "xor", "0,1", env={**os.environ, **environment})
        assert "\x1b" not in result.output


def test_short_switches_may_be_typed_together(recipes: Run) -> None:
    assert "exclude each other" in recipes("-qv", "list").stderr
    assert recipes("list", "-qq").exit_code == 0
