"""Opening what somebody else made: everything is checked before anything acts on it.

First, without Keras: `files` reads, `strict_json` and `architecture` accept a model's configuration
piece by piece against the list in `allowed`, `hdf5` reads weights in a process of their own,
`archive` opens `.keras` files, `arrays` input. Then, with Keras: `building` makes the model without
memory for its weights, so that its sizes are known first, and `weights` puts the arrays in place.
`limits` says how much is too much, `time_limit` ends what computes too long.
"""
