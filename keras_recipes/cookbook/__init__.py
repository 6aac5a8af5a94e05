"""One file a recipe; each tells one story from top to bottom and ends in its `RECIPE`."""
