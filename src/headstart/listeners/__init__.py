"""Who hears what long work tells: a terminal, a file of JSON lines, a notebook, nobody. Each is one file.

A new one needs `emit(event)` and `cancelled()`, see `events.py`, and nothing else.
"""
