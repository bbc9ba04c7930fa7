"""Listeners receive the events of long work: for a terminal, a file of JSON lines, a notebook, or nobody. One a file.

To add one, write a class with `emit(event)` and `cancelled()`, see `events.py`. Nothing else changes.
"""
