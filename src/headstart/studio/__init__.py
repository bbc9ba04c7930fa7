"""A folder of photos -> a local workshop in the browser: look, label, train, understand, try. Start at `app.py`."""
