"""`python -m keras_recipes` is `recipes`."""

from keras_recipes.cli import main

main()
