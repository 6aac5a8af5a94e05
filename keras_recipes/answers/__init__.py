"""The kinds of answers of recipes, one per file; see `keras_recipes.recipe.Answers`."""
