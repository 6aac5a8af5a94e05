"""A server that answers over HTTP: `app` is the program, `running` starts and stops it.

A request passes `gate` (token, limits, access log, metrics) and reaches a room: `protocol` speaks
the Open Inference Protocol, `predictions` answers as `recipes predict` does, and `streams` judges
lines as they arrive. All of them compute through `batching`. What a request says is content, and
never the name of a file on this machine.
"""
