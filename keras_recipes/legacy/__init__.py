"""Rebuild models of Keras 1 and 2 in Keras 3, with the same outputs.

An old file becomes a tree of layers, each with its settings and its arrays (`reading`,
`architecture`, `weights`). `keras1` converts every layer to Keras 2, and `keras2` converts it to
Keras 3. Both convert settings and arrays together, since most changes over the years affected both.
If Keras 3 lacks a layer, `composed` builds it from layers that exist. The result is an ordinary
Keras 3 configuration, which `convert` passes to the safe loader: an old file is trusted no more
than a new one.
"""
