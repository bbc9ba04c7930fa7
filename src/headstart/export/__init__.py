"""Classifier -> a file for another runtime, proved to give the same predictions. Start reading at `export.py`."""
