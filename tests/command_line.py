"""The type of the function with which a test runs the command line."""

from collections.abc import Callable

from click.testing import Result

Run = Callable[..., Result]
"""A function that runs `recipes ARGUMENTS...`, as the fixture `recipes` is."""
