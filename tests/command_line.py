"""How a test asks the command line."""

from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]
"""Runs `recipes ARGUMENTS...`; the fixture `recipes` is one."""
