"""Recurrent cells that several recipes use, in Keras and in NumPy."""
