"""Detection of anomalies in files and in streams, for the recipe `lstm-anomaly`.

There are two kinds of records: the events of logs (`logs`) and numbers over time (`series`). In
each package, `kind` declares the functions and their options, and the modules next to it do the
work.
"""
