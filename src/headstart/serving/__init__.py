"""Classifier -> an HTTP service, with a page. Start reading at `app.py`."""
