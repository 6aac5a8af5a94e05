"""The recipes: one file for each, to be read from top to bottom, with its `RECIPE` at the end."""
