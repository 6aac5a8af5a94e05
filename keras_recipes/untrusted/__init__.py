"""Open untrusted files: everything is checked before anything acts on it.

The first steps need no Keras. `files` reads. `strict_json` and `architecture` accept a model's
configuration piece by piece, against the list in `allowed`. `hdf5` reads weights in a separate
process. `archive` opens `.keras` files, and `arrays` opens input. The next steps need Keras.
`building` creates the model without memory for its weights, so that its sizes are known first, and
`weights` assigns the arrays. `limits` holds the largest sizes, and `time_limit` ends a search that
takes too long. `budget` lets a second process watch this one while it works on a foreign model.
"""
