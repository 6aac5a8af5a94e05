"""The kinds of answers that recipes give, one a file; see `keras_recipes.recipe.Answers`."""
