"""The command line: each command parses its arguments, calls one function and prints the result."""

from keras_recipes.cli.app import commands, main

__all__ = ["commands", "main"]
