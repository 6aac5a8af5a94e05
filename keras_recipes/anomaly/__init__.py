"""What is normal, learned; and what does not fit it, found, in bulk or as it arrives.

`logs.py` and `metrics.py` are the two kinds of data that the recipe `lstm-anomaly` reads; behind
each stands what judges a session of events (`detection.py`, `live.py`) or a record of numbers
(`watch.py`, `novelty.py`).
"""
