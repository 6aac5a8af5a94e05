"""What is normal, learned; and what does not fit it, found, in bulk or as it arrives.

Two kinds of records that the recipe `lstm-anomaly` watches: the events of logs (`logs`), and
numbers over time (`series`). In each, `kind` declares the functions and their options, and the
modules beside it do the work.
"""
