"""Classifier -> a file for another runtime, proved to give the same predictions. Start reading at `export.py`."""

# of what is written; "other" only where the classifier learned from `_other` photos
OUTPUTS = ("logits", "probabilities", "other")
