"""Models that Keras 1 and 2 saved, rebuilt in Keras 3 with the same outputs.

An old file becomes a tree of layers, each with its settings and its arrays (`reading`,
`architecture`, `weights`). `keras1` turns every layer into the one that Keras 2 had, `keras2` that
one into what Keras 3 has: always settings and arrays together, since most of what changed over the
years changed both. What Keras 3 lacks is put together from layers that it has (`composed`). The
result is an ordinary Keras 3 configuration, which `convert` gives to the safe loader like any
other: an old file gets no more trust than a new one.
"""
