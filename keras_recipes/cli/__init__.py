"""The command line: parses, calls one function, prints."""

from keras_recipes.cli.app import commands, main

__all__ = ["commands", "main"]
